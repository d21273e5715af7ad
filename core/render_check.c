// SPDX-License-Identifier: GPL-2.0-or-later
#include "render_check.h"

#include <inttypes.h>
#include <string.h>

#include "json.h"

enum {
	LABEL = 15,		/* columns before a value */
	WIDTH = 80,
	MAX_RANGES = 16,	/* of a kind in the table; JSON has all */
};

/* Text. */

/* Words of a sentence, on as many lines as they need. */
static bool wrapped(struct sink *out, const char *text)
{
	char word[sizeof(((struct evidence *)NULL)->text)];
	size_t column = LABEL;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > LABEL && column + 1 + n > WIDTH) {
			sink_printf(out, "\n%*s", LABEL, "");
			column = LABEL;
		} else if (column > LABEL) {
			sink_puts(out, " ");
			column++;
		}
		memcpy(word, text, n);
		word[n] = '\0';
		sink_safe(out, word);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	return sink_puts(out, "\n");
}

static bool put_ranges(struct sink *out, const char *label, const struct page_ranges *list)
{
	for (size_t i = 0; i < list->n && i < MAX_RANGES; i++) {
		const struct page_range *r = &list->range[i];

		if (r->first == r->last)
			sink_printf(out, "%13s: pgoff %" PRIu32 "\n", label, r->first);
		else
			sink_printf(out, "%13s: pgoff %" PRIu32 " to %" PRIu32 ", %" PRIu64
				    " pages\n", label, r->first, r->last, range_pages(r));
	}
	if (list->n > MAX_RANGES)
		sink_printf(out, "%13s: and %zu ranges more; JSON has all\n", label,
			    list->n - MAX_RANGES);
	return !out->stopped;
}

static void put_counts(struct sink *out, const struct arena_snapshot *a, const struct check *c)
{
	static const char *const kinds[] = {
		[ALLOCATOR_UNKNOWN] = "?",
		[ALLOCATOR_MAPLE] = "maple tree, of allocated ranges",
		[ALLOCATOR_RANGE] = "range tree, of free ranges",
	};

	sink_printf(out, "%13s: %s\n", "allocator", kinds[c->allocator.kind]);
	if (!c->counted) {
		sink_printf(out, "%13s: ?\n%13s: ?\n", "allocated", "free");
		return;
	}
	sink_printf(out, "%13s: %" PRIu64 " of %" PRIu64 " pages", "allocated", c->allocated,
		    a->declared_pages);
	if (c->reserved_pages)
		sink_printf(out, "; %" PRIu64 " %s held without a page", c->reserved_pages,
			    c->reserved_pages == 1 ? "is" : "are");
	sink_printf(out, "\n%13s: %" PRIu64, "free", c->free);
	if (c->free)
		sink_printf(out, "; the largest hole has %" PRIu64 "\n", c->largest_hole);
	else
		sink_puts(out, "; the arena is full\n");
}

static void put_state(struct sink *out, const struct check *c)
{
	const struct allocator *al = &c->allocator;

	if (al->has_nr_pages)
		sink_printf(out, "%13s: %" PRIu64 "\n", "nr_pages", al->nr_pages);
	if (al->locks)
		sink_printf(out, "%13s: ", "locks");
	for (unsigned i = 0; i < al->locks; i++)
		sink_printf(out, "%s%s %s", i ? ", " : "", al->lock[i].name,
			    !al->lock[i].known ? "?" : al->lock[i].held ? "held" : "free");
	if (al->locks)
		sink_puts(out, "\n");
}

bool check_table(struct sink *out, const struct arena_snapshot *a, const struct check *c,
		 uint64_t shown)
{
	static const char *const verdicts[] = {
		[VERDICT_CONSISTENT] = "consistent", [VERDICT_IN_FLIGHT] = "in flight",
		[VERDICT_DAMAGED] = "damaged", [VERDICT_UNKNOWN] = "unknown",
	};
	const struct evidence_list *e = &c->evidence;
	uint64_t all = 0;
	char label[ARENA_LABEL];

	arena_label(a, label);
	sink_printf(out, "%s%s ", shown ? "\n" : "", label);
	if (arena_knows(a, FIELD_NAME))
		sink_name(out, a->name);
	else
		sink_puts(out, "?");
	sink_printf(out, ": %s\n", verdicts[c->verdict]);
	put_counts(out, a, c);
	put_state(out, c);
	for (size_t i = 0; i < e->n; i++) {
		sink_printf(out, "%13s: ", "evidence");
		wrapped(out, e->item[i].text);
	}
	for (size_t i = 0; i < EVIDENCE_CODES; i++)
		all += e->count[i];
	if (all > e->n)
		sink_printf(out, "%13s: and %" PRIu64 " more of these kinds\n", "evidence",
			    all - e->n);
	put_ranges(out, "orphans", &c->orphans);
	put_ranges(out, "reserved", &c->reserved);
	return put_ranges(out, "being freed", &c->allocator.spans);
}

