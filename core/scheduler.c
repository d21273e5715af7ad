// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "addrset.h"
#include "array.h"
#include "reader.h"

enum {
	SCX_DISABLED = 3,	/* enum scx_enable_state */
	MAX_TEXT = 1024,	/* SCX_EXIT_MSG_LEN */
	MAX_SCHEDULERS = 4096,
	STEP = 64,		/* bytes of a string that are read at once */
};

static bool has_symbol(const struct kernel *k, enum symbol_id id)
{
	return k->symbol[id].count == 1;
}

/* The walk. */

struct walk {
	const struct kernel *k;
	const struct scheduler_visitor *visitor;
	struct addrset seen;
};

static bool lost(const struct walk *w, struct fault *why, const char *symbol)
{
	fault_prefix(why, "%s: ", symbol);
	return w->visitor->lost(w->visitor->ctx, why);
}

static bool visit(struct walk *w, uint64_t sched, bool root, const char *symbol)
{
	struct fault why;

	if (!kernel_is_pointer(w->k, sched)) {
		fault_fill(&why, STATE_DAMAGED, SPACE_VIRT, sched, "0x%" PRIx64 " is no pointer",
			   sched);
		return lost(w, &why, symbol);
	}
	return w->visitor->scheduler(w->visitor->ctx, sched, root);
}

static bool visit_root(struct walk *w, uint64_t *root)
{
	struct fault why;

	*root = 0;
	if (!has_symbol(w->k, SYMBOL_scx_root))
		return true;
	if (!kernel_read_u64(w->k, w->k->symbol[SYMBOL_scx_root].addr, root, &why))
		return lost(w, &why, "scx_root");
	return !*root || visit(w, *root, true, "scx_root");
}

/* A list_head's next; what it leads to is new. */
static bool next_of(struct walk *w, uint64_t *node, struct fault *why)
{
	uint64_t at = *node;

	if (!kernel_read_u64(w->k, at + w->k->members.offset[MEMBER_list_head_next], node, why))
		return false;
	if (!kernel_is_pointer(w->k, *node))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, at, "0x%" PRIx64 " is no pointer",
				 *node);
	if (addrset_add(&w->seen, *node, MAX_SCHEDULERS) == ADDRSET_NEW)
		return true;
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, *node,
			 "its list does not end, or is longer than %d", MAX_SCHEDULERS);
}

static bool visit_list(struct walk *w, uint64_t root)
{
	const struct kernel *k = w->k;
	uint64_t head = k->symbol[SYMBOL_scx_sched_all].addr, node = head, sched;
	struct fault why;

	if (!has_symbol(k, SYMBOL_scx_sched_all) || !kernel_has(k, MEMBER_scx_sched_all) ||
	    !kernel_has(k, MEMBER_list_head_next))
		return true;
	for (;;) {
		if (!next_of(w, &node, &why))
			return lost(w, &why, "scx_sched_all");
		if (node == head)
			return true;
		sched = node - k->members.offset[MEMBER_scx_sched_all];
		if (sched != root && !visit(w, sched, false, "scx_sched_all"))
			return false;
	}
}

bool scheduler_walk(const struct kernel *k, const struct scheduler_visitor *visitor)
{
	struct walk w = { k, visitor, { 0 } };
	uint64_t root;
	bool ok = visit_root(&w, &root) && visit_list(&w, root);

	addrset_free(&w.seen);
	return ok;
}

bool scheduler_arena(const struct kernel *k, uint64_t sched, uint64_t *map, struct fault *why)
{
	*map = 0;
	if (!kernel_has(k, MEMBER_scx_sched_arena_map))
		return true;
	if (!kernel_member_u64(k, sched, MEMBER_scx_sched_arena_map, map, why))
		return false;
	return !*map || kernel_is_pointer(k, *map) ||
	       fault_set(why, STATE_DAMAGED, SPACE_VIRT, sched, "its arena 0x%" PRIx64
			 " is no pointer", *map);
}

/* What is said of each. */

struct finder {
	const struct kernel *k;
	struct schedulers *s;
	struct problems *problems;
	struct fault *why;
	bool failed;		/* @why */
};

static void say(const struct finder *f, struct fault *why)
{
	fault_prefix(why, "sched_ext: ");
	problems_add(f->problems, why);
}

