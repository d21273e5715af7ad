// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/scheduler.c on a synthetic machine: schedulers of 7.3 by scx_root and scx_sched_all, and
 * the one of 6.12, which is in variables.
 */
#include "suite.h"

#include "../core/render_scheduler.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/machine.h"

enum { SUBS = 3 };

struct rig {
	struct machine m;
	struct memory mem;
	struct kernel *k;
	uint64_t vars;		/* physical: scx_sched_all, the state, and 6.12's */
	uint64_t root, sub[SUBS], info, text;	/* physical */
	uint64_t arena;
};

static struct rig *r;
static struct fault why;
static struct schedulers found;
static struct problems problems;

/* VMCOREINFO of these machines says nothing of one */
#define NO_LOG "  the log cannot be read\n\n"

enum { VAR_ALL = 0, VAR_STATE = 0x40, VAR_KIND = 0x44, VAR_INFO = 0x48, VAR_OPS = 0x100 };

static uint64_t virt(uint64_t phys)
{
	return phys + r->m.direct;
}

static void put64(uint64_t at, const char *type, const char *member, uint64_t value)
{
	physmem_u64(&r->m.pm, at + machine_offset(&r->m, type, member), value);
}

static void put_text(uint64_t at, const char *text)
{
	physmem_write(&r->m.pm, at, text, strlen(text) + 1);
}

static void name(uint64_t sched, const char *text)
{
	put_text(sched + machine_offset(&r->m, "scx_sched", "ops") +
		 machine_offset(&r->m, "sched_ext_ops", "name"), text);
}

static void state(uint32_t value)
{
	physmem_u32(&r->m.pm, r->vars + VAR_STATE, value);
}

static void symbol_at(enum symbol_id id, uint64_t phys)
{
	r->k->symbol[id].count = 1;
	r->k->symbol[id].addr = virt(phys);
}

/* scx_sched_all: the root and @n others. */
static void link_all(unsigned n)
{
	uint64_t all = machine_offset(&r->m, "scx_sched", "all"), at = r->vars + VAR_ALL;

	physmem_u64(&r->m.pm, at, virt(r->root + all));
	at = r->root + all;
	for (unsigned i = 0; i < n; i++) {
		physmem_u64(&r->m.pm, at, virt(r->sub[i] + all));
		at = r->sub[i] + all;
	}
	physmem_u64(&r->m.pm, at, virt(r->vars + VAR_ALL));
}

static void setup(void)
{
	static const struct arena_spec spec = { .id = 7, .name = "one", .max_entries = 4 };

	r = synth_alloc(sizeof(*r));
	memset(r, 0, sizeof(*r));
	memset(&problems, 0, sizeof(problems));
	memset(&found, 0, sizeof(found));
	machine_init(&r->m, machine_config("x86_64-7.3"));
	r->arena = machine_add_arena(&r->m, &spec)->map;
	r->root = machine_set_scheduler(&r->m, r->arena);
	r->vars = physmem_alloc(&r->m.pm, 4096);
	r->info = physmem_alloc(&r->m.pm, 4096);
	r->text = physmem_alloc(&r->m.pm, 2 * 4096);
	for (unsigned i = 0; i < SUBS; i++)
		r->sub[i] = physmem_alloc(&r->m.pm, 4096);
	machine_finish(&r->m);
	r->mem = machine_memory(&r->m);
	r->k = kernel_open(&r->mem, &why);
	ck_assert_msg(r->k, "%s", why.text);
	symbol_at(SYMBOL_scx_sched_all, r->vars + VAR_ALL);
	symbol_at(SYMBOL_scx_enable_state_var, r->vars + VAR_STATE);
	name(r->root, "qmap");
	state(1);
	link_all(0);
}

static void teardown(void)
{
	ck_assert_uint_eq(r->m.pm.crossings, 0);
	schedulers_free(&found);
	problems_free(&problems);
	kernel_close(r->k);
	machine_free(&r->m);
	free(r);
}

