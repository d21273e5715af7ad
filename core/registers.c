// SPDX-License-Identifier: GPL-2.0-or-later
#include "registers.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "notes.h"
#include "reader.h"

/* NR_CPUS of no distribution is higher */
enum { MAX_CPUS = 8192 };

/* A kernel's own note: header, name "CORE" with its padding, struct elf_prstatus. */
enum { NOTE_HEAD = 12 + 8, NOTE_MAX = NOTE_HEAD + NOTE_AARCH64_SIZE };

/* struct QEMUCPUState: u32 version, u32 size, 18 registers, 10 segments of 24 bytes, cr0 to cr4 */
enum { QEMU_VERSION = 1, QEMU_CR2 = 8 + 18 * 8 + 10 * 24 + 2 * 8 };

/* struct user_regs_struct; orig_ax, flags and segments are no addresses */
static const struct register_info x86_64[] = {
	{ "r15", 0, true }, { "r14", 1, true }, { "r13", 2, true }, { "r12", 3, true },
	{ "rbp", 4, true }, { "rbx", 5, true }, { "r11", 6, true }, { "r10", 7, true },
	{ "r9", 8, true }, { "r8", 9, true }, { "rax", 10, true }, { "rcx", 11, true },
	{ "rdx", 12, true }, { "rsi", 13, true }, { "rdi", 14, true }, { "rip", 16, false },
	{ "rsp", 19, false },
};

/* struct user_pt_regs */
static const struct register_info aarch64[] = {
	{ "x0", 0, true }, { "x1", 1, true }, { "x2", 2, true }, { "x3", 3, true },
	{ "x4", 4, true }, { "x5", 5, true }, { "x6", 6, true }, { "x7", 7, true },
	{ "x8", 8, true }, { "x9", 9, true }, { "x10", 10, true }, { "x11", 11, true },
	{ "x12", 12, true }, { "x13", 13, true }, { "x14", 14, true }, { "x15", 15, true },
	{ "x16", 16, true }, { "x17", 17, true }, { "x18", 18, true }, { "x19", 19, true },
	{ "x20", 20, true }, { "x21", 21, true }, { "x22", 22, true }, { "x23", 23, true },
	{ "x24", 24, true }, { "x25", 25, true }, { "x26", 26, true }, { "x27", 27, true },
	{ "x28", 28, true }, { "x29", 29, true }, { "x30", 30, true }, { "sp", 31, false },
	{ "pc", 32, false },
};

static enum note_machine machine_of(const struct kernel *k)
{
	return strcmp(k->machine, "aarch64") ? NOTE_X86_64 : NOTE_AARCH64;
}

static void set_machine(const struct kernel *k, struct registers *r)
{
	bool arm = machine_of(k) == NOTE_AARCH64;

	r->info = arm ? aarch64 : x86_64;
	r->n_info = arm ? sizeof(aarch64) / sizeof(aarch64[0]) : sizeof(x86_64) / sizeof(x86_64[0]);
	r->base = arm ? 28 : 3;
}

/* NULL: out of memory. */
static struct cpu_registers *add(struct registers *r, size_t *room, const uint8_t *pr_reg,
				 struct fault *why)
{
	struct cpu_registers *c;

	if (!array_grow(&r->cpu, room, r->n, sizeof(*r->cpu), why))
		return NULL;
	c = &r->cpu[r->n];
	*c = (struct cpu_registers){ .note = (uint32_t)r->n };
	for (size_t i = 0; i < r->n_info; i++)
		c->value[i] = load_u64(pr_reg + 8 * r->info[i].place);
	r->n++;
	return c;
}

/* The notes of the file. */

static bool is_qemu(const struct note *note)
{
	return note->type == 0 && note->name_len == 4 && !memcmp(note->name, "QEMU", 4) &&
	       note->size >= QEMU_CR2 + 8 && load_u32(note->data) == QEMU_VERSION;
}

static size_t count_qemu(const struct memory_facts *facts)
{
	struct note note;
	size_t pos = 0, n = 0;

	while (notes_next(facts->notes, facts->notes_len, &pos, &note))
		n += is_qemu(&note);
	return n;
}

/* One for each CPU, in the order of their registers (target/i386/arch_dump.c of QEMU). */
static void take_cr2(const struct kernel *k, struct registers *r)
{
	const struct memory_facts *facts = &k->mem->facts;
	struct note note;
	size_t pos = 0, n = 0;

	if (machine_of(k) != NOTE_X86_64 || count_qemu(facts) != r->n)
		return;
	while (notes_next(facts->notes, facts->notes_len, &pos, &note)) {
		if (!is_qemu(&note))
			continue;
		r->cpu[n].has_cr2 = true;
		r->cpu[n++].cr2 = load_u64(note.data + QEMU_CR2);
	}
}

