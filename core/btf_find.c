// SPDX-License-Identifier: GPL-2.0-or-later
#include "btf_find.h"

#include "reader.h"

enum {
	STEP = 4096,
	HEADER = 24,
	LAYOUT_HEADER = 32,
	BTF_FIRST = 0x0001eb9f,	/* magic, version 1, no flags */
};

/* Sections as the kernel's own have them: types first, all after the header. */
static bool header_size(const uint8_t *h, uint64_t *size)
{
	uint32_t head = load_u32(h + 4);
	uint64_t types = (uint64_t)load_u32(h + 8) + load_u32(h + 12);
	uint64_t strings = (uint64_t)load_u32(h + 16) + load_u32(h + 20), layout = 0;

	if (head == LAYOUT_HEADER)
		layout = (uint64_t)load_u32(h + 24) + load_u32(h + 28);
	else if (head != HEADER)
		return false;
	if (load_u32(h + 8) % 4 || !load_u32(h + 12) || !load_u32(h + 20))
		return false;
	*size = types > strings ? types : strings;
	*size = (layout > *size ? layout : *size) + head;
	return true;
}

static bool is_header(struct pagetable *pt, uint64_t va, uint64_t max, uint64_t *size)
{
	uint8_t h[LAYOUT_HEADER];
	struct fault ignored;

	return pagetable_read(pt, va, h, sizeof(h), &ignored) && header_size(h, size) &&
	       *size <= max;
}

/* As much of memory from @va on as is in one step; 0: not there. */
static size_t look(struct pagetable *pt, const struct memory *mem, uint64_t va, uint8_t *buf)
{
	size_t n = STEP - (size_t)(va % STEP);
	struct fault ignored;
	uint64_t phys, left;

	if (!pagetable_translate(pt, va, &phys, &left, &ignored) ||
	    memory_peek(mem, phys, buf, n) != STATE_STORED)
		return 0;
	return n;
}

bool btf_find_next(struct pagetable *pt, const struct memory *mem, uint64_t *va, uint64_t end,
		   uint64_t max, uint64_t *size)
{
	uint64_t at = (*va + 3) & ~UINT64_C(3), next;
	uint8_t buf[STEP];

	for (; at < end; at = next) {
		size_t n = look(pt, mem, at, buf);

		if (!add_ok(at, STEP - at % STEP, &next))
			return false;
		for (size_t i = 0; i < n && at + i < end; i += 4) {
			if (load_u32(buf + i) != BTF_FIRST ||
			    !is_header(pt, at + i, max, size))
				continue;
			*va = at + i;
			return true;
		}
	}
	return false;
}
