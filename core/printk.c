// SPDX-License-Identifier: GPL-2.0-or-later
#include "printk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reader.h"

enum {
	MAX_RECORDS = 1 << 16,
	/* log_buf_len is at most 2 GiB, with a descriptor for each 32 bytes of it */
	MAX_SIZE_BITS = 31, MAX_COUNT_BITS = 26,
	MAX_STRUCT = 4096,
	/* longer than any line that tells an address */
	MAX_FAULT = 160,
	ADDRESS_DIGITS = 16,
};

/* state_var: what a writer has done with the descriptor, above the id of its record */
enum { STATE_SHIFT = 62, DESC_COMMITTED = 1, DESC_FINALIZED = 2 };
#define ID_MASK ((UINT64_C(1) << STATE_SHIFT) - 1)

/* Layout by VMCOREINFO. */
enum key {
	RING_DESCS, RING_TEXT, DESCS_COUNT, DESCS_DESCS, DESCS_INFOS, DESCS_HEAD, DESCS_TAIL,
	DESC_SIZE, DESC_STATE, DESC_LPOS, LPOS_BEGIN, LPOS_NEXT, INFO_SIZE, INFO_TIME, INFO_LEN,
	TEXT_SIZE, TEXT_DATA, KEYS
};

static const char *const keys[KEYS] = {
	[RING_DESCS] = "OFFSET(printk_ringbuffer.desc_ring)",
	[RING_TEXT] = "OFFSET(printk_ringbuffer.text_data_ring)",
	[DESCS_COUNT] = "OFFSET(prb_desc_ring.count_bits)",
	[DESCS_DESCS] = "OFFSET(prb_desc_ring.descs)",
	[DESCS_INFOS] = "OFFSET(prb_desc_ring.infos)",
	[DESCS_HEAD] = "OFFSET(prb_desc_ring.head_id)",
	[DESCS_TAIL] = "OFFSET(prb_desc_ring.tail_id)",
	[DESC_SIZE] = "SIZE(prb_desc)",
	[DESC_STATE] = "OFFSET(prb_desc.state_var)",
	[DESC_LPOS] = "OFFSET(prb_desc.text_blk_lpos)",
	[LPOS_BEGIN] = "OFFSET(prb_data_blk_lpos.begin)",
	[LPOS_NEXT] = "OFFSET(prb_data_blk_lpos.next)",
	[INFO_SIZE] = "SIZE(printk_info)",
	[INFO_TIME] = "OFFSET(printk_info.ts_nsec)",
	[INFO_LEN] = "OFFSET(printk_info.text_len)",
	[TEXT_SIZE] = "OFFSET(prb_data_ring.size_bits)",
	[TEXT_DATA] = "OFFSET(prb_data_ring.data)",
};

struct ring {
	const struct kernel *k;
	uint64_t of[KEYS];
	uint64_t descs, infos, data;	/* addresses of the three arrays */
	uint32_t count_bits, size_bits;
	uint64_t head, tail;		/* ids of the newest and the oldest record */
};

/* What a descriptor says of its record. */
struct record {
	uint64_t id, begin, next;
};

static bool find_layout(struct ring *ring, struct fault *why)
{
	for (size_t i = 0; i < KEYS; i++)
		if (!vmcoreinfo_number(&ring->k->vmcoreinfo, keys[i], &ring->of[i]) ||
		    ring->of[i] > MAX_STRUCT)
			return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
				"VMCOREINFO has no %s", keys[i]);
	if (ring->of[DESC_SIZE] && ring->of[INFO_SIZE])
		return true;
	return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
		"VMCOREINFO has records of the log of 0 bytes");
}

static bool read_rings(struct ring *ring, uint64_t prb, struct fault *why)
{
	const struct kernel *k = ring->k;
	uint64_t descs = prb + ring->of[RING_DESCS], text = prb + ring->of[RING_TEXT];

	if (!kernel_read_u32(k, descs + ring->of[DESCS_COUNT], &ring->count_bits, why) ||
	    !kernel_read_u64(k, descs + ring->of[DESCS_DESCS], &ring->descs, why) ||
	    !kernel_read_u64(k, descs + ring->of[DESCS_INFOS], &ring->infos, why) ||
	    !kernel_read_u64(k, descs + ring->of[DESCS_HEAD], &ring->head, why) ||
	    !kernel_read_u64(k, descs + ring->of[DESCS_TAIL], &ring->tail, why) ||
	    !kernel_read_u32(k, text + ring->of[TEXT_SIZE], &ring->size_bits, why) ||
	    !kernel_read_u64(k, text + ring->of[TEXT_DATA], &ring->data, why))
		return false;
	ring->head &= ID_MASK;
	ring->tail &= ID_MASK;
	if (ring->count_bits && ring->count_bits <= MAX_COUNT_BITS && ring->size_bits > 3 &&
	    ring->size_bits <= MAX_SIZE_BITS)
		return true;
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, prb, "2^%" PRIu32 " records in 2^%" PRIu32
			 " bytes cannot be", ring->count_bits, ring->size_bits);
}

