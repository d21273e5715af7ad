// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "where.h"

struct run {
	const struct kernel *k;
	const struct report_options *options;
	struct renderer *const *renderers;
	size_t n;
	struct report_result *result;
	bool *matched;		/* of each ARENA */
	bool located;		/* the address lies in an arena */
	bool unsure;		/* it may lie in one of which not all is known */
	/* page tables that an ELF dump does not have */
	struct fault left_out;
	uint64_t left_out_arenas, left_out_pages;
};

/* Addresses. */

static bool parse(const char *text, int base, uint64_t *value)
{
	char *end;

	/* strtoull also takes blanks, signs and a second 0x */
	if (!*text || text[strspn(text, "0123456789abcdefABCDEF")])
		return false;
	errno = 0;
	*value = strtoull(text, &end, base);
	return !*end && !errno;
}

bool report_address(const char *text, uint64_t *address)
{
	if (!strncmp(text, "0x", 2) || !strncmp(text, "0X", 2))
		text += 2;
	return parse(text, 16, address);
}

static bool is_address_of(const struct arena_snapshot *a, uint64_t addr)
{
	if (a->map && addr == a->map)
		return true;
	if (a->user_vm_start && addr >= a->user_vm_start && addr < a->user_vm_end)
		return true;
	return a->area.addr && addr >= a->area.addr && addr - a->area.addr < a->area.size;
}

bool arena_matches(const struct arena_snapshot *a, const char *arg)
{
	uint64_t value;

	if (!strncmp(arg, "name:", 5))
		return arena_knows(a, FIELD_NAME) && !strcmp(a->name, arg + 5);
	if (!strncmp(arg, "0x", 2) || !strncmp(arg, "0X", 2))
		return parse(arg + 2, 16, &value) && is_address_of(a, value);
	if (arena_knows(a, FIELD_ID) && parse(arg, 10, &value) && value == a->id)
		return true;
	if (parse(arg, 16, &value) && is_address_of(a, value))
		return true;
	/* digits are never a name */
	return arena_knows(a, FIELD_NAME) && strspn(arg, "0123456789") != strlen(arg) &&
	       !strcmp(a->name, arg);
}

/* Is this arena asked for? Marks every ARENA that means it. */
static bool selected(struct run *run, const struct arena_found *found)
{
	struct problems ignored = { 0 };
	struct arena_snapshot a;
	struct fault why;
	bool any = false;

	if (!run->options->n_select)
		return true;
	/* of one that cannot be read its id and place are known all the same */
	arena_read(run->k, found, &a, &ignored, &why);
	for (size_t i = 0; i < run->options->n_select; i++) {
		if (!arena_matches(&a, run->options->select[i]))
			continue;
		run->matched[i] = true;
		any = true;
	}
	problems_free(&ignored);
	return any;
}

static uint64_t lost_pages(const struct arena_snapshot *a, enum state kind)
{
	uint64_t n = 0;

	for (size_t i = 0; i < a->n_lost; i++)
		if (a->lost[i].why.kind == kind)
			n += a->lost[i].n;
	return n;
}

/*
 * ELF dumps have holes for what was filtered and for zeros alike (makedumpfile -E), and from 7.0
 * on an arena has thousands of empty tables: that is one thing to say of the dump.
 */
static bool is_left_out(const struct run *run, const struct fault *why)
{
	const char *format = run->k->mem->facts.format;

	return why->kind == STATE_EXCLUDED && format && format[0] == 'E';
}

/* Lost ranges are errors of the run, too: one for each reason that an arena has. */
static void report_lost(struct run *run, const struct arena_snapshot *a)
{
	char label[ARENA_LABEL];

	for (size_t i = 0; i < a->n_lost; i++) {
		struct fault why = a->lost[i].why;
		uint64_t n = lost_pages(a, why.kind);
		size_t j = 0;

		while (j < i && a->lost[j].why.kind != why.kind)
			j++;
		if (j < i || why.kind == FAULT_LIMIT)
			continue;
		if (is_left_out(run, &why)) {
			if (!run->left_out_arenas++)
				run->left_out = why;
			run->left_out_pages += n;
			continue;
		}
		arena_label(a, label);
		fault_prefix(&why, "%s: whether %" PRIu64 " pages are mapped is not known: ",
			     label, n);
		arena_problem(a, &why, &run->result->problems);
	}
}

