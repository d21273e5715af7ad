// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "reader.h"

/* Debian 7.3 has 6.5 MB of BTF; a blob of more than this is not one kernel's. */
#define MAX_BTF (UINT64_C(32) << 20)

/* struct new_utsname: six strings of 65 bytes; the third is the release */
enum { UTS_RELEASE = 2 * 65, UTS_LEN = 65 };

static const char *const symbol_name[SYMBOLS_END] = {
#define S(name) #name,
	SYMBOLS(S)
#undef S
};

static bool open_vmcoreinfo(struct kernel *k, struct fault *why)
{
	const struct memory_facts *facts = &k->mem->facts;

	if (!facts->vmcoreinfo)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"the dump has no VMCOREINFO note, which says where the kernel is; QEMU "
			"writes it with '-device vmcoreinfo' and the guest's qemu_fw_cfg module");
	if (!vmcoreinfo_init(&k->vmcoreinfo, facts->vmcoreinfo, facts->vmcoreinfo_len, why))
		return false;
	if (!vmcoreinfo_string(&k->vmcoreinfo, "OSRELEASE", k->release, sizeof(k->release)))
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
			"VMCOREINFO has no OSRELEASE");
	return true;
}

/* The machine by what VMCOREINFO has for it alone: file headers may be wrong or silent. */
static bool open_machine(struct kernel *k, struct fault *why)
{
	const struct vmcoreinfo *vi = &k->vmcoreinfo;
	uint64_t v, page;
	bool ok;

	if (vmcoreinfo_number(vi, "NUMBER(kimage_voffset)", &v)) {
		k->machine = "aarch64";
		ok = pagetable_aarch64(&k->format, vi, why);
	} else if (vmcoreinfo_number(vi, "NUMBER(phys_base)", &v) &&
		   vmcoreinfo_symbol(vi, "init_top_pgt", &v)) {
		k->machine = "x86_64";
		ok = pagetable_x86_64(&k->format, vi, why);
	} else {
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"a kernel for %s; x86_64 and aarch64 are read",
			k->mem->facts.machine ? k->mem->facts.machine : "an unknown machine");
	}
	if (!ok)
		return false;
	k->page_shift = k->format.page_shift;
	k->page_size = UINT64_C(1) << k->page_shift;
	if (vmcoreinfo_number(vi, "PAGESIZE", &page) && page != k->page_size)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"VMCOREINFO: pages of %" PRIu64 " bytes on %s", page, k->machine);
	k->pt = pagetable_new(k->mem, &k->format);
	return k->pt || fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
}

/*
 * The page tables must map the kernel's image where VMCOREINFO says that it lies, and the
 * kernel there must be the one that VMCOREINFO names.
 */
static bool prove_tables(struct kernel *k, struct fault *why)
{
	const struct pagetable_format *f = &k->format;
	uint64_t uts, phys, left, name = 0;
	char release[UTS_LEN + 1] = "";

	if (!vmcoreinfo_symbol(&k->vmcoreinfo, "init_uts_ns", &uts))
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
			"VMCOREINFO has no SYMBOL(init_uts_ns)");
	if (!pagetable_translate(k->pt, uts, &phys, &left, why))
		return fault_prefix(why, "the kernel's image: ");
	if (phys != uts - f->image_virt + f->image_phys)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, uts,
			"the page tables have init_uts_ns at physical 0x%" PRIx64
			", VMCOREINFO at 0x%" PRIx64, phys, uts - f->image_virt + f->image_phys);
	vmcoreinfo_number(&k->vmcoreinfo, "OFFSET(uts_namespace.name)", &name);
	if (!kernel_read(k, uts + name + UTS_RELEASE, release, UTS_LEN, why))
		return fault_prefix(why, "init_uts_ns: ");
	if (strcmp(release, k->release))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, uts,
			"VMCOREINFO is of Linux %s, but that kernel is not in memory there",
			k->release);
	return true;
}

