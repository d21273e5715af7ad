/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contents of arenas: a renderer that hands the stored pages of each to whoever makes files.
 */
#ifndef ARENA_CONTENTS_H
#define ARENA_CONTENTS_H

#include "report.h"

enum { CONTENTS_NAME = 64, CONTENTS_PAGE = 65536 };

/**
 * One file at a time: create(), write_at() as often as there are pages, finish(). False: @why
 * says what the system said.
 */
struct contents_files {
	bool (*create)(void *ctx, const char *name, struct fault *why);
	bool (*write_at)(void *ctx, const void *data, size_t n, uint64_t offset,
			 struct fault *why);
	/** Make it @size bytes long, with holes where nothing was written, and close it. */
	bool (*finish)(void *ctx, uint64_t size, struct fault *why);
	/** Close a file that will not be finished. */
	void (*drop)(void *ctx);
	void *ctx;
};

/**
 * "ID.bin" for each arena, "kern-KERN_VM_START.bin" without an id: a page lies at pgoff *
 * page_size, without user_vm_start at its place in the window (its low 32 bits). Scratch pages
 * and those in guards are left out. Stored pages of zeros are written, pages that are not stored are holes
 * and a problem of the report. To stand before renderers that show problems.
 */
struct contents_renderer {
	struct renderer renderer;
	struct contents_files files;
	bool failed;		/* a file could not be made or written: @why */
	struct fault why;
	uint8_t page[CONTENTS_PAGE];
};

/** @files is copied. */
void contents_renderer_init(struct contents_renderer *c, const struct contents_files *files);

#endif