static bool take_notes(const struct kernel *k, struct registers *r, struct fault *why)
{
	const struct memory_facts *facts = &k->mem->facts;
	enum note_machine machine;
	const uint8_t *pr_reg;
	struct note note;
	size_t pos = 0, room = 0;

	while (notes_next(facts->notes, facts->notes_len, &pos, &note)) {
		pr_reg = note_registers(&note, &machine);
		if (pr_reg && machine == machine_of(k) && !add(r, &room, pr_reg, why))
			return false;
	}
	if (r->n)
		r->source = REGISTERS_NOTES;
	take_cr2(k, r);
	return true;
}

/* The kernel's own. */

/* Where crash_notes of each CPU are: in its memory, at an offset of its own. */
struct own_notes {
	uint64_t notes, offsets;
	uint32_t cpus;
};

static bool find_own(const struct kernel *k, struct own_notes *own)
{
	const struct symbol *notes = &k->symbol[SYMBOL_crash_notes];
	const struct symbol *offsets = &k->symbol[SYMBOL___per_cpu_offset];
	const struct symbol *cpus = &k->symbol[SYMBOL_nr_cpu_ids];
	struct fault ignored;

	if (notes->count != 1 || offsets->count != 1 || cpus->count != 1 ||
	    !kernel_read_u64(k, notes->addr, &own->notes, &ignored) || !own->notes ||
	    !kernel_read_u32(k, cpus->addr, &own->cpus, &ignored))
		return false;
	own->offsets = offsets->addr;
	return own->cpus && own->cpus <= MAX_CPUS;
}

/* Registers that CPU @cpu saved, in @buf; NULL: none, which is what a CPU has before a panic. */
static const uint8_t *read_own(const struct kernel *k, const struct own_notes *own, uint32_t cpu,
			       uint8_t buf[NOTE_MAX])
{
	size_t size = NOTE_HEAD + (machine_of(k) == NOTE_AARCH64 ? NOTE_AARCH64_SIZE :
				   NOTE_X86_64_SIZE), pos = 0;
	enum note_machine machine;
	const uint8_t *pr_reg;
	struct fault ignored;
	struct note note;
	uint64_t offset;

	if (!kernel_read_u64(k, own->offsets + UINT64_C(8) * cpu, &offset, &ignored) ||
	    !kernel_read(k, own->notes + offset, buf, size, &ignored) ||
	    !notes_next(buf, size, &pos, &note))
		return NULL;
	pr_reg = note_registers(&note, &machine);
	return pr_reg && machine == machine_of(k) ? pr_reg : NULL;
}

static bool take_own(const struct kernel *k, const struct own_notes *own, struct registers *r,
		     struct fault *why)
{
	uint8_t buf[NOTE_MAX];
	size_t room = 0;

	for (uint32_t cpu = 0; cpu < own->cpus; cpu++) {
		const uint8_t *pr_reg = read_own(k, own, cpu, buf);
		struct cpu_registers *c = pr_reg ? add(r, &room, pr_reg, why) : NULL;

		if (pr_reg && !c)
			return false;
		if (!c)
			continue;
		c->has_cpu = true;
		c->cpu = cpu;
	}
	if (r->n)
		r->source = REGISTERS_MEMORY;
	return true;
}

static bool is_same(const struct registers *r, const struct cpu_registers *c, const uint8_t *pr_reg)
{
	for (size_t i = 0; i < r->n_info; i++)
		if (c->value[i] != load_u64(pr_reg + 8 * r->info[i].place))
			return false;
	return true;
}

/*
 * Whose the file's notes are: /proc/vmcore leaves out CPUs that saved nothing, so the place of a
 * note tells no CPU. Both are in the order of CPUs.
 */
static void name_cpus(const struct kernel *k, const struct own_notes *own, struct registers *r)
{
	uint8_t buf[NOTE_MAX];
	size_t next = 0;

	for (uint32_t cpu = 0; cpu < own->cpus && next < r->n; cpu++) {
		const uint8_t *pr_reg = read_own(k, own, cpu, buf);

		if (!pr_reg || !is_same(r, &r->cpu[next], pr_reg))
			continue;
		r->cpu[next].has_cpu = true;
		r->cpu[next++].cpu = cpu;
	}
	if (next || r->n != own->cpus)
		return;
	for (; next < r->n; next++) {
		r->cpu[next].has_cpu = true;
		r->cpu[next].cpu = (uint32_t)next;
	}
}

bool registers_read(const struct kernel *k, struct registers *r, struct fault *why)
{
	struct own_notes own;
	bool ok, has_own;

	*r = (struct registers){ .source = REGISTERS_NONE };
	set_machine(k, r);
	ok = take_notes(k, r, why);
	has_own = ok && find_own(k, &own);
	if (has_own && r->n)
		name_cpus(k, &own, r);
	else if (has_own)
		ok = take_own(k, &own, r, why);
	return ok;
}

void registers_free(struct registers *r)
{
	free(r->cpu);
	r->cpu = NULL;
	r->n = 0;
}
