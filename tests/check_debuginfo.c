// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/debuginfo.c, and kernels that are opened with it: synthetic machines that lost kallsyms
 * or BTF beside debug symbols that know their truth, or lie.
 */
#include "suite.h"

#include "../core/kernel.h"
#include "../core/report.h"
#include "../fixtures/synth/examples.h"
#include "../fixtures/synth/machine.h"
#include "../fixtures/synth/structs.h"

/* Debug symbols of the machine, linked elsewhere; the knobs are their lies and gaps. */
struct fake {
	const struct machine *m;
	const void *btf;
	size_t btf_size;
	bool no_symbols, no_members, no_arena;
	const char *without_symbol, *other_size;	/* of a member: 2 bytes */
	uint64_t move_uts;
	unsigned asked_symbols, asked_btf, asked_members;
};

static const uint64_t linked_at = UINT64_C(0xffffffff81000000);

static struct machine m;
static struct memory mem;
static struct kernel *k;
static struct fault why;
static struct fake fake;
static struct debuginfo info;

static bool fake_symbols(void *source, struct symbol *want, size_t n, struct fault *w)
{
	struct fake *f = source;
	const struct { const char *name; uint64_t addr; } all[] = {
		{ "_stext", f->m->stext }, { "init_uts_ns", f->m->uts_ns + f->move_uts },
		{ "map_idr", f->m->map_idr }, { "arena_map_ops", f->m->arena_map_ops },
		{ "__start_BTF", f->m->btf }, { "__stop_BTF", f->m->btf_end },
	};

	f->asked_symbols++;
	if (f->no_symbols)
		return fault_set(w, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "no symbols");
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < sizeof(all) / sizeof(all[0]); j++) {
			if (strcmp(want[i].name, all[j].name) ||
			    (f->without_symbol && !strcmp(f->without_symbol, all[j].name)))
				continue;
			want[i].addr = all[j].addr - f->m->image + linked_at;
			want[i].count++;
		}
	return true;
}

static bool fake_btf(void *source, const void **data, size_t *size, struct fault *w)
{
	struct fake *f = source;

	f->asked_btf++;
	if (!f->btf)
		return fault_set(w, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "no BTF");
	*data = f->btf;
	*size = f->btf_size;
	return true;
}

static bool fake_members(void *source, struct btf_member *want, size_t n, bool *type_found,
			 struct fault *w)
{
	struct fake *f = source;

	f->asked_members++;
	if (f->no_members)
		return fault_set(w, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "no DWARF");
	for (size_t i = 0; i < n; i++) {
		type_found[i] = !f->no_arena || strcmp(want[i].type, "bpf_arena");
		want[i].found = false;
		for (unsigned j = 0; type_found[i] && j < struct_members_n; j++) {
			const struct struct_member *sm = &struct_members[j];

			if (strcmp(sm->type, want[i].type) || strcmp(sm->member, want[i].member) ||
			    sm->offset[f->m->c.layout] == NOT_THERE)
				continue;
			want[i].found = true;
			want[i].offset = sm->offset[f->m->c.layout];
			want[i].size = f->other_size && !strcmp(f->other_size, sm->member) ?
				       2 : sm->size;
		}
	}
	return true;
}

static const struct debuginfo_ops fake_ops = { fake_symbols, fake_btf, fake_members };

static void setup(void)
{
	memset(&m, 0, sizeof(m));
	k = NULL;
	fake = (struct fake){ .m = &m };
	info = (struct debuginfo){
		&fake_ops, &fake, "vmlinux /fake", "0123456789abcdef0123456789abcdef01234567" };
}

static void teardown(void)
{
	ck_assert_uint_eq(m.pm.crossings, 0);
	kernel_close(k);
	if (m.pm.page_size)
		machine_free(&m);
}

static void make(const char *name)
{
	machine_init(&m, machine_config(name));
	example_populate(&m);
}

static bool open_with(const struct debuginfo *d)
{
	kernel_close(k);
	mem = machine_memory(&m);
	k = kernel_open_with(&mem, d, &why);
	return k;
}

static void exclude(uint64_t from, uint64_t to)
{
	for (uint64_t at = from & ~(m.pm.page_size - 1); at < to; at += m.pm.page_size)
		physmem_set_state(&m.pm, machine_phys(&m, at), STATE_EXCLUDED);
}

static void lose_btf(void)
{
	exclude(m.btf, m.btf_end);
}

/* kallsyms follows BTF on a page of its own, up to the end of the image. */
static void lose_kallsyms(void)
{
	exclude((m.btf_end + m.pm.page_size - 1) & ~(m.pm.page_size - 1), m.kallsyms.end);
}

