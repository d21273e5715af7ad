// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text and columns, at most 80 wide.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render_check.h"
#include "render_crash_site.h"
#include "render_scheduler.h"
#include "render_read.h"
#include "render_search.h"
#include "render_users.h"
#include "render_where.h"
#include "report.h"

/* The list. */

static const char list_heading[] =
	"       ID BPF_MAP           USER_VM_START  MAPPED DECLARED FLAGS NAME\n";

static void flags(const struct arena_snapshot *a, char text[12])
{
	size_t n = 0;

	if (a->truncated)
		text[n++] = 'T';
	if (a->missing)
		text[n++] = 'M';
	if (a->scratch)
		text[n++] = 'S';
	if (a->outside)
		text[n++] = 'O';
	if (a->span_capped)
		text[n++] = 'C';
	if (a->no_struct)
		text[n++] = 'L';
	if (a->life == LIFE_NEW)
		text[n++] = 'N';
	if (a->life == LIFE_DYING)
		text[n++] = 'D';
	if (!n)
		text[n++] = '-';
	text[n] = '\0';
}

/* A number, or ? */
static const char *count(const struct arena_snapshot *a, enum arena_field field, uint64_t value,
			 char text[24])
{
	if (!arena_knows(a, field))
		return "?";
	snprintf(text, 24, "%" PRIu64, value);
	return text;
}

static const char *address(const struct arena_snapshot *a, enum arena_field field,
			   uint64_t value, char text[24])
{
	if (!arena_knows(a, field))
		return "?";
	snprintf(text, 24, "%" PRIx64, value);
	return text;
}

static bool put_name(struct table_renderer *t, const struct arena_snapshot *a)
{
	return arena_knows(a, FIELD_NAME) ? sink_name(t->out, a->name) : sink_puts(t->out, "?");
}

/* What tells it from others; the place of its pages where there is neither struct nor user. */
static bool list_addresses(struct table_renderer *t, const struct arena_snapshot *a)
{
	char map[24] = "?", start[24];

	if (!arena_knows(a, FIELD_MAP) && !arena_knows(a, FIELD_USER_VM_START))
		return arena_knows(a, FIELD_KERN_VM_START) ?
		       sink_printf(t->out, " kern_vm_start %016" PRIx64, a->kern_vm_start) :
		       sink_printf(t->out, "kern_vm_start ~%016" PRIx64, a->area.addr);
	if (arena_knows(a, FIELD_MAP))
		snprintf(map, sizeof(map), "%016" PRIx64, a->map);
	return sink_printf(t->out, "%-16s %14s", map,
			   address(a, FIELD_USER_VM_START, a->user_vm_start, start));
}

static bool list_row(struct table_renderer *t, const struct arena_snapshot *a)
{
	char set[12], id[24], mapped[24], declared[24];

	flags(a, set);
	sink_printf(t->out, "%9s ", count(a, FIELD_ID, a->id, id));
	list_addresses(t, a);
	return sink_printf(t->out, " %7s %8s %-5s ", count(a, FIELD_MAPPED, a->mapped, mapped),
			   count(a, FIELD_DECLARED_PAGES, a->declared_pages, declared), set) &&
	       put_name(t, a) && sink_puts(t->out, "\n");
}

/* All fields. */

static const char *encoding_name(enum kallsyms_encoding encoding)
{
	switch (encoding) {
	case KALLSYMS_ABSOLUTE_PERCPU:
		return "relative to a base, per-CPU ones absolute";
	case KALLSYMS_BASE:
		return "relative to a base";
	case KALLSYMS_PLACE:
		return "relative to their place";
	case KALLSYMS_ENCODINGS:
		break;
	}
	return "?";
}

/* What was asked besides the dump, and why. */
static void elsewhere(struct table_renderer *t, const struct kernel *k, const char *what,
		      const struct fault *why)
{
	sink_puts(t->out, what);
	sink_safe(t->out, k->debuginfo);
	sink_puts(t->out, "\n               (");
	sink_safe(t->out, why->text);
	sink_puts(t->out, ")\n");
}

