/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IDR (include/linux/idr.h): numbers to pointers, an xarray inside.
 */
#ifndef ARENA_IDR_H
#define ARENA_IDR_H

#include "kernel.h"

struct idr_visitor {
	/** An entry: @pointer is 8-byte aligned, else unchecked. False ends the walk. */
	bool (*entry)(void *ctx, uint32_t id, uint64_t pointer);
	/**
	 * A node that cannot be read or believed: what ids @first to @last point to is not
	 * known. False ends the walk.
	 */
	bool (*lost)(void *ctx, uint32_t first, uint32_t last, const struct fault *why);
	void *ctx;
};

/**
 * Visit all entries of the IDR at @idr, ids ascending. Nodes are checked: shift below the
 * parent's, parent, slot there, and xarray (where BTF has that member).
 * False: the IDR itself cannot be read (in @why), or stopped by the visitor (@why untouched).
 */
bool idr_walk(const struct kernel *k, uint64_t idr, const struct idr_visitor *visitor,
	      struct fault *why);

#endif
