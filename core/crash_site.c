// SPDX-License-Identifier: GPL-2.0-or-later
#include "crash_site.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

enum { MAX_HITS = 4096 };

/* A value that may have to do with an arena, and where it was seen. */
struct seen {
	uint64_t value;
	enum crash_source source;
	size_t cpu;		/* place in registers, or in the faults of the log */
	size_t reg;		/* place in registers.info */
};

struct search {
	const struct kernel *k;
	struct crash_site *site;
	struct registers registers;
	struct seen *seen;	/* by value */
	size_t n, room, hits_room;
	struct fault *why;
};

const char *crash_source_name(enum crash_source source)
{
	static const char *const names[] = {
		[CRASH_LOG] = "log", [CRASH_CR2] = "cr2", [CRASH_NOTES] = "prstatus",
		[CRASH_MEMORY] = "crash_notes",
	};

	return names[source];
}

/* What was seen. */

static bool see(struct search *s, uint64_t value, enum crash_source source, size_t cpu, size_t reg)
{
	if (!array_grow(&s->seen, &s->room, s->n, sizeof(*s->seen), s->why))
		return false;
	s->seen[s->n++] = (struct seen){ value, source, cpu, reg };
	return true;
}

static bool see_registers(struct search *s)
{
	const struct registers *r = &s->registers;
	enum crash_source source = r->source == REGISTERS_NOTES ? CRASH_NOTES : CRASH_MEMORY;
	bool ok = true;

	s->site->registers = r->source;
	s->site->cpus = r->n;
	for (size_t cpu = 0; ok && cpu < r->n; cpu++) {
		const struct cpu_registers *c = &r->cpu[cpu];

		for (size_t i = 0; ok && i < r->n_info; i++)
			ok = see(s, c->value[i], source, cpu, i);
		s->site->has_cr2 |= c->has_cr2;
		if (ok && c->has_cr2)
			ok = see(s, c->cr2, CRASH_CR2, cpu, 0);
	}
	return ok;
}

static bool see_log(struct search *s)
{
	struct crash_site *site = s->site;
	bool ok = true;

	site->has_log = printk_faults(s->k, &site->log, &site->no_log);
	if (!site->has_log && site->no_log.kind == FAULT_LIMIT) {
		*s->why = site->no_log;
		return false;
	}
	for (size_t i = 0; ok && i < site->log.n; i++)
		ok = see(s, site->log.fault[i].address, CRASH_LOG, i, 0);
	return ok;
}

