// SPDX-License-Identifier: GPL-2.0-or-later
#include "render_users.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

static const char *const stream_name[2] = { "stdout", "stderr" };

/* "3 programs", with what is not known of their number. */
static void count(struct sink *out, const char *before, uint64_t n, bool lost, const char *one,
		  const char *many)
{
	sink_puts(out, before);
	if (lost && n)
		sink_puts(out, "at least ");
	if (lost && !n)
		sink_printf(out, "? %s", many);
	else
		sink_printf(out, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

static void references(struct sink *out, const struct users_map *m)
{
	if (!m->has_refcnt) {
		sink_puts(out, ", ? references\n");
		return;
	}
	count(out, ", ", m->refcnt, false, "reference", "references");
	if (!m->has_unexplained)
		sink_puts(out, "\n  whether something else holds it is not known\n");
	else if (!m->unexplained)
		sink_puts(out, "\n");
	else
		sink_printf(out, "\n  %" PRIu64 " of them %s not explained: %s\n", m->unexplained,
			    m->unexplained == 1 ? "is" : "are",
			    m->unexplained_users ? "pinned in bpffs, or held elsewhere" :
			    "held by the kernel elsewhere");
}

/* Lines of a stream; what could drive a terminal is made visible. */
static void stream(struct sink *out, const struct users_program *p, int i)
{
	const char *text = p->text[i];

	if (!text)
		return;
	sink_printf(out, "  unread %s of program %" PRIu32 ":\n", stream_name[i], p->id);
	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[256];

		sink_puts(out, "    ");
		for (size_t at = 0; at < n; at += sizeof(line) - 1) {
			snprintf(line, sizeof(line), "%.*s", (int)(n - at), text + at);
			sink_safe(out, line);
		}
		sink_puts(out, "\n");
		text += n + (text[n] != '\0');
	}
}

static void program(struct sink *out, const struct users_program *p)
{
	const char *type = users_type_name(p->type);
	char number[16] = "?", uid[16] = "?", tag[17] = "?", loaded[32] = "?";

	if (!(p->unknown & PROGRAM_TYPE) && !type)
		snprintf(number, sizeof(number), "%" PRIu32, p->type);
	if (!(p->unknown & PROGRAM_UID))
		snprintf(uid, sizeof(uid), "%" PRIu32, p->uid);
	if (!(p->unknown & PROGRAM_TIME))
		snprintf(loaded, sizeof(loaded), "+%" PRIu64 ".%03" PRIu64,
			 p->load_time / 1000000000, p->load_time / 1000000 % 1000);
	for (int i = 0; i < 8 && !(p->unknown & PROGRAM_TAG); i++)
		snprintf(tag + 2 * i, 3, "%02x", p->tag[i]);
	sink_printf(out, "  %6" PRIu32 " %-14s %-16s %5s %12s ", p->id,
		    p->unknown & PROGRAM_TYPE || !type ? number : type, tag, uid, loaded);
	if (p->unknown & PROGRAM_NAME)
		sink_puts(out, "?");
	else
		sink_name(out, p->name);
	sink_puts(out, "\n");
}

static void programs(struct sink *out, const struct users_map *m, bool headings)
{
	if (m->programs && headings)
		sink_puts(out, "    PROG TYPE           TAG                UID  LOADED AT S NAME\n");
	for (size_t i = 0; i < m->programs; i++)
		program(out, &m->program[i]);
	for (size_t i = 0; i < m->programs; i++) {
		stream(out, &m->program[i], 0);
		stream(out, &m->program[i], 1);
	}
}

static void hold(struct sink *out, const struct users_hold *h)
{
	char pid[16] = "?";

	if (h->user.pid)
		snprintf(pid, sizeof(pid), "%" PRIu32, h->user.pid);
	if (h->mapped)
		sink_printf(out, "  %6s maps %12" PRIx64 "-%-12" PRIx64 " ", pid, h->start, h->end);
	else
		sink_printf(out, "  %6s fd   %-25" PRIu32 " ", pid, h->fd);
	if (h->user.comm[0])
		sink_name(out, h->user.comm);
	else
		sink_puts(out, "?");
	sink_puts(out, "\n");
}

bool users_table(struct sink *out, const struct arena_snapshot *a, const struct users *users,
		 bool headings, uint64_t shown)
{
	const struct users_map *m = users_of(users, a->map);
	char label[ARENA_LABEL];

	arena_label(a, label);
	sink_printf(out, "%s%s", shown && headings ? "\n" : "", label);
	if (arena_knows(a, FIELD_NAME)) {
		sink_puts(out, " ");
		sink_name(out, a->name);
	}
	if (!m)
		return sink_puts(out, ": its users are not known, its struct is lost\n");
	count(out, ": ", m->programs, users->programs_lost, "program", "programs");
	count(out, ", ", users_processes(m), users->tasks_lost, "process", "processes");
	references(out, m);
	programs(out, m, headings);
	if (m->holds && headings)
		sink_puts(out, "     PID HOW  WINDOW OR DESCRIPTOR      COMM\n");
	for (size_t i = 0; i < m->holds; i++)
		hold(out, &m->hold[i]);
	return !out->stopped;
}

static void json_program(struct sink *out, const struct users_program *p)
{
	sink_printf(out, "{\"id\":%" PRIu32 ",\"name\":", p->id);
	json_string_or_null(out, p->unknown & PROGRAM_NAME ? NULL : p->name);
	sink_puts(out, ",\"type\":");
	json_number(out, !(p->unknown & PROGRAM_TYPE), p->type);
	sink_puts(out, ",\"type_name\":");
	json_string_or_null(out, p->unknown & PROGRAM_TYPE ? NULL : users_type_name(p->type));
	if (p->unknown & PROGRAM_TAG) {
		sink_puts(out, ",\"tag\":null");
	} else {
		sink_puts(out, ",\"tag\":\"");
		for (size_t i = 0; i < sizeof(p->tag); i++)
			sink_printf(out, "%02x", p->tag[i]);
		sink_puts(out, "\"");
	}
	sink_puts(out, ",\"uid\":");
	json_number(out, !(p->unknown & PROGRAM_UID), p->uid);
	sink_puts(out, ",\"load_time\":");
	json_number(out, !(p->unknown & PROGRAM_TIME), p->load_time);
	sink_printf(out, ",\"by_arena\":%s,\"by_maps\":%s", json_boolean(p->by_arena),
		    json_boolean(p->by_maps));
	for (int i = 0; i < 2; i++) {
		sink_printf(out, ",\"%s\":", stream_name[i]);
		json_string_or_null(out, p->text[i]);
	}
	sink_puts(out, "}");
}

/* The mappings, or the descriptors, of hold[@i] to hold[@end - 1]. */
static void json_holds(struct sink *out, const struct users_map *m, size_t i, size_t end,
		       bool mapped)
{
	const char *comma = "";

	for (; i < end; i++) {
		const struct users_hold *h = &m->hold[i];

		if (h->mapped != mapped)
			continue;
		sink_puts(out, comma);
		if (mapped)
			sink_printf(out, "{\"start\":\"0x%" PRIx64 "\",\"end\":\"0x%" PRIx64 "\"}",
				    h->start, h->end);
		else
			sink_printf(out, "%" PRIu32, h->fd);
		comma = ",";
	}
}

static void json_processes(struct sink *out, const struct users_map *m)
{
	for (size_t i = 0, end; i < m->holds; i = end) {
		const struct task_user *u = &m->hold[i].user;

		end = users_process_end(m, i);
		sink_printf(out, "%s{\"pid\":", i ? "," : "");
		json_number(out, u->pid, u->pid);
		sink_puts(out, ",\"comm\":");
		json_string_or_null(out, u->comm[0] ? u->comm : NULL);
		sink_puts(out, ",\"mappings\":[");
		json_holds(out, m, i, end, true);
		sink_puts(out, "],\"descriptors\":[");
		json_holds(out, m, i, end, false);
		sink_puts(out, "]}");
	}
}

bool users_json(struct sink *out, const struct arena_snapshot *a, const struct users *users)
{
	const struct users_map *m = users_of(users, a->map);

	if (!m)
		return sink_puts(out, ",\"users\":null");
	sink_puts(out, ",\"users\":{\"programs\":[");
	for (size_t i = 0; i < m->programs; i++) {
		sink_puts(out, i ? "," : "");
		json_program(out, &m->program[i]);
	}
	sink_printf(out, "],\"programs_complete\":%s,\"processes\":[",
		    json_boolean(!users->programs_lost));
	json_processes(out, m);
	sink_printf(out, "],\"processes_complete\":%s,\"refcnt\":",
		    json_boolean(!users->tasks_lost));
	json_number(out, m->has_refcnt, m->refcnt);
	sink_puts(out, ",\"usercnt\":");
	json_number(out, m->has_usercnt, m->usercnt);
	sink_printf(out, ",\"schedulers\":%" PRIu32 ",\"files\":", m->schedulers);
	json_number(out, m->has_files, m->files);
	sink_puts(out, ",\"unexplained\":");
	json_number(out, m->has_unexplained, m->unexplained);
	sink_puts(out, ",\"unexplained_users\":");
	json_number(out, m->has_unexplained, m->unexplained_users);
	return sink_puts(out, "}");
}