/* A kernel without KALLSYMS_ALL: no data symbols, so too few to prove the rest. */
static void machine_without_data_symbols(const char *name)
{
	make(name);
	m.no_ops_symbol = m.no_btf_symbols = m.no_map_idr = true;
	machine_finish(&m);
}

static bool keep_text(void *ctx, const char *text, size_t n)
{
	bytes_put(ctx, text, n);
	return true;
}

/* All that is said of the arenas, with their pages. */
static void answer(struct bytes *text)
{
	const struct report_options options = { .n_select = 0 };
	struct report_result result;
	struct json_renderer json;
	struct renderer *list[] = { &json.renderer };
	struct sink out;

	sink_init(&out, keep_text, text);
	json_renderer_init(&json, &out, "test", "dump");
	json.ask.view = VIEW_PAGES;
	ck_ok(report_run(k, &options, list, 1, &result, &why), why);
	ck_assert_int_eq(result.status, REPORT_COMPLETE);
	report_free(&result);
	bytes_u8(text, 0);
}

static void ck_same_answer(const struct bytes *whole)
{
	struct bytes text = { 0 };

	answer(&text);
	ck_assert_str_eq((char *)text.data, (char *)whole->data);
	bytes_free(&text);
}

/* The whole dump's answer; then it is opened after a loss with debug symbols. */
static void ck_loss(int which, void (*lose)(void))
{
	struct bytes whole = { 0 };

	make(machine_configs[which].name);
	machine_finish(&m);
	ck_ok(open_with(NULL), why);
	answer(&whole);
	lose();
	ck_assert(!open_with(NULL));
	ck_assert_int_eq(why.kind, STATE_EXCLUDED);
	ck_assert_int_eq(why.cure, CURE_DEBUGINFO);
	ck_ok(open_with(&info), why);
	ck_same_answer(&whole);
	bytes_free(&whole);
}

START_TEST(debuginfo__whole_dump_does_not_ask_it)
{
	make("x86_64-7.3");
	machine_finish(&m);
	ck_ok(open_with(&info), why);
	ck_assert(k->has_kallsyms);
	ck_assert_int_eq(k->types, TYPES_BTF);
	ck_assert_uint_eq(fake.asked_symbols + fake.asked_btf + fake.asked_members, 0);
}
END_TEST

START_TEST(debuginfo__lost_kallsyms_give_the_same_answer)
{
	ck_loss(_i, lose_kallsyms);
	ck_assert(!k->has_kallsyms);
	ck_assert_int_eq(k->types, TYPES_BTF);
	ck_u64_eq(k->symbol[SYMBOL_map_idr].addr, m.map_idr);
	ck_assert_str_eq(k->debuginfo, "vmlinux /fake");
	ck_fault(k->no_kallsyms, STATE_EXCLUDED, "kallsyms");
	ck_assert_uint_eq(fake.asked_members, 0);
}
END_TEST

START_TEST(debuginfo__lost_btf_gives_the_same_answer_by_members)
{
	ck_loss(_i, lose_btf);
	ck_assert(k->has_kallsyms);
	ck_assert_int_eq(k->types, TYPES_DEBUGINFO);
	ck_u64_eq(k->btf_size, 0);
	ck_fault(k->no_btf, STATE_EXCLUDED, "BTF");
	ck_assert_uint_eq(fake.asked_symbols, 0);
}
END_TEST

START_TEST(debuginfo__lost_btf_is_taken_from_its_btf)
{
	struct bytes whole = { 0 };

	make(machine_configs[_i].name);
	machine_finish(&m);
	ck_ok(open_with(NULL), why);
	answer(&whole);
	lose_btf();
	fake.btf = m.btf_blob.data;
	fake.btf_size = m.btf_blob.n;
	ck_ok(open_with(&info), why);
	ck_assert_int_eq(k->types, TYPES_DEBUGINFO_BTF);
	ck_u64_eq(k->btf_size, m.btf_blob.n);
	ck_assert_uint_eq(fake.asked_members, 0);
	ck_same_answer(&whole);
	bytes_free(&whole);
}
END_TEST

START_TEST(debuginfo__damaged_btf_of_its_own_is_not_the_end)
{
	make("x86_64");
	machine_finish(&m);
	lose_btf();
	fake.btf = "no BTF at all";
	fake.btf_size = 13;
	ck_ok(open_with(&info), why);
	ck_assert_int_eq(k->types, TYPES_DEBUGINFO);
	ck_u64_eq(k->btf_size, 0);
}
END_TEST

static void lose_both(void)
{
	lose_btf();
	lose_kallsyms();
}

