/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second, smaller opening: what the kernel's debug symbols say, for what a dump does not
 * give of itself. batch/ fills it from --vmlinux. It is asked only while a kernel is opened.
 *
 * Questions come whole, not name by name: each is one pass over hundreds of megabytes, and of
 * a struct that is defined more than once all members must be of the same definition.
 */
#ifndef ARENA_DEBUGINFO_H
#define ARENA_DEBUGINFO_H

#include "btf.h"
#include "kallsyms.h"
#include "members.h"

struct debuginfo_ops {
	/**
	 * Look up @n symbols as kallsyms_resolve() does; symbol_matches() compares. Addresses
	 * are those of its own link: whether and where KASLR moved the kernel it cannot know.
	 */
	bool (*symbols)(void *source, struct symbol *want, size_t n, struct fault *why);
	/** The raw BTF, borrowed for the life of the source. False: it has none. May be NULL. */
	bool (*btf)(void *source, const void **data, size_t *size, struct fault *why);
	/** Look up members in what it has besides BTF (DWARF), as btf_find_members() does. */
	bool (*members)(void *source, struct btf_member *want, size_t n, bool *type_found,
			struct fault *why);
};

struct debuginfo {
	const struct debuginfo_ops *ops;
	void *source;
	const char *name;	/* "vmlinux /boot/vmlinux": begins sentences about it */
	const char *build_id;	/* hexadecimal */
};

/** Is it of the build that VMCOREINFO names (BUILD-ID)? Nothing else may be used. */
bool debuginfo_check(const struct debuginfo *d, const struct vmcoreinfo *vi, struct fault *why);

/**
 * Look up those of @want whose count is 0, with their addresses in the running kernel: moved
 * by as much as _stext was, which init_uts_ns must confirm. @elsewhere[i]: set for those that
 * were found.
 */
bool debuginfo_symbols(const struct debuginfo *d, const struct vmcoreinfo *vi,
		       struct symbol *want, size_t n, bool *elsewhere, struct fault *why);

/**
 * The layout, by its BTF or, failing that, by its members(). *@btf_size: bytes of the BTF, 0
 * if it was not that. As members_from_btf() otherwise.
 */
bool debuginfo_members(const struct debuginfo *d, struct members *m, bool *has_arenas,
		       uint64_t *btf_size, struct fault *why);

#endif
