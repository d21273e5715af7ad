/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of the kernel's structs from the DWARF of its vmlinux, by libdw.
 */
#ifndef ARENA_DWARF_H
#define ARENA_DWARF_H

#include <libelf.h>

#include "../core/btf.h"

/**
 * As btf_find_members(), over all units. Stops as soon as each struct was found with all
 * members that are not optional. @image: the @size bytes of the file that @elf was made of, a
 * private mapping; what was passed of it is given back, so that memory stays small.
 */
bool dwarf_find_members(Elf *elf, void *image, uint64_t size, struct btf_member *want, size_t n,
			bool *type_found, struct fault *why);

#endif