/* A string of the kernel, an owned copy: *@text is NULL where @va is, or where it is empty. */
static bool read_string(const struct finder *f, uint64_t va, char **text, struct fault *why)
{
	char b[MAX_TEXT + STEP + 1] = "";
	size_t n = 0, step;

	for (; va && n < MAX_TEXT && !memchr(b, '\0', n); n += step) {
		/* to the next border: what lies behind may be another page */
		step = STEP - (size_t)((va + n) % STEP);
		if (!kernel_read(f->k, va + n, b + n, step, why))
			return false;
	}
	b[n < MAX_TEXT ? n : MAX_TEXT] = '\0';
	*text = *b ? strdup(b) : NULL;
	return *text || !*b || fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
}

static bool read_exit_info(const struct finder *f, struct scheduler *s, uint64_t info,
			   struct fault *why)
{
	uint64_t code, reason, message;
	uint32_t kind;

	if (!kernel_has(f->k, MEMBER_scx_exit_info_kind) ||
	    !kernel_has(f->k, MEMBER_scx_exit_info_exit_code) ||
	    !kernel_has(f->k, MEMBER_scx_exit_info_reason) ||
	    !kernel_has(f->k, MEMBER_scx_exit_info_msg))
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
				 "struct scx_exit_info is not known");
	if (!kernel_is_pointer(f->k, info))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, s->sched,
				 "its exit_info 0x%" PRIx64 " is no pointer", info);
	if (!kernel_member_u32(f->k, info, MEMBER_scx_exit_info_kind, &kind, why) ||
	    !kernel_member_u64(f->k, info, MEMBER_scx_exit_info_exit_code, &code, why) ||
	    !kernel_member_u64(f->k, info, MEMBER_scx_exit_info_reason, &reason, why) ||
	    !kernel_member_u64(f->k, info, MEMBER_scx_exit_info_msg, &message, why))
		return false;
	/* once that is taken down, scx_sched.exit_kind is SCX_EXIT_DONE for all of them */
	if (kind)
		s->exit_kind = kind;
	s->exit_code = (int64_t)code;
	return read_string(f, reason, &s->reason, why) && read_string(f, message, &s->message, why);
}

/* Where its parts are, which differs between versions. */
struct place {
	uint64_t name, exit_kind, exit_info;	/* addresses; 0: not known */
};

static void describe_exit(const struct finder *f, struct scheduler *s, const struct place *at)
{
	struct fault why;
	uint64_t info;

	s->unknown |= SCHEDULER_KIND | SCHEDULER_EXIT;
	if (!at->exit_kind)
		return;
	if (!kernel_read_u32(f->k, at->exit_kind, &s->exit_kind, &why)) {
		fault_prefix(&why, "how the scheduler ended: ");
		say(f, &why);
		return;
	}
	s->unknown &= ~(unsigned)SCHEDULER_KIND;
	/* what exit_info has before is nothing, or not yet whole */
	if (!s->exit_kind) {
		s->unknown &= ~(unsigned)SCHEDULER_EXIT;
	} else if (at->exit_info && kernel_read_u64(f->k, at->exit_info, &info, &why) &&
		   read_exit_info(f, s, info, &why)) {
		s->unknown &= ~(unsigned)SCHEDULER_EXIT;
	} else if (at->exit_info) {
		fault_prefix(&why, "why the scheduler ended: ");
		say(f, &why);
	}
}

static void describe_arena(const struct finder *f, struct scheduler *s)
{
	struct fault why;

	if (s->sched && !scheduler_arena(f->k, s->sched, &s->map, &why)) {
		s->map = 0;
		s->unknown |= SCHEDULER_ARENA;
		say(f, &why);
	}
	s->has_id = s->map && kernel_member_u32(f->k, s->map, MEMBER_bpf_map_id, &s->id, &why);
}

static bool describe(struct finder *f, uint64_t sched, bool root, const struct place *at)
{
	struct scheduler *s;
	struct fault why;

	f->failed = !array_grow(&f->s->scheduler, &f->s->room, f->s->n, sizeof(*s), f->why);
	if (f->failed)
		return false;
	s = &f->s->scheduler[f->s->n++];
	*s = (struct scheduler){ .sched = sched, .root = root };
	if (!at->name) {
		s->unknown |= SCHEDULER_NAME;
	} else if (!kernel_read(f->k, at->name, s->name, sizeof(s->name), &why)) {
		s->unknown |= SCHEDULER_NAME;
		fault_prefix(&why, "the scheduler's name: ");
		say(f, &why);
	}
	s->name[sizeof(s->name) - 1] = '\0';
	describe_exit(f, s, at);
	describe_arena(f, s);
	return true;
}