static bool open_ring(struct ring *ring, const struct kernel *k, struct fault *why)
{
	uint64_t symbol, prb;

	*ring = (struct ring){ .k = k };
	if (!find_layout(ring, why))
		return false;
	if (!vmcoreinfo_symbol(&k->vmcoreinfo, "prb", &symbol))
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"VMCOREINFO has no SYMBOL(prb)");
	return kernel_read_u64(k, symbol, &prb, why) && read_rings(ring, prb, why);
}

/* Address of element @id of one of the two arrays. */
static uint64_t element(const struct ring *ring, uint64_t array, uint64_t size, uint64_t id)
{
	return array + (id & ((UINT64_C(1) << ring->count_bits) - 1)) * size;
}

/* False: that record is not, or not yet, whole; with @why's kind where it cannot be read. */
static bool read_desc(const struct ring *ring, uint64_t id, struct record *r, struct fault *why)
{
	uint64_t desc = element(ring, ring->descs, ring->of[DESC_SIZE], id), state;
	uint64_t lpos = desc + ring->of[DESC_LPOS];

	if (!kernel_read_u64(ring->k, desc + ring->of[DESC_STATE], &state, why) ||
	    !kernel_read_u64(ring->k, lpos + ring->of[LPOS_BEGIN], &r->begin, why) ||
	    !kernel_read_u64(ring->k, lpos + ring->of[LPOS_NEXT], &r->next, why))
		return false;
	r->id = id;
	return (state & ID_MASK) == id && (state >> STATE_SHIFT == DESC_COMMITTED ||
					   state >> STATE_SHIFT == DESC_FINALIZED);
}

/*
 * Where the text of @r is, and how many bytes there are: printk_ringbuffer.c:get_data(). A block
 * that would not fit before the end of the ring has its text at the begin of it.
 */
static bool find_text(const struct ring *ring, const struct record *r, uint64_t *offset,
		      uint64_t *size)
{
	uint64_t mask = (UINT64_C(1) << ring->size_bits) - 1;
	uint64_t begin = r->begin & mask, next = r->next & mask;

	/* odd: a record without text; the others are blocks of whole ids */
	if ((begin | next) % 8 || r->next - r->begin > mask + 1)
		return false;
	if (begin + (r->next - r->begin) <= mask + 1) {
		*offset = begin;
		*size = r->next - r->begin;
	} else {
		*offset = 0;
		*size = next;
	}
	return *size > 8;
}

/* The begin of the text of @r in @text, @room bytes at most. */
static bool read_text(const struct ring *ring, const struct record *r, char *text, size_t room,
		      size_t *n)
{
	uint64_t offset, size, id;
	struct fault ignored;

	if (!find_text(ring, r, &offset, &size) ||
	    !kernel_read_u64(ring->k, ring->data + offset, &id, &ignored) || id != r->id)
		return false;
	*n = size - 8 < room ? (size_t)(size - 8) : room;
	return kernel_read(ring->k, ring->data + offset + 8, text, *n, &ignored);
}

/* @text begins with @start; moves both on. */
static bool skip(const char **text, size_t *n, const char *start)
{
	size_t len = strlen(start);

	if (*n < len || memcmp(*text, start, len))
		return false;
	*text += len;
	*n -= len;
	return true;
}

/* @text has @part somewhere in its line; moves behind it. */
static bool skip_to(const char **text, size_t *n, const char *part)
{
	for (; *n && **text != '\n'; ++*text, --*n)
		if (skip(text, n, part))
			return true;
	return false;
}

/* All digits of a pointer, and nothing behind it. */
static bool parse_address(const char *text, size_t n, uint64_t *address)
{
	static const char digits[] = "0123456789abcdef";

	*address = 0;
	for (size_t i = 0; i < ADDRESS_DIGITS; i++) {
		const char *digit = i < n && text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit)
			return false;
		*address = *address << 4 | (uint64_t)(digit - digits);
	}
	return n == ADDRESS_DIGITS || text[ADDRESS_DIGITS] == '\n';
}

/* arch/x86/mm/fault.c:show_fault_oops(); arch/arm64/mm/fault.c:die_kernel_fault(), 6.9 to 7.3. */
static bool parse_fault(const char *text, size_t n, uint64_t *address)
{
	if (!skip(&text, &n, "BUG: unable to handle page fault for address: ") &&
	    !skip(&text, &n, "BUG: kernel NULL pointer dereference, address: ") &&
	    (!skip(&text, &n, "Unable to handle kernel ") ||
	     !skip_to(&text, &n, " at virtual address ")))
		return false;
	return parse_address(text, n, address);
}

/* A process may write lines into the log, too: those have a facility. */
static bool is_of_kernel(const struct ring *ring, uint64_t info)
{
	uint8_t facility;
	struct fault ignored;

	return !kernel_has(ring->k, MEMBER_printk_info_facility) ||
	       (kernel_read(ring->k, info + ring->k->members.offset[MEMBER_printk_info_facility],
			    &facility, 1, &ignored) && !facility);
}

