// SPDX-License-Identifier: GPL-2.0-or-later
#include "render_where.h"

#include <inttypes.h>

#include "json.h"

static bool field(struct sink *out, const char *name, bool known, uint64_t value)
{
	return known ? sink_printf(out, "%8s: %" PRIx64 "\n", name, value) :
		       sink_printf(out, "%8s: ?\n", name);
}

static enum alloc alloc_of(const struct allocator *al, const struct where *w)
{
	struct allocator_cursor at = { 0 };
	uint64_t end;

	return al && w->has_pgoff ? allocator_at(al, &at, w->pgoff, &end) : ALLOC_UNKNOWN;
}

/* Nothing tells what is reserved from what was lost when memory ran out. */
static const char *not_mapped(enum alloc alloc)
{
	switch (alloc) {
	case ALLOC_FREE:
		return "not mapped; free";
	case ALLOC_ALLOCATED:
		return "not mapped; reserved: allocated without a page";
	case ALLOC_UNKNOWN:
		break;
	}
	return "not mapped";
}

static bool page(struct sink *out, const struct where *w, enum alloc alloc)
{
	static const char *const kinds[] = {
		[KIND_PAGE] = "mapped",
		[KIND_SCRATCH] = "scratch page, not memory of the arena",
		[KIND_OUTSIDE] = "mapped outside of what is declared",
	};

	sink_puts(out, "    page: ");
	switch (w->what) {
	case WHERE_MAPPED:
		sink_puts(out, kinds[w->page->kind]);
		if (w->page->kind == KIND_SCRATCH && alloc == ALLOC_ALLOCATED)
			sink_puts(out, "; in a reserved range");
		if (w->page->state != STATE_STORED && w->page->state != STATE_UNKNOWN)
			sink_printf(out, "; its contents are not in the dump (%s)",
				    fault_code(w->page->state));
		break;
	case WHERE_NOT_MAPPED:
		sink_puts(out, not_mapped(alloc));
		break;
	case WHERE_GUARD:
		sink_puts(out, "guard, not mapped");
		break;
	case WHERE_UNKNOWN:
		sink_puts(out, "not known: ");
		sink_safe(out, w->why->text);
		break;
	}
	return sink_puts(out, "\n");
}

bool where_table(struct sink *out, const struct arena_snapshot *a, const struct allocator *al,
		 uint64_t address, uint64_t shown)
{
	static const char *const forms[] = {
		[FORM_USER] = "user address of",
		[FORM_KERNEL] = "kernel address of",
		[FORM_LOW32] = "may be the low half of an address of",
	};
	char label[ARENA_LABEL];
	struct where w;

	if (!where_find(a, address, &w))
		return true;
	arena_label(a, label);
	sink_printf(out, "%s%" PRIx64 ": %s %s", shown ? "\n" : "", address, forms[w.form], label);
	if (arena_knows(a, FIELD_NAME)) {
		sink_puts(out, " ");
		sink_name(out, a->name);
	}
	if (w.has_pgoff)
		sink_printf(out, "\n   pgoff: %" PRIu64 ", byte 0x%" PRIx64 " of it\n", w.pgoff,
			    w.offset);
	else
		sink_printf(out, "\n   pgoff: ?, byte 0x%" PRIx64 " of the page\n", w.offset);
	field(out, "user", w.has_user, w.user);
	field(out, "kernel", w.has_kernel, w.kernel);
	field(out, "low32", w.has_low, w.low);
	if (w.what == WHERE_MAPPED)
		field(out, "phys", true, w.phys);
	return page(out, &w, alloc_of(al, &w));
}

static bool json_page(struct sink *out, const struct where *w)
{
	switch (w->what) {
	case WHERE_MAPPED:
		return json_string(out, arena_page_kind_name(w->page->kind));
	case WHERE_NOT_MAPPED:
		return json_string(out, "not_mapped");
	case WHERE_GUARD:
		return json_string(out, "guard");
	case WHERE_UNKNOWN:
		break;
	}
	return json_string_or_null(out, NULL);
}

static const char *stored(const struct where *w)
{
	if (w->what != WHERE_MAPPED || w->page->state == STATE_UNKNOWN)
		return "null";
	return json_boolean(w->page->state == STATE_STORED);
}

bool where_json(struct sink *out, const struct arena_snapshot *a, const struct allocator *al,
		uint64_t address)
{
	struct where w;

	if (!where_find(a, address, &w))
		return true;
	sink_printf(out, ",\"address\":{\"form\":\"%s\",\"certain\":%s,\"pgoff\":",
		    where_form_name(w.form), json_boolean(w.form != FORM_LOW32));
	json_number(out, w.has_pgoff, w.pgoff);
	sink_printf(out, ",\"offset\":%" PRIu64 ",\"user\":", w.offset);
	json_hex(out, w.has_user, w.user);
	sink_puts(out, ",\"kernel\":");
	json_hex(out, w.has_kernel, w.kernel);
	sink_puts(out, ",\"low32\":");
	json_hex(out, w.has_low, w.low);
	sink_puts(out, ",\"phys\":");
	json_hex(out, w.what == WHERE_MAPPED, w.phys);
	sink_puts(out, ",\"page\":");
	json_page(out, &w);
	sink_puts(out, ",\"alloc\":");
	json_string_or_null(out, alloc_name(alloc_of(al, &w)));
	return sink_printf(out, ",\"stored\":%s}", stored(&w));
}
