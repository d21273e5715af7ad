// SPDX-License-Identifier: GPL-2.0-or-later
#include "render_scheduler.h"

#include <inttypes.h>

#include "json.h"

/* As the kernel's BTF has it; NULL: not there. */
static const char *kind_name(const struct kernel *k, uint32_t kind)
{
	const struct btf_enum *e = &k->members.exit_kinds;

	for (size_t i = 0; i < e->n; i++)
		if (e->of[i].value == kind)
			return e->of[i].name;
	return NULL;
}

static void state(struct sink *out, const struct schedulers *s)
{
	const char *name = scheduler_state_name(s->state);

	sink_puts(out, "sched_ext: ");
	if (!s->has_state)
		sink_puts(out, "state not known");
	else if (name)
		sink_puts(out, name);
	else
		sink_printf(out, "state %" PRIu32, s->state);
	if (!s->n && !s->lost && s->has_state)
		sink_puts(out, ", no scheduler");
	sink_puts(out, "\n");
}

static void quoted(struct sink *out, const char *before, const char *text)
{
	if (!text)
		return;
	sink_printf(out, "%s", before);
	sink_safe(out, text);
	sink_puts(out, "\n");
}

/* Why it ends, or has ended. */
static void ended(struct sink *out, const struct kernel *k, const struct scheduler *s)
{
	const char *name = kind_name(k, s->exit_kind);

	if (s->unknown & SCHEDULER_KIND) {
		sink_puts(out, "    whether it is ending is not known\n");
		return;
	}
	if (!s->exit_kind)
		return;
	sink_printf(out, "    exit: %s%s%" PRIu32 "%s", name ? name : "", name ? " (" : "kind ",
		    s->exit_kind, name ? ")" : "");
	if (s->unknown & SCHEDULER_EXIT) {
		sink_puts(out, ", why is not known\n");
		return;
	}
	if (s->exit_code)
		sink_printf(out, ", code 0x%" PRIx64, (uint64_t)s->exit_code);
	sink_puts(out, "\n");
	quoted(out, "    reason: ", s->reason);
	quoted(out, "    message: ", s->message);
}

static void one(struct sink *out, const struct kernel *k, const struct scheduler *s)
{
	sink_printf(out, "  %s ", s->root ? "scheduler" : "sub-scheduler");
	if (s->unknown & SCHEDULER_NAME)
		sink_puts(out, "?");
	else
		sink_name(out, s->name);
	if (s->has_id)
		sink_printf(out, ", arena %" PRIu32, s->id);
	else if (s->map)
		sink_printf(out, ", arena %" PRIx64, s->map);
	else if (s->unknown & SCHEDULER_ARENA)
		sink_puts(out, ", arena ?");
	sink_puts(out, "\n");
	ended(out, k, s);
}

bool scheduler_table(struct sink *out, const struct kernel *k, const struct schedulers *s)
{
	if (!s->exists)
		return true;
	state(out, s);
	for (size_t i = 0; i < s->n; i++)
		one(out, k, &s->scheduler[i]);
	return sink_puts(out, "\n");
}

static void json_one(struct sink *out, const struct kernel *k, const struct scheduler *s)
{
	bool has_kind = !(s->unknown & SCHEDULER_KIND), has_exit = !(s->unknown & SCHEDULER_EXIT);

	sink_puts(out, "{\"scx_sched\":");
	json_hex(out, s->sched, s->sched);
	sink_printf(out, ",\"root\":%s,\"name\":", json_boolean(s->root));
	json_string_or_null(out, s->unknown & SCHEDULER_NAME ? NULL : s->name);
	sink_puts(out, ",\"arena\":");
	json_number(out, s->has_id, s->id);
	sink_puts(out, ",\"map\":");
	json_hex(out, s->map, s->map);
	sink_puts(out, ",\"exit_kind\":");
	json_number(out, has_kind, s->exit_kind);
	sink_puts(out, ",\"exit_kind_name\":");
	json_string_or_null(out, has_kind ? kind_name(k, s->exit_kind) : NULL);
	sink_puts(out, ",\"exit_code\":");
	if (has_exit)
		sink_printf(out, "%" PRId64, s->exit_code);
	else
		sink_puts(out, "null");
	sink_puts(out, ",\"reason\":");
	json_string_or_null(out, s->reason);
	sink_puts(out, ",\"message\":");
	json_string_or_null(out, s->message);
	sink_puts(out, "}");
}

bool scheduler_json(struct sink *out, const struct kernel *k, const struct schedulers *s)
{
	sink_puts(out, ",\"scheduler\":");
	if (!s || !s->exists)
		return sink_puts(out, "null");
	sink_puts(out, "{\"state\":");
	json_number(out, s->has_state, s->state);
	sink_puts(out, ",\"state_name\":");
	json_string_or_null(out, s->has_state ? scheduler_state_name(s->state) : NULL);
	sink_puts(out, ",\"schedulers\":[");
	for (size_t i = 0; i < s->n; i++) {
		sink_puts(out, i ? "," : "");
		json_one(out, k, &s->scheduler[i]);
	}
	return sink_printf(out, "],\"schedulers_complete\":%s}", json_boolean(!s->lost));
}
