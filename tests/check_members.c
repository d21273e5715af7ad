// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/members.c: the one table of members against BTF with and without each of them.
 */
#include "suite.h"

#include "../core/members.h"
#include "../fixtures/synth/machine.h"

/* Only the knobs and the layout of this are used: no memory. */
static struct machine m;
static struct btf_writer w;
static struct bytes blob;
static struct members members;
static bool has_arenas;
static struct fault why;

static void setup(void)
{
	memset(&m, 0, sizeof(m));
	m.c = *machine_config("x86_64-7.3");
	has_arenas = false;
}

static void teardown(void)
{
	btf_writer_free(&w);
	bytes_free(&blob);
}

static bool look(void)
{
	machine_write_btf(&m, &w);
	btf_finish(&w, &blob);
	return members_from_btf(&members, blob.data, blob.n, &has_arenas, &why);
}

START_TEST(members__are_found_in_each_layout)
{
	m.c.layout = _i ? LAYOUT_7_3 : LAYOUT_6_12;
	ck_ok(look(), why);
	ck_assert(has_arenas);
	for (int i = 0; i < MEMBERS_END; i++) {
		const struct member_info *info = &member_info[i];

		if (info->need == NEW && !machine_has(&m, info->type, info->name)) {
			ck_assert(!members.known[i]);
			continue;
		}
		ck_assert_msg(members.known[i], "%s.%s", info->type, info->name);
		ck_assert_uint_eq(members.offset[i],
				  machine_offset(&m, info->type, info->name));
	}
	ck_assert_uint_eq(members.offset[MEMBER_bpf_map_ops], _i ? 32 : 0);
	ck_assert_uint_eq(members.size[MEMBER_xa_node_slots], 512);
	ck_assert_int_eq(members.known[MEMBER_bpf_arena_scratch_page], _i);
}
END_TEST

START_TEST(members__each_required_one_is_missed_by_name)
{
	const struct member_info *info = &member_info[_i];

	if (!strcmp(info->name, "sizeof"))
		return;		/* every struct has a size */
	m.without_type = info->type;
	m.without_member = info->name;
	if (info->need != REQUIRED) {
		ck_ok(look(), why);
		ck_assert(!members.known[_i]);
		return;
	}
	ck_assert(!look());
	ck_fault(why, FAULT_UNKNOWN_TYPE, info->name);
	ck_assert_ptr_nonnull(strstr(why.text, info->type));
}
END_TEST

/* What can be done without is done without. */
START_TEST(members__each_of_another_size_is_refused_by_name)
{
	const struct member_info *info = &member_info[_i];

	if (!info->size)
		return;
	m.other_size_type = info->type;
	m.other_size_member = info->name;
	if (info->need != REQUIRED) {
		ck_ok(look(), why);
		ck_assert(!members.known[_i]);
		return;
	}
	ck_assert(!look());
	ck_fault(why, FAULT_UNKNOWN_TYPE, info->name);
	ck_assert_ptr_nonnull(strstr(why.text, info->type));
}
END_TEST

START_TEST(members__kernel_without_arenas_needs_none)
{
	m.no_btf_arena = true;
	m.without_type = "vm_struct";
	m.without_member = "addr";
	has_arenas = true;
	ck_ok(look(), why);
	ck_assert(!has_arenas);
}
END_TEST

START_TEST(members__arena_that_does_not_begin_with_its_map_is_refused)
{
	uint32_t u64 = btf_int(&w, "u64", 8), map;
	struct btf_field field[6] = { { 0 } };

	/* the definition that has most of the members comes first, and is used */
	field[0] = (struct btf_field){ .name = "ops", .type = u64 };
	map = btf_struct(&w, BTF_STRUCT, "bpf_map_like", 8, field, 1);
	field[0] = (struct btf_field){ .name = "map", .type = map, .offset = 8 };
	field[1] = (struct btf_field){ .name = "user_vm_start", .type = u64, .offset = 300 };
	field[2] = (struct btf_field){ .name = "user_vm_end", .type = u64, .offset = 308 };
	field[3] = (struct btf_field){ .name = "kern_vm", .type = u64, .offset = 316 };
	field[4] = (struct btf_field){ .name = "mt", .type = u64, .offset = 324 };
	field[5] = (struct btf_field){ .name = "lock", .type = u64, .offset = 332 };
	btf_struct(&w, BTF_STRUCT, "bpf_arena", 400, field, 6);
	m.c.layout = LAYOUT_6_12;	/* no scratch_page: as many members */
	ck_assert(!look());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "begin with its map");
}
END_TEST

START_TEST(members__damaged_btf_is_refused)
{
	machine_write_btf(&m, &w);
	btf_finish(&w, &blob);
	ck_assert(!members_from_btf(&members, blob.data, blob.n - 1, &has_arenas, &why));
	ck_assert_int_eq(why.kind, STATE_DAMAGED);
}
END_TEST

/* Each line has what is lost without it, or is required; names are unique. */
START_TEST(members__table_is_whole)
{
	for (int i = 0; i < MEMBERS_END; i++) {
		ck_assert_int_eq(member_info[i].need == REQUIRED, !*member_info[i].loss);
		for (int j = 0; j < i; j++)
			ck_assert(strcmp(member_info[i].type, member_info[j].type) ||
				  strcmp(member_info[i].name, member_info[j].name));
	}
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, members__are_found_in_each_layout, 0, 2);
	tcase_add_loop_test(tests, members__each_required_one_is_missed_by_name, 0, MEMBERS_END);
	tcase_add_loop_test(tests, members__each_of_another_size_is_refused_by_name, 0,
			    MEMBERS_END);
	tcase_add_test(tests, members__kernel_without_arenas_needs_none);
	tcase_add_test(tests, members__arena_that_does_not_begin_with_its_map_is_refused);
	tcase_add_test(tests, members__damaged_btf_is_refused);
	tcase_add_test(tests, members__table_is_whole);
}

int main(void)
{
	return run_suite("members", add);
}