static void symbol_sources(struct table_renderer *t, const struct kernel *k)
{
	unsigned n = 0;

	if (!k->has_kallsyms) {
		elsewhere(t, k, "      symbols: ", &k->no_kallsyms);
		return;
	}
	sink_printf(t->out, "      symbols: kallsyms in the dump, %" PRIu32 " symbols\n"
		    "               (addresses %s)\n", k->symbols, encoding_name(k->encoding));
	if (k->functions_only)
		sink_puts(t->out, "               (functions only: built without "
			  "CONFIG_KALLSYMS_ALL)\n");
	for (size_t i = 0; i < SYMBOLS_END; i++)
		if (k->symbol_elsewhere[i])
			sink_printf(t->out, "%s%s", n++ ? ", " : "               ",
				    k->symbol[i].name);
	if (!n)
		return;
	sink_puts(t->out, ": ");
	sink_safe(t->out, k->debuginfo);
	sink_puts(t->out, "\n");
}

/* Members from @i on that are lost for the same; returns the next one. */
static size_t missing_members(struct table_renderer *t, const struct kernel *k, size_t i)
{
	const struct member_info *first = NULL;
	const char *loss = member_info[i].loss;
	size_t more = 0;

	for (; i < MEMBERS_END && !strcmp(member_info[i].loss, loss); i++) {
		if (kernel_has(k, i) || member_info[i].need != OPTIONAL)
			continue;
		more += first != NULL;
		first = first ? first : &member_info[i];
	}
	if (!first)
		return i;
	sink_printf(t->out, "               (no %s.%s", first->type, first->name);
	if (more)
		sink_printf(t->out, " and %zu more", more);
	sink_printf(t->out, "; lost: %s)\n", loss);
	return i;
}

static void type_sources(struct table_renderer *t, const struct kernel *k)
{
	switch (k->types) {
	case TYPES_BTF:
		sink_printf(t->out, "        types: BTF in the dump, %" PRIu64 " bytes\n",
			    k->btf_size);
		if (k->btf_found)
			sink_printf(t->out, "               (found by its header, at %016" PRIx64
				    ")\n", k->btf_found);
		break;
	case TYPES_DEBUGINFO_BTF:
		elsewhere(t, k, "        types: BTF of ", &k->no_btf);
		break;
	case TYPES_DEBUGINFO:
		elsewhere(t, k, "        types: debug information of ", &k->no_btf);
		break;
	}
	for (size_t i = 0; k->has_arenas && i < MEMBERS_END;)
		i = missing_members(t, k, i);
}

static void vmcoreinfo_source(struct table_renderer *t, const struct kernel *k)
{
	switch (k->vmcoreinfo_from) {
	case VMCOREINFO_NOTE:
		return;
	case VMCOREINFO_FILE:
		sink_puts(t->out, "   vmcoreinfo: ");
		sink_safe(t->out, k->mem->facts.vmcoreinfo_file);
		break;
	case VMCOREINFO_MEMORY:
		sink_printf(t->out, "   vmcoreinfo: found in memory, at physical 0x%" PRIx64
			    "\n               (", k->vmcoreinfo_phys);
		sink_safe(t->out, *k->bad_note.text ? k->bad_note.text :
			  "the dump has no such note");
		sink_puts(t->out, ")");
		break;
	}
	sink_puts(t->out, "\n");
}

static bool sources(struct table_renderer *t, const struct kernel *k)
{
	const struct memory_facts *facts = &k->mem->facts;
	char level[24] = "";

	if (facts->level >= 0)
		snprintf(level, sizeof(level), ", level %d", facts->level);
	sink_puts(t->out, "       kernel: Linux ");
	sink_safe(t->out, k->release);
	sink_printf(t->out, ", %s, pages of %" PRIu64 " KiB\n", k->machine, k->page_size >> 10);
	sink_printf(t->out, "         dump: %s%s%s",
		    facts->reduced ? "reduced by arenasnap from " : "",
		    facts->format ? facts->format : "?", level);
	if (facts->parts)
		sink_printf(t->out, ", %u part%s of a split set (%u empty)", facts->parts,
			    facts->parts > 1 ? "s" : "", facts->empty_parts);
	sink_puts(t->out, "\n");
	vmcoreinfo_source(t, k);
	symbol_sources(t, k);
	type_sources(t, k);
	return sink_printf(t->out, "  page tables: %s, root at physical 0x%" PRIx64 "\n",
			   k->format.name, k->format.root);
}

