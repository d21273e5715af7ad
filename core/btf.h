/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of the kernel's structs from its BTF (Documentation/bpf/btf.rst).
 */
#ifndef ARENA_BTF_H
#define ARENA_BTF_H

#include "fault.h"

/** A member that is wanted, and what was found. */
struct btf_member {
	const char *type;	/* struct or union, by name */
	const char *member;	/* also inside anonymous members; "sizeof": the struct itself */
	bool found;
	uint32_t offset;	/* bytes from the start of @type */
	uint32_t size;		/* bytes; 0: not known (bit-field, or a type of no size) */
	bool optional;		/* not having it is no reason to look for another definition */
};

/**
 * Look up @n members in the BTF at @data. The types are passed once. Where a struct is defined
 * more than once the definition that has most of the wanted members counts.
 * @type_found[i] says whether any struct of want[i].type exists; may be NULL.
 * False: the BTF is damaged, or has a kind of unknown size.
 */
bool btf_find_members(const void *data, size_t size, struct btf_member *want, size_t n,
		      bool *type_found, struct fault *why);

/** The enumerators of an enum: as many as there is room for. */
struct btf_enum {
	size_t n;
	struct btf_enumerator {
		uint32_t value;
		char name[32];
	} of[32];
};

/**
 * Look up the enum @name (of 4 bytes). *@e is empty where there is none; a name that is too
 * long is left out. False: the BTF is damaged, or has a kind of unknown size.
 */
bool btf_find_enum(const void *data, size_t size, const char *name, struct btf_enum *e,
		   struct fault *why);

#endif
