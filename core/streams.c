// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	STREAM_BYTES = 100000,		/* BPF_STREAM_MAX_CAPACITY */
	ALL_BYTES = 8 << 20,		/* of all streams */
	ALL_ELEMENTS = 1 << 18,		/* the same */
};

/* Text that grows, and the elements of one list. */
struct stream {
	struct stream_reader *r;
	char *text;
	size_t n;
	uint64_t *element;
};

/* Append what is unread of the element at @va. */
static bool read_element(struct stream *s, uint64_t va, struct fault *why)
{
	const struct kernel *k = s->r->k;
	uint32_t total, consumed, n;

	if (!kernel_member_u32(k, va, MEMBER_bpf_stream_elem_total_len, &total, why) ||
	    !kernel_member_u32(k, va, MEMBER_bpf_stream_elem_consumed_len, &consumed, why))
		return false;
	if (total > STREAM_BYTES || consumed > total)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va,
			"0x%" PRIx64 " has %" PRIu32 " bytes, %" PRIu32 " of them read", va, total,
			consumed);
	n = total - consumed;
	if (n > STREAM_BYTES - s->n || s->r->bytes + s->n + n > ALL_BYTES)
		return fault_set(why, FAULT_LIMIT, SPACE_VIRT, va, "more text than is looked at");
	if (!kernel_read(k, va + k->members.offset[MEMBER_bpf_stream_elem_str] + consumed,
			 s->text + s->n, n, why))
		return false;
	/* the kernel prints none */
	for (uint32_t i = 0; i < n; i++)
		if (!s->text[s->n + i])
			s->text[s->n + i] = '?';
	s->n += n;
	return true;
}

/* Follow a list of elements: @n addresses, in its order. */
static bool follow(struct stream *s, uint64_t node, size_t *n, struct fault *why)
{
	const struct kernel *k = s->r->k;
	uint64_t offset = k->members.offset[MEMBER_bpf_stream_elem_node];

	for (*n = 0; node; (*n)++) {
		if (!kernel_is_pointer(k, node))
			return fault_set(why, STATE_DAMAGED, SPACE_VIRT, node,
				"0x%" PRIx64 " is no pointer", node);
		if (*n == STREAM_BYTES ||
		    addrset_add(&s->r->elements, node, ALL_ELEMENTS) != ADDRSET_NEW)
			return fault_set(why, STATE_DAMAGED, SPACE_VIRT, node,
				"0x%" PRIx64 " is in a list twice, or the list is too long", node);
		s->element[*n] = node - offset;
		if (!kernel_read_u64(k, node, &node, why))
			return false;
	}
	return true;
}

static bool read_list(struct stream *s, uint64_t head, bool newest_first, struct fault *why)
{
	struct fault first;
	uint64_t node;
	bool ok = true;
	size_t n;

	if (!kernel_read_u64(s->r->k, head, &node, why))
		return false;
	ok = follow(s, node, &n, why);
	for (size_t i = 0; i < n; i++) {
		if (read_element(s, s->element[newest_first ? n - 1 - i : i], &first))
			continue;
		if (ok)
			*why = first;
		ok = false;
	}
	return ok;
}

/* What was read in part is in the backlog, oldest first; behind it the log, newest first. */
static bool read_lists(struct stream *s, uint64_t at, struct fault *why)
{
	const uint32_t *offset = s->r->k->members.offset;
	struct fault second;
	bool ok = read_list(s, at + offset[MEMBER_bpf_stream_backlog_head], false, why);

	if (read_list(s, at + offset[MEMBER_bpf_stream_log], true, &second))
		return ok;
	if (ok)
		*why = second;
	return false;
}

void stream_reader_free(struct stream_reader *r)
{
	addrset_free(&r->elements);
}

bool stream_exists(const struct kernel *k)
{
	static const enum member need[] = {
		MEMBER_bpf_prog_aux_stream, MEMBER_bpf_stream_log,
		MEMBER_bpf_stream_backlog_head, MEMBER_bpf_stream_elem_node,
		MEMBER_bpf_stream_elem_total_len, MEMBER_bpf_stream_elem_consumed_len,
		MEMBER_bpf_stream_elem_str,
	};

	for (size_t i = 0; i < sizeof(need) / sizeof(need[0]); i++)
		if (!kernel_has(k, need[i]))
			return false;
	return true;
}

bool stream_read(struct stream_reader *r, uint64_t aux, unsigned which, char **text,
		 struct fault *why)
{
	const struct members *m = &r->k->members;
	struct stream s = { .r = r };
	bool ok = false;

	s.element = calloc(STREAM_BYTES, sizeof(*s.element));
	s.text = calloc(1, STREAM_BYTES + 1);
	*text = NULL;
	if (!s.element || !s.text)
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	else
		ok = read_lists(&s, aux + m->offset[MEMBER_bpf_prog_aux_stream] +
				(uint64_t)which * (m->size[MEMBER_bpf_prog_aux_stream] / STREAMS),
				why);
	if (s.n) {
		*text = strdup(s.text);
		if (!*text)
			ok = fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		r->bytes += s.n;
	}
	free(s.element);
	free(s.text);
	return ok;
}
