// SPDX-License-Identifier: GPL-2.0-or-later
#include "search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

enum { MANY_TARGETS = 1024 };

/* Pages, one after the other. */

struct search {
	const struct kernel *k;
	const struct arena_snapshot *a;
	const struct search_visitor *visitor;
	struct fault *why;
	size_t longest;			/* of what is looked for, in bytes */
	/* the end of the page before, then the page */
	uint8_t *buf;
	size_t tail;
	const struct arena_page *page, *before;
	/* visit what begins in buf[from, to), where [0, end) can be read */
	bool (*look)(struct search *s, size_t from, size_t to, size_t end);
	const struct needle *needle;
	const struct refs *refs;
	unsigned step;
};

/* Where buf[at] lies. */
static bool found(struct search *s, size_t at, struct search_hit *hit)
{
	hit->page = at < s->tail ? s->before : s->page;
	hit->offset = at < s->tail ? s->a->page_size - s->tail + at : at - s->tail;
	if (s->visitor->hit(s->visitor->ctx, hit))
		return true;
	s->why->kind = STATE_STORED;
	return false;
}

static void count_unread(const struct fault *why, struct search_count *count)
{
	if (!count->unread++)
		count->why = *why;
}

/* Keep the end of what was read, for what goes on in the next page. */
static void keep_tail(struct search *s, const struct arena_page *p)
{
	size_t end = s->tail + s->a->page_size;

	s->before = p;
	s->tail = s->longest - 1;
	memmove(s->buf, s->buf + end - s->tail, s->tail);
}

static bool search_page(struct search *s, const struct arena_page *p, struct search_count *count)
{
	size_t size = (size_t)s->a->page_size;
	struct fault unread;

	if (!s->before || p->index != s->before->index + 1)
		s->tail = 0;
	s->page = p;
	if (!memory_read(s->k->mem, p->phys, s->buf + s->tail, size, &unread)) {
		count_unread(&unread, count);
		return true;
	}
	count->pages++;
	if (!s->look(s, 0, s->tail + size, s->tail + size))
		return false;
	keep_tail(s, p);
	return true;
}

static bool run(struct search *s, struct search_count *count)
{
	const struct arena_snapshot *a = s->a;
	bool ok = true;

	*count = (struct search_count){ 0 };
	s->buf = malloc(a->page_size + s->longest);
	if (!s->buf)
		return fault_set(s->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; ok && i < a->n_pages; i++) {
		if (i % 256 == 0)
			ok = memory_progress(s->k->mem, "searching", i, a->n_pages, s->why);
		if (ok && a->pages[i].kind != KIND_SCRATCH)
			ok = search_page(s, &a->pages[i], count);
	}
	free(s->buf);
	return ok;
}

/* Bytes. */

static bool look_for_bytes(struct search *s, size_t from, size_t to, size_t end)
{
	const struct needle *needle = s->needle;
	struct search_hit hit = { 0 };
	const uint8_t *at;
	size_t off;

	while (from < to) {
		at = memmem(s->buf + from, end - from, needle->byte, needle->n);
		if (!at)
			return true;
		from = (size_t)(at - s->buf);
		/* a page begins at s->tail, and at a multiple of every step */
		off = (from + needle->step - s->tail % needle->step) % needle->step;
		if (!off && !found(s, from, &hit))
			return false;
		from += needle->step - off;
	}
	return true;
}

bool search_bytes(const struct kernel *k, const struct arena_snapshot *a,
		  const struct needle *needle, const struct search_visitor *visitor,
		  struct search_count *count, struct fault *why)
{
	struct search s = {
		.k = k, .a = a, .visitor = visitor, .why = why, .longest = needle->n,
		.look = look_for_bytes, .needle = needle,
	};

	return run(&s, count);
}

/* Words. */

static uint64_t word_at(const uint8_t *p)
{
	uint64_t word = 0;

	for (unsigned i = WORD; i-- > 0;)
		word = word << 8 | p[i];
	return word;
}

static bool is_same(const struct arena_snapshot *a, const struct target *t)
{
	return a->map == t->map && a->area.addr == t->area;
}

/* May a program or process of @a mean an address of @a by it? */
static bool may_be_own(const struct arena_snapshot *a, uint64_t user)
{
	struct where w;

	return !arena_knows(a, FIELD_USER_VM_START) || !arena_knows(a, FIELD_USER_VM_END) ||
	       where_find(a, user, &w);
}

/* Nearly all words point nowhere. */
static bool may_point(const struct refs *refs, uint64_t word)
{
	return (refs->has_low && (uint32_t)word - refs->low < refs->n) ||
	       (refs->has_kernel && word >= refs->first_kernel && word <= refs->last_kernel + refs->n - 1);
}

/* Does @word, of an arena @a, point there? */
static bool points_to(const struct arena_snapshot *a, const struct target *t, uint64_t n,
		      uint64_t word, struct search_hit *hit)
{
	hit->certain = true;
	if (t->has_kernel && word - t->kernel < n) {
		hit->form = FORM_KERNEL;
		hit->exact = word == t->kernel;
		return true;
	}
	if (t->has_user && word - t->user < n) {
		hit->form = FORM_USER;
		hit->exact = word == t->user;
		hit->certain = is_same(a, t) || (!t->shared && !may_be_own(a, word));
		return true;
	}
	if (t->has_low && word && word - t->low < n && word < ARENA_WINDOW && is_same(a, t)) {
		hit->form = FORM_LOW32;
		hit->exact = word == t->low;
		hit->certain = false;
		return true;
	}
	return false;
}

