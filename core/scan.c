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

#include "arena_struct.h"
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

enum { MAP, VM, VMA, AREA, PATTERNS };

typedef uint32_t vector __attribute__((vector_size(16), may_alias, aligned(8)));

struct scan;

/* What a kind of struct looks like: the bytes [first, end) of it, with the key at @at. */
struct pattern {
	uint64_t key;		/* as it is in memory; AREA: how much more the next word is */
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
	uint64_t pages;
	struct fault *why;
};

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
	const struct pattern *p = &s->pattern[VM];
	uint64_t addr = load_u64(member(s, p, bytes, MEMBER_vm_struct_addr)), end;

	return load_u64(member(s, p, bytes, MEMBER_vm_struct_flags)) == VM_SPARSE_USERMAP &&
	       !(addr % s->k->page_size) && addr >= s->k->format.lowest &&
	       add_ok(addr, arena_area_size(s->k), &end);
}

static bool vma_fits(const struct scan *s, const uint8_t *bytes)
{
	const struct pattern *p = &s->pattern[VMA];
	uint64_t start = load_u64(member(s, p, bytes, MEMBER_vm_area_struct_vm_start));
	uint64_t end = load_u64(member(s, p, bytes, MEMBER_vm_area_struct_vm_end));

	return start < end && end < s->k->format.lowest && !((start | end) % s->k->page_size);
}

static bool area_fits(const struct scan *s, const uint8_t *bytes)
{
	const struct pattern *p = &s->pattern[AREA];
	uint64_t start = load_u64(member(s, p, bytes, MEMBER_vmap_area_va_start));
	uint64_t vm = load_u64(member(s, p, bytes, MEMBER_vmap_area_vm));

	return start >= s->k->format.lowest && !(start % s->k->page_size) &&
	       vm >= s->k->format.lowest && !(vm % 8);
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

static void look_for_vms(struct scan *s)
{
	struct pattern *p = &s->pattern[VM];

	*p = (struct pattern){
		.key = htole64(arena_area_size(s->k)), .at = offset(s, MEMBER_vm_struct_size),
		.first = UINT64_MAX, .fits = vm_fits, .visit = s->visitor->vm,
	};
	cover(p, p->at, 8);
	cover(p, offset(s, MEMBER_vm_struct_addr), 8);
	cover(p, offset(s, MEMBER_vm_struct_flags), 8);
	finish_pattern(s, p);
}

static void look_for_vmas(struct scan *s)
{
	const struct symbol *ops = &s->k->symbol[SYMBOL_arena_vm_ops];
	struct pattern *p = &s->pattern[VMA];

	*p = (struct pattern){
		.key = htole64(ops->addr), .at = offset(s, MEMBER_vm_area_struct_vm_ops),
		.first = UINT64_MAX, .fits = vma_fits, .visit = s->visitor->vma,
	};
	cover(p, p->at, 8);
	cover(p, offset(s, MEMBER_vm_area_struct_vm_start), 8);
	cover(p, offset(s, MEMBER_vm_area_struct_vm_end), 8);
	finish_pattern(s, p);
	if (ops->count != 1 || !kernel_has(s->k, MEMBER_vm_area_struct_vm_ops) ||
	    !kernel_has(s->k, MEMBER_vm_area_struct_vm_start) ||
	    !kernel_has(s->k, MEMBER_vm_area_struct_vm_end))
		p->fits = NULL;
}

/* va_start and va_end are neighbours: their difference is what is looked for. */
static void look_for_areas(struct scan *s)
{
	struct pattern *p = &s->pattern[AREA];

	*p = (struct pattern){
		.key = arena_area_size(s->k), .at = offset(s, MEMBER_vmap_area_va_start),
		.first = UINT64_MAX, .fits = area_fits, .visit = s->visitor->area,
	};
	cover(p, p->at, 16);
	cover(p, offset(s, MEMBER_vmap_area_vm), 8);
	finish_pattern(s, p);
	if (!kernel_has(s->k, MEMBER_vmap_area_va_start) ||
	    !kernel_has(s->k, MEMBER_vmap_area_va_end) || !kernel_has(s->k, MEMBER_vmap_area_vm) ||
	    offset(s, MEMBER_vmap_area_va_end) != p->at + 8)
		p->fits = NULL;
}

/* Looking. */

static vector vector_of(uint32_t key)
{
	return (vector){ key, key, key, key };
}

/*
 * The loop that all time goes to. It looks at 8 bytes behind the block, too. The smallest x86_64 has no vector instruction that compares
 * 8 bytes, so the first 4 of each word are, of four words at once; take_words() has the last say.
 */
static bool block_has(const uint8_t *block, const uint32_t key[PATTERNS])
{
	const vector *v = (const vector *)(const void *)block;
	const vector *w = (const vector *)(const void *)(block + 8);
	const vector map = vector_of(key[MAP]), vm = vector_of(key[VM]);
	const vector vma = vector_of(key[VMA]), area = vector_of(key[AREA]);
	vector found = { 0 };

	for (size_t i = 0; i < BLOCK * 8 / sizeof(vector); i += 2) {
		vector first = __builtin_shufflevector(v[i], v[i + 1], 0, 2, 4, 6);
		vector next = __builtin_shufflevector(w[i], w[i + 1], 0, 2, 4, 6);

		found |= (vector)(first == map) | (vector)(first == vm) | (vector)(first == vma) |
			 (vector)(next - first == area);
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

static bool has_key(const struct scan *s, size_t i, const uint8_t *word, const uint8_t *end)
{
	uint64_t value;

	if (i == AREA)
		return end - word >= 16 &&
		       load_u64(word + 8) - load_u64(word) == s->pattern[i].key;
	memcpy(&value, word, 8);
	return value == s->pattern[i].key;
}

static bool take_words(const struct scan *s, const uint8_t *word, size_t n, const uint8_t *end)
{
	for (; n; n--, word += 8)
		for (size_t i = 0; i < PATTERNS; i++) {
			if (has_key(s, i, word, end) &&
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
		enum state state;

		if (s->pages++ % PROGRESS_PAGES == 0 &&
		    !memory_progress(k->mem, "searching all pages", s->done, s->total, s->why))
			return false;
		s->phys = phys;
		state = memory_peek(k->mem, phys, s->page, part);
		if (state == STATE_STORED) {
			if (!look_at_page(s, part))
				return false;
			carry_over(s, part);
		} else {
			if (!s->visitor->unread(s->visitor->ctx, phys, state))
				return false;
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

bool scan_pages(const struct kernel *k, const struct scan_visitor *visitor, struct fault *why)
{
	struct scan s = { .k = k, .visitor = visitor, .why = why };
	uint8_t *buffer = calloc(1, CARRY + (size_t)k->page_size + 8);
	uint64_t phys, n;
	bool ok = true;

	if (!buffer)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	s.page = buffer + CARRY;
	look_for_maps(&s);
	look_for_vms(&s);
	look_for_vmas(&s);
	look_for_areas(&s);
	for (phys = 0; next_range(k->mem, &phys, &n); phys += n)
		s.total += n;
	for (phys = 0; ok && next_range(k->mem, &phys, &n); phys += n)
		ok = scan_range(&s, phys, n);
	free(buffer);
	return ok;
}