START_TEST(debuginfo__both_lost_give_the_same_answer)
{
	ck_loss(_i, lose_both);
	ck_assert(!k->has_kallsyms);
	ck_assert_int_eq(k->types, TYPES_DEBUGINFO);
}
END_TEST

START_TEST(debuginfo__kernel_without_data_symbols_is_opened)
{
	machine_without_data_symbols(_i ? "aarch64-16k" : "x86_64");
	ck_assert(!open_with(NULL));
	ck_assert_int_eq(why.cure, CURE_DEBUGINFO);
	ck_ok(open_with(&info), why);
	ck_assert(k->symbol_elsewhere[SYMBOL_map_idr]);
	ck_u64_eq(k->symbol[SYMBOL_map_idr].addr, m.map_idr);
	ck_u64_eq(k->symbol[SYMBOL_arena_map_ops].addr, m.arena_map_ops);
	ck_assert_int_eq(k->types, TYPES_BTF);
	ck_assert(k->has_arenas);
}
END_TEST

/* Really without: functions alone, so that BTF has no symbol either. */
START_TEST(debuginfo__kernel_with_functions_alone_answers_as_the_whole)
{
	const char *name = machine_configs[_i].name;
	struct bytes all = { 0 };

	make(name);
	machine_finish(&m);
	ck_ok(open_with(NULL), why);
	answer(&all);
	/* the same maps at the same places; only kallsyms differs */
	m.functions_only = true;
	machine_finish(&m);
	ck_ok(open_with(&info), why);
	ck_assert(k->functions_only && k->symbol_elsewhere[SYMBOL_map_idr]);
	ck_same_answer(&all);
	bytes_free(&all);
}
END_TEST

START_TEST(debuginfo__lacking_symbols_that_it_cannot_give_are_said)
{
	machine_without_data_symbols("x86_64");
	fake.no_symbols = true;
	ck_assert(!open_with(&info));
	ck_fault(why, FAULT_UNKNOWN_TYPE, "vmlinux /fake: no symbols");
	ck_assert_int_eq(why.cure, CURE_NONE);
}
END_TEST

START_TEST(debuginfo__another_build_is_refused_unasked)
{
	make("x86_64");
	machine_finish(&m);
	if (_i)
		lose_both();
	info.build_id = "1123456789abcdef0123456789abcdef01234567";
	ck_assert(!open_with(&info));
	ck_fault(why, FAULT_UNSUPPORTED, "another build");
	ck_fault(why, FAULT_UNSUPPORTED, info.build_id);
	ck_fault(why, FAULT_UNSUPPORTED, "0123456789abcdef0123456789abcdef01234567");
	ck_assert_uint_eq(fake.asked_symbols + fake.asked_btf + fake.asked_members, 0);
}
END_TEST

START_TEST(debuginfo__part_of_a_build_id_is_another)
{
	make("x86_64");
	machine_finish(&m);
	info.build_id = _i ? "" : "0123456789abcdef";
	ck_assert(!open_with(&info));
	ck_fault(why, FAULT_UNSUPPORTED, "another build");
}
END_TEST

START_TEST(debuginfo__dump_without_build_id_offers_no_cure)
{
	make("x86_64");
	m.without_line = "BUILD-ID";
	machine_finish(&m);
	lose_btf();
	ck_assert(!open_with(NULL));
	ck_assert_int_eq(why.cure, CURE_NONE);
	ck_assert(!open_with(&info));
	ck_fault(why, FAULT_UNSUPPORTED, "no BUILD-ID");
}
END_TEST

START_TEST(debuginfo__member_of_another_size_is_refused)
{
	make("x86_64-7.3");
	machine_finish(&m);
	lose_btf();
	fake.other_size = "user_vm_start";
	ck_assert(!open_with(&info));
	ck_fault(why, STATE_EXCLUDED, "vmlinux /fake: the kernel's debug information: member "
		 "user_vm_start of struct bpf_arena has 2 bytes");
}
END_TEST

START_TEST(debuginfo__symbols_that_moved_apart_are_refused)
{
	make("x86_64");
	machine_finish(&m);
	lose_kallsyms();
	fake.move_uts = 0x1000;
	ck_assert(!open_with(&info));
	ck_fault(why, STATE_EXCLUDED, "not as far from each other");
}
END_TEST