/* What is looked for in the log, newest record first. */
struct search {
	struct ring ring;
	size_t room;		/* bytes of a record's text that are looked at */
	/* May this text, whose end is not known yet, be one? */
	bool (*may_be)(const struct search *s, const char *text, size_t n);
	/* The kernel's line. False: there is no room for more. */
	bool (*take)(struct search *s, uint64_t time, const char *text, size_t n);
	void *found;
	uint64_t records, lost;
	bool full, more;	/* took all it can; there was another one, or older records */
};

/* Text is longer than it says: with padding, and what a block had before. */
static bool take_record(struct search *s, const struct record *r, const char *text, size_t n)
{
	const struct ring *ring = &s->ring;
	uint64_t info = element(ring, ring->infos, ring->of[INFO_SIZE], r->id), time;
	struct fault ignored;
	uint8_t len[2];

	if (!kernel_read(ring->k, info + ring->of[INFO_LEN], len, sizeof(len), &ignored) ||
	    !kernel_read_u64(ring->k, info + ring->of[INFO_TIME], &time, &ignored))
		return false;
	if (load_u16(len) < n)
		n = load_u16(len);
	if (s->may_be(s, text, n) && is_of_kernel(ring, info))
		s->full = !s->take(s, time, text, n);
	return true;
}

/* False: it is there, but cannot be read. */
static bool look_at(struct search *s, uint64_t id)
{
	struct fault why = { .kind = STATE_STORED };
	char text[PRINTK_TEXT];
	struct record r;
	size_t n;

	if (!read_desc(&s->ring, id, &r, &why))
		return why.kind == STATE_STORED;
	/* data that was reused while it was written, or an empty line */
	if (r.begin % 2)
		return true;
	return read_text(&s->ring, &r, text, s->room, &n) &&
	       (!s->may_be(s, text, n) || take_record(s, &r, text, n));
}

static bool search(struct search *s, const struct kernel *k, struct fault *why)
{
	uint64_t count, all;

	if (!open_ring(&s->ring, k, why))
		return fault_prefix(why, "the kernel's log: ");
	all = ((s->ring.head - s->ring.tail) & ID_MASK) + 1;
	count = UINT64_C(1) << s->ring.count_bits;
	if (all > count)
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0, "the kernel's log: it has room "
				 "for %" PRIu64 " records, but names %" PRIu64, count, all);
	s->more = all > MAX_RECORDS;
	if (all > MAX_RECORDS)
		all = MAX_RECORDS;
	for (; s->records < all && !s->full; s->records++) {
		if (s->records % 1024 == 0 &&
		    !memory_progress(k->mem, "reading the kernel's log", s->records, all, why))
			return false;
		s->lost += !look_at(s, (s->ring.head - s->records) & ID_MASK);
	}
	s->more |= s->records < all;
	return true;
}

/* Faults. */

static bool may_be_fault(const struct search *s, const char *text, size_t n)
{
	(void)s;
	return skip(&text, &n, "BUG: ") || skip(&text, &n, "Unable to handle kernel ");
}

static bool take_fault(struct search *s, uint64_t time, const char *text, size_t n)
{
	struct printk_faults *f = s->found;
	struct printk_fault fault = { .time = time };

	if (parse_fault(text, n, &fault.address))
		f->fault[f->n++] = fault;
	return f->n < PRINTK_FAULTS;
}

bool printk_faults(const struct kernel *k, struct printk_faults *f, struct fault *why)
{
	struct search s = { .room = MAX_FAULT, .may_be = may_be_fault, .take = take_fault,
			    .found = f };

	*f = (struct printk_faults){ 0 };
	if (!search(&s, k, why))
		return false;
	f->records = s.records;
	f->lost = s.lost;
	f->more = s.more;
	return true;
}

/* Lines. */

static bool may_be_line(const struct search *s, const char *text, size_t n)
{
	const struct printk_lines *lines = s->found;

	return skip(&text, &n, lines->start);
}

static bool take_line(struct search *s, uint64_t time, const char *text, size_t n)
{
	struct printk_lines *lines = s->found;
	struct printk_line *line = &lines->line[lines->n++];
	const char *end = memchr(text, '\n', n);

	if (end)
		n = (size_t)(end - text);
	if (n > sizeof(line->text) - 1)
		n = sizeof(line->text) - 1;
	line->time = time;
	for (size_t i = 0; i < n; i++)
		line->text[i] = text[i] ? text[i] : '?';
	line->text[n] = '\0';
	return lines->n < PRINTK_LINES;
}

bool printk_lines(const struct kernel *k, const char *start, struct printk_lines *lines,
		  struct fault *why)
{
	struct search s = { .room = PRINTK_TEXT, .may_be = may_be_line, .take = take_line,
			    .found = lines };

	*lines = (struct printk_lines){ .start = start };
	if (!search(&s, k, why))
		return false;
	lines->lost = s.lost;
	return true;
}