/* JSON. */

static bool json_ranges(struct sink *out, const char *key, const struct page_ranges *list)
{
	sink_printf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < list->n; i++)
		if (!sink_printf(out, "%s{\"pgoff\":%" PRIu32 ",\"n\":%" PRIu64 "}", i ? "," : "",
				 list->range[i].first, range_pages(&list->range[i])))
			return false;
	return sink_puts(out, "]");
}

static void json_counts(struct sink *out, const struct check *c)
{
	sink_printf(out, "{\"verdict\":\"%s\",\"allocator\":", check_verdict_name(c->verdict));
	json_string_or_null(out, allocator_name(c->allocator.kind));
	sink_puts(out, ",\"allocated\":");
	json_number(out, c->counted, c->allocated);
	sink_puts(out, ",\"free\":");
	json_number(out, c->counted, c->free);
	sink_puts(out, ",\"largest_hole\":");
	json_number(out, c->counted, c->largest_hole);
	sink_printf(out, ",\"full\":%s", c->counted ? json_boolean(!c->free) : "null");
	sink_printf(out, ",\"reserved_pages\":%" PRIu64 ",\"orphan_pages\":%" PRIu64
		    ",\"shared_frames\":%" PRIu64 ",\"nr_pages\":", c->reserved_pages,
		    c->orphan_pages, c->evidence.count[EVIDENCE_shared_frame]);
	json_number(out, c->allocator.has_nr_pages, c->allocator.nr_pages);
}

static void json_locks(struct sink *out, const struct allocator *al)
{
	sink_puts(out, ",\"locks\":[");
	for (unsigned i = 0; i < al->locks; i++) {
		const struct arena_lock *lock = &al->lock[i];

		sink_printf(out, "%s{\"name\":\"%s\",\"held\":%s,\"value\":", i ? "," : "",
			    lock->name, lock->known ? json_boolean(lock->held) : "null");
		json_hex(out, lock->known, lock->value);
		sink_puts(out, "}");
	}
	sink_puts(out, "]");
}

struct run_list {
	struct sink *out;
	bool more;
};

static bool json_run(void *ctx, const struct check_run *run)
{
	struct run_list *list = ctx;

	sink_printf(list->out, "%s{\"pgoff\":%" PRIu64 ",\"n\":%" PRIu64 ",\"alloc\":",
		    list->more ? "," : "", run->pgoff, run->n);
	json_string_or_null(list->out, alloc_name(run->alloc));
	sink_puts(list->out, ",\"page\":");
	json_string_or_null(list->out, check_page_name(run->page));
	list->more = true;
	return sink_puts(list->out, "}");
}

static void json_evidence(struct sink *out, const struct evidence_list *e)
{
	static const char *const weights[] = {
		[WEIGHT_NOTE] = "note", [WEIGHT_MOVING] = "moving", [WEIGHT_DOUBT] = "doubt",
		[WEIGHT_DAMAGE] = "damage", [WEIGHT_UNKNOWN] = "unknown",
	};
	uint64_t all = 0;

	sink_puts(out, ",\"evidence\":[");
	for (size_t i = 0; i < e->n; i++) {
		sink_printf(out, "%s{\"code\":\"%s\",\"weight\":\"%s\",\"address\":", i ? "," : "",
			    evidence_name(e->item[i].code),
			    weights[evidence_weight(e->item[i].code)]);
		json_hex(out, e->item[i].space != SPACE_NONE, e->item[i].addr);
		sink_puts(out, ",\"text\":");
		json_string(out, e->item[i].text);
		sink_puts(out, "}");
	}
	for (size_t i = 0; i < EVIDENCE_CODES; i++)
		all += e->count[i];
	sink_printf(out, "],\"more_evidence\":%" PRIu64, all - e->n);
}

bool check_json(struct sink *out, const struct arena_snapshot *a, const struct check *c)
{
	struct run_list list = { .out = out };

	sink_puts(out, ",\"check\":");
	json_counts(out, c);
	json_locks(out, &c->allocator);
	if (c->allocator.has_spans)
		json_ranges(out, "free_spans", &c->allocator.spans);
	else
		sink_puts(out, ",\"free_spans\":null");
	json_ranges(out, "reserved", &c->reserved);
	json_ranges(out, "orphans", &c->orphans);
	sink_puts(out, ",\"ranges\":[");
	check_runs(a, c, json_run, &list);
	sink_puts(out, "]");
	json_evidence(out, &c->evidence);
	return sink_puts(out, "}");
}
