/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An opened dump: who the kernel is, its symbols, its structs and its virtual memory.
 */
#ifndef ARENA_KERNEL_H
#define ARENA_KERNEL_H

#include "debuginfo.h"
#include "kallsyms.h"
#include "members.h"
#include "memory.h"
#include "pagetable.h"

/* Symbols that are looked up; all static data of the kernel. */
#define SYMBOLS(S) \
	S(map_idr) \
	S(page_offset_base) /* x86_64 */ \
	S(arena_map_ops) \
	S(prog_idr) \
	S(scx_root) /* 6.16 and later */ \
	S(scx_sched_all) /* 7.1 and later */ \
	S(scx_enable_state_var) /* 6.16 and later; up to there: */ \
	S(scx_ops_enable_state_var) \
	S(scx_ops) \
	S(scx_exit_kind) \
	S(scx_exit_info) \
	S(vmap_nodes) \
	S(nr_vmap_nodes) \
	S(init_task) \
	S(arena_vm_ops) \
	S(bpf_map_fops) \
	S(crash_notes) \
	S(__per_cpu_offset) \
	S(nr_cpu_ids) \
	S(__start_BTF) \
	S(__stop_BTF)

enum symbol_id {
#define S(name) SYMBOL_##name,
	SYMBOLS(S)
#undef S
	SYMBOLS_END
};

/** Where VMCOREINFO came from. */
enum vmcoreinfo_source { VMCOREINFO_NOTE, VMCOREINFO_FILE, VMCOREINFO_MEMORY };

/** Where the layout of structs came from. */
enum types_source { TYPES_BTF, TYPES_DEBUGINFO_BTF, TYPES_DEBUGINFO };

/** Built once by kernel_open(), read-only afterwards. */
struct kernel {
	const struct memory *mem;	/* borrowed */
	struct vmcoreinfo vmcoreinfo;
	enum vmcoreinfo_source vmcoreinfo_from;
	/* of VMCOREINFO_MEMORY: the owned text, where it was, and what is wrong with the note */
	char *vmcoreinfo_text;
	uint64_t vmcoreinfo_phys;
	struct fault bad_note;		/* no text: there is none */
	char release[65];		/* uname -r */
	const char *machine;		/* "x86_64" or "aarch64" */
	unsigned page_shift;
	uint64_t page_size;		/* bytes */
	struct pagetable_format format;
	struct pagetable *pt;
	struct symbol symbol[SYMBOLS_END];
	bool symbol_elsewhere[SYMBOLS_END];	/* from debuginfo, not kallsyms */
	bool has_kallsyms;
	/* without CONFIG_KALLSYMS_ALL: variables of the kernel are not in kallsyms */
	bool functions_only;
	struct symbol arena_map_alloc;	/* if functions_only: a function of kernels with arenas */
	enum kallsyms_encoding encoding;	/* if has_kallsyms */
	uint32_t symbols;		/* in kallsyms */
	enum types_source types;
	uint64_t btf_size;		/* bytes; 0 with TYPES_DEBUGINFO */
	uint64_t btf_found;		/* where a search for it ended; 0: there was none */
	struct members members;
	const char *debuginfo;		/* name of what was asked besides the dump, or NULL */
	struct fault no_kallsyms, no_btf;	/* why debuginfo was asked */
	bool has_arenas;		/* false: a kernel without BPF arenas */
};

/**
 * Open the kernel in @mem, which is borrowed until kernel_close(): VMCOREINFO, page tables,
 * kallsyms, BTF, each proved against another. NULL with @why: what is missing or contradicts.
 *
 * VMCOREINFO is that of facts; where there is none, or where it is the dump's note and memory
 * contradicts it, memory is searched for its text, which may take as long as reading all of it.
 * Where the kernel was built without CONFIG_KALLSYMS_ALL and nothing else has its variables,
 * symbol[].count of those is 0, also where it has arenas.
 */
struct kernel *kernel_open(const struct memory *mem, struct fault *why);
/**
 * The same; what the dump does not give is asked of @debuginfo (NULL: there is none), which
 * must be of the same build. Of it only the name is borrowed until kernel_close().
 */
struct kernel *kernel_open_with(const struct memory *mem, const struct debuginfo *debuginfo,
				struct fault *why);
void kernel_close(struct kernel *k);

/** Read @n bytes of virtual memory. */
bool kernel_read(const struct kernel *k, uint64_t va, void *buf, size_t n, struct fault *why);

/** Little-endian values of 8 and 4 bytes at @va. */
bool kernel_read_u64(const struct kernel *k, uint64_t va, uint64_t *value, struct fault *why);
bool kernel_read_u32(const struct kernel *k, uint64_t va, uint32_t *value, struct fault *why);

/** A member of the struct at @base; it must be known. */
bool kernel_member_u64(const struct kernel *k, uint64_t base, enum member m, uint64_t *value,
		       struct fault *why);
bool kernel_member_u32(const struct kernel *k, uint64_t base, enum member m, uint32_t *value,
		       struct fault *why);

bool kernel_has(const struct kernel *k, enum member m);

/** May @va be the address of a struct of the kernel: aligned, and in its half? */
bool kernel_is_pointer(const struct kernel *k, uint64_t va);

/** The address of a symbol. False: none, more than one, or lost (@why); *@addr is 0. */
bool kernel_symbol(const struct kernel *k, enum symbol_id id, uint64_t *addr, struct fault *why);

#endif
