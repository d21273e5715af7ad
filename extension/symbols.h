/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash's symbols and types as debug information: for what a dump does not give of itself.
 */
#ifndef ARENA_SYMBOLS_H
#define ARENA_SYMBOLS_H

#include "../core/debuginfo.h"

struct symbols {
	struct debuginfo debuginfo;
	char name[320], build_id[65];
	struct btf_member want[MEMBERS_END];
	bool type_found[MEMBERS_END];
};

/** The build ID of crash's vmlinux, from its file. False: @why. */
bool symbols_build_id(char id[65], struct fault *why);

/** Ask crash's gdb all that may be wanted; between crash_gdb_begin() and _end(). */
void symbols_gather(struct symbols *s, const char *build_id);

#endif
