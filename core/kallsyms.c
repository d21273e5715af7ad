// SPDX-License-Identifier: GPL-2.0-or-later
#include "kallsyms.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

enum {
	TOKENS = 256,
	MAX_TOKEN_TABLE = 16 << 10,
	MAX_NAME = 1 << 10,		/* KSYM_NAME_LEN is 512 */
	MAX_SYMBOLS = 16 << 20,
	CHUNK = 64 << 10,
	HEAD_LEN = 5,			/* of a name, with its type letter */
};

struct tables {
	uint64_t num_syms, names, token_table, token_index, offsets, relative_base;
	bool has_base;
	uint32_t count;
	/* token i: text[start[i]] .. , length[i] bytes */
	char text[MAX_TOKEN_TABLE];
	uint16_t start[TOKENS], length[TOKENS];
};

/* The names, read in chunks as they are walked. */
struct stream {
	struct pagetable *pt;
	uint64_t va;		/* of the next chunk */
	uint64_t end;		/* the names cannot reach further */
	uint8_t *buf;
	size_t pos, size;
};

/* Make the next @n bytes available in one piece. */
static bool stream_need(struct stream *s, size_t n, struct fault *why)
{
	size_t left = s->size - s->pos, more;

	if (left >= n)
		return true;
	memmove(s->buf, s->buf + s->pos, left);
	s->pos = 0;
	s->size = left;
	/* only to the end of a page, so that a page that is lost is not asked before its time */
	while (s->size < n) {
		more = 4096 - (size_t)(s->va & 4095);
		if (s->va >= s->end)
			return fault_set(why, STATE_DAMAGED, SPACE_VIRT, s->va,
				"kallsyms: the names run into the next table");
		if (!pagetable_read(s->pt, s->va, s->buf + s->size, more, why))
			return fault_prefix(why, "kallsyms names: ");
		s->va += more;
		s->size += more;
	}
	return true;
}

static bool find_tables(struct tables *t, const struct vmcoreinfo *vi, struct fault *why)
{
	const struct { const char *name; uint64_t *addr; } wanted[] = {
		{ "kallsyms_num_syms", &t->num_syms },
		{ "kallsyms_names", &t->names },
		{ "kallsyms_token_table", &t->token_table },
		{ "kallsyms_token_index", &t->token_index },
		{ "kallsyms_offsets", &t->offsets },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!vmcoreinfo_symbol(vi, wanted[i].name, wanted[i].addr))
			return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
				"VMCOREINFO has no SYMBOL(%s): the kernel is older than 6.0 or "
				"built without kallsyms", wanted[i].name);
	return true;
}

static bool read_tables(struct tables *t, struct pagetable *pt, const struct vmcoreinfo *vi,
			struct fault *why)
{
	uint8_t index[TOKENS * 2], word[8];
	uint64_t base;

	if (!pagetable_read(pt, t->num_syms, word, 4, why) ||
	    !pagetable_read(pt, t->token_index, index, sizeof(index), why))
		return fault_prefix(why, "kallsyms: ");
	t->count = load_u32(word);
	if (!t->count || t->count > MAX_SYMBOLS)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, t->num_syms,
			"kallsyms: %" PRIu32 " symbols cannot be", t->count);
	if (t->token_index <= t->token_table || t->token_index - t->token_table > MAX_TOKEN_TABLE)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, t->token_index,
			"kallsyms: the token index does not follow its table");
	if (!pagetable_read(pt, t->token_table, t->text, t->token_index - t->token_table, why))
		return fault_prefix(why, "kallsyms tokens: ");
	for (size_t i = 0; i < TOKENS; i++) {
		size_t room = t->token_index - t->token_table, start = load_u16(index + 2 * i);

		if (start >= room || !memchr(t->text + start, '\0', room - start))
			return fault_set(why, STATE_DAMAGED, SPACE_VIRT, t->token_index,
				"kallsyms: token %zu lies outside the table", i);
		t->start[i] = (uint16_t)start;
		t->length[i] = (uint16_t)strlen(t->text + start);
	}
	t->has_base = vmcoreinfo_symbol(vi, "kallsyms_relative_base", &base);
	if (!t->has_base)
		return true;
	if (!pagetable_read(pt, base, word, 8, why))
		return fault_prefix(why, "kallsyms: ");
	t->relative_base = load_u64(word);
	return true;
}