static bool lost_ranges(struct table_renderer *t, const struct arena_snapshot *a)
{
	for (size_t i = 0; i < a->n_lost; i++) {
		const struct arena_lost *l = &a->lost[i];

		if (l->has_pgoff && l->n)
			sink_printf(t->out, "         lost: pgoff %" PRIu64 " to %" PRIu64, l->pgoff,
				    l->pgoff + l->n - 1);
		else
			sink_printf(t->out, "         lost: %" PRIu64 " pages", l->n);
		if (l->kernel)
			sink_printf(t->out, " (kernel %" PRIx64 ")", l->kernel);
		sink_puts(t->out, "\n               ");
		sink_safe(t->out, l->why.text);
		sink_puts(t->out, "\n");
	}
	return !t->out->stopped;
}

static const char *life(const struct arena_snapshot *a)
{
	if (!arena_knows(a, FIELD_LIFE))
		return "";
	switch (a->life) {
	case LIFE_LIVE:
		return "";
	case LIFE_NEW:
		return " (being made: it has no id yet)";
	case LIFE_DYING:
		return " (being freed: nobody holds it)";
	}
	return "";
}

static void map_fields(struct table_renderer *t, const struct arena_snapshot *a)
{
	char text[24];

	sink_printf(t->out, "           id: %s%s\n         name: ", count(a, FIELD_ID, a->id, text),
		    life(a));
	put_name(t, a);
	sink_printf(t->out, "\n          map: %s%s\n", address(a, FIELD_MAP, a->map, text),
		    a->no_struct ? " (lost)" : "");
	sink_printf(t->out, "  max_entries: %s\n",
		    count(a, FIELD_MAX_ENTRIES, a->max_entries, text));
	sink_printf(t->out, "    map_extra: %s\n", address(a, FIELD_MAP_EXTRA, a->map_extra, text));
	if (arena_knows(a, FIELD_MAP_FLAGS))
		sink_printf(t->out, "    map_flags: %08" PRIx32 "\n", a->map_flags);
	else
		sink_puts(t->out, "    map_flags: ?\n");
	sink_printf(t->out, "     declared: %s%s\n",
		    count(a, FIELD_DECLARED_PAGES, a->declared_pages, text),
		    a->span_capped ? " (capped at 4 GiB)" : "");
}

static bool verbose(struct table_renderer *t, const struct arena_snapshot *a)
{
	char text[24];

	if (t->shown)
		sink_puts(t->out, "\n");
	map_fields(t, a);
	sink_printf(t->out, "user_vm_start: %s\n",
		    address(a, FIELD_USER_VM_START, a->user_vm_start, text));
	sink_printf(t->out, "  user_vm_end: %s\n",
		    address(a, FIELD_USER_VM_END, a->user_vm_end, text));
	sink_printf(t->out, "kern_vm_start: %s",
		    address(a, FIELD_KERN_VM_START, a->kern_vm_start, text));
	if (!a->kern_vm_start && a->area.addr)
		sink_printf(t->out, " (page tables begin at %" PRIx64 ")", a->area.addr);
	sink_puts(t->out, "\n");
	sink_printf(t->out, "       mapped: %s\n", count(a, FIELD_MAPPED, a->mapped, text));
	sink_printf(t->out, "      scratch: %s\n", count(a, FIELD_SCRATCH, a->scratch, text));
	sink_printf(t->out, "      outside: %s\n", count(a, FIELD_OUTSIDE, a->outside, text));
	sink_printf(t->out, "      missing: %s\n", count(a, FIELD_MISSING, a->missing, text));
	sink_printf(t->out, "    truncated: %s\n", a->truncated ? "yes" : "no");
	sink_printf(t->out, "     found_by: %s\n", found_by_name(a->found_by));
	return lost_ranges(t, a);
}

/* Pages. */

