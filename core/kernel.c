// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "btf_find.h"
#include "notes.h"
#include "reader.h"
#include "vmcoreinfo_find.h"

/* Debian 7.3 has 6.5 MB of BTF; a blob of more than this is not one kernel's. */
#define MAX_BTF (UINT64_C(32) << 20)
/* from _stext on; more than any kernel has */
#define MAX_IMAGE (UINT64_C(256) << 20)

/* struct new_utsname: six strings of 65 bytes; the third is the release */
enum { UTS_RELEASE = 2 * 65, UTS_LEN = 65 };

static const char *const symbol_name[SYMBOLS_END] = {
#define S(name) #name,
	SYMBOLS(S)
#undef S
};

static bool take_vmcoreinfo(struct kernel *k, const char *text, size_t len, struct fault *why)
{
	if (!vmcoreinfo_init(&k->vmcoreinfo, text, len, why))
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

/* The page tables must have symbol @name where VMCOREINFO says that the kernel's image lies. */
static bool prove_symbol(struct kernel *k, const char *name, uint64_t *va, struct fault *why)
{
	const struct pagetable_format *f = &k->format;
	uint64_t phys, left;

	if (!vmcoreinfo_symbol(&k->vmcoreinfo, name, va))
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
			"VMCOREINFO has no SYMBOL(%s)", name);
	if (!pagetable_translate(k->pt, *va, &phys, &left, why))
		return fault_prefix(why, "the kernel's image: ");
	if (phys == *va - f->image_virt + f->image_phys)
		return true;
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, *va,
		"the page tables have %s at physical 0x%" PRIx64 ", VMCOREINFO at 0x%" PRIx64,
		name, phys, *va - f->image_virt + f->image_phys);
}

/* Also must the kernel there be the one that VMCOREINFO names. */
static bool prove_tables(struct kernel *k, struct fault *why)
{
	char release[UTS_LEN + 1] = "";
	uint64_t uts, stext, name = 0;

	if (!prove_symbol(k, "init_uts_ns", &uts, why) || !prove_symbol(k, "_stext", &stext, why))
		return false;
	vmcoreinfo_number(&k->vmcoreinfo, "OFFSET(uts_namespace.name)", &name);
	if (!kernel_read(k, uts + name + UTS_RELEASE, release, UTS_LEN, why))
		return fault_prefix(why, "init_uts_ns: ");
	if (strcmp(release, k->release))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, uts,
			"VMCOREINFO is of Linux %s, but that kernel is not in memory there",
			k->release);
	return true;
}

static bool prove_vmcoreinfo(struct kernel *k, const char *text, size_t len, struct fault *why)
{
	pagetable_free(k->pt);
	k->pt = NULL;
	return take_vmcoreinfo(k, text, len, why) && open_machine(k, why) && prove_tables(k, why);
}

/* A text that was found, and whether it proved to be of a kernel in this memory. */
struct found_text {
	char *text;
	size_t len;
	uint64_t phys, root;
	char release[65];
};

struct found_texts {
	struct found_text first, other;	/* that prove; @other, its text gone, is of another kernel */
	bool ran;			/* @first is of the one that CPUs were running */
	unsigned refused;
	struct fault why;		/* of the last one that was */
};

/* Text precedes data: a CPU in the kernel is between these, but in a module or BPF program. */
static bool was_running(const struct kernel *k)
{
	const struct memory_facts *facts = &k->mem->facts;
	uint64_t start = 0, end = 0;

	vmcoreinfo_symbol(&k->vmcoreinfo, "_stext", &start);
	vmcoreinfo_symbol(&k->vmcoreinfo, "init_uts_ns", &end);
	return notes_ran_in(facts->notes, facts->notes_len, start, end);
}

/*
 * A kernel that was started by another one with kexec may leave it whole in memory that nobody
 * has used since. So what proves is believed at once only where a CPU was in it, else if it is
 * the only one.
 */