static void report_left_out(struct run *run)
{
	struct fault why = run->left_out;

	if (!run->left_out_arenas)
		return;
	fault_fill(&why, why.kind, why.space, why.addr, "%" PRIu64 " arena%s: page tables are "
		   "left out of this ELF dump, or were all zero, which it does not tell apart; whether %"
		   PRIu64 " pages are mapped is not known", run->left_out_arenas,
		   run->left_out_arenas == 1 ? "" : "s", run->left_out_pages);
	problems_add(&run->result->problems, &why);
}

/* Where the address lies is asked again by whoever shows it. */
static bool is_located(struct run *run, const struct arena_snapshot *a)
{
	struct where w;

	if (!view_has_address(run->options->ask.view))
		return true;
	if (!where_find(a, run->options->ask.address, &w)) {
		run->unsure |= a->truncated || a->unknown;
		return false;
	}
	run->located = true;
	return true;
}

static bool show_to_all(struct run *run, const struct arena_snapshot *a)
{
	bool ok = true;

	for (size_t i = 0; ok && i < run->n; i++)
		ok = run->renderers[i]->arena(run->renderers[i], run->k, a, run->result);
	return ok;
}

static bool show_checked(struct run *run, const struct arena_snapshot *a)
{
	struct fault why;
	struct check c;
	bool ok = check_arena(run->k, a, &c, &why);

	if (!ok) {
		arena_problem(a, &why, &run->result->problems);
		run->result->interrupted = why.kind == FAULT_LIMIT;
	} else {
		if (check_unknown(a, &c, &why))
			arena_problem(a, &why, &run->result->problems);
		run->result->check = &c;
		ok = show_to_all(run, a);
		run->result->check = NULL;
	}
	check_free(&c);
	return ok;
}

/* What the allocator says of an address is left out where it cannot be read. */
static bool show_located(struct run *run, const struct arena_snapshot *a)
{
	struct evidence_list ignored = { 0 };
	struct allocator al = { 0 };
	struct fault why;
	bool ok = a->no_struct || allocator_read(run->k, a, &al, &ignored, &why);

	if (!ok) {
		arena_problem(a, &why, &run->result->problems);
		run->result->interrupted = why.kind == FAULT_LIMIT;
	} else {
		run->result->allocator = &al;
		ok = show_to_all(run, a);
		run->result->allocator = NULL;
	}
	allocator_free(&al);
	return ok;
}

static bool show_view(struct run *run, const struct arena_snapshot *a)
{
	switch (run->options->ask.view) {
	case VIEW_CHECK:
		return show_checked(run, a);
	case VIEW_ADDRESS:
		return show_located(run, a);
	default:
		return show_to_all(run, a);
	}
}

/*
 * Who points to an address is asked of all arenas, so first of all it is asked where that lies.
 * What is wrong with an arena is said when it is shown.
 */
static bool find_targets(struct run *run, const struct arena_list *list, struct fault *why)
{
	struct problems ignored = { 0 };
	bool ok = true;

	if (run->options->ask.view != VIEW_REFS)
		return true;
	for (size_t i = 0; ok && i < list->n; i++) {
		struct arena_snapshot a = { 0 };
		struct fault unread;

		if (arena_snapshot(run->k, &list->found[i], 0, &a, &ignored, &unread)) {
			ok = refs_add(&run->result->refs, &a, run->options->ask.address, why);
			run->unsure |= a.truncated || a.unknown;
		} else {
			run->unsure = true;
		}
		arena_snapshot_free(&a);
	}
	problems_free(&ignored);
	run->located = run->result->refs.n_targets;
	return ok;
}

static bool show(struct run *run, const struct arena_found *found)
{
	struct problems *problems = &run->result->problems;
	struct arena_snapshot a = { 0 };
	struct fault why;
	bool ok = true;

	if (!selected(run, found))
		return true;
	if (!arena_snapshot(run->k, found, run->options->max_pages, &a, problems, &why)) {
		arena_problem(&a, &why, problems);
		ok = why.kind != FAULT_LIMIT && why.kind != FAULT_NOMEM;
		run->result->interrupted = why.kind == FAULT_LIMIT;
	} else if (is_located(run, &a)) {
		/* without a window there is one error already */
		if (a.area.addr)
			report_lost(run, &a);
		ok = show_view(run, &a);
	}
	arena_snapshot_free(&a);
	return ok;
}

