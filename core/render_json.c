// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON Lines; the keys and their order are a contract (arenasnap.schema.json).
 */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "json.h"
#include "render_check.h"
#include "render_crash_site.h"
#include "render_scheduler.h"
#include "render_read.h"
#include "render_search.h"
#include "render_users.h"
#include "render_where.h"
#include "report.h"

enum { SCHEMA = 1 };

static const char *stored(enum state state)
{
	return state == STATE_STORED ? "true" : state == STATE_UNKNOWN ? "null" : "false";
}

static bool page(struct sink *out, const struct arena_snapshot *a, const struct arena_page *p,
		 const char *comma)
{
	uint64_t pgoff;

	if (arena_page_pgoff(a, p, &pgoff))
		sink_printf(out, "%s{\"pgoff\":%" PRIu64 ",\"user\":\"0x%" PRIx64 "\"", comma, pgoff,
			    arena_user_address(a, pgoff));
	else
		sink_printf(out, "%s{\"pgoff\":null,\"user\":null", comma);
	return sink_printf(out, ",\"kernel\":\"0x%" PRIx64 "\",\"phys\":\"0x%" PRIx64
			   "\",\"kind\":\"%s\",\"stored\":%s}", arena_page_kernel(a, p), p->phys,
			   arena_page_kind_name(p->kind), stored(p->state));
}

static bool pages(struct sink *out, const struct arena_snapshot *a)
{
	sink_puts(out, ",\"pages\":[");
	for (size_t i = 0; i < a->n_pages; i++)
		if (!page(out, a, &a->pages[i], i ? "," : ""))
			return false;
	return sink_puts(out, "]");
}

static bool unknown(struct sink *out, const struct arena_snapshot *a)
{
	const char *comma = "";

	sink_puts(out, ",\"unknown\":[");
	for (unsigned f = 0; f < ARENA_FIELDS; f++) {
		if (arena_knows(a, f))
			continue;
		sink_printf(out, "%s\"%s\"", comma, arena_field_name(f));
		comma = ",";
	}
	return sink_puts(out, "]");
}

static bool lost(struct sink *out, const struct arena_snapshot *a)
{
	sink_puts(out, ",\"lost\":[");
	for (size_t i = 0; i < a->n_lost; i++) {
		const struct arena_lost *l = &a->lost[i];

		sink_printf(out, "%s{\"pgoff\":", i ? "," : "");
		json_number(out, l->has_pgoff, l->pgoff);
		sink_printf(out, ",\"n\":%" PRIu64 ",\"kernel\":", l->n);
		json_hex(out, l->kernel, l->kernel);
		sink_puts(out, ",\"table\":");
		json_hex(out, l->table, l->table);
		sink_printf(out, ",\"code\":\"%s\",\"text\":", fault_code(l->why.kind));
		json_string(out, l->why.text);
		sink_puts(out, "}");
	}
	return sink_puts(out, "]");
}

static bool counts(struct sink *out, const struct arena_snapshot *a)
{
	const struct { const char *key; enum arena_field field; uint64_t value; } count[] = {
		{ "mapped", FIELD_MAPPED, a->mapped },
		{ "scratch", FIELD_SCRATCH, a->scratch },
		{ "outside", FIELD_OUTSIDE, a->outside },
		{ "missing", FIELD_MISSING, a->missing },
	};

	for (size_t i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
		sink_printf(out, ",\"%s\":", count[i].key);
		json_number(out, arena_knows(a, count[i].field), count[i].value);
	}
	return !out->stopped;
}

/* Fields of the struct. */
static bool fields(struct sink *out, const struct arena_snapshot *a)
{
	sink_puts(out, "{\"id\":");
	json_number(out, arena_knows(a, FIELD_ID), a->id);
	sink_puts(out, ",\"name\":");
	json_string_or_null(out, arena_knows(a, FIELD_NAME) ? a->name : NULL);
	sink_puts(out, ",\"map\":");
	json_hex(out, arena_knows(a, FIELD_MAP), a->map);
	sink_puts(out, ",\"max_entries\":");
	json_number(out, arena_knows(a, FIELD_MAX_ENTRIES), a->max_entries);
	sink_puts(out, ",\"map_extra\":");
	json_hex(out, arena_knows(a, FIELD_MAP_EXTRA), a->map_extra);
	sink_puts(out, ",\"map_flags\":");
	json_hex(out, arena_knows(a, FIELD_MAP_FLAGS), a->map_flags);
	sink_puts(out, ",\"declared_pages\":");
	json_number(out, arena_knows(a, FIELD_DECLARED_PAGES), a->declared_pages);
	sink_printf(out, ",\"user_vm_start\":\"0x%" PRIx64 "\",\"user_vm_end\":",
		    a->user_vm_start);
	json_hex(out, arena_knows(a, FIELD_USER_VM_END), a->user_vm_end);
	return sink_printf(out, ",\"kern_vm_start\":\"0x%" PRIx64 "\",\"truncated\":%s,"
			   "\"span_capped\":%s", a->kern_vm_start, json_boolean(a->truncated),
			   arena_knows(a, FIELD_SPAN_CAPPED) ? json_boolean(a->span_capped) : "null");
}