static bool try_text(struct kernel *k, struct found_texts *f, const struct vmcoreinfo *vi,
		     uint64_t phys, struct fault *why)
{
	struct found_text t = { .text = malloc(vi->len), .len = vi->len, .phys = phys };

	if (!t.text)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	memcpy(t.text, vi->text, vi->len);
	if (!prove_vmcoreinfo(k, t.text, t.len, &f->why)) {
		f->refused++;
		free(t.text);
		return true;
	}
	t.root = k->format.root;
	memcpy(t.release, k->release, sizeof(t.release));
	f->ran = was_running(k);
	if (f->ran || !f->first.text) {
		free(f->first.text);
		f->first = t;
		return true;
	}
	free(t.text);
	t.text = NULL;
	if (t.root != f->first.root || strcmp(t.release, f->first.release))
		f->other = t;
	return true;
}

static bool nothing_found(const struct found_texts *f, struct fault *why)
{
	if (f->first.text)
		fault_fill(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"the dump has no VMCOREINFO note, and memory has those of two kernels: of %s "
			"at physical 0x%" PRIx64 ", of %s at 0x%" PRIx64 "; which one was the last "
			"is not known", f->first.release, f->first.phys, f->other.release,
			f->other.phys);
	else if (f->refused)
		fault_fill(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"the dump has no VMCOREINFO note, and none of %u that are in memory proves "
			"to be of this kernel (%.120s)", f->refused, f->why.text);
	else
		fault_fill(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"the dump has no VMCOREINFO note, which says where the kernel is, and its "
			"text is not in the memory that it has; QEMU writes it with '-device "
			"vmcoreinfo' and the guest's qemu_fw_cfg module");
	why->cure = CURE_VMCOREINFO;
	return false;
}

static bool search_texts(struct kernel *k, struct found_texts *f, struct fault *why)
{
	struct vmcoreinfo_search s;
	struct vmcoreinfo vi;
	uint64_t phys;
	bool ok = vmcoreinfo_search_begin(&s, k->mem, why);

	while (ok && !f->ran && (ok = vmcoreinfo_search_next(&s, &vi, &phys, why)) && vi.text)
		ok = try_text(k, f, &vi, phys, why);
	vmcoreinfo_search_end(&s);
	return ok;
}

static bool find_vmcoreinfo(struct kernel *k, struct fault *why)
{
	struct found_texts f = { 0 };

	if (!search_texts(k, &f, why) ||
	    ((!f.first.text || f.other.len) && !f.ran && !nothing_found(&f, why))) {
		free(f.first.text);
		return false;
	}
	k->vmcoreinfo_from = VMCOREINFO_MEMORY;
	k->vmcoreinfo_text = f.first.text;
	k->vmcoreinfo_phys = f.first.phys;
	/* what was tried last may have been another one */
	return prove_vmcoreinfo(k, f.first.text, f.first.len, why);
}

