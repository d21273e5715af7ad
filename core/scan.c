// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each kind of struct has one word by which it is looked for, the key; where that is met, the
 * members around it are checked. Structs lie at multiples of 8 bytes, and across pages too: the
 * end of a page is carried over to the next one, so that each is read once.
 */
#include "scan.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

enum {
	BPF_MAP_TYPE_ARENA = 33,	/* include/uapi/linux/bpf.h */
	BPF_F_MMAPABLE = 1 << 10,	/* arena_map_alloc() demands it ... */
	ARENA_FLAGS = 0x60400,		/* ... and allows BPF_F_SEGV_ON_FAULT, _NO_USER_CONV */
	VM_SPARSE_USERMAP = 0x1008,	/* include/linux/vmalloc.h: VM_SPARSE | VM_USERMAP */
};

enum {
	CARRY = 512,		/* bytes that are carried over at most */
	BLOCK = 64,		/* words that are compared in a row */
	PROGRESS_PAGES = 256,
};

enum { MAP, AREA, PATTERNS };

typedef uint32_t vector __attribute__((vector_size(16), may_alias));

struct scan;

/* What a kind of struct looks like: the bytes [first, end) of it, with the key at @at. */
struct pattern {
	uint64_t key;		/* as it is in memory */
	uint64_t at, first, end;
	bool (*fits)(const struct scan *s, const uint8_t *bytes);	/* those from @first on */
	bool (*visit)(void *ctx, uint64_t phys);
};

struct scan {
	const struct kernel *k;
	const struct scan_visitor *visitor;
	struct pattern pattern[PATTERNS];
	size_t carry;		/* bytes that the longest pattern needs of the page before */
	size_t carried;		/* bytes before the page that are there */
	uint8_t *page;		/* CARRY bytes behind the start of its buffer */
	uint64_t phys;		/* of @page */
	uint64_t done, total;	/* bytes */
	uint64_t pages, missed;
	struct fault *why;
};

uint64_t scan_area_size(const struct kernel *k)
{
	/* kernel/bpf/arena.c: GUARD_SZ is round_up(1 << 16, 2 * PAGE_SIZE) */
	uint64_t two = 2 * k->page_size, guard = (65536 + two - 1) / two * two;

	return (UINT64_C(4) << 30) + guard + k->page_size;
}

/* What to look for. */

static uint64_t offset(const struct scan *s, enum member m)
{
	return s->k->members.offset[m];
}

/* A member in the bytes of a pattern. */
static const uint8_t *member(const struct scan *s, const struct pattern *p, const uint8_t *bytes,
			     enum member m)
{
	return bytes + (offset(s, m) - p->first);
}

static bool map_fits(const struct scan *s, const uint8_t *bytes)
{
	const struct pattern *p = &s->pattern[MAP];
	uint32_t flags = load_u32(member(s, p, bytes, MEMBER_bpf_map_map_flags));

	return load_u32(member(s, p, bytes, MEMBER_bpf_map_map_type)) == BPF_MAP_TYPE_ARENA &&
	       load_u32(member(s, p, bytes, MEMBER_bpf_map_max_entries)) &&
	       flags & BPF_F_MMAPABLE;
}

/* map_type, key_size, value_size and max_entries are neighbours: with that, and the flags. */
static bool signature_fits(const struct scan *s, const uint8_t *bytes)
{
	const struct pattern *p = &s->pattern[MAP];
	const uint8_t *type = member(s, p, bytes, MEMBER_bpf_map_map_type);
	uint32_t flags = load_u32(member(s, p, bytes, MEMBER_bpf_map_map_flags));
	uint64_t extra = load_u64(member(s, p, bytes, MEMBER_bpf_map_map_extra));

	/* key_size is in the key */
	return map_fits(s, bytes) && !load_u32(type + 8) &&
	       !(extra % s->k->page_size) && !(flags & ~(uint32_t)ARENA_FLAGS);
}