/* The scheduler ends by scx_bpf_error(). */
static void end_with(const char *reason, const char *message)
{
	physmem_u32(&r->m.pm, r->root + machine_offset(&r->m, "scx_sched", "exit_kind"), 1025);
	put64(r->root, "scx_sched", "exit_info", virt(r->info));
	put64(r->info, "scx_exit_info", "exit_code", (uint64_t)-22);
	put64(r->info, "scx_exit_info", "reason", reason ? virt(r->text) : 0);
	put64(r->info, "scx_exit_info", "msg", virt(r->text + 4096 - 5));
	put_text(r->text, reason ? reason : "");
	put_text(r->text + 4096 - 5, message);
}

static const struct scheduler *find(size_t n)
{
	schedulers_free(&found);
	problems_free(&problems);
	ck_ok(scheduler_find(r->k, &found, &problems, &why), why);
	ck_assert(found.exists);
	ck_assert_uint_eq(found.n, n);
	return found.scheduler;
}

static void ck_no_problem(void)
{
	ck_assert_msg(!problems.n, "%s", problems.n ? problems.problem[0].why.text : "");
	ck_assert(!found.lost);
}

static void ck_problem(enum state kind, const char *text)
{
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, kind, text);
	ck_assert(!strncmp(problems.problem[0].why.text, "sched_ext: ", 11));
}

static bool take(void *ctx, const char *text, size_t n)
{
	bytes_put(ctx, text, n);
	return true;
}

/* What is printed, by @print. */
static void ck_printed(bool (*print)(struct sink *, const struct kernel *,
				     const struct schedulers *), const char *want)
{
	struct sink *out = synth_alloc(sizeof(*out));
	struct bytes text = { 0 };

	sink_init(out, take, &text);
	print(out, r->k, &found);
	sink_flush(out);
	bytes_put(&text, "", 1);
	ck_assert_str_eq((const char *)text.data, want);
	bytes_free(&text);
	free(out);
}

START_TEST(scheduler__runs)
{
	const struct scheduler *s = find(1);

	ck_no_problem();
	ck_assert(found.has_state && !strcmp(scheduler_state_name(found.state), "enabled"));
	ck_u64_eq(s->sched, virt(r->root));
	ck_assert(s->root && !s->unknown && !s->exit_kind && !s->reason && !s->message);
	ck_assert_str_eq(s->name, "qmap");
	ck_u64_eq(s->map, r->arena);
	ck_assert(s->has_id && s->id == 7);
	ck_printed(scheduler_table, "sched_ext: enabled\n  scheduler qmap, arena 7\n" NO_LOG);
}
END_TEST

START_TEST(scheduler__is_ending)
{
	const struct scheduler *s;

	state(2);
	end_with("runtime error", "task 7 is\nlost");
	s = find(1);
	ck_no_problem();
	ck_assert_uint_eq(s->exit_kind, 1025);
	ck_assert_int_eq(s->exit_code, -22);
	ck_assert_str_eq(s->reason, "runtime error");
	/* over the border of two pages */
	ck_assert_str_eq(s->message, "task 7 is\nlost");
	ck_printed(scheduler_table, "sched_ext: disabling\n  scheduler qmap, arena 7\n"
		   "    exit: SCX_EXIT_ERROR_BPF (1025), code 0xffffffffffffffea\n"
		   "    reason: runtime error\n    message: task 7 is\\x0alost\n" NO_LOG);
}
END_TEST

/* The scheduler is taken down, so that scx_sched.exit_kind is SCX_EXIT_DONE. */
START_TEST(scheduler__is_taken_down)
{
	end_with("runtime error", "m");
	physmem_u32(&r->m.pm, r->root + machine_offset(&r->m, "scx_sched", "exit_kind"), 1);
	physmem_u32(&r->m.pm, r->info + machine_offset(&r->m, "scx_exit_info", "kind"), 1025);
	ck_assert_uint_eq(find(1)->exit_kind, 1025);
	ck_no_problem();
}
END_TEST

/* The kind is set at once, the reason later. */
START_TEST(scheduler__begins_to_end)
{
	const struct scheduler *s;

	end_with(NULL, "");
	s = find(1);
	ck_no_problem();
	ck_assert(!s->unknown && !s->reason && !s->message);
}
END_TEST

