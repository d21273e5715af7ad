// SPDX-License-Identifier: GPL-2.0-or-later
#include "render_scheduler.h"

#include <inttypes.h>
#include <string.h>

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

/* As dmesg has it, but for what all lines begin with. */
static void log_lines(struct sink *out, const struct schedulers *s)
{
	const struct printk_lines *log = &s->log;

	if (!s->has_log) {
		sink_puts(out, "  the log cannot be read\n");
		return;
	}
	for (size_t i = log->n; i--;) {
		const struct printk_line *l = &log->line[i];

		sink_printf(out, "  [%5" PRIu64 ".%06" PRIu64 "] ", l->time / 1000000000,
			    l->time / 1000 % 1000000);
		sink_safe(out, l->text + strlen(SCHEDULER_LOG));
		sink_puts(out, "\n");
	}
	if (log->lost)
		sink_printf(out, "  %" PRIu64 " record%s of the log cannot be read\n", log->lost,
			    log->lost == 1 ? "" : "s");
}

bool scheduler_table(struct sink *out, const struct kernel *k, const struct schedulers *s)
{
	if (!s->exists)
		return true;
	state(out, s);
	for (size_t i = 0; i < s->n; i++)
		one(out, k, &s->scheduler[i]);
	log_lines(out, s);
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

static void json_log(struct sink *out, const struct schedulers *s)
{
	sink_puts(out, s->has_log ? "[" : "null");
	for (size_t i = s->log.n; s->has_log && i--;) {
		const struct printk_line *l = &s->log.line[i];

		sink_printf(out, "{\"time_ns\":%" PRIu64 ",\"text\":", l->time);
		json_string(out, l->text);
		sink_puts(out, i ? "}," : "}");
	}
	sink_puts(out, s->has_log ? "],\"log_lost\":" : ",\"log_lost\":");
	json_number(out, s->has_log, s->log.lost);
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
	sink_printf(out, "],\"schedulers_complete\":%s,\"log\":", json_boolean(!s->lost));
	json_log(out, s);
	return sink_puts(out, "}");
}
