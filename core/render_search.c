// SPDX-License-Identifier: GPL-2.0-or-later
#include "render_search.h"

#include <inttypes.h>

#include "json.h"

/* Search, and say what was not searched. */
static bool run(const struct kernel *k, const struct arena_snapshot *a, const struct ask *ask,
		const struct search_visitor *visitor, struct report_result *result,
		struct search_count *count)
{
	char label[ARENA_LABEL];
	struct fault why;
	bool ok;

	if (ask->view == VIEW_FIND)
		ok = search_bytes(k, a, &ask->needle, visitor, count, &why);
	else
		ok = search_refs(k, a, &result->refs, ask->unaligned ? 1 : WORD, visitor, count,
				 &why);
	if (!ok && why.kind != STATE_STORED)
		arena_problem(a, &why, &result->problems);
	if (!count->unread)
		return ok;
	arena_label(a, label);
	fault_prefix(&count->why, "%s: %" PRIu64 " pages could not be searched: ", label,
		     count->unread);
	arena_problem(a, &count->why, &result->problems);
	return ok;
}

/* A table. */

struct table {
	struct sink *out;
	const struct arena_snapshot *a;
	bool refs, headings;
	struct hit_count *count;
};

static void heading(struct table *t)
{
	sink_puts(t->out, "     ID   PGOFF           USER           KERNEL");
	sink_puts(t->out, t->refs ? "             WORD FORM        TO\n" : "\n");
}

/* As a column: a page in a guard has no pgoff and no user address. */
static void put_place(struct sink *out, const struct arena_snapshot *a,
		      const struct search_hit *hit)
{
	uint64_t pgoff;

	if (arena_knows(a, FIELD_ID))
		sink_printf(out, "%7" PRIu32, a->id);
	else
		sink_puts(out, "      ?");
	if (arena_page_pgoff(a, hit->page, &pgoff))
		sink_printf(out, " %7" PRIu64 " %14" PRIx64, pgoff,
			    arena_user_address(a, pgoff) + hit->offset);
	else
		sink_puts(out, "       ?              ?");
	sink_printf(out, " %16" PRIx64, arena_page_kernel(a, hit->page) + hit->offset);
}

static bool table_hit(void *ctx, const struct search_hit *hit)
{
	struct table *t = ctx;

	if (!t->count->hits++ && t->headings)
		heading(t);
	put_place(t->out, t->a, hit);
	if (t->refs) {
		/* a form that is not certain has its question mark */
		sink_printf(t->out, " %16" PRIx64 " %s%-*s", hit->word, where_form_name(hit->form),
			    hit->form == FORM_USER ? 3 : hit->form == FORM_LOW32 ? 2 : 1,
			    hit->certain ? "" : "?");
		if (hit->target->has_id)
			sink_printf(t->out, " %6" PRIu32, hit->target->id);
		else
			sink_puts(t->out, "      ?");
	}
	return sink_puts(t->out, "\n");
}

bool search_table(struct sink *out, const struct kernel *k, const struct arena_snapshot *a,
		  const struct ask *ask, bool headings, struct report_result *result,
		  struct hit_count *count)
{
	struct table t = { out, a, ask->view == VIEW_REFS, headings, count };
	const struct search_visitor visitor = { table_hit, &t };
	struct search_count searched;
	bool ok = run(k, a, ask, &visitor, result, &searched);

	count->pages += searched.pages;
	return ok;
}

bool search_table_end(struct sink *out, const struct ask *ask, const struct hit_count *count)
{
	if (count->hits)
		return true;
	return sink_printf(out, ask->view == VIEW_REFS ?
			   "no word points there, in %" PRIu64 " pages\n" :
			   "not found in %" PRIu64 " pages\n", count->pages);
}

/* JSON. */

struct json_hits {
	struct sink *out;
	const struct arena_snapshot *a;
	bool refs;
	const char *comma;
};

static void put_reference(struct sink *out, const struct search_hit *hit)
{
	const struct target *t = hit->target;

	sink_puts(out, ",\"word\":");
	json_hex(out, true, hit->word);
	sink_printf(out, ",\"form\":\"%s\",\"certain\":%s,\"exact\":%s,\"arena\":",
		    where_form_name(hit->form), json_boolean(hit->certain),
		    json_boolean(hit->exact));
	json_number(out, t->has_id, t->id);
	sink_puts(out, ",\"map\":");
	json_hex(out, t->map, t->map);
}

static bool json_hit(void *ctx, const struct search_hit *hit)
{
	struct json_hits *j = ctx;
	uint64_t pgoff = 0;
	bool has_pgoff = arena_page_pgoff(j->a, hit->page, &pgoff);

	sink_printf(j->out, "%s{\"pgoff\":", j->comma);
	j->comma = ",";
	json_number(j->out, has_pgoff, pgoff);
	sink_printf(j->out, ",\"offset\":%" PRIu64 ",\"user\":", hit->offset);
	json_hex(j->out, has_pgoff, arena_user_address(j->a, pgoff) + hit->offset);
	sink_puts(j->out, ",\"kernel\":");
	json_hex(j->out, true, arena_page_kernel(j->a, hit->page) + hit->offset);
	if (j->refs)
		put_reference(j->out, hit);
	return sink_puts(j->out, "}");
}

bool search_json(struct sink *out, const struct kernel *k, const struct arena_snapshot *a,
		 const struct ask *ask, struct report_result *result)
{
	struct json_hits j = { out, a, ask->view == VIEW_REFS, "" };
	const struct search_visitor visitor = { json_hit, &j };
	struct search_count searched;
	bool ok;

	sink_printf(out, ",\"%s\":[", j.refs ? "refs" : "found");
	ok = run(k, a, ask, &visitor, result, &searched);
	return sink_printf(out, "],\"searched\":%" PRIu64, searched.pages) && ok;
}