static uint64_t place(const struct kernel *k, uint64_t base, enum member m)
{
	return kernel_has(k, m) ? base + k->members.offset[m] : 0;
}

static bool on_scheduler(void *ctx, uint64_t sched, bool root)
{
	struct finder *f = ctx;
	uint64_t ops = place(f->k, sched, MEMBER_scx_sched_ops);
	struct place at = {
		.name = ops ? place(f->k, ops, MEMBER_sched_ext_ops_name) : 0,
		.exit_kind = place(f->k, sched, MEMBER_scx_sched_exit_kind),
		.exit_info = place(f->k, sched, MEMBER_scx_sched_exit_info),
	};

	return describe(f, sched, root, &at);
}

static bool on_lost(void *ctx, const struct fault *why)
{
	struct finder *f = ctx;
	struct fault fault = *why;

	f->s->lost = true;
	say(f, &fault);
	return true;
}

/* Up to 6.15 there is one at most, and variables describe it; they are cleared in the end. */
static bool find_variables(struct finder *f)
{
	const struct symbol *symbol = f->k->symbol;
	struct place at = {
		.name = place(f->k, symbol[SYMBOL_scx_ops].addr, MEMBER_sched_ext_ops_name),
		.exit_kind = has_symbol(f->k, SYMBOL_scx_exit_kind) ?
			     symbol[SYMBOL_scx_exit_kind].addr : 0,
		.exit_info = has_symbol(f->k, SYMBOL_scx_exit_info) ?
			     symbol[SYMBOL_scx_exit_info].addr : 0,
	};

	if (f->s->has_state && f->s->state == SCX_DISABLED)
		return true;
	return describe(f, 0, true, &at);
}

/* What the kernel has, but the dump does not give the address of, is no sign that there is none. */
static bool find_symbol(struct finder *f, enum symbol_id id)
{
	bool is_lost = f->k->symbol[id].lost;
	struct fault why;
	uint64_t addr;

	f->s->exists |= has_symbol(f->k, id) || is_lost;
	f->s->lost |= is_lost;
	if (kernel_symbol(f->k, id, &addr, &why))
		return true;
	if (is_lost)
		say(f, &why);
	return false;
}

static void find_state(struct finder *f)
{
	enum symbol_id id = SYMBOL_scx_enable_state_var;
	struct fault why;

	if (!find_symbol(f, id)) {
		id = SYMBOL_scx_ops_enable_state_var;
		if (!find_symbol(f, id))
			return;
	}
	f->s->has_state = kernel_read_u32(f->k, f->k->symbol[id].addr, &f->s->state, &why);
	if (f->s->has_state)
		return;
	fault_prefix(&why, "%s: ", f->k->symbol[id].name);
	say(f, &why);
}

/* Without a log, or with one that cannot be read, it is not known what it has. */
static bool find_log(struct finder *f)
{
	struct fault why;

	if (!f->s->exists)
		return true;
	f->s->has_log = printk_lines(f->k, SCHEDULER_LOG, &f->s->log, &why);
	f->failed = !f->s->has_log && why.kind == FAULT_LIMIT;
	if (f->failed)
		*f->why = why;
	return !f->failed;
}

bool scheduler_find(const struct kernel *k, struct schedulers *s, struct problems *problems,
		    struct fault *why)
{
	struct finder f = { .k = k, .s = s, .problems = problems, .why = why };
	const struct scheduler_visitor visitor = { on_scheduler, on_lost, &f };

	find_state(&f);
	if (find_symbol(&f, SYMBOL_scx_root))
		scheduler_walk(k, &visitor);
	else if (find_symbol(&f, SYMBOL_scx_ops))
		find_variables(&f);
	return !f.failed && find_log(&f);
}

void schedulers_free(struct schedulers *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->scheduler[i].reason);
		free(s->scheduler[i].message);
	}
	free(s->scheduler);
	*s = (struct schedulers){ 0 };
}

const char *scheduler_state_name(uint32_t state)
{
	static const char *const names[] = { "enabling", "enabled", "disabling", "disabled" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}