static bool json_arena(struct renderer *r, const struct kernel *k,
		       const struct arena_snapshot *a, struct report_result *result)
{
	struct json_renderer *j = (struct json_renderer *)r;
	struct sink *out = j->out;
	bool ok = true;

	sink_puts(out, j->shown++ ? "," : "");
	fields(out, a);
	counts(out, a);
	sink_printf(out, ",\"found_by\":\"%s\",\"life\":", found_by_name(a->found_by));
	json_string_or_null(out, arena_knows(a, FIELD_LIFE) ? arena_life_name(a->life) : NULL);
	unknown(out, a);
	lost(out, a);
	switch (j->ask.view) {
	case VIEW_LIST:
	case VIEW_VERBOSE:
		break;
	case VIEW_PAGES:
		pages(out, a);
		break;
	case VIEW_ADDRESS:
		where_json(out, a, result->allocator, j->ask.address);
		break;
	case VIEW_FIND:
	case VIEW_REFS:
		ok = search_json(out, k, a, &j->ask, result);
		break;
	case VIEW_USERS:
		users_json(out, a, &result->users);
		break;
	case VIEW_READ:
		ok = read_json(out, k, a, &j->ask, &result->problems);
		break;
	case VIEW_CHECK:
		check_json(out, a, result->check);
		break;
	}
	return sink_puts(out, "}") && ok;
}

static bool head(struct sink *out, const char *tool, const char *vmcore, const char *release,
		 const char *machine, uint64_t page_size)
{
	sink_printf(out, "{\"schema\":%d,\"tool\":", SCHEMA);
	json_string(out, tool);
	sink_puts(out, ",\"vmcore\":");
	json_string(out, vmcore);
	sink_puts(out, ",\"release\":");
	json_string_or_null(out, release);
	sink_puts(out, ",\"machine\":");
	json_string_or_null(out, machine);
	sink_puts(out, ",\"page_size\":");
	return json_number(out, page_size, page_size);
}

static bool problem(struct sink *out, const struct problem *p, const char *comma)
{
	const char *space = fault_space(p->why.space);

	sink_printf(out, "%s{\"code\":\"%s\",\"text\":", comma, fault_code(p->why.kind));
	json_string(out, p->why.text);
	sink_puts(out, ",\"arena\":");
	json_number(out, p->has_arena, p->arena);
	sink_puts(out, ",\"map\":");
	json_hex(out, p->map, p->map);
	sink_puts(out, ",\"address\":");
	json_hex(out, space, p->why.addr);
	sink_puts(out, ",\"space\":");
	json_string_or_null(out, space);
	return sink_puts(out, "}");
}

static bool tail(struct sink *out, const struct problems *problems, const char *status)
{
	sink_puts(out, ",\"errors\":[");
	for (size_t i = 0; i < problems->n; i++)
		problem(out, &problems->problem[i], i ? "," : "");
	sink_printf(out, "],\"status\":\"%s\"}\n", status);
	return sink_flush(out);
}

static bool json_begin(struct renderer *r, const struct kernel *k,
		       const struct report_result *result)
{
	struct json_renderer *j = (struct json_renderer *)r;

	head(j->out, j->tool, j->vmcore, k->release, k->machine, k->page_size);
	crash_site_json(j->out, &result->crash);
	scheduler_json(j->out, k, j->ask.view == VIEW_USERS ? &result->schedulers : NULL);
	return sink_puts(j->out, ",\"arenas\":[");
}

static bool json_end(struct renderer *r, const struct kernel *k,
		     const struct report_result *result)
{
	struct json_renderer *j = (struct json_renderer *)r;

	(void)k;
	sink_puts(j->out, "]");
	return tail(j->out, &result->problems,
		    result->status == REPORT_COMPLETE ? "complete" : "partial");
}

void json_renderer_init(struct json_renderer *j, struct sink *out, const char *tool,
			const char *vmcore)
{
	*j = (struct json_renderer){
		.renderer = { json_begin, json_arena, json_end },
		.out = out,
		.tool = tool,
		.vmcore = vmcore,
	};
}

bool json_failed(struct sink *out, const char *tool, const char *vmcore,
		 const struct problems *problems)
{
	head(out, tool, vmcore, NULL, NULL, 0);
	sink_puts(out, ",\"crash\":null,\"scheduler\":null,\"arenas\":null");
	return tail(out, problems, "failed");
}