START_TEST(debuginfo__missing_symbol_is_named)
{
	static const struct { const char *without, *said; } lost[] = {
		{ "_stext", "_stext" }, { "init_uts_ns", "init_uts_ns" },
		{ "map_idr", "0 symbols map_idr" }, { "arena_map_ops", "no arena_map_ops" },
	};

	make("x86_64");
	machine_finish(&m);
	lose_kallsyms();
	fake.without_symbol = lost[_i].without;
	ck_assert(!open_with(&info));
	ck_assert_msg(strstr(why.text, lost[_i].said), "%s", why.text);
	ck_assert_msg(strstr(why.text, "vmlinux /fake"), "%s", why.text);
}
END_TEST

START_TEST(debuginfo__nothing_in_it_is_said_with_the_cause)
{
	make("x86_64");
	machine_finish(&m);
	lose_btf();
	fake.no_members = true;
	ck_assert(!open_with(&info));
	ck_fault(why, STATE_EXCLUDED, "excluded");
	ck_fault(why, STATE_EXCLUDED, "; and vmlinux /fake: no DWARF");
}
END_TEST

/* Types say arenas, symbols are from elsewhere, and the other way round. */
START_TEST(debuginfo__mixed_sources_that_contradict_are_refused)
{
	make("x86_64");
	machine_finish(&m);
	if (_i) {
		lose_btf();
		fake.no_arena = true;
	} else {
		lose_kallsyms();
		fake.without_symbol = "arena_map_ops";
	}
	ck_assert(!open_with(&info));
	ck_fault(why, FAULT_UNKNOWN_TYPE, _i ? "kallsyms has arena_map_ops, but vmlinux /fake has no "
		 "struct bpf_arena" : "BTF has a struct bpf_arena, but vmlinux /fake has no "
		 "arena_map_ops");
}
END_TEST

START_TEST(debuginfo__kernel_without_arenas_stays_one)
{
	machine_init(&m, machine_config("x86_64"));
	m.no_btf_arena = m.no_ops_symbol = true;
	machine_finish(&m);
	fake.without_symbol = "arena_map_ops";
	fake.no_arena = true;
	if (_i & 1)
		lose_btf();
	if (_i & 2)
		lose_kallsyms();
	/* a stripped vmlinux is no harm where kallsyms has all that there is */
	if (!_i)
		fake.no_symbols = true;
	ck_ok(open_with(&info), why);
	ck_assert(!k->has_arenas);
}
END_TEST

START_TEST(debuginfo__no_cure_for_what_it_cannot_help)
{
	make("x86_64");
	m.two_map_idr = _i;
	m.moved_image = !_i;
	machine_finish(&m);
	ck_assert(!open_with(NULL));
	ck_assert_int_ne(why.cure, CURE_DEBUGINFO);
}
END_TEST

static void add(TCase *tests)
{
	int n = (int)machine_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, debuginfo__whole_dump_does_not_ask_it);
	tcase_add_loop_test(tests, debuginfo__lost_kallsyms_give_the_same_answer, 0, n);
	tcase_add_loop_test(tests, debuginfo__lost_btf_gives_the_same_answer_by_members, 0, n);
	tcase_add_loop_test(tests, debuginfo__lost_btf_is_taken_from_its_btf, 0, n);
	tcase_add_test(tests, debuginfo__damaged_btf_of_its_own_is_not_the_end);
	tcase_add_loop_test(tests, debuginfo__both_lost_give_the_same_answer, 0, n);
	tcase_add_loop_test(tests, debuginfo__kernel_without_data_symbols_is_opened, 0, 2);
	tcase_add_loop_test(tests, debuginfo__kernel_with_functions_alone_answers_as_the_whole, 0,
			    (int)machine_configs_n);
	tcase_add_test(tests, debuginfo__lacking_symbols_that_it_cannot_give_are_said);
	tcase_add_loop_test(tests, debuginfo__another_build_is_refused_unasked, 0, 2);
	tcase_add_loop_test(tests, debuginfo__part_of_a_build_id_is_another, 0, 2);
	tcase_add_test(tests, debuginfo__dump_without_build_id_offers_no_cure);
	tcase_add_test(tests, debuginfo__member_of_another_size_is_refused);
	tcase_add_test(tests, debuginfo__symbols_that_moved_apart_are_refused);
	tcase_add_loop_test(tests, debuginfo__missing_symbol_is_named, 0, 4);
	tcase_add_test(tests, debuginfo__nothing_in_it_is_said_with_the_cause);
	tcase_add_loop_test(tests, debuginfo__mixed_sources_that_contradict_are_refused, 0, 2);
	tcase_add_loop_test(tests, debuginfo__kernel_without_arenas_stays_one, 0, 4);
	tcase_add_loop_test(tests, debuginfo__no_cure_for_what_it_cannot_help, 0, 2);
}

int main(void)
{
	return run_suite("debuginfo", add);
}