static void check_selection(struct run *run)
{
	struct fault why;

	const enum view view = run->options->ask.view;
	const bool of_these = view_has_address(view) && run->options->n_select;

	if ((view_has_address(view) || view == VIEW_REFS) && !run->located) {
		fault_fill(&why, STATE_ABSENT, SPACE_NONE, 0, "0x%" PRIx64 " lies in no arena%s%s",
			   run->options->ask.address, of_these ? " of these" : "",
			   run->unsure || run->result->problems.n ?
			   ", as far as they could be read" : "");
		problems_add(&run->result->problems, &why);
	}
	for (size_t i = 0; i < run->options->n_select; i++) {
		if (run->matched[i])
			continue;
		fault_fill(&why, STATE_ABSENT, SPACE_NONE, 0, "no arena matches '%.64s'",
			   run->options->select[i]);
		problems_add(&run->result->problems, &why);
	}
}

static bool begin(struct run *run)
{
	bool ok = true;

	for (size_t i = 0; ok && i < run->n; i++)
		ok = run->renderers[i]->begin(run->renderers[i], run->k, run->result);
	return ok;
}

static void end(struct run *run)
{
	if (run->result->problems.n)
		run->result->status = REPORT_PARTIAL;
	for (size_t i = 0; i < run->n; i++)
		run->renderers[i]->end(run->renderers[i], run->k, run->result);
}

void report_file(const struct memory_facts *facts, struct problems *problems)
{
	struct fault why;

	if (facts->unended) {
		fault_fill(&why, STATE_CUT, SPACE_FILE, facts->size,
			   "the flattened dump has no end mark: it is cut");
		problems_add(problems, &why);
	} else if (facts->cut) {
		fault_fill(&why, STATE_CUT, SPACE_FILE, facts->size,
			   "the file is cut: it has %" PRIu64 " bytes of %" PRIu64
			   "; copy it again, or the disk was full", facts->size, facts->needed);
		problems_add(problems, &why);
	}
	if (facts->gap) {
		fault_fill(&why, STATE_CUT, SPACE_PHYS, facts->gap_start,
			   "a part of the split dump is missing: the one of physical 0x%" PRIx64
			   " to 0x%" PRIx64 "; give all parts together", facts->gap_start,
			   facts->gap_end - 1);
		problems_add(problems, &why);
	}
	if (facts->incomplete) {
		fault_fill(&why, STATE_CUT, SPACE_NONE, 0,
			   "the dump is marked incomplete: its writer could not finish it "
			   "(disk full?)");
		problems_add(problems, &why);
	}
}

/* Before anything is shown: it is said first. */
static bool look_at_crash(struct run *run, const struct arena_list *list)
{
	struct report_result *result = run->result;
	struct fault why;

	if (list->search.interrupted)
		return false;
	if (crash_site_find(run->k, list, &result->crash, &why))
		return true;
	problems_add(&result->problems, &why);
	return why.kind != FAULT_LIMIT;
}

static bool look_at_users(struct run *run, const struct arena_list *list, struct fault *why)
{
	struct report_result *r = run->result;

	/* of a kernel without arenas no struct is known */
	return run->options->ask.view != VIEW_USERS || !run->k->has_arenas ||
	       (scheduler_find(run->k, &r->schedulers, &r->problems, why) &&
		users_find(run->k, list, &r->users, &r->problems, why));
}

bool report_run(const struct kernel *k, const struct report_options *options,
		struct renderer *const *renderers, size_t n, struct report_result *result,
		struct fault *why)
{
	struct run run = { .k = k, .options = options, .renderers = renderers, .n = n,
			   .result = result };
	struct arena_list list = { 0 };
	bool ok, more;

	*result = (struct report_result){ .status = REPORT_COMPLETE };
	run.matched = calloc(options->n_select + 1, sizeof(bool));
	ok = (run.matched && problems_reserve(&result->problems)) ||
	     fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	report_file(&k->mem->facts, &result->problems);
	ok = ok && arena_find(k, options->scan, &list, &result->problems, why) &&
	     find_targets(&run, &list, why);
	result->search = list.search;
	result->found = list.n;
	more = ok && look_at_crash(&run, &list);
	result->interrupted = ok && !more;
	if (!ok) {
		result->status = REPORT_FAILED;
	} else if (more && !look_at_users(&run, &list, why)) {
		ok = false;
		result->status = REPORT_FAILED;
	} else if (begin(&run)) {
		for (size_t i = 0; more && i < list.n; i++)
			more = show(&run, &list.found[i]);
		if (more)
			check_selection(&run);
		report_left_out(&run);
		end(&run);
	}
	arena_list_free(&list);
	free(run.matched);
	return ok;
}

void report_free(struct report_result *result)
{
	crash_site_free(&result->crash);
	problems_free(&result->problems);
	refs_free(&result->refs);
	users_free(&result->users);
	schedulers_free(&result->schedulers);
}
