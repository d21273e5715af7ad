// SPDX-License-Identifier: GPL-2.0-or-later
#include "render_crash_site.h"

#include <inttypes.h>

#include "json.h"

/* So many CPUs are named that hold the base of one arena; more are counted. */
enum { NAMED = 4 };

/* Tables. */

static bool put_time(struct sink *out, uint64_t time)
{
	return sink_printf(out, "oops at %" PRIu64 ".%06" PRIu64 " (log): ", time / 1000000000,
			   time % 1000000000 / 1000);
}

static bool seen(struct sink *out, const struct crash_hit *h)
{
	static const char *const from[] = {
		[CRASH_LOG] = "", [CRASH_CR2] = " (last page fault)",
		[CRASH_NOTES] = " (NT_PRSTATUS)", [CRASH_MEMORY] = " (crash_notes)",
	};

	if (h->source == CRASH_LOG)
		put_time(out, h->time);
	else
		sink_printf(out, "%s %" PRIu32 ": %s ", h->has_cpu ? "CPU" : "note", h->cpu,
			    h->name);
	return sink_printf(out, "%" PRIx64 "%s, ", h->value, from[h->source]);
}

static const char *page(const struct crash_hit *h)
{
	static const char *const kinds[] = {
		[KIND_PAGE] = "mapped", [KIND_SCRATCH] = "scratch page",
		[KIND_OUTSIDE] = "outside",
	};

	switch (h->where.what) {
	case WHERE_MAPPED:
		return kinds[h->kind];
	case WHERE_NOT_MAPPED:
		return "not mapped";
	case WHERE_GUARD:
		return "guard";
	case WHERE_UNKNOWN:
		break;
	}
	return "not known";
}

static bool arena(struct sink *out, const struct crash_hit *h)
{
	sink_printf(out, "       %s", h->label);
	if (h->has_name) {
		sink_puts(out, " ");
		sink_name(out, h->arena);
	}
	if (h->where.has_pgoff)
		sink_printf(out, ", pgoff %" PRIu64 ", byte 0x%" PRIx64, h->where.pgoff,
			    h->where.offset);
	if (h->where.what == WHERE_MAPPED && !h->base && h->state != STATE_STORED &&
	    h->state != STATE_UNKNOWN)
		sink_puts(out, ", not stored");
	return sink_puts(out, "\n");
}

static bool hit(struct sink *out, const struct crash_hit *h)
{
	static const char *const forms[] = {
		[FORM_USER] = "user address", [FORM_KERNEL] = "kernel address",
		[FORM_LOW32] = "may be low half",
	};

	seen(out, h);
	if (h->base)
		sink_puts(out, "base of the window\n");
	else
		sink_printf(out, "%s, %s\n", forms[h->where.form], page(h));
	return arena(out, h);
}

/* How many hold the base that hit @i holds; *@first: it is the first of them. */
static size_t count_bases(const struct crash_site *site, size_t i, bool *first)
{
	size_t n = 0;

	for (size_t j = 0; j < site->n; j++) {
		if (!site->hit[j].base || site->hit[j].value != site->hit[i].value)
			continue;
		if (!n++)
			*first = j == i;
	}
	return n;
}

/* All the CPUs that are in programs of one arena are one thing to say, where they are many. */
static bool base(struct sink *out, const struct crash_site *site, size_t i)
{
	const struct crash_hit *h = &site->hit[i];
	bool first = false;
	size_t n = count_bases(site, i, &first);

	if (n <= NAMED)
		return hit(out, h);
	if (!first)
		return true;
	sink_printf(out, "%s %" PRIx64 " of %zu CPUs, base of the window\n", h->name, h->value, n);
	return arena(out, h);
}

bool crash_site_table(struct sink *out, const struct crash_site *site, bool all)
{
	if (!site->n || (!site->strong && !all))
		return true;
	for (size_t i = 0; i < site->n; i++) {
		const struct crash_hit *h = &site->hit[i];

		if (h->base)
			base(out, site, i);
		else if (all || h->strong || h->source != CRASH_CR2)
			hit(out, h);
	}
	if (site->more)
		sink_printf(out, "and %" PRIu64 " more\n", site->more);
	return sink_puts(out, "\n");
}