START_TEST(scheduler__message_that_does_not_end)
{
	char long_text[2001];

	memset(long_text, 'x', 2000);
	long_text[2000] = '\0';
	end_with("r", long_text);
	ck_assert_uint_eq(strlen(find(1)->message), 1024);
	ck_no_problem();
}
END_TEST

START_TEST(scheduler__there_is_none)
{
	physmem_u64(&r->m.pm, machine_phys(&r->m, r->m.scx_root), 0);
	physmem_u64(&r->m.pm, r->vars + VAR_ALL, virt(r->vars + VAR_ALL));
	state(3);
	find(0);
	ck_no_problem();
	ck_printed(scheduler_table, "sched_ext: disabled, no scheduler\n" NO_LOG);
	ck_printed(scheduler_json, ",\"scheduler\":{\"state\":3,\"state_name\":\"disabled\","
		   "\"schedulers\":[],\"schedulers_complete\":true,\"log\":null,\"log_lost\":null}");
}
END_TEST

START_TEST(scheduler__kernel_without_sched_ext)
{
	r->k->symbol[SYMBOL_scx_root].count = 0;
	r->k->symbol[SYMBOL_scx_sched_all].count = 0;
	r->k->symbol[SYMBOL_scx_enable_state_var].count = 0;
	ck_ok(scheduler_find(r->k, &found, &problems, &why), why);
	ck_assert(!found.exists && !found.n);
	ck_no_problem();
	ck_printed(scheduler_table, "");
	ck_printed(scheduler_json, ",\"scheduler\":null");
}
END_TEST

START_TEST(scheduler__sub_schedulers)
{
	const struct scheduler *s;

	name(r->sub[0], "first");
	name(r->sub[2], "third");
	link_all(SUBS);
	s = find(1 + SUBS);
	ck_no_problem();
	ck_assert(s[0].root && !s[1].root && !s[3].root);
	ck_assert_str_eq(s[1].name, "first");
	ck_assert_str_eq(s[3].name, "third");
	ck_assert(!s[3].map && !s[3].has_id);
}
END_TEST

START_TEST(scheduler__list_that_does_not_end)
{
	uint64_t all = machine_offset(&r->m, "scx_sched", "all");

	link_all(SUBS);
	physmem_u64(&r->m.pm, r->sub[2] + all, virt(r->sub[0] + all));
	find(1 + SUBS);
	ck_assert(found.lost);
	ck_problem(STATE_DAMAGED, "scx_sched_all: its list does not end");
}
END_TEST

START_TEST(scheduler__list_is_cut)
{
	uint64_t all = machine_offset(&r->m, "scx_sched", "all");

	link_all(1);
	physmem_u64(&r->m.pm, r->sub[0] + all, 0x1234);
	find(2);
	ck_assert(found.lost);
	ck_problem(STATE_DAMAGED, "0x1234 is no pointer");
}
END_TEST

START_TEST(scheduler__state_is_lost)
{
	physmem_set_state(&r->m.pm, r->vars, STATE_EXCLUDED);
	find(1);
	ck_assert(!found.has_state && found.lost);
	ck_assert_uint_eq(problems.n, 2);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "scx_enable_state_var: ");
	ck_fault(problems.problem[1].why, STATE_EXCLUDED, "scx_sched_all: ");
}
END_TEST

/* The names are in kallsyms, the memory of their addresses is not in the dump. */
START_TEST(scheduler__symbols_are_lost)
{
	r->k->symbol[SYMBOL_scx_root].count = r->k->symbol[SYMBOL_scx_enable_state_var].count = 0;
	r->k->symbol[SYMBOL_scx_root].lost = r->k->symbol[SYMBOL_scx_enable_state_var].lost = true;
	find(0);
	ck_assert(found.lost && !found.has_state);
	ck_assert_uint_eq(problems.n, 2);
	ck_fault(problems.problem[0].why, FAULT_UNKNOWN_TYPE, "symbol scx_enable_state_var, but");
	ck_fault(problems.problem[1].why, FAULT_UNKNOWN_TYPE, "symbol scx_root, but");
}
END_TEST