/* Other debug symbols are no cure where memory ran out or the user stopped. */
static bool can_cure(const struct fault *why)
{
	return why->kind != FAULT_NOMEM && why->kind != FAULT_LIMIT;
}

/* Neither the dump nor debuginfo gives it: @dump is the cause, @why gets both. */
static bool neither(const struct fault *dump, struct fault *why)
{
	struct fault other = *why;

	*why = *dump;
	return fault_add(why, "; and %s", other.text);
}

static void forget_symbols(struct kernel *k)
{
	for (size_t i = 0; i < SYMBOLS_END; i++)
		k->symbol[i] = (struct symbol){ .name = symbol_name[i] };
}

static bool open_symbols(struct kernel *k, const struct debuginfo *d, struct fault *why)
{
	forget_symbols(k);
	k->has_kallsyms = kallsyms_resolve(k->pt, &k->vmcoreinfo, k->symbol, SYMBOLS_END,
					   &k->encoding, &k->symbols, why);
	if (!k->has_kallsyms) {
		if (!d || !can_cure(why))
			return false;
		k->no_kallsyms = *why;
		forget_symbols(k);
	}
	/* where one static variable is, all are: what is missing the kernel does not have */
	if (!d || k->symbol[SYMBOL_map_idr].count ||
	    debuginfo_symbols(d, &k->vmcoreinfo, k->symbol, SYMBOLS_END, k->symbol_elsewhere, why))
		return true;
	return k->has_kallsyms ? false : neither(&k->no_kallsyms, why);
}

/* BTF is read whole: in huge pages that saves a fifth of the run in page faults. */
static uint8_t *alloc_btf(uint64_t size)
{
	const size_t huge = (size_t)2 << 20;
	size_t rounded = (size_t)(size + huge - 1) & ~(huge - 1);
	uint8_t *p = aligned_alloc(huge, rounded);

	if (p)
		madvise(p, rounded, MADV_HUGEPAGE);
	return p;
}

static bool read_btf(struct kernel *k, struct fault *why)
{
	uint64_t start = k->symbol[SYMBOL___start_BTF].addr;
	uint64_t stop = k->symbol[SYMBOL___stop_BTF].addr;
	uint8_t *btf;
	bool ok;

	if (k->symbol[SYMBOL___start_BTF].count != 1 || k->symbol[SYMBOL___stop_BTF].count != 1)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, k->has_kallsyms ?
			"kallsyms has no __start_BTF: a kernel without BTF, or without "
			"CONFIG_KALLSYMS_ALL" : "there is no symbol __start_BTF");
	if (stop <= start || stop - start > MAX_BTF)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, start,
			"BTF from 0x%" PRIx64 " to 0x%" PRIx64 " cannot be", start, stop);
	k->btf_size = stop - start;
	btf = alloc_btf(k->btf_size);
	if (!btf)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	ok = kernel_read(k, start, btf, k->btf_size, why) || fault_prefix(why, "BTF: ");
	ok = ok && members_from_btf(&k->members, btf, k->btf_size, &k->has_arenas, why);
	free(btf);
	return ok;
}

static bool open_types(struct kernel *k, const struct debuginfo *d, struct fault *why)
{
	if (read_btf(k, why))
		return true;
	if (!d || !can_cure(why))
		return false;
	k->no_btf = *why;
	if (!debuginfo_members(d, &k->members, &k->has_arenas, &k->btf_size, why))
		return neither(&k->no_btf, why);
	k->types = k->btf_size ? TYPES_DEBUGINFO_BTF : TYPES_DEBUGINFO;
	return true;
}

/* Types and symbols must agree on whether this kernel has arenas, wherever they are from. */
static bool check_arenas(struct kernel *k, struct fault *why)
{
	bool ops = k->symbol[SYMBOL_arena_map_ops].count == 1;
	const char *symbols = k->has_kallsyms ? "kallsyms" : k->debuginfo;
	const char *types = k->types == TYPES_BTF ? "BTF" : k->debuginfo;

	if (k->has_arenas != ops)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, ops ?
			"%1$s has arena_map_ops, but %2$s has no struct bpf_arena" :
			"%2$s has a struct bpf_arena, but %1$s has no arena_map_ops",
			symbols, types);
	if (ops && k->symbol[SYMBOL_map_idr].count != 1)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"%s has %u symbols map_idr, not one", symbols,
			k->symbol[SYMBOL_map_idr].count);
	return true;
}