bool crash_site_sources(struct sink *out, const struct crash_site *site)
{
	static const char *const from[] = {
		[REGISTERS_NONE] = "", [REGISTERS_NOTES] = " (NT_PRSTATUS)",
		[REGISTERS_MEMORY] = " (crash_notes)",
	};

	if (!site->looked)
		return true;
	sink_puts(out, "        crash: ");
	if (site->registers == REGISTERS_NONE)
		sink_puts(out, "no registers of CPUs,\n               ");
	else
		sink_printf(out, "registers of %" PRIu64 " CPU%s%s%s,\n               ", site->cpus,
			    site->cpus == 1 ? "" : "s", from[site->registers], site->has_cr2 ? ", CR2" : "");
	if (!site->has_log)
		return sink_printf(out, "the log cannot be read (%s)\n",
				   fault_code(site->no_log.kind));
	sink_printf(out, "%" PRIu64 " records of the log", site->log.records);
	if (site->log.lost)
		sink_printf(out, " (%" PRIu64 " lost)", site->log.lost);
	return sink_printf(out, ": %zu%s oops%s with an address\n", site->log.n,
			   site->log.more && site->log.n == PRINTK_FAULTS ? " or more" : "",
			   site->log.n == 1 ? "" : "es");
}

/* JSON. */

static const char *page_name(const struct crash_hit *h)
{
	switch (h->where.what) {
	case WHERE_MAPPED:
		return arena_page_kind_name(h->kind);
	case WHERE_NOT_MAPPED:
		return "not_mapped";
	case WHERE_GUARD:
		return "guard";
	case WHERE_UNKNOWN:
		break;
	}
	return NULL;
}

static bool json_place(struct sink *out, const struct crash_hit *h)
{
	const struct where *w = &h->where;
	bool mapped = !h->base && w->what == WHERE_MAPPED;

	sink_puts(out, ",\"form\":");
	json_string(out, h->base ? "base" : where_form_name(w->form));
	sink_puts(out, ",\"pgoff\":");
	json_number(out, w->has_pgoff, w->pgoff);
	sink_puts(out, ",\"offset\":");
	json_number(out, !h->base, w->offset);
	sink_puts(out, ",\"page\":");
	json_string_or_null(out, h->base ? NULL : page_name(h));
	return sink_printf(out, ",\"stored\":%s}", !mapped || h->state == STATE_UNKNOWN ? "null" :
			   json_boolean(h->state == STATE_STORED));
}

static bool json_hit(struct sink *out, const struct crash_hit *h)
{
	sink_printf(out, "{\"source\":\"%s\",\"cpu\":", crash_source_name(h->source));
	json_number(out, h->has_cpu, h->cpu);
	sink_puts(out, ",\"note\":");
	json_number(out, h->source != CRASH_LOG && !h->has_cpu, h->cpu);
	sink_puts(out, ",\"register\":");
	json_string_or_null(out, h->name);
	sink_puts(out, ",\"time_ns\":");
	json_number(out, h->source == CRASH_LOG, h->time);
	sink_puts(out, ",\"value\":");
	json_hex(out, true, h->value);
	sink_printf(out, ",\"strong\":%s,\"arena\":", json_boolean(h->strong));
	json_number(out, h->has_id, h->id);
	sink_puts(out, ",\"name\":");
	json_string_or_null(out, h->has_name ? h->arena : NULL);
	sink_puts(out, ",\"map\":");
	json_hex(out, h->map, h->map);
	return json_place(out, h);
}

bool crash_site_json(struct sink *out, const struct crash_site *site)
{
	static const char *const from[] = {
		[REGISTERS_NONE] = NULL, [REGISTERS_NOTES] = "prstatus",
		[REGISTERS_MEMORY] = "crash_notes",
	};

	sink_puts(out, ",\"crash\":");
	if (!site->looked)
		return json_string_or_null(out, NULL);
	sink_puts(out, "{\"registers\":");
	json_string_or_null(out, from[site->registers]);
	sink_printf(out, ",\"cpus\":%" PRIu64 ",\"cr2\":%s,\"log\":", site->cpus,
		    json_boolean(site->has_cr2));
	if (site->has_log)
		sink_printf(out, "{\"records\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"oopses\":%zu,"
			    "\"more\":%s}", site->log.records, site->log.lost, site->log.n,
			    json_boolean(site->log.more));
	else
		sink_puts(out, "null");
	sink_puts(out, ",\"no_log\":");
	json_string_or_null(out, site->has_log ? NULL : site->no_log.text);
	sink_puts(out, ",\"hits\":[");
	for (size_t i = 0; i < site->n; i++) {
		sink_puts(out, i ? "," : "");
		json_hit(out, &site->hit[i]);
	}
	return sink_printf(out, "],\"more\":%" PRIu64 "}", site->more);
}