/* Neighbours that are one line with --runs. */
struct page_run {
	const struct arena_page *first;
	uint64_t n;
};

static const char *stored_name(enum state state)
{
	return state == STATE_STORED ? "yes" : state == STATE_UNKNOWN ? "?" : "no";
}

static bool follows(const struct table_renderer *t, const struct arena_snapshot *a,
		    const struct page_run *run, const struct arena_page *p)
{
	uint64_t first, pgoff;
	bool has = arena_page_pgoff(a, p, &pgoff);

	if (!t->ask.runs || has != arena_page_pgoff(a, run->first, &first) ||
	    (has && pgoff != first + run->n))
		return false;
	return p->index == run->first->index + run->n &&
	       p->phys == run->first->phys + run->n * a->page_size &&
	       p->kind == run->first->kind && p->state == run->first->state;
}

/* Its user address, as far as it is known. */
static const char *page_user(const struct arena_snapshot *a, const struct arena_page *p,
			     char text[24])
{
	uint64_t pgoff, low = arena_page_kernel(a, p) - a->kern_vm_start;

	if (arena_page_pgoff(a, p, &pgoff))
		snprintf(text, 24, "%" PRIx64, arena_user_address(a, pgoff));
	else if (!a->kern_vm_start)
		return "?";
	else if (low > UINT32_MAX)
		return "-";	/* in a guard */
	else
		/* the kernel's address gives the low half */
		snprintf(text, 24, "?%08" PRIx64, low);
	return text;
}

static bool page_row(struct table_renderer *t, const struct arena_snapshot *a,
		     const struct page_run *run)
{
	const struct arena_page *p = run->first;
	char off[24], user_text[24], n[24] = "", id[24];
	const char *user = page_user(a, p, user_text);
	uint64_t pgoff;

	/* what has no user address has no pgoff */
	snprintf(off, sizeof(off), "%.1s", user);
	if (arena_page_pgoff(a, p, &pgoff))
		snprintf(off, sizeof(off), "%" PRIu64, pgoff);
	if (t->ask.runs)
		snprintf(n, sizeof(n), " %7" PRIu64, run->n);
	return sink_printf(t->out, "%*s %7s%s %14s %016" PRIx64 " %11" PRIx64 " %-7s %s\n",
			   t->ask.runs ? 5 : 7, count(a, FIELD_ID, a->id, id), off, n, user,
			   arena_page_kernel(a, p), p->phys, arena_page_kind_name(p->kind),
			   stored_name(p->state));
}

static bool pages_heading(struct table_renderer *t, const struct arena_snapshot *a)
{
	char label[ARENA_LABEL], mapped[24], declared[24];

	if (!t->headings)
		return true;
	if (t->shown)
		sink_puts(t->out, "\n");
	arena_label(a, label);
	sink_puts(t->out, label);
	if (arena_knows(a, FIELD_NAME)) {
		sink_puts(t->out, " ");
		put_name(t, a);
	}
	sink_printf(t->out, ": %s of %s pages mapped\n",
		    count(a, FIELD_MAPPED, a->mapped, mapped),
		    count(a, FIELD_DECLARED_PAGES, a->declared_pages, declared));
	return !a->n_pages ||
	       sink_printf(t->out, "%s   PGOFF%s           USER           KERNEL        PHYS"
			   " KIND    STORED\n", t->ask.runs ? "   ID" : "     ID",
			   t->ask.runs ? "   PAGES" : "");
}

static bool pages(struct table_renderer *t, const struct arena_snapshot *a)
{
	struct page_run run = { NULL, 0 };

	if (!pages_heading(t, a))
		return false;
	for (size_t i = 0; i < a->n_pages; i++) {
		if (run.n && follows(t, a, &run, &a->pages[i])) {
			run.n++;
			continue;
		}
		if (run.n && !page_row(t, a, &run))
			return false;
		run = (struct page_run){ &a->pages[i], 1 };
	}
	if (run.n && !page_row(t, a, &run))
		return false;
	return !t->headings || lost_ranges(t, a);
}

/* The renderer. */

