// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x86_64: arch/x86/include/asm/pgtable_64_types.h, pgtable_types.h.
 */
#include "pagetable.h"

enum {
	X86_PRESENT = 1 << 0,
	X86_PSE = 1 << 7,
};

#define START_KERNEL_MAP UINT64_C(0xffffffff80000000)
#define KERNEL_IMAGE_SIZE (UINT64_C(1) << 30)	/* with KASLR, and at most */
#define X86_ADDR_MASK UINT64_C(0x000ffffffffff000)

bool pagetable_x86_64(struct pagetable_format *f, const struct vmcoreinfo *vi,
		      struct fault *why)
{
	uint64_t root, phys_base, l5 = 0, sme = 0, image = KERNEL_IMAGE_SIZE;

	if (!vmcoreinfo_number(vi, "NUMBER(phys_base)", &phys_base))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"VMCOREINFO has no NUMBER(phys_base)");
	if (!vmcoreinfo_symbol(vi, "init_top_pgt", &root) &&
	    !vmcoreinfo_symbol(vi, "swapper_pg_dir", &root))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"VMCOREINFO has no SYMBOL(init_top_pgt)");
	if ((root - START_KERNEL_MAP + phys_base) % 4096)
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
			"VMCOREINFO: init_top_pgt does not begin a page");
	vmcoreinfo_number(vi, "NUMBER(pgtable_l5_enabled)", &l5);
	vmcoreinfo_number(vi, "NUMBER(sme_mask)", &sme);
	if (!vmcoreinfo_number(vi, "NUMBER(KERNEL_IMAGE_SIZE)", &image) ||
	    image > KERNEL_IMAGE_SIZE)
		image = KERNEL_IMAGE_SIZE;

	*f = (struct pagetable_format){
		.name = l5 ? "x86_64, 5 levels" : "x86_64, 4 levels",
		.page_shift = 12,
		.levels = l5 ? 5 : 4,
		.root = root - START_KERNEL_MAP + phys_base,
		.lowest = l5 ? UINT64_C(0xff) << 56 : UINT64_C(0xffff8) << 44,
		.present = { X86_PRESENT, X86_PRESENT },
		.leaf = { X86_PSE, X86_PSE },
		.page = { X86_PRESENT, X86_PRESENT },
		.addr_mask = X86_ADDR_MASK & ~sme,
		.image_virt = START_KERNEL_MAP,
		.image_phys = phys_base,
		/* all memory: by the variable page_offset_base, see kernel.c */
		.linear[LINEAR_IMAGE] = {
			START_KERNEL_MAP, START_KERNEL_MAP + image, phys_base },
	};
	for (unsigned i = 0; i < f->levels; i++) {
		unsigned shift = 12 + 9 * (f->levels - 1 - i);

		f->level[i] = (struct pagetable_level){
			.shift = shift,
			.entries = 512,
			.leaf = shift == 21 || shift == 30,
		};
	}
	return true;
}