/* x86_64: where all memory is mapped is a variable of the kernel's. */
static void find_linear_memory(struct kernel *k)
{
	const struct symbol *base = &k->symbol[SYMBOL_page_offset_base];
	uint64_t start, size = UINT64_C(1) << (k->format.levels == 5 ? 55 : 46), vmalloc;
	struct fault ignored;

	if (base->count != 1 || strcmp(k->machine, "x86_64") ||
	    !kernel_read_u64(k, base->addr, &start, &ignored) || start < k->format.lowest ||
	    start > UINT64_MAX - size || start % k->page_size)
		return;
	/* with KASLR other regions may begin behind the memory that there is */
	if (vmcoreinfo_number(&k->vmcoreinfo, "NUMBER(VMALLOC_START)", &vmalloc) &&
	    vmalloc > start && vmalloc - start < size)
		size = vmalloc - start;
	k->format.linear[LINEAR_MEMORY] = (struct pagetable_linear){ start, start + size, 0 };
}

static bool open_names(struct kernel *k, const struct debuginfo *d, struct fault *why)
{
	char id[65];

	if (open_symbols(k, d, why)) {
		find_linear_memory(k);
		if (open_types(k, d, why))
			return true;
	}
	/* of a dump without an ID nothing could be proved to be its debug symbols */
	if (!d && can_cure(why) &&
	    vmcoreinfo_string(&k->vmcoreinfo, "BUILD-ID", id, sizeof(id)))
		why->cure = CURE_DEBUGINFO;
	return false;
}

struct kernel *kernel_open_with(const struct memory *mem, const struct debuginfo *debuginfo,
				struct fault *why)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	k->mem = mem;
	k->debuginfo = debuginfo ? debuginfo->name : NULL;
	if (open_vmcoreinfo(k, why) &&
	    (!debuginfo || debuginfo_check(debuginfo, &k->vmcoreinfo, why)) &&
	    open_machine(k, why) && prove_tables(k, why) &&
	    open_names(k, debuginfo, why) && check_arenas(k, why))
		return k;
	kernel_close(k);
	return NULL;
}

struct kernel *kernel_open(const struct memory *mem, struct fault *why)
{
	return kernel_open_with(mem, NULL, why);
}

void kernel_close(struct kernel *k)
{
	if (k)
		pagetable_free(k->pt);
	free(k);
}

bool kernel_read(const struct kernel *k, uint64_t va, void *buf, size_t n, struct fault *why)
{
	return pagetable_read(k->pt, va, buf, n, why);
}

bool kernel_read_u64(const struct kernel *k, uint64_t va, uint64_t *value, struct fault *why)
{
	uint8_t b[8];

	if (!kernel_read(k, va, b, sizeof(b), why))
		return false;
	*value = load_u64(b);
	return true;
}

bool kernel_read_u32(const struct kernel *k, uint64_t va, uint32_t *value, struct fault *why)
{
	uint8_t b[4];

	if (!kernel_read(k, va, b, sizeof(b), why))
		return false;
	*value = load_u32(b);
	return true;
}

bool kernel_member_u64(const struct kernel *k, uint64_t base, enum member m, uint64_t *value,
		       struct fault *why)
{
	return kernel_read_u64(k, base + k->members.offset[m], value, why);
}

bool kernel_member_u32(const struct kernel *k, uint64_t base, enum member m, uint32_t *value,
		       struct fault *why)
{
	return kernel_read_u32(k, base + k->members.offset[m], value, why);
}

bool kernel_has(const struct kernel *k, enum member m)
{
	return k->members.known[m];
}