static bool open_vmcoreinfo(struct kernel *k, struct fault *why)
{
	const struct memory_facts *facts = &k->mem->facts;
	struct fault other;

	if (!facts->vmcoreinfo)
		return find_vmcoreinfo(k, why);
	k->vmcoreinfo_from = facts->vmcoreinfo_file ? VMCOREINFO_FILE : VMCOREINFO_NOTE;
	if (prove_vmcoreinfo(k, facts->vmcoreinfo, facts->vmcoreinfo_len, why))
		return true;
	if (facts->vmcoreinfo_file)
		return fault_prefix(why, "vmcoreinfo %.100s proves nothing for this dump: ",
				    facts->vmcoreinfo_file);
	/* only what is in memory makes a note unbelievable; what is lost there is lost to all */
	if (!k->pt || why->kind != STATE_DAMAGED)
		return false;
	why->cure = CURE_VMCOREINFO;
	k->bad_note = *why;
	if (find_vmcoreinfo(k, &other))
		return true;
	if (other.kind == FAULT_LIMIT || other.kind == FAULT_NOMEM)
		*why = other;
	return false;
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

/* Without one of these no arena is found; the others lead to what is lost otherwise. */
static bool is_needed(enum symbol_id id)
{
	return id == SYMBOL_map_idr || id == SYMBOL_arena_map_ops || id == SYMBOL___start_BTF ||
	       id == SYMBOL___stop_BTF;
}

static void forget_symbols(struct kernel *k)
{
	for (size_t i = 0; i < SYMBOLS_END; i++)
		k->symbol[i] = (struct symbol){ .name = symbol_name[i], .optional = !is_needed(i) };
}

static bool are_all_known(const struct kernel *k)
{
	for (size_t i = 0; i < SYMBOLS_END; i++)
		if (k->symbol[i].lost)
			return false;
	return true;
}

/* Without variables, a function has to tell whether the kernel has arenas. */
static bool look_for_functions(struct kernel *k, struct fault *why)
{
	/* every kernel has that one */
	k->functions_only = !k->symbol[SYMBOL_init_task].count &&
			    !k->symbol[SYMBOL_init_task].lost;
	k->arena_map_alloc = (struct symbol){ .name = "arena_map_alloc" };
	return !k->functions_only ||
	       kallsyms_resolve(k->pt, &k->vmcoreinfo, &k->arena_map_alloc, 1, &k->encoding,
				&k->symbols, why);
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
	if (k->has_kallsyms && !look_for_functions(k, why))
		return false;
	/* where one variable is, all are: what is missing then the kernel does not have */
	if (!d || (k->symbol[SYMBOL_map_idr].count && are_all_known(k)) ||
	    debuginfo_symbols(d, &k->vmcoreinfo, k->symbol, SYMBOLS_END, k->symbol_elsewhere, why) ||
	    k->symbol[SYMBOL_map_idr].count)
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

/* Any kernel has these, and next to nothing else has both. */
static bool is_kernels(const uint8_t *btf, uint64_t size, struct fault *why)
{
	struct btf_member want[] = {
		{ .type = "task_struct", .member = "tasks" },
		{ .type = "list_head", .member = "next" },
	};

	return btf_find_members(btf, size, want, 2, NULL, why) &&
	       ((want[0].found && want[1].found) ||
		fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "BTF: not the kernel's"));
}

static bool take_btf(struct kernel *k, uint64_t start, uint64_t size, struct fault *why)
{
	uint8_t *btf = alloc_btf(size);
	bool ok;

	if (!btf)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	k->btf_size = size;
	ok = kernel_read(k, start, btf, size, why) || fault_prefix(why, "BTF: ");
	ok = ok && (!k->btf_found || is_kernels(btf, size, why)) &&
	     members_from_btf(&k->members, btf, size, &k->has_arenas, why);
	free(btf);
	return ok;
}

static bool find_btf(struct kernel *k, struct fault *why)
{
	uint64_t start = 0, end, size;

	vmcoreinfo_symbol(&k->vmcoreinfo, "_stext", &start);
	if (!add_ok(start, MAX_IMAGE, &end))
		end = UINT64_MAX;
	for (; btf_find_next(k->pt, k->mem, &start, end, MAX_BTF, &size); start += 4) {
		k->btf_found = start;
		if (take_btf(k, start, size, why))
			return true;
		if (!can_cure(why))
			return false;
	}
	k->btf_found = 0;
	return false;
}

static bool read_btf(struct kernel *k, struct fault *why)
{
	uint64_t start = k->symbol[SYMBOL___start_BTF].addr;
	uint64_t stop = k->symbol[SYMBOL___stop_BTF].addr;

	if (k->symbol[SYMBOL___start_BTF].count != 1 || k->symbol[SYMBOL___stop_BTF].count != 1) {
		fault_fill(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, k->has_kallsyms ?
			"kallsyms has no __start_BTF: a kernel without BTF, or without "
			"CONFIG_KALLSYMS_ALL" : "there is no symbol __start_BTF");
		return k->functions_only && find_btf(k, why);
	}
	if (stop <= start || stop - start > MAX_BTF)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, start,
			"BTF from 0x%" PRIx64 " to 0x%" PRIx64 " cannot be", start, stop);
	return take_btf(k, start, stop - start, why);
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
	/* map_idr is not known then; other ways than that may lead to arenas */
	bool functions = k->functions_only && !k->symbol[SYMBOL_map_idr].count &&
			 !k->symbol[SYMBOL_arena_map_ops].count;
	const struct symbol *s = functions ? &k->arena_map_alloc :
				 &k->symbol[SYMBOL_arena_map_ops];
	const char *symbols = k->has_kallsyms ? "kallsyms" : k->debuginfo;
	const char *types = k->types == TYPES_BTF ? "BTF" : k->debuginfo;

	if (k->has_arenas != (s->count == 1))
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, k->has_arenas ?
			"%2$s has a struct bpf_arena, but %1$s has no %3$s" :
			"%1$s has %3$s, but %2$s has no struct bpf_arena",
			symbols, types, s->name);
	if (k->has_arenas && !functions && k->symbol[SYMBOL_map_idr].count != 1)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"%s has %u symbols map_idr, not one", symbols,
			k->symbol[SYMBOL_map_idr].count);
	return true;
}

