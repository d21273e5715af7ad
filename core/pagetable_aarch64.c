// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arm64: arch/arm64/include/asm/pgtable-hwdef.h, pgtable.h, kernel/pi/map_kernel.c.
 */
#include "pagetable.h"

#include <inttypes.h>

#include "reader.h"

enum {
	ARM_TYPE = 3,		/* bits 1:0 */
	ARM_BLOCK = 1,
	ARM_PAGE = 3,		/* at the last level; a table above it */
	ARM_VALID = 1,
};

enum {
	MAX_IMAGE = 256 << 20,
	IMAGE_REST = 8 << 20,	/* of .data and .bss behind the last symbol that is known */
};

struct arm64 {
	unsigned page_shift;
	unsigned va_bits;	/* as running */
	unsigned va_bits_built;	/* CONFIG_ARM64_VA_BITS */
	bool lpa2;
	uint64_t root, kimage_voffset;
};

static bool get_numbers(struct arm64 *a, const struct vmcoreinfo *vi, struct fault *why)
{
	uint64_t page, built, t1sz, phys_bits = 0;

	if (!vmcoreinfo_number(vi, "PAGESIZE", &page) ||
	    (page != 4096 && page != 16384 && page != 65536))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"VMCOREINFO has no PAGESIZE of an arm64 kernel");
	if (!vmcoreinfo_symbol(vi, "swapper_pg_dir", &a->root) ||
	    !vmcoreinfo_number(vi, "NUMBER(kimage_voffset)", &a->kimage_voffset) ||
	    !vmcoreinfo_number(vi, "NUMBER(VA_BITS)", &built))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"VMCOREINFO has no SYMBOL(swapper_pg_dir), NUMBER(kimage_voffset) or "
			"NUMBER(VA_BITS)");
	if (!vmcoreinfo_number(vi, "NUMBER(TCR_EL1_T1SZ)", &t1sz))
		t1sz = 64 - built;
	if (built < 36 || built > 52 || t1sz < 12 || t1sz > 28 || 64 - t1sz > built)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"VMCOREINFO: kernel addresses of %" PRIu64 " bits, built for %" PRIu64,
			64 - t1sz, built);
	a->page_shift = (unsigned)__builtin_ctzll(page);
	a->va_bits_built = (unsigned)built;
	a->va_bits = (unsigned)(64 - t1sz);
	/*
	 * LPA2 moves address bits into the shareability field, so it must be known. 4K and 16K
	 * kernels run with 52 bits exactly when the CPU has it (early_map_kernel()), and then
	 * physical addresses have 52 bits too. The reverse does not hold: before
	 * MAX_PHYSMEM_BITS followed the CPU (6.14, 6.12.y), it was 52 in all kernels built so.
	 */
	a->lpa2 = a->page_shift != 16 && a->va_bits == 52;
	if (a->lpa2 && vmcoreinfo_number(vi, "NUMBER(MAX_PHYSMEM_BITS)", &phys_bits) &&
	    phys_bits != 52)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"VMCOREINFO: kernel addresses of %u bits but physical ones of %" PRIu64
			": LPA2 or not cannot be told", a->va_bits, phys_bits);
	return true;
}

static const char *format_name(const struct arm64 *a, unsigned levels)
{
	static const char *const name[3][4] = {
		{ "aarch64, 4K pages, 2 levels", "aarch64, 4K pages, 3 levels",
		  "aarch64, 4K pages, 4 levels", "aarch64, 4K pages, 5 levels (LPA2)" },
		{ "aarch64, 16K pages, 2 levels", "aarch64, 16K pages, 3 levels",
		  "aarch64, 16K pages, 4 levels", "" },
		{ "aarch64, 64K pages, 2 levels", "aarch64, 64K pages, 3 levels", "", "" },
	};

	if (a->page_shift == 14 && a->lpa2)
		return "aarch64, 16K pages, 4 levels (LPA2)";
	return name[(a->page_shift - 12) / 2][levels - 2];
}

/* Blocks exist up to level 1 (1G, 64G, 4T); at level 0 (4K), 1 (16K, 64K) only with LPA, LPA2. */
static bool may_be_block(const struct arm64 *a, unsigned shift)
{
	switch (a->page_shift) {
	case 12:
		return shift == 21 || shift == 30 || (a->lpa2 && shift == 39);
	case 14:
		return shift == 25 || (a->lpa2 && shift == 36);
	default:
		return shift == 29 || shift == 42;
	}
}

