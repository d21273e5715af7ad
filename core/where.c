// SPDX-License-Identifier: GPL-2.0-or-later
#include "where.h"

const char *where_form_name(enum where_form form)
{
	static const char *const names[] = {
		[FORM_USER] = "user", [FORM_KERNEL] = "kernel", [FORM_LOW32] = "low32",
	};

	return names[form];
}

static bool has_user(const struct arena_snapshot *a)
{
	return arena_knows(a, FIELD_USER_VM_START) && a->user_vm_start;
}

/* Why what is mapped there is not known; NULL: it is. */
static const struct fault *lost_at(const struct arena_snapshot *a, const struct where *w)
{
	for (size_t i = 0; i < a->n_lost; i++) {
		const struct arena_lost *l = &a->lost[i];

		if (l->has_pgoff && w->has_pgoff ? w->pgoff - l->pgoff < l->n :
		    w->kernel - l->kernel < l->n * a->page_size)
			return &l->why;
	}
	return NULL;
}

static void look_at_page(const struct arena_snapshot *a, struct where *w)
{
	if (!w->has_kernel) {
		w->what = WHERE_UNKNOWN;
		w->why = &a->window;
		return;
	}
	w->page = arena_page_at(a, (w->kernel - a->area.addr) / a->page_size);
	if (w->page) {
		w->what = WHERE_MAPPED;
		w->phys = w->page->phys + w->offset;
		return;
	}
	w->why = lost_at(a, w);
	if (w->why)
		w->what = WHERE_UNKNOWN;
	else
		w->what = w->has_low || !a->kern_vm_start ? WHERE_NOT_MAPPED : WHERE_GUARD;
}

/* The rest follows from the low half. */
static void fill_from_low(const struct arena_snapshot *a, uint32_t low, struct where *w)
{
	w->has_low = true;
	w->low = low;
	if (a->kern_vm_start) {
		w->has_kernel = true;
		w->kernel = a->kern_vm_start + low;
	}
	if (!has_user(a))
		return;
	w->has_pgoff = w->has_user = true;
	w->pgoff = (uint32_t)(low - (uint32_t)a->user_vm_start) / a->page_size;
	w->user = (a->user_vm_start & ~UINT64_C(0xffffffff)) | low;
}

static bool find_kernel(const struct arena_snapshot *a, uint64_t address, struct where *w)
{
	if (!a->area.addr || address - a->area.addr >= a->area.size)
		return false;
	w->form = FORM_KERNEL;
	if (a->kern_vm_start && address - a->kern_vm_start < ARENA_WINDOW)
		fill_from_low(a, (uint32_t)(address - a->kern_vm_start), w);
	w->has_kernel = true;
	w->kernel = address;
	look_at_page(a, w);
	return true;
}

/* By the low half; outside of the user window only what is mapped is the arena's. */
static bool find_low(const struct arena_snapshot *a, uint64_t address, struct where *w)
{
	fill_from_low(a, (uint32_t)address, w);
	look_at_page(a, w);
	if (has_user(a) && arena_knows(a, FIELD_USER_VM_END) &&
	    w->user >= a->user_vm_start && w->user < a->user_vm_end)
		return true;
	return w->what == WHERE_MAPPED;
}

bool where_find(const struct arena_snapshot *a, uint64_t address, struct where *w)
{
	struct where found = { .offset = address % a->page_size };
	bool ok = find_kernel(a, address, &found);

	if (!ok && has_user(a) && address >> 32 == a->user_vm_start >> 32) {
		found.form = FORM_USER;
		ok = find_low(a, address, &found);
	} else if (!ok && address && address < ARENA_WINDOW) {
		found.form = FORM_LOW32;
		ok = find_low(a, address, &found);
	}
	if (ok)
		*w = found;
	return ok;
}