/* The first address that is mapped: that of memory, as no other region is below. */
static bool first_mapped(void *ctx, uint64_t va, uint64_t phys, uint64_t size)
{
	(void)size;
	*(uint64_t *)ctx = va - phys;
	return false;
}

static bool first_lost(void *ctx, uint64_t va, uint64_t size, uint64_t table,
		       const struct fault *why)
{
	(void)ctx;
	(void)va;
	(void)size;
	(void)table;
	(void)why;
	return false;
}

/* page_offset_base; where kallsyms does not have it, what the page tables say. */
static bool page_offset_base(const struct kernel *k, uint64_t vmalloc, uint64_t *start)
{
	const struct symbol *base = &k->symbol[SYMBOL_page_offset_base];
	const struct pagetable_visitor visitor = { first_mapped, first_lost, start, NULL };
	struct fault ignored;

	if (base->count == 1 && kernel_read_u64(k, base->addr, start, &ignored))
		return true;
	*start = 0;
	if (vmalloc <= k->format.lowest)
		return false;
	pagetable_walk(k->pt, k->format.lowest, vmalloc, &visitor, &ignored);
	/* kernel_randomize_memory() moves it by whole GiB */
	return *start && *start % (UINT64_C(1) << 30) == 0;
}

/* x86_64: where all memory is mapped is a variable of the kernel's. */
static void find_linear_memory(struct kernel *k)
{
	uint64_t start, size = UINT64_C(1) << (k->format.levels == 5 ? 55 : 46), vmalloc = 0;

	if (strcmp(k->machine, "x86_64"))
		return;
	vmcoreinfo_number(&k->vmcoreinfo, "NUMBER(VMALLOC_START)", &vmalloc);
	if (!page_offset_base(k, vmalloc, &start) || start < k->format.lowest ||
	    start > UINT64_MAX - size || start % k->page_size)
		return;
	/* with KASLR other regions may begin behind the memory that there is */
	if (vmalloc > start && vmalloc - start < size)
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
	if (k) {
		pagetable_free(k->pt);
		free(k->vmcoreinfo_text);
	}
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

bool kernel_symbol(const struct kernel *k, enum symbol_id id, uint64_t *addr, struct fault *why)
{
	const struct symbol *s = &k->symbol[id];

	*addr = s->count == 1 ? s->addr : 0;
	if (*addr)
		return true;
	if (s->lost)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"there is a symbol %s, but the dump does not have its address", s->name);
	if (!s->count)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "there is no symbol %s", s->name);
	return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "there are %u symbols %s, not one",
			 s->count, s->name);
}

bool kernel_is_pointer(const struct kernel *k, uint64_t va)
{
	return va % 8 == 0 && va >= k->format.lowest;
}

bool kernel_has(const struct kernel *k, enum member m)
{
	return k->members.known[m];
}
