/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CPUs had in their registers at the end.
 */
#ifndef ARENA_REGISTERS_H
#define ARENA_REGISTERS_H

#include "kernel.h"

enum registers_source {
	REGISTERS_NONE,		/* there are none in the dump */
	REGISTERS_NOTES,	/* NT_PRSTATUS of the file */
	REGISTERS_MEMORY,	/* crash_notes, which a panic fills (kernel/crash_core.c) */
};

enum { REGISTERS_MAX = 33 };

/** Registers that may hold an address. */
struct register_info {
	const char *name;	/* "rax", "x0" */
	unsigned place;		/* in struct elf_prstatus' pr_reg */
	bool general;		/* may hold what a program computes: not pc nor sp */
};

struct cpu_registers {
	bool has_cpu;		/* the kernel's number of the CPU is known */
	uint32_t cpu;
	uint32_t note;		/* place among those of the file, or in crash_notes: from 0 */
	uint64_t value[REGISTERS_MAX];	/* as @info of struct registers */
	bool has_cr2;		/* x86_64, by QEMU: the address of that CPU's last page fault */
	uint64_t cr2;
};

struct registers {
	enum registers_source source;
	const struct register_info *info;
	size_t n_info;
	/* where programs of an arena keep the kernel address of its base (arch/.../bpf_jit_comp.c) */
	unsigned base;
	struct cpu_registers *cpu;	/* owned */
	size_t n;
};

/**
 * Registers of all CPUs that have any: of the file's notes; where it has none, of the notes that
 * the kernel itself keeps. CPUs of the file's notes are known where the kernel's own note of a
 * CPU is the same, or where there is one note for each CPU, in order.
 * What cannot be read is not there. Its cost grows with the notes and nr_cpu_ids, at most
 * 8192. False: out of memory (@why). registers_free() either way.
 */
bool registers_read(const struct kernel *k, struct registers *r, struct fault *why);
void registers_free(struct registers *r);

#endif
