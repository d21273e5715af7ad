// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "help arena": name, summary, synopsis, description. No % but the program's name: crash
 * prints some of these lines as formats.
 */
#include <stddef.h>

#include "crash.h"

char *arena_help[] = {
	"arena",
	"BPF arenas and their pages",
	"[-v | -p] [-j] [ARENA]...",
	"  This command lists the BPF arenas of the kernel: each map of type arena,",
	"  and how many pages it has. Types and symbols are taken from the dump itself.",
	" ",
	"    ARENA  only this one: an id, a name, or an address (0x...) of its struct or",
	"           inside it, user or kernel. May be repeated. Alone it means -v.",
	"       -v  all fields of each arena, and where the facts came from.",
	"       -p  each page: pgoff, user, kernel and physical address.",
	"       -j  JSON, one line; with -p also the pages.",
	" ",
	"  FLAGS: T truncated, M contents missing, S scratch pages, O pages outside of",
	"  what is declared, C declared more than 4 GiB, - none of these.",
	"\nEXAMPLES",
	"  List all arenas:\n",
	"    %s> arena",
	"           ID BPF_MAP           USER_VM_START  MAPPED DECLARED FLAGS NAME",
	"           38 ffff8c65186d6600   7f2100000000      12  1048576 -     huge4g",
	"           42 ffff8c65186d6200   7f22d1603000       2       16 O     long_win",
	"\n  Display the pages of one of them:\n",
	"    %s> arena -p huge4g",
	"    arena 38 huge4g: 12 of 1048576 pages mapped",
	"         ID   PGOFF           USER           KERNEL        PHYS KIND    STORED",
	"         38       0   7f2100000000 ffffd23ee002b000    192fb000 page    yes",
	"         38       1   7f2100001000 ffffd23ee002c000    192f8000 page    yes",
	NULL
};