static void set_levels(struct pagetable_format *f, const struct arm64 *a)
{
	unsigned bits = a->page_shift - 3;
	/*
	 * A 64K kernel built for 52 bits keeps its root of 1024 entries on a CPU that has 48;
	 * 4K and 16K kernels drop the level instead.
	 */
	unsigned top = a->page_shift == 16 ? a->va_bits_built : a->va_bits;

	f->levels = (top - 4) / bits;
	for (unsigned i = 0; i < f->levels; i++) {
		unsigned shift = a->page_shift + bits * (f->levels - 1 - i);

		f->level[i] = (struct pagetable_level){
			.shift = shift,
			.entries = i ? 1u << bits : 1u << (top - shift),
			.leaf = may_be_block(a, shift),
		};
	}
}

/* The image, as far as symbols of it are in VMCOREINFO, and what .data and .bss have behind. */
static void set_linear_image(struct pagetable_format *f, const struct vmcoreinfo *vi)
{
	static const char *const names[] = {
		"_stext", "swapper_pg_dir", "init_uts_ns", "kallsyms_names", "kallsyms_num_syms",
		"kallsyms_token_table", "kallsyms_token_index", "kallsyms_offsets",
	};
	uint64_t low = UINT64_MAX, high = 0, va;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!vmcoreinfo_symbol(vi, names[i], &va))
			continue;
		low = va < low ? va : low;
		high = va > high ? va : high;
	}
	if (low > high || high - low > MAX_IMAGE)
		return;
	f->linear[LINEAR_IMAGE] = (struct pagetable_linear){
		low, high + IMAGE_REST, low - f->image_virt };
}

/* All memory: PAGE_OFFSET by the bits that the kernel was built for, up to _PAGE_END(VA_BITS_MIN). */
static void set_linear_memory(struct pagetable_format *f, const struct vmcoreinfo *vi,
			      const struct arm64 *a)
{
	unsigned least = a->va_bits_built < 48 ? a->va_bits_built :
			 a->page_shift == 14 && a->va_bits_built == 52 ? 47 : 48;
	uint64_t phys_offset;

	if (!vmcoreinfo_number(vi, "NUMBER(PHYS_OFFSET)", &phys_offset))
		return;
	f->linear[LINEAR_MEMORY] = (struct pagetable_linear){
		-(UINT64_C(1) << a->va_bits_built), -(UINT64_C(1) << (least - 1)), phys_offset };
}

bool pagetable_aarch64(struct pagetable_format *f, const struct vmcoreinfo *vi,
		       struct fault *why)
{
	struct arm64 a;
	uint64_t page_mask;

	if (!get_numbers(&a, vi, why))
		return false;
	page_mask = ~((UINT64_C(1) << a.page_shift) - 1);
	if ((a.root - a.kimage_voffset) & ~page_mask)
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
			"VMCOREINFO: swapper_pg_dir does not begin a page");
	*f = (struct pagetable_format){
		.page_shift = a.page_shift,
		.root = a.root - a.kimage_voffset,
		.lowest = -(UINT64_C(1) << a.va_bits),
		.present = { ARM_VALID, ARM_VALID },
		.leaf = { ARM_TYPE, ARM_BLOCK },
		.page = { ARM_TYPE, ARM_PAGE },
		.addr_mask = UINT64_C(0x0000fffffffff000) & page_mask,
		.image_virt = a.kimage_voffset,
	};
	if (a.lpa2) {
		/* bits 49:12, then 51:50 in 9:8 */
		f->addr_mask = UINT64_C(0x0003fffffffff000) & page_mask;
		f->high_from = 8;
		f->high_mask = 3;
		f->high_to = 50;
	} else if (a.page_shift == 16) {
		/* LPA: bits 51:48 in 15:12, which are 0 without it */
		f->high_from = 12;
		f->high_mask = 0xf;
		f->high_to = 48;
	}
	set_linear_image(f, vi);
	set_linear_memory(f, vi, &a);
	set_levels(f, &a);
	f->name = format_name(&a, f->levels);
	return true;
}