START_TEST(scheduler__struct_is_lost)
{
	const struct scheduler *s;

	physmem_set_state(&r->m.pm, r->root, STATE_EXCLUDED);
	s = find(1);
	ck_assert_uint_eq(s->unknown, SCHEDULER_NAME | SCHEDULER_KIND | SCHEDULER_EXIT |
			  SCHEDULER_ARENA);
	ck_assert(problems.n);
	ck_printed(scheduler_table, "sched_ext: enabled\n  scheduler ?, arena ?\n"
		   "    whether it is ending is not known\n" NO_LOG);
}
END_TEST

START_TEST(scheduler__exit_info_is_lost)
{
	const struct scheduler *s;

	end_with("r", "m");
	physmem_set_state(&r->m.pm, r->info, STATE_EXCLUDED);
	s = find(1);
	ck_assert_uint_eq(s->unknown, SCHEDULER_EXIT);
	ck_problem(STATE_EXCLUDED, "why the scheduler ended: ");
	put64(r->root, "scx_sched", "exit_info", 0x77);
	find(1);
	ck_problem(STATE_DAMAGED, "its exit_info 0x77 is no pointer");
}
END_TEST

/* 6.12 has a struct sched_ext_ops and what belongs to it in variables. */
static void as_6_12(void)
{
	r->k->symbol[SYMBOL_scx_root].count = 0;
	r->k->symbol[SYMBOL_scx_sched_all].count = 0;
	r->k->symbol[SYMBOL_scx_enable_state_var].count = 0;
	symbol_at(SYMBOL_scx_ops_enable_state_var, r->vars + VAR_STATE);
	symbol_at(SYMBOL_scx_ops, r->vars + VAR_OPS);
	symbol_at(SYMBOL_scx_exit_kind, r->vars + VAR_KIND);
	symbol_at(SYMBOL_scx_exit_info, r->vars + VAR_INFO);
	put_text(r->vars + VAR_OPS + machine_offset(&r->m, "sched_ext_ops", "name"), "lavd");
}

START_TEST(scheduler__of_variables)
{
	const struct scheduler *s;

	as_6_12();
	s = find(1);
	ck_no_problem();
	ck_assert(s->root && !s->sched && !s->unknown && !s->map);
	ck_assert_str_eq(s->name, "lavd");
	end_with("watchdog", "stalled");
	physmem_u32(&r->m.pm, r->vars + VAR_KIND, 1026);
	physmem_u64(&r->m.pm, r->vars + VAR_INFO, virt(r->info));
	s = find(1);
	ck_no_problem();
	ck_assert_str_eq(s->message, "stalled");
	/* no such enumerator in this BTF */
	ck_printed(scheduler_table, "sched_ext: enabled\n  scheduler lavd\n"
		   "    exit: kind 1026, code 0xffffffffffffffea\n    reason: watchdog\n"
		   "    message: stalled\n" NO_LOG);
}
END_TEST

START_TEST(scheduler__of_variables_is_gone)
{
	as_6_12();
	state(3);
	/* SCX_EXIT_DONE stays behind */
	physmem_u32(&r->m.pm, r->vars + VAR_KIND, 1);
	find(0);
	ck_no_problem();
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, scheduler__runs);
	tcase_add_test(tests, scheduler__is_ending);
	tcase_add_test(tests, scheduler__is_taken_down);
	tcase_add_test(tests, scheduler__begins_to_end);
	tcase_add_test(tests, scheduler__message_that_does_not_end);
	tcase_add_test(tests, scheduler__there_is_none);
	tcase_add_test(tests, scheduler__kernel_without_sched_ext);
	tcase_add_test(tests, scheduler__sub_schedulers);
	tcase_add_test(tests, scheduler__list_that_does_not_end);
	tcase_add_test(tests, scheduler__list_is_cut);
	tcase_add_test(tests, scheduler__state_is_lost);
	tcase_add_test(tests, scheduler__symbols_are_lost);
	tcase_add_test(tests, scheduler__struct_is_lost);
	tcase_add_test(tests, scheduler__exit_info_is_lost);
	tcase_add_test(tests, scheduler__of_variables);
	tcase_add_test(tests, scheduler__of_variables_is_gone);
}

int main(void)
{
	return run_suite("scheduler", add);
}
