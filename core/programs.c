// SPDX-License-Identifier: GPL-2.0-or-later
#include "programs.h"

#include <inttypes.h>

#include "idr.h"
#include "reader.h"
#include "scheduler.h"

enum {
	MAX_USED_MAPS = 4096,	/* 64 in the kernel (include/linux/bpf_verifier.h) */
	CHUNK = 64,		/* maps that are read at once */
};

struct walk {
	const struct kernel *k;
	const struct programs_visitor *visitor;
	bool stopped;		/* by the visitor */
};

static bool lost_program(const struct walk *w, uint32_t id, struct fault *why)
{
	fault_prefix(why, "prog_idr: program %" PRIu32 ": ", id);
	return w->visitor->lost(w->visitor->ctx, why);
}

/* The program and its aux must name each other, and the id under which they were found. */
static bool read_aux(const struct kernel *k, uint32_t id, uint64_t prog, uint64_t *aux,
		     struct fault *why)
{
	uint64_t back = prog;
	uint32_t is = id;

	if (!kernel_member_u64(k, prog, MEMBER_bpf_prog_aux, aux, why))
		return false;
	if (!kernel_is_pointer(k, *aux))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, prog,
			"its aux 0x%" PRIx64 " is no pointer", *aux);
	if ((kernel_has(k, MEMBER_bpf_prog_aux_id) &&
	     !kernel_member_u32(k, *aux, MEMBER_bpf_prog_aux_id, &is, why)) ||
	    (kernel_has(k, MEMBER_bpf_prog_aux_prog) &&
	     !kernel_member_u64(k, *aux, MEMBER_bpf_prog_aux_prog, &back, why)))
		return false;
	if (is != id)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, *aux,
			"the aux at 0x%" PRIx64 " is of program %" PRIu32, *aux, is);
	if (back != prog)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, *aux,
			"the aux at 0x%" PRIx64 " is of the program at 0x%" PRIx64, *aux, back);
	return true;
}

static bool visit_arena(const struct walk *w, uint32_t id, uint64_t aux)
{
	struct fault why;
	uint64_t arena;

	if (!kernel_has(w->k, MEMBER_bpf_prog_aux_arena))
		return true;
	if (!kernel_member_u64(w->k, aux, MEMBER_bpf_prog_aux_arena, &arena, &why))
		return lost_program(w, id, &why);
	if (!arena)
		return true;
	if (kernel_is_pointer(w->k, arena))
		return w->visitor->arena(w->visitor->ctx, id, arena);
	fault_fill(&why, STATE_DAMAGED, SPACE_VIRT, aux, "its arena 0x%" PRIx64 " is no pointer",
		   arena);
	return lost_program(w, id, &why);
}

static bool read_used(const struct kernel *k, uint64_t aux, uint64_t *maps, uint32_t *n,
		      struct fault *why)
{
	if (!kernel_member_u32(k, aux, MEMBER_bpf_prog_aux_used_map_cnt, n, why) ||
	    !kernel_member_u64(k, aux, MEMBER_bpf_prog_aux_used_maps, maps, why))
		return false;
	if (*n > MAX_USED_MAPS)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, aux,
			"it uses %" PRIu32 " maps, which cannot be", *n);
	if (*n && (!kernel_is_pointer(k, *maps) || *maps > UINT64_MAX - 8 * MAX_USED_MAPS))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, aux,
			"its used_maps 0x%" PRIx64 " is no pointer", *maps);
	return true;
}

/* False: stopped. What is no pointer is in *@broken, for one message for all of them. */
static bool visit_chunk(const struct walk *w, uint32_t id, const uint8_t *b, uint32_t n,
			uint64_t *broken)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t map = load_u64(b + 8 * (size_t)i);

		if (map && !kernel_is_pointer(w->k, map))
			*broken = map;
		else if (map && !w->visitor->map(w->visitor->ctx, id, map))
			return false;
	}
	return true;
}

/* How many of the @n pointers at @va are to be read at once: none beyond its page. */
static uint32_t chunk_of(const struct kernel *k, uint64_t va, uint32_t n)
{
	uint64_t left = (k->page_size - va % k->page_size) / 8;

	n = n < CHUNK ? n : CHUNK;
	return n < left ? n : (uint32_t)left;
}