static bool look_for_words(struct search *s, size_t from, size_t to, size_t end)
{
	struct search_hit hit = { 0 };

	/* the first place that is a multiple of the step */
	for (from += s->tail % s->step; from < to && end - from >= WORD; from += s->step) {
		hit.word = word_at(s->buf + from);
		if (!hit.word || !may_point(s->refs, hit.word))
			continue;
		for (size_t i = 0; i < s->refs->n_targets; i++) {
			hit.target = &s->refs->target[i];
			if (points_to(s->a, hit.target, s->refs->n, hit.word, &hit) &&
			    !found(s, from, &hit))
				return false;
		}
	}
	return true;
}

bool search_refs(const struct kernel *k, const struct arena_snapshot *a, const struct refs *refs,
		 unsigned step, const struct search_visitor *visitor, struct search_count *count,
		 struct fault *why)
{
	struct search s = {
		.k = k, .a = a, .visitor = visitor, .why = why, .longest = WORD,
		.look = look_for_words, .refs = refs, .step = step,
	};

	return run(&s, count);
}

/* Of very many nobody knows which is meant. */
static void mark_shared(struct refs *refs, struct target *t)
{
	t->shared = refs->n_targets > MANY_TARGETS;
	for (size_t i = 0; !t->shared && i + 1 < refs->n_targets; i++) {
		struct target *other = &refs->target[i];

		if (t->has_user && other->has_user && t->user == other->user)
			t->shared = other->shared = true;
	}
}

bool refs_add(struct refs *refs, const struct arena_snapshot *a, uint64_t address,
	      struct fault *why)
{
	struct target *t;
	struct where w;

	if (!where_find(a, address, &w))
		return true;
	if (!array_grow(&refs->target, &refs->room, refs->n_targets, sizeof(*t), why))
		return false;
	refs->n = w.offset ? 1 : a->page_size;
	t = &refs->target[refs->n_targets++];
	*t = (struct target){
		.has_id = arena_knows(a, FIELD_ID), .id = a->id, .map = a->map,
		.area = a->area.addr, .has_user = w.has_user, .has_kernel = w.has_kernel,
		.has_low = w.has_low, .user = w.user, .kernel = w.kernel, .low = w.low,
	};
	mark_shared(refs, t);
	if (w.has_low) {
		refs->has_low = true;
		refs->low = w.low;
	}
	if (w.has_kernel && (!refs->has_kernel || w.kernel < refs->first_kernel))
		refs->first_kernel = w.kernel;
	if (w.has_kernel && (!refs->has_kernel || w.kernel > refs->last_kernel))
		refs->last_kernel = w.kernel;
	refs->has_kernel |= w.has_kernel;
	return true;
}

void refs_free(struct refs *refs)
{
	free(refs->target);
	*refs = (struct refs){ 0 };
}

/* What -f is given. */

static const char *parse_number(struct needle *needle, const char *text, unsigned unit)
{
	bool negative = *text == '-';
	const char *digits = text + negative;
	uint64_t value, limit = unit == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * unit) - 1;
	char *end;

	errno = 0;
	value = strtoull(digits, &end, 0);
	if (*digits < '0' || *digits > '9' || *end || errno)
		return "-f: neither a number nor, with its first character, a string";
	if (value > (negative ? limit / 2 + 1 : limit))
		return "-f: the number has more bits than the words (-8, -16, -32, else 64)";
	if (negative)
		value = -value;
	needle->n = unit;
	for (unsigned i = 0; i < unit; i++)
		needle->byte[i] = (uint8_t)(value >> 8 * i);
	return NULL;
}

static bool hex_digits(const char **text, uint8_t *value)
{
	char digits[3] = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		if (!**text || !strchr("0123456789abcdefABCDEF", **text))
			return false;
		digits[i] = *(*text)++;
	}
	*value = (uint8_t)strtoul(digits, NULL, 16);
	return true;
}

/* Behind a backslash. */
static bool parse_escape(const char **text, uint8_t *value)
{
	static const char letters[] = "\\\"ntr0", meant[] = "\\\"\n\t\r\0";
	const char *which;

	if (**text == 'x') {
		++*text;
		return hex_digits(text, value);
	}
	which = **text ? strchr(letters, **text) : NULL;
	if (!which)
		return false;
	*value = (uint8_t)meant[which - letters];
	++*text;
	return true;
}

static const char *parse_string(struct needle *needle, const char *text)
{
	const char *end = text + strlen(text);

	/* at the prompt of crash quotes do not reach us */
	if (*text == '"') {
		if (end - text < 2 || end[-1] != '"')
			return "-f: a string without its closing quote";
		text++;
		end--;
	}
	for (needle->n = 0; text < end; needle->n++) {
		if (needle->n == NEEDLE_MAX)
			return "-f: a string of more than 256 bytes";
		needle->byte[needle->n] = (uint8_t)*text++;
		if (text[-1] == '\\' && !parse_escape(&text, &needle->byte[needle->n]))
			return "-f: a backslash before other than \\ \" n t r 0 or xNN";
	}
	if (text != end)
		return "-f: a string without its closing quote";
	return needle->n ? NULL : "-f: an empty string is everywhere";
}

const char *needle_parse(struct needle *needle, const char *text, unsigned unit, bool unaligned)
{
	const char *sentence;

	if (*text == '-' || (*text >= '0' && *text <= '9')) {
		sentence = parse_number(needle, text, unit);
		needle->step = unaligned ? 1 : unit;
	} else {
		sentence = parse_string(needle, text);
		needle->step = 1;
	}
	return sentence;
}