static int by_value(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* Place of the first that is not below @value. */
static size_t first_from(const struct search *s, uint64_t value)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->seen[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Hits. */

static void name_arena(const struct arena_snapshot *a, struct crash_hit *h)
{
	arena_label(a, h->label);
	h->has_id = arena_knows(a, FIELD_ID);
	h->id = a->id;
	h->has_name = arena_knows(a, FIELD_NAME);
	memcpy(h->arena, a->name, sizeof(h->arena));
	h->map = arena_knows(a, FIELD_MAP) ? a->map : 0;
}

static void name_source(const struct search *s, const struct seen *seen, struct crash_hit *h)
{
	const struct cpu_registers *c;

	h->source = seen->source;
	h->value = seen->value;
	if (seen->source == CRASH_LOG) {
		h->time = s->site->log.fault[seen->cpu].time;
		return;
	}
	c = &s->registers.cpu[seen->cpu];
	h->name = seen->source == CRASH_CR2 ? "cr2" : s->registers.info[seen->reg].name;
	h->has_cpu = c->has_cpu;
	h->cpu = c->has_cpu ? c->cpu : c->note;
}

static bool is_register(const struct seen *seen)
{
	return seen->source == CRASH_NOTES || seen->source == CRASH_MEMORY;
}

static bool is_base(const struct search *s, const struct arena_snapshot *a, const struct seen *seen)
{
	return is_register(seen) && seen->reg == s->registers.base &&
	       a->kern_vm_start && seen->value == a->kern_vm_start;
}

static bool is_strong(const struct crash_hit *h)
{
	if (h->where.form == FORM_LOW32 || h->value < ARENA_WINDOW)
		return false;
	return h->source != CRASH_CR2 || h->where.form == FORM_KERNEL;
}

static bool add_hit(struct search *s, const struct arena_snapshot *a, const struct seen *seen,
		    const struct where *w)
{
	struct crash_site *site = s->site;
	struct crash_hit *h;

	if (site->n == MAX_HITS) {
		site->more++;
		return true;
	}
	if (!array_grow(&site->hit, &s->hits_room, site->n, sizeof(*site->hit), s->why))
		return false;
	h = &site->hit[site->n++];
	*h = (struct crash_hit){ .base = !w };
	name_arena(a, h);
	name_source(s, seen, h);
	if (w) {
		h->where = *w;
		h->where.page = NULL;
		h->where.why = NULL;
		h->kind = w->page ? w->page->kind : KIND_PAGE;
		h->state = w->page ? w->page->state : STATE_UNKNOWN;
	}
	h->strong = h->base || is_strong(h);
	site->strong += h->strong;
	return true;
}

/*
 * What a program of the arena computes with are low halves, but so are all small numbers: those
 * below one page are none, nor those of pages that are not mapped.
 */
static bool add_low_halves(struct search *s, const struct arena_snapshot *a,
			   const struct seen *base)
{
	const struct registers *r = &s->registers;
	const struct cpu_registers *c = &r->cpu[base->cpu];
	bool ok = true;
	struct where w;

	for (size_t i = 0; ok && i < r->n_info; i++) {
		struct seen seen = { c->value[i], base->source, base->cpu, i };

		if (r->info[i].general && c->value[i] >= a->page_size &&
		    c->value[i] < ARENA_WINDOW && where_find(a, c->value[i], &w) &&
		    w.form == FORM_LOW32 && w.what == WHERE_MAPPED)
			ok = add_hit(s, a, &seen, &w);
	}
	return ok;
}

/* All that was seen in [@start, @end). */
static bool add_range(struct search *s, const struct arena_snapshot *a, uint64_t start,
		      uint64_t end)
{
	bool ok = true;
	struct where w;

	for (size_t i = first_from(s, start); ok && i < s->n && s->seen[i].value < end; i++) {
		if (is_base(s, a, &s->seen[i]))
			ok = add_hit(s, a, &s->seen[i], NULL) &&
			     add_low_halves(s, a, &s->seen[i]);
		else if (where_find(a, s->seen[i].value, &w))
			ok = add_hit(s, a, &s->seen[i], &w);
	}
	return ok;
}

static bool is_any_in(const struct search *s, uint64_t start, uint64_t end)
{
	size_t i = first_from(s, start);

	return i < s->n && s->seen[i].value < end;
}

/* 0: not known, or none of it was seen. */
static uint64_t end_of_area(const struct search *s, const struct arena_snapshot *a)
{
	uint64_t end;

	if (!a->area.addr || __builtin_add_overflow(a->area.addr, a->area.size, &end))
		return 0;
	return is_any_in(s, a->area.addr, end) ? end : 0;
}

static uint64_t end_of_window(const struct search *s, const struct arena_snapshot *a)
{
	if (!arena_knows(a, FIELD_USER_VM_START) || !arena_knows(a, FIELD_USER_VM_END) ||
	    !a->user_vm_start)
		return 0;
	return is_any_in(s, a->user_vm_start, a->user_vm_end) ? a->user_vm_end : 0;
}

/* By its place alone first: most arenas are hit by nothing. */
static bool look_at_arena(struct search *s, const struct arena_found *found)
{
	struct problems ignored = { 0 };
	struct arena_snapshot a = { 0 };
	struct fault why = { .kind = STATE_STORED };
	uint64_t area = 0, window = 0;
	bool ok = true;

	if (arena_read(s->k, found, &a, &ignored, &why)) {
		area = end_of_area(s, &a);
		window = end_of_window(s, &a);
	}
	if ((area || window) && arena_snapshot(s->k, found, 0, &a, &ignored, &why)) {
		ok = (!area || add_range(s, &a, a.area.addr, area)) &&
		     (!window || add_range(s, &a, a.user_vm_start, window));
	} else if (why.kind == FAULT_LIMIT || why.kind == FAULT_NOMEM) {
		*s->why = why;
		ok = false;
	}
	arena_snapshot_free(&a);
	problems_free(&ignored);
	return ok;
}

static int by_order(const void *a, const void *b)
{
	const struct crash_hit *x = a, *y = b;

	if (x->strong != y->strong)
		return x->strong ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	/* the last oops first */
	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	if (x->has_cpu != y->has_cpu)
		return x->has_cpu ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->base != y->base)
		return x->base ? -1 : 1;
	if (x->name && strcmp(x->name, y->name))
		return strcmp(x->name, y->name);
	if (x->has_id != y->has_id)
		return x->has_id ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->value > y->value) - (x->value < y->value);
}

bool crash_site_find(const struct kernel *k, const struct arena_list *list,
		     struct crash_site *site, struct fault *why)
{
	struct search s = { .k = k, .site = site, .why = why };
	bool ok;

	*site = (struct crash_site){ .looked = list->n };
	if (!list->n)
		return true;
	ok = registers_read(k, &s.registers, why) && see_registers(&s) && see_log(&s);
	if (ok && s.n)
		qsort(s.seen, s.n, sizeof(*s.seen), by_value);
	for (size_t i = 0; ok && s.n && i < list->n; i++)
		ok = look_at_arena(&s, &list->found[i]);
	if (ok && site->n)
		qsort(site->hit, site->n, sizeof(*site->hit), by_order);
	free(s.seen);
	registers_free(&s.registers);
	return ok;
}

void crash_site_free(struct crash_site *site)
{
	free(site->hit);
	site->hit = NULL;
	site->n = 0;
}