static bool visit_used(const struct walk *w, uint32_t id, uint64_t aux)
{
	uint32_t total, n;
	uint64_t maps, broken = 0;
	uint8_t b[CHUNK * 8];
	struct fault why, first;
	bool lost = false;

	if (!kernel_has(w->k, MEMBER_bpf_prog_aux_used_maps) ||
	    !kernel_has(w->k, MEMBER_bpf_prog_aux_used_map_cnt))
		return true;
	if (!read_used(w->k, aux, &maps, &total, &why))
		return lost_program(w, id, &why);
	for (uint32_t i = 0; i < total; i += n) {
		n = chunk_of(w->k, maps + 8 * (uint64_t)i, total - i);
		if (kernel_read(w->k, maps + 8 * (uint64_t)i, b, 8 * (size_t)n, &why)) {
			if (!visit_chunk(w, id, b, n, &broken))
				return false;
		} else if (!lost) {
			first = why;
			lost = true;
		}
	}
	if (lost)
		fault_prefix(&first, "its list of maps: ");
	else if (broken)
		fault_fill(&first, STATE_DAMAGED, SPACE_VIRT, maps,
			   "its list of maps: 0x%" PRIx64 " is no pointer", broken);
	return (!lost && !broken) || lost_program(w, id, &first);
}

static bool visit_program(void *ctx, uint32_t id, uint64_t prog)
{
	struct walk *w = ctx;
	struct fault why;
	uint64_t aux;

	if (read_aux(w->k, id, prog, &aux, &why))
		w->stopped = (w->visitor->program &&
			      !w->visitor->program(w->visitor->ctx, id, prog, aux)) ||
			     !visit_arena(w, id, aux) || !visit_used(w, id, aux);
	else
		w->stopped = !lost_program(w, id, &why);
	return !w->stopped;
}

static bool lost_ids(void *ctx, uint32_t first, uint32_t last, const struct fault *why)
{
	struct walk *w = ctx;
	struct fault fault = *why;

	if (!first && last == UINT32_MAX)
		fault_prefix(&fault, "prog_idr: all programs are lost: ");
	else if (first == last)
		fault_prefix(&fault, "prog_idr: program %" PRIu32 " is lost: ", first);
	else
		/* ids begin at 1 */
		fault_prefix(&fault, "prog_idr: programs %" PRIu32 " to %" PRIu32
			     " are lost, if there are any: ", first ? first : 1, last);
	w->stopped = !w->visitor->lost(w->visitor->ctx, &fault);
	return !w->stopped;
}

static bool visit_scheduler(void *ctx, uint64_t sched, bool root)
{
	const struct walk *w = ctx;
	struct fault why;
	uint64_t map;

	(void)root;
	if (scheduler_arena(w->k, sched, &map, &why))
		return !map || w->visitor->arena(w->visitor->ctx, 0, map);
	fault_prefix(&why, "the sched_ext scheduler: ");
	return w->visitor->lost(w->visitor->ctx, &why);
}

static bool lost_scheduler(void *ctx, const struct fault *why)
{
	const struct walk *w = ctx;
	struct fault fault = *why;

	fault_prefix(&fault, "the sched_ext scheduler: ");
	return w->visitor->lost(w->visitor->ctx, &fault);
}

bool programs_walk(const struct kernel *k, const struct programs_visitor *visitor,
		   struct fault *why)
{
	struct walk w = { k, visitor, false };
	const struct idr_visitor programs = { visit_program, lost_ids, &w };
	const struct scheduler_visitor schedulers = { visit_scheduler, lost_scheduler, &w };
	uint64_t idr;

	/* the scheduler first: it needs no prog_idr */
	if (kernel_has(k, MEMBER_scx_sched_arena_map) && !scheduler_walk(k, &schedulers))
		return false;
	if (!kernel_symbol(k, SYMBOL_prog_idr, &idr, why))
		return false;
	if (!kernel_has(k, MEMBER_bpf_prog_aux))
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"prog_idr: member aux of struct bpf_prog is not known");
	return idr_walk(k, idr, &programs, why) ||
	       (!w.stopped && fault_prefix(why, "prog_idr: "));
}