/* The next name as tokens, borrowed until the stream moves on. */
static bool next_tokens(struct stream *s, const uint8_t **token, size_t *n, struct fault *why)
{
	if (!stream_need(s, 1, why))
		return false;
	*n = s->buf[s->pos++];
	if (*n & 0x80) {
		if (!stream_need(s, 1, why))
			return false;
		*n = (*n & 0x7f) | (size_t)s->buf[s->pos++] << 7;
	}
	if (!stream_need(s, *n, why))
		return false;
	*token = s->buf + s->pos;
	s->pos += *n;
	return true;
}

/* Expand tokens to type letter and name, as far as @room: most names differ early. */
static size_t expand(const struct tables *t, const uint8_t *token, size_t n, char *name,
		     size_t room)
{
	size_t at = 0;

	for (size_t i = 0; i < n && at < room; i++) {
		const char *text = t->text + t->start[token[i]];
		size_t len = t->length[token[i]];

		for (size_t j = 0; j < len && at < room; j++)
			name[at++] = text[j];
	}
	return at;
}

bool symbol_matches(const struct symbol *want, const char *name, size_t len)
{
	size_t n = strlen(want->name);

	if (len < n || memcmp(want->name, name, n))
		return false;
	return len == n || (len > n + 6 && !memcmp(name + n, ".llvm.", 6));
}

/* The symbols of one pass: those that are wanted, and those that prove the encoding. */
struct search {
	struct symbol *want, *check;
	size_t n, checks;
	uint32_t data;			/* symbols that are no functions, by their letters */
};

static struct symbol *searched(const struct search *search, size_t i)
{
	return i < search->n ? &search->want[i] : &search->check[i - search->n];
}

/* Compare one name with all that are searched; @head are its first @len bytes. */
static void match(const struct tables *t, const struct search *search, const uint8_t *token,
		  size_t n, const char *head, size_t len, uint32_t index)
{
	char name[MAX_NAME];
	size_t whole = 0;

	for (size_t i = 0; i < search->n + search->checks; i++) {
		struct symbol *s = searched(search, i);

		/* the type letter comes first; next to all differ in the first of the name */
		if (s->name[0] != head[1] || strncmp(s->name, head + 1, len - 1))
			continue;
		if (!whole)
			whole = expand(t, token, n, name, MAX_NAME);
		if (!symbol_matches(s, name + 1, whole - 1))
			continue;
		s->count++;
		s->index = index;
	}
}

static bool scan_names(const struct tables *t, struct stream *s, struct search *search,
		       struct fault *why)
{
	for (uint32_t i = 0; i < t->count; i++) {
		const uint8_t *token;
		char head[HEAD_LEN];
		size_t n, len;

		if (!next_tokens(s, &token, &n, why))
			return false;
		len = expand(t, token, n, head, HEAD_LEN);
		if (len < 2)
			return fault_set(why, STATE_DAMAGED, SPACE_VIRT, s->va,
				"kallsyms: an empty name");
		search->data += !strchr("tTwW", head[0]);
		match(t, search, token, n, head, len, i);
	}
	if (s->va - (s->size - s->pos) > s->end)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, s->end,
			"kallsyms: the names run into the next table");
	return true;
}

static uint64_t decode(const struct tables *t, enum kallsyms_encoding encoding, uint32_t index,
		       int32_t off)
{
	switch (encoding) {
	case KALLSYMS_ABSOLUTE_PERCPU:
		return off >= 0 ? (uint64_t)off : t->relative_base - 1 - (uint64_t)(int64_t)off;
	case KALLSYMS_BASE:
		return t->relative_base + (uint32_t)off;
	case KALLSYMS_PLACE:
		return t->offsets + (uint64_t)index * 4 + (uint64_t)(int64_t)off;
	case KALLSYMS_ENCODINGS:
		break;
	}
	return 0;
}

static bool read_offset(const struct tables *t, struct pagetable *pt, uint32_t index,
			int32_t *off, struct fault *why)
{
	uint8_t word[4];

	if (!pagetable_read(pt, t->offsets + (uint64_t)index * 4, word, sizeof(word), why))
		return fault_prefix(why, "kallsyms offsets: ");
	*off = (int32_t)load_u32(word);
	return true;
}