/* What was looked at to find arenas. */
static void ways(struct table_renderer *t, const struct arena_search *s)
{
	sink_printf(t->out, "       arenas: %" PRIu64 " maps in map_idr, ", s->maps);
	if (s->no_programs)
		sink_puts(t->out, "programs cannot be read");
	else
		sink_printf(t->out, "%" PRIu64 " pointers of programs", s->programs);
	if (s->no_areas)
		sink_puts(t->out, ",\n               vmalloc areas cannot be read");
	else
		sink_printf(t->out, ",\n               %" PRIu64 " vmalloc areas", s->areas);
	if (s->tasks)
		sink_printf(t->out, ", %" PRIu64 " mappings of processes", s->mappings);
	if (s->scan)
		sink_printf(t->out, ",\n               all pages: %" PRIu64 " more structs",
			    s->candidates);
	sink_puts(t->out, "\n");
}

static bool table_begin(struct renderer *r, const struct kernel *k,
			const struct report_result *result)
{
	struct table_renderer *t = (struct table_renderer *)r;

	/* above the list it is a heading, too: programs that read the list want none */
	if (t->ask.view == VIEW_VERBOSE || (t->ask.view == VIEW_LIST && t->headings))
		crash_site_table(t->out, &result->crash, t->ask.view == VIEW_VERBOSE);
	if (t->ask.view == VIEW_USERS)
		scheduler_table(t->out, k, &result->schedulers);
	if (t->ask.view != VIEW_VERBOSE)
		return !t->out->stopped;
	sources(t, k);
	if (!k->has_arenas)
		return !t->out->stopped;
	crash_site_sources(t->out, &result->crash);
	ways(t, &result->search);
	return sink_puts(t->out, "\n");
}

static bool table_arena(struct renderer *r, const struct kernel *k,
			const struct arena_snapshot *a, struct report_result *result)
{
	struct table_renderer *t = (struct table_renderer *)r;
	bool ok = true;

	switch (t->ask.view) {
	case VIEW_LIST:
		if (!t->shown && t->headings)
			sink_puts(t->out, list_heading);
		ok = list_row(t, a);
		break;
	case VIEW_VERBOSE:
		ok = verbose(t, a);
		break;
	case VIEW_PAGES:
		ok = pages(t, a);
		break;
	case VIEW_ADDRESS:
		ok = where_table(t->out, a, result->allocator, t->ask.address,
				 t->shown);
		break;
	case VIEW_FIND:
	case VIEW_REFS:
		ok = search_table(t->out, k, a, &t->ask, t->headings, result, &t->hits);
		break;
	case VIEW_USERS:
		ok = users_table(t->out, a, &result->users, t->headings, t->shown);
		break;
	case VIEW_READ:
		if (t->shown && t->headings)
			sink_puts(t->out, "\n");
		ok = read_table(t->out, k, a, &t->ask, t->headings, &result->problems);
		break;
	case VIEW_CHECK:
		ok = check_table(t->out, a, result->check, t->shown);
		break;
	}
	t->shown++;
	return ok;
}

static bool table_end(struct renderer *r, const struct kernel *k,
		      const struct report_result *result)
{
	struct table_renderer *t = (struct table_renderer *)r;

	if (result->found && t->headings &&
	    (t->ask.view == VIEW_FIND || (t->ask.view == VIEW_REFS && result->refs.n_targets)))
		search_table_end(t->out, &t->ask, &t->hits);
	/* arenas that were not asked for are no reason to say that there are none */
	if (result->found)
		return sink_flush(t->out);
	if (!k->has_arenas)
		sink_puts(t->out, "no BPF arenas: this kernel does not have them\n");
	else if (result->problems.n)
		sink_printf(t->out, "no BPF arenas found among the %" PRIu64 " maps that could be "
			    "read\n", result->search.maps);
	else
		sink_printf(t->out, "no BPF arenas among %" PRIu64 " maps\n", result->search.maps);
	return sink_flush(t->out);
}

void table_renderer_init(struct table_renderer *t, struct sink *out)
{
	*t = (struct table_renderer){
		.renderer = { table_begin, table_arena, table_end },
		.out = out,
		.headings = true,
	};
}