static bool vm_fits(const struct scan *s, const uint8_t *bytes)
{
	const struct pattern *p = &s->pattern[AREA];
	uint64_t addr = load_u64(member(s, p, bytes, MEMBER_vm_struct_addr)), end;

	return load_u64(member(s, p, bytes, MEMBER_vm_struct_flags)) == VM_SPARSE_USERMAP &&
	       !(addr % s->k->page_size) && addr >= s->k->format.lowest &&
	       add_ok(addr, scan_area_size(s->k), &end);
}

/* @p also looks at @n bytes at @at. */
static void cover(struct pattern *p, uint64_t at, uint64_t n)
{
	if (at < p->first)
		p->first = at;
	if (at + n > p->end)
		p->end = at + n;
}

/* A layout that no kernel has, and no search can find, is that of a forged BTF. */
static void finish_pattern(struct scan *s, struct pattern *p)
{
	if (p->at % 8 || p->end - p->first > CARRY)
		p->fits = NULL;
	else if (s->carry < p->end - p->first)
		s->carry = (size_t)((p->end - p->first + 7) / 8 * 8);
}

/* By the address of arena_map_ops; where that is not known, by what is always the same. */
static void look_for_maps(struct scan *s)
{
	const struct symbol *ops = &s->k->symbol[SYMBOL_arena_map_ops];
	uint64_t type = offset(s, MEMBER_bpf_map_map_type);
	struct pattern *p = &s->pattern[MAP];

	*p = (struct pattern){ .first = UINT64_MAX, .visit = s->visitor->map };
	cover(p, type, 4);
	cover(p, offset(s, MEMBER_bpf_map_max_entries), 4);
	cover(p, offset(s, MEMBER_bpf_map_map_flags), 4);
	if (ops->count == 1) {
		p->key = htole64(ops->addr);
		p->at = offset(s, MEMBER_bpf_map_ops);
		p->fits = map_fits;
	} else {
		p->key = htole64(BPF_MAP_TYPE_ARENA);	/* and key_size */
		p->at = type;
		p->fits = signature_fits;
		cover(p, type, 12);
		cover(p, offset(s, MEMBER_bpf_map_map_extra), 8);
	}
	cover(p, p->at, 8);
	finish_pattern(s, p);
}

static void look_for_areas(struct scan *s)
{
	struct pattern *p = &s->pattern[AREA];

	*p = (struct pattern){
		.key = htole64(scan_area_size(s->k)), .at = offset(s, MEMBER_vm_struct_size),
		.first = UINT64_MAX, .fits = vm_fits, .visit = s->visitor->vm,
	};
	cover(p, p->at, 8);
	cover(p, offset(s, MEMBER_vm_struct_addr), 8);
	cover(p, offset(s, MEMBER_vm_struct_flags), 8);
	finish_pattern(s, p);
}

/* Looking. */

/*
 * The loop that all time goes to. The smallest x86_64 has no vector instruction that compares
 * 8 bytes, so the first 4 of each word are, of four words at once; take_words() has the last say.
 */
static bool block_has(const uint8_t *block, const uint32_t key[PATTERNS])
{
	const vector *v = (const vector *)(const void *)block;
	const vector a = { key[0], key[0], key[0], key[0] };
	const vector b = { key[1], key[1], key[1], key[1] };
	vector found = { 0 };

	for (size_t i = 0; i < BLOCK * 8 / sizeof(vector); i += 2) {
		vector first = __builtin_shufflevector(v[i], v[i + 1], 0, 2, 4, 6);

		found |= (vector)(first == a) | (vector)(first == b);
	}
	return found[0] | found[1] | found[2] | found[3];
}

/*
 * The key of @p is at @word. It is a candidate if all that it looks at is there, and not all of
 * that was there already when the page before was looked at.
 */
