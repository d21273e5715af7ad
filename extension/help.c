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
	"[-v | -p [--runs] | -a ADDR | -r ADDR [-l LEN] [-8 | -16 | -32 | -64]\n"
	"        [-w FILE]] [-j] [-o DIR] [--max-pages N] [--scan] [--no-headings]\n"
	"        [[-m] ARENA]...",
	"  This command lists the BPF arenas of the kernel: each map of type arena,",
	"  and how many pages it has. Types and symbols are taken from the dump itself;",
	"  only what it does not give is asked of the vmlinux, if that is of its build.",
	" ",
	"    [-m] ARENA  only this one: an id, a name (name:X always), or an address of",
	"                its struct or inside it, user or kernel: 0x... or hexadecimal.",
	"                May be repeated. Alone it means -v.",
	"            -v  all fields of each arena, and where the facts came from.",
	"       -a ADDR  which arena this address lies in (user, kernel, or the low 32",
	"                bits, hexadecimal), and what is there.",
	"       -r ADDR  memory at this address, in any of the three forms, as rd shows it.",
	"        -l LEN  with -r: so many bytes; else one word.",
	"-8 -16 -32 -64  with -r: words of so many bits; else 64.",
	"       -w FILE  with -r and -l: write the bytes to FILE, which must not exist, if",
	"                all are there.",
	"            -p  each page: pgoff, user, kernel and physical address.",
	"        --runs  with -p: join neighbours to one line.",
	"            -j  JSON, one line; with -p also the pages.",
	"        -o DIR  write DIR/snapshot.json and DIR/ID.bin, the contents of each",
	"                arena; DIR must be new or empty.",
	" --max-pages N  at most N pages of each arena.",
	"        --scan  look for arenas in every stored page, too.",
	" --no-headings  no headings in the tables.",
	" ",
	"  The long forms --arena, --address, --read, --verbose, --pages, --json and",
	"  --output are taken, too. Ctrl-C stops the command; what was found so far is shown.",
	" ",
	"  FLAGS: T truncated, M contents missing, S scratch pages, O pages outside of",
	"  what is declared, C declared more than 4 GiB, L its struct is lost, N being",
	"  made, D being freed, - none of these.",
	"\nEXAMPLES",
	"  List all arenas:\n",
	"    %s> arena",
	"           ID BPF_MAP           USER_VM_START  MAPPED DECLARED FLAGS NAME",
	"           38 ffff8c65186d6600   7f2100000000      12  1048576 -     huge4g",
	"           42 ffff8c65186d6200   7f22d1603000       2       16 O     long_win",
	"\n  Find out where an address of a log or a register lies:\n",
	"    %s> arena -a 7f2100001008",
	"    7f2100001008: user address of arena 38 huge4g",
	"       pgoff: 1, byte 0x8 of it",
	"        user: 7f2100001008",
	"      kernel: ffffd23ee002c008",
	"       low32: 1008",
	"        phys: 192f8008",
	"        page: mapped",
	"\n  Read memory there:\n",
	"    %s> arena -r 7f2100000000 -l 32",
	"    arena 38 huge4g:",
	"        7f2100000000:  383320616e657261 2067346567756820   arena 38 huge4g ",
	"        7f2100000010:  6c20302065676170 6573203020656e69   page 0 line 0 se",
	"\n  Display the pages of one of them:\n",
	"    %s> arena -p huge4g",
	"    arena 38 huge4g: 12 of 1048576 pages mapped",
	"         ID   PGOFF           USER           KERNEL        PHYS KIND    STORED",
	"         38       0   7f2100000000 ffffd23ee002b000    192fb000 page    yes",
	"         38       1   7f2100001000 ffffd23ee002c000    192f8000 page    yes",
	NULL
};
