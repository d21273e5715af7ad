// SPDX-License-Identifier: GPL-2.0-or-later
#include "render_read.h"

#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "stretch.h"

enum { LINE = 16 };

struct lines {
	struct sink *out;
	unsigned unit;			/* bytes of a word */
	uint64_t address, end;		/* of the line that is being filled, and of the stretch */
	uint8_t byte[LINE];
	bool known[LINE];
	bool any;
};

/* Words are little-endian, so their last byte has the first digits. */
static void put_word(struct lines *l, unsigned at)
{
	for (unsigned i = l->unit; i-- > 0;)
		if (l->known[at + i])
			sink_printf(l->out, "%02x", l->byte[at + i]);
		else
			sink_puts(l->out, "??");
	sink_puts(l->out, " ");
}

static void put_text(struct lines *l, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char c = (char)l->byte[i];

		if (!l->known[i] || c < ' ' || c > '~')
			c = l->known[i] ? '.' : '?';
		sink_write(l->out, &c, 1);
	}
}

static bool end_line(struct lines *l)
{
	uint64_t left = l->end - l->address;
	unsigned n = left < LINE ? (unsigned)left : LINE;

	if (l->any) {
		sink_printf(l->out, "%16" PRIx64 ":  ", l->address);
		for (unsigned at = 0; at < LINE; at += l->unit)
			if (at < n)
				put_word(l, at);
			else
				sink_printf(l->out, "%*s", 2 * (int)l->unit + 1, "");
		sink_puts(l->out, "  ");
		put_text(l, n);
		sink_puts(l->out, "\n");
	}
	l->any = false;
	memset(l->known, 0, sizeof(l->known));
	return !l->out->stopped;
}

static bool put_bytes(struct lines *l, const struct stretch_piece *p)
{
	for (uint64_t i = 0; i < p->n; i++) {
		unsigned at = (unsigned)(p->address + i - l->address);

		l->byte[at] = p->data[i];
		l->known[at] = l->any = true;
		if (at + 1 < LINE)
			continue;
		if (!end_line(l))
			return false;
		l->address += LINE;
	}
	return true;
}

static bool say(struct lines *l, const struct stretch_piece *p)
{
	static const char *const what[] = {
		[STRETCH_NOT_MAPPED] = "not mapped",
		[STRETCH_GUARD] = "guard, not mapped",
		[STRETCH_SCRATCH] = "scratch page",
		[STRETCH_NO_ARENA] = "not in the arena",
	};

	sink_printf(l->out, "%16" PRIx64 ":  ", p->address);
	if (p->what == STRETCH_NOT_STORED)
		return sink_printf(l->out, "(page %s)\n", fault_code(p->why.kind));
	if (p->what == STRETCH_NOT_KNOWN)
		return sink_printf(l->out, "(not known: page table %s)\n",
				   fault_code(p->why.kind));
	return sink_printf(l->out, "(%s)\n", what[p->what]);
}

static bool table_piece(void *ctx, const struct stretch_piece *p)
{
	struct lines *l = ctx;

	if (p->what == STRETCH_BYTES)
		return put_bytes(l, p);
	if (!end_line(l) || !say(l, p))
		return false;
	/* lines stand where they would if all were there */
	l->address += (p->address + p->n - l->address) / LINE * LINE;
	return true;
}

/* Visit the stretch; what is not there, or why it ended, is a problem. */
static bool visit(const struct kernel *k, const struct arena_snapshot *a, const struct ask *ask,
		  const struct stretch_visitor *visitor, struct problems *problems)
{
	char label[ARENA_LABEL];
	struct stretch_lack lack;
	struct fault why;

	if (!stretch_walk(k, a, ask->address, ask->length, visitor, &lack, &why)) {
		if (why.kind != STATE_STORED)
			arena_problem(a, &why, problems);
		return false;
	}
	if (!lack.n)
		return true;
	arena_label(a, label);
	fault_prefix(&lack.why, "%s: %" PRIu64 " of %" PRIu64 " bytes are not there; the first, at "
		     "0x%" PRIx64 ": ", label, lack.n, ask->length, lack.address);
	arena_problem(a, &lack.why, problems);
	return true;
}

bool read_table(struct sink *out, const struct kernel *k, const struct arena_snapshot *a,
		const struct ask *ask, bool headings, struct problems *problems)
{
	struct lines l = { .out = out, .unit = ask->unit, .address = ask->address,
			   .end = ask->address + ask->length };
	const struct stretch_visitor visitor = { table_piece, &l };
	char label[ARENA_LABEL];

	if (headings) {
		arena_label(a, label);
		sink_puts(out, label);
		sink_puts(out, " ");
		sink_name(out, arena_knows(a, FIELD_NAME) ? a->name : "?");
		sink_puts(out, ":\n");
	}
	return visit(k, a, ask, &visitor, problems) && end_line(&l);
}