static bool take_word(const struct scan *s, const struct pattern *p, const uint8_t *word,
		      const uint8_t *end)
{
	const uint8_t *start = s->page - s->carried;
	uint64_t before = p->at - p->first, behind = p->end - p->at;
	/* where it is; a page may be the first one of memory */
	uint64_t phys = s->phys + (uint64_t)(word - start) - s->carried;

	if (!p->fits || before > (uint64_t)(word - start) || behind > (uint64_t)(end - word) ||
	    (word < s->page && behind <= (uint64_t)(s->page - word)) || phys < p->at ||
	    !p->fits(s, word - before))
		return true;
	return p->visit(s->visitor->ctx, phys - p->at);
}

static bool take_words(const struct scan *s, const uint8_t *word, size_t n, const uint8_t *end)
{
	for (; n; n--, word += 8)
		for (size_t i = 0; i < PATTERNS; i++) {
			uint64_t value;

			memcpy(&value, word, 8);
			if (value == s->pattern[i].key &&
			    !take_word(s, &s->pattern[i], word, end))
				return false;
		}
	return true;
}

/* What was carried over, and the @n bytes of the page. */
static bool look_at_page(const struct scan *s, size_t n)
{
	const uint8_t *word = s->page, *end = s->page + n;
	uint32_t key[PATTERNS];

	for (size_t i = 0; i < PATTERNS; i++)
		memcpy(&key[i], &s->pattern[i].key, sizeof(key[i]));
	if (!take_words(s, s->page - s->carried, s->carried / 8, end))
		return false;
	for (; end - word >= BLOCK * 8; word += BLOCK * 8)
		if (block_has(word, key) && !take_words(s, word, BLOCK, end))
			return false;
	return take_words(s, word, (size_t)(end - word) / 8, end);
}

static void carry_over(struct scan *s, size_t n)
{
	size_t keep = s->carried + n < s->carry ? s->carried + n : s->carry;

	memmove(s->page - keep, s->page + n - keep, keep);
	s->carried = keep;
}

/* All of [@phys, @phys + @n), in pieces of at most a page. */
static bool scan_range(struct scan *s, uint64_t phys, uint64_t n)
{
	const struct kernel *k = s->k;

	s->carried = 0;
	while (n) {
		uint64_t left = k->page_size - phys % k->page_size;
		size_t part = (size_t)(n < left ? n : left);

		if (s->pages++ % PROGRESS_PAGES == 0 &&
		    !memory_progress(k->mem, "searching all pages", s->done, s->total, s->why))
			return false;
		s->phys = phys;
		if (memory_peek(k->mem, phys, s->page, part) == STATE_STORED) {
			if (!look_at_page(s, part))
				return false;
			carry_over(s, part);
		} else {
			s->missed++;
			s->carried = 0;
		}
		s->done += part;
		phys += part;
		n -= part;
	}
	return true;
}

/* The next range, without what is no whole word of 8 bytes. */
static bool next_range(const struct memory *mem, uint64_t *phys, uint64_t *n)
{
	while (memory_next(mem, phys, n)) {
		uint64_t skip = -*phys % 8;

		if (*n >= skip + 8) {
			*phys += skip;
			*n = (*n - skip) / 8 * 8;
			return true;
		}
		*phys += *n;
	}
	return false;
}

bool scan_pages(const struct kernel *k, const struct scan_visitor *visitor, uint64_t *missed,
		struct fault *why)
{
	struct scan s = { .k = k, .visitor = visitor, .why = why };
	uint8_t *buffer = malloc(CARRY + (size_t)k->page_size);
	uint64_t phys, n;
	bool ok = true;

	*missed = 0;
	if (!buffer)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	s.page = buffer + CARRY;
	look_for_maps(&s);
	look_for_areas(&s);
	for (phys = 0; next_range(k->mem, &phys, &n); phys += n)
		s.total += n;
	for (phys = 0; ok && next_range(k->mem, &phys, &n); phys += n)
		ok = scan_range(&s, phys, n);
	*missed = s.missed;
	free(buffer);
	return ok;
}
