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
	MAX_TEXT = 160,
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

/* The begin of the text of @r in @text, which is as long as MAX_TEXT at most. */
static bool read_text(const struct ring *ring, const struct record *r, char text[MAX_TEXT],
		      size_t *n)
{
	uint64_t offset, size, id;
	struct fault ignored;

	if (!find_text(ring, r, &offset, &size) ||
	    !kernel_read_u64(ring->k, ring->data + offset, &id, &ignored) || id != r->id)
		return false;
	*n = size - 8 < MAX_TEXT ? (size_t)(size - 8) : MAX_TEXT;
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

/* Text is longer than it says: with padding, and what a block had before. */
static bool take_fault(const struct ring *ring, const struct record *r, const char *text, size_t n,
		       struct printk_faults *f)
{
	uint64_t info = element(ring, ring->infos, ring->of[INFO_SIZE], r->id);
	struct printk_fault fault;
	struct fault ignored;
	uint8_t len[2];

	if (!kernel_read(ring->k, info + ring->of[INFO_LEN], len, sizeof(len), &ignored) ||
	    !kernel_read_u64(ring->k, info + ring->of[INFO_TIME], &fault.time, &ignored))
		return false;
	if (load_u16(len) < n)
		n = load_u16(len);
	if (!parse_fault(text, n, &fault.address) || !is_of_kernel(ring, info))
		return true;
	if (f->n < PRINTK_FAULTS)
		f->fault[f->n++] = fault;
	else
		f->more = true;
	return true;
}

static bool may_be_fault(const char *text, size_t n)
{
	return skip(&text, &n, "BUG: ") || skip(&text, &n, "Unable to handle kernel ");
}

/* False: it is there, but cannot be read. */
static bool look_at(const struct ring *ring, uint64_t id, struct printk_faults *f)
{
	struct fault why = { .kind = STATE_STORED };
	struct record r;
	char text[MAX_TEXT];
	size_t n;

	if (!read_desc(ring, id, &r, &why))
		return why.kind == STATE_STORED;
	/* data that was reused while it was written, or an empty line */
	if (r.begin % 2)
		return true;
	return read_text(ring, &r, text, &n) &&
	       (!may_be_fault(text, n) || take_fault(ring, &r, text, n, f));
}

bool printk_faults(const struct kernel *k, struct printk_faults *f, struct fault *why)
{
	struct ring ring;
	uint64_t count, all;

	*f = (struct printk_faults){ 0 };
	if (!open_ring(&ring, k, why))
		return fault_prefix(why, "the kernel's log: ");
	all = ((ring.head - ring.tail) & ID_MASK) + 1;
	count = UINT64_C(1) << ring.count_bits;
	if (all > count)
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0, "the kernel's log: it has room "
				 "for %" PRIu64 " records, but names %" PRIu64, count, all);
	f->more = all > MAX_RECORDS;
	if (all > MAX_RECORDS)
		all = MAX_RECORDS;
	for (; f->records < all && f->n < PRINTK_FAULTS; f->records++) {
		if (f->records % 1024 == 0 &&
		    !memory_progress(k->mem, "reading the kernel's log", f->records, all, why))
			return false;
		f->lost += !look_at(&ring, (ring.head - f->records) & ID_MASK, f);
	}
	f->more |= f->records < all;
	return true;
}