/*
 * The encoding under which every symbol that VMCOREINFO gives too has the address that it
 * gives. Ascending order would prove nothing. @needed: so many symbols, at least.
 */
static bool prove(const struct tables *t, struct pagetable *pt, const struct symbol *check,
		  size_t n, unsigned needed, enum kallsyms_encoding *encoding, struct fault *why)
{
	bool wrong[KALLSYMS_ENCODINGS] = { !t->has_base, !t->has_base, t->has_base };
	unsigned proofs = 0, left = 0;
	int32_t off;

	for (size_t i = 0; i < n; i++) {
		if (check[i].count != 1)
			continue;
		if (!read_offset(t, pt, check[i].index, &off, why))
			return false;
		proofs++;
		for (unsigned e = 0; e < KALLSYMS_ENCODINGS; e++)
			if (decode(t, e, check[i].index, off) != check[i].addr)
				wrong[e] = true;
	}
	for (unsigned e = 0; e < KALLSYMS_ENCODINGS; e++) {
		if (wrong[e])
			continue;
		*encoding = e;
		left++;
	}
	if (proofs >= needed && left == 1)
		return true;
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, t->offsets,
		"kallsyms: no encoding of the offsets gives the addresses that VMCOREINFO gives "
		"(%u symbols in both)", proofs);
}

static bool set_addresses(const struct tables *t, struct pagetable *pt, struct symbol *want,
			  size_t n, enum kallsyms_encoding encoding, struct fault *why)
{
	int32_t off;

	for (size_t i = 0; i < n; i++) {
		if (want[i].count != 1)
			continue;
		if (!read_offset(t, pt, want[i].index, &off, why)) {
			if (!want[i].optional)
				return false;
			want[i].count = 0;
			want[i].lost = true;
			continue;
		}
		want[i].addr = decode(t, encoding, want[i].index, off);
	}
	return true;
}

static bool resolve(struct tables *t, struct stream *s, const struct vmcoreinfo *vi,
		    struct symbol *want, size_t n, enum kallsyms_encoding *encoding,
		    struct fault *why)
{
	/*
	 * In VMCOREINFO by their address (mem_section, for one, is there by its value).
	 * x86_64's swapper_pg_dir is a macro for init_top_pgt.
	 */
	struct symbol check[] = {
		{ .name = "_stext" }, { .name = "init_uts_ns" }, { .name = "swapper_pg_dir" },
		{ .name = "init_top_pgt" }, { .name = "kallsyms_names" },
		{ .name = "kallsyms_token_table" }, { .name = "kallsyms_offsets" },
	};
	struct search search = { .want = want, .check = check, .n = n };
	size_t checks = 0;

	for (size_t i = 0; i < sizeof(check) / sizeof(check[0]); i++)
		if (vmcoreinfo_symbol(vi, check[i].name, &check[i].addr))
			check[checks++] = check[i];
	search.checks = checks;
	if (!scan_names(t, s, &search, why))
		return false;
	/*
	 * Without CONFIG_KALLSYMS_ALL there are functions, and a handful of labels at the ends of
	 * sections; of what VMCOREINFO has, only _stext is among them.
	 */
	return prove(t, s->pt, check, checks, search.data <= t->count / 1024 ? 1 : 2, encoding,
		     why) &&
	       set_addresses(t, s->pt, want, n, *encoding, why);
}

bool kallsyms_resolve(struct pagetable *pt, const struct vmcoreinfo *vi, struct symbol *want,
		      size_t n, enum kallsyms_encoding *encoding, uint32_t *total,
		      struct fault *why)
{
	struct tables *t = calloc(1, sizeof(*t));
	struct stream s = { .pt = pt, .buf = malloc(CHUNK) };
	bool ok = (t && s.buf) || fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");

	if (ok && find_tables(t, vi, why) && read_tables(t, pt, vi, why)) {
		s.va = t->names;
		s.end = t->token_table > t->names ? t->token_table : t->names;
		ok = resolve(t, &s, vi, want, n, encoding, why);
		*total = t->count;
	} else {
		ok = false;
	}
	free(s.buf);
	free(t);
	return ok;
}