/* JSON. */

struct json_read {
	struct sink *out;
	const char *comma;
};

static const char *page_name(const struct stretch_piece *p)
{
	switch (p->what) {
	case STRETCH_BYTES:
	case STRETCH_SCRATCH:
	case STRETCH_NOT_STORED:
		return arena_page_kind_name(p->where.page->kind);
	case STRETCH_NOT_MAPPED:
		return "not_mapped";
	case STRETCH_GUARD:
		return "guard";
	case STRETCH_NO_ARENA:
		return "no_arena";
	case STRETCH_NOT_KNOWN:
		break;
	}
	return NULL;
}

/* In the order of memory; piece by piece, as a page may be longer than the sink's buffer. */
static bool put_data(struct sink *out, const struct stretch_piece *p)
{
	static const char digits[] = "0123456789abcdef";
	char text[512];
	size_t n = 0;

	if (!p->data)
		return sink_puts(out, ",\"data\":null}");
	sink_puts(out, ",\"data\":\"");
	for (uint64_t i = 0; i < p->n; i++) {
		text[n++] = digits[p->data[i] >> 4];
		text[n++] = digits[p->data[i] & 0xf];
		if (n == sizeof(text) || i + 1 == p->n) {
			sink_write(out, text, n);
			n = 0;
		}
	}
	return sink_puts(out, "\"}");
}

static bool json_piece(void *ctx, const struct stretch_piece *p)
{
	struct json_read *j = ctx;

	sink_printf(j->out, "%s{\"address\":\"0x%" PRIx64 "\",\"n\":%" PRIu64 ",\"pgoff\":",
		    j->comma, p->address, p->n);
	j->comma = ",";
	json_number(j->out, p->what != STRETCH_NO_ARENA && p->where.has_pgoff, p->where.pgoff);
	sink_puts(j->out, ",\"page\":");
	json_string_or_null(j->out, page_name(p));
	return put_data(j->out, p);
}

bool read_json(struct sink *out, const struct kernel *k, const struct arena_snapshot *a,
	       const struct ask *ask, struct problems *problems)
{
	struct json_read j = { out, "" };
	const struct stretch_visitor visitor = { json_piece, &j };
	struct where w;
	bool ok;

	if (!where_find(a, ask->address, &w))
		return true;
	sink_printf(out, ",\"read\":{\"form\":\"%s\",\"certain\":%s,\"pieces\":[",
		    where_form_name(w.form), json_boolean(w.form != FORM_LOW32));
	ok = visit(k, a, ask, &visitor, problems);
	return sink_puts(out, "]}") && ok;
}

/* Bytes. */

static bool bytes_piece(void *ctx, const struct stretch_piece *p)
{
	struct bytes_renderer *b = ctx;

	/* nothing stands in for what is not there */
	if (p->what != STRETCH_BYTES) {
		b->complete = false;
		return true;
	}
	b->failed = b->complete && !b->write(b->ctx, p->data, p->n, &b->why);
	return !b->failed;
}

static bool bytes_arena(struct renderer *r, const struct kernel *k,
			const struct arena_snapshot *a, struct report_result *result)
{
	struct bytes_renderer *b = (struct bytes_renderer *)r;
	const struct stretch_visitor visitor = { bytes_piece, b };
	struct fault why;

	b->complete = !b->arenas++;
	if (b->complete)
		return visit(k, a, &b->ask, &visitor, &result->problems);
	fault_fill(&why, STATE_ABSENT, SPACE_NONE, 0, "0x%" PRIx64 " may lie in more than one arena, "
		   "and bytes of one alone can be written; name it", b->ask.address);
	problems_add(&result->problems, &why);
	return false;
}

static bool bytes_begin(struct renderer *r, const struct kernel *k,
			const struct report_result *result)
{
	(void)r;
	(void)k;
	(void)result;
	return true;
}

void bytes_renderer_init(struct bytes_renderer *b, const struct ask *ask,
			 bool (*write)(void *ctx, const void *data, size_t n, struct fault *why),
			 void *ctx)
{
	*b = (struct bytes_renderer){
		.renderer = { bytes_begin, bytes_arena, bytes_begin },
		.ask = *ask, .write = write, .ctx = ctx,
	};
}
