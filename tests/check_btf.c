// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/btf.c against BTF that fixtures/synth/btf_writer.c builds from the format's description.
 */
#include "suite.h"

#include "../core/btf.h"
#include "../fixtures/synth/btf_writer.h"

static struct btf_writer w;
static struct bytes blob;
static struct fault why;
static uint32_t u8, u32, u64, ptr;

static void setup(void)
{
	u8 = btf_int(&w, "unsigned char", 1);
	u32 = btf_int(&w, "unsigned int", 4);
	u64 = btf_int(&w, "unsigned long", 8);
	ptr = btf_refer(&w, BTF_PTR, NULL, 0);
}

static void teardown(void)
{
	btf_writer_free(&w);
	bytes_free(&blob);
}

/* Look in a copy of exactly that size, so that ASan and valgrind see a step over its end. */
static bool look_in(const void *data, size_t size, struct btf_member *m, size_t n, bool *type)
{
	void *copy = malloc(size ? size : 1);
	bool ok;

	memcpy(copy, data, size);
	ok = btf_find_members(copy, size, m, n, type, &why);
	free(copy);
	return ok;
}

static bool look(struct btf_member *m, size_t n, bool *type)
{
	blob.n = 0;
	btf_finish(&w, &blob);
	return look_in(blob.data, blob.n, m, n, type);
}

/* The member is there, and has that place. */
static void ck_member(const char *type, const char *member, uint32_t offset, uint32_t size)
{
	struct btf_member m = { .type = type, .member = member };

	ck_ok(look(&m, 1, NULL), why);
	ck_assert_msg(m.found, "%s.%s is not found", type, member);
	ck_assert_uint_eq(m.offset, offset);
	ck_assert_uint_eq(m.size, size);
}

static void ck_no_member(const char *type, const char *member)
{
	struct btf_member m = { .type = type, .member = member };

	ck_ok(look(&m, 1, NULL), why);
	ck_assert_msg(!m.found, "%s.%s is found", type, member);
}

/* A member of STRUCT() that is no bit-field. */
#define F(name, type, offset) { name, type, offset, 0, 0 }
#define STRUCT(name, size, ...) \
	btf_struct(&w, BTF_STRUCT, name, size, (const struct btf_field[]){ __VA_ARGS__ }, \
		   sizeof((const struct btf_field[]){ __VA_ARGS__ }) / sizeof(struct btf_field))
#define UNION(name, size, ...) \
	btf_struct(&w, BTF_UNION, name, size, (const struct btf_field[]){ __VA_ARGS__ }, \
		   sizeof((const struct btf_field[]){ __VA_ARGS__ }) / sizeof(struct btf_field))

START_TEST(btf__members_have_offset_and_size)
{
	STRUCT("vm_struct", 80, F("next", ptr, 0), F("addr", ptr, 8), F("flags", u64, 24),
	       F("nr_pages", u32, 40));
	ck_member("vm_struct", "next", 0, 8);
	ck_member("vm_struct", "addr", 8, 8);
	ck_member("vm_struct", "flags", 24, 8);
	ck_member("vm_struct", "nr_pages", 40, 4);
	ck_no_member("vm_struct", "size");
	ck_no_member("vm_struct", "");
	ck_no_member("other", "addr");
}
END_TEST

START_TEST(btf__type_and_member_names_are_whole_names)
{
	STRUCT("bpf_map_ops", 8, F("map", ptr, 0));
	STRUCT("bpf_ma", 8, F("map", ptr, 0));
	STRUCT("bpf_map", 8, F("mapx", ptr, 0), F("ma", ptr, 0));
	ck_no_member("bpf_map", "map");
}
END_TEST

/* A member's own type may have the member's name: struct vma_list. */
START_TEST(btf__member_with_the_name_of_a_type_is_a_member)
{
	uint32_t list = STRUCT("list_head", 16, F("next", ptr, 0), F("prev", ptr, 8));

	STRUCT("vma_list", 32, F("vma", ptr, 0), F("head", list, 8));
	STRUCT("bpf_arena", 64, F("vma_list", list, 40));
	ck_member("bpf_arena", "vma_list", 40, 16);
	ck_no_member("vma_list", "vma_list");
	ck_member("vma_list", "head", 8, 16);
}
END_TEST

START_TEST(btf__anonymous_members_are_searched)
{
	uint32_t inner = UNION(NULL, 16, F("vm", ptr, 8), F("other", u32, 0));
	uint32_t outer = STRUCT(NULL, 24, F("before", u64, 0), F(NULL, inner, 8));
	uint32_t qualified = btf_refer(&w, BTF_CONST, NULL,
				       btf_refer(&w, BTF_VOLATILE, NULL, outer));

	STRUCT("vmap_area", 72, F("va_start", u64, 0), F(NULL, qualified, 40),
	       F("after", u32, 64));
	ck_member("vmap_area", "before", 40, 8);
	ck_member("vmap_area", "vm", 40 + 8 + 8, 8);
	ck_member("vmap_area", "after", 64, 4);
}
END_TEST

START_TEST(btf__members_of_named_members_are_not_searched)
{
	uint32_t inner = STRUCT("inner", 16, F("hidden", u64, 8));

	STRUCT("outer", 24, F("visible", inner, 8));
	ck_no_member("outer", "hidden");
	ck_member("outer", "visible", 8, 16);
}
END_TEST

START_TEST(btf__size_goes_through_typedefs_qualifiers_and_tags)
{
	uint32_t t = u64;

	t = btf_refer(&w, BTF_TYPEDEF, "u64", t);
	t = btf_refer(&w, BTF_TYPE_TAG, "arena", t);
	t = btf_refer(&w, BTF_CONST, NULL, t);
	t = btf_refer(&w, BTF_VOLATILE, NULL, t);
	t = btf_refer(&w, BTF_RESTRICT, NULL, t);
	STRUCT("s", 8, F("m", t, 0));
	ck_member("s", "m", 0, 8);
}
END_TEST

START_TEST(btf__size_of_arrays_is_their_product)
{
	uint32_t row = btf_array(&w, ptr, 64);
	uint32_t table = btf_array(&w, row, 3);

	STRUCT("s", 2048, F("slots", row, 40), F("table", table, 552),
	       F("none", btf_array(&w, u8, 0), 600));
	ck_member("s", "slots", 40, 512);
	ck_member("s", "table", 552, 1536);
	ck_member("s", "none", 600, 0);
}
END_TEST

START_TEST(btf__size_of_each_kind)
{
	uint32_t proto = btf_raw(&w, BTF_FUNC_PROTO, false, 2, NULL, u32, NULL, 16);

	STRUCT("s", 100, F("e", btf_enum(&w, "bpf_map_type", 34), 0),
	       F("e64", btf_enum64(&w, "flags", 2), 8),
	       F("f", btf_raw(&w, BTF_FLOAT, false, 0, "double", 8, NULL, 0), 16),
	       F("fn", btf_refer(&w, BTF_PTR, NULL, proto), 24), F("proto", proto, 32),
	       F("void", 0, 40), F("fwd", btf_refer(&w, BTF_FWD, "page", 0), 48));
	ck_member("s", "e", 0, 4);
	ck_member("s", "e64", 8, 8);
	ck_member("s", "f", 16, 8);
	ck_member("s", "fn", 24, 8);
	ck_member("s", "proto", 32, 0);
	ck_member("s", "void", 40, 0);
	ck_member("s", "fwd", 48, 0);
}
END_TEST

START_TEST(btf__bit_fields_have_no_size)
{
	STRUCT("s", 32, { "whole", u64, 8, 0, 0 }, { "bits", u32, 16, 3, 5 },
	       { "aligned", u32, 20, 4, 0 }, { "last", u32, 24, 0, 0 });
	ck_member("s", "whole", 8, 8);
	ck_member("s", "bits", 16, 0);
	ck_member("s", "aligned", 20, 0);
	ck_member("s", "last", 24, 4);
}
END_TEST

START_TEST(btf__unaligned_member_of_an_old_bit_field_has_no_size)
{
	uint8_t raw[12];

	store_u32(raw, 0);
	store_u32(raw + 4, u32);
	store_u32(raw + 8, 16 * 8 + 3);
	bytes_string(&w.strings, "bits");
	store_u32(raw, (uint32_t)(w.strings.n - 5));
	btf_raw(&w, BTF_STRUCT, false, 1, "s", 20, raw, sizeof(raw));
	ck_member("s", "bits", 16, 0);
}
END_TEST

/* Each wanted member counts; which definition comes first does not. */
START_TEST(btf__of_two_definitions_the_one_with_the_members_counts)
{
	static const char *const wanted[] = F("shift", "slots", "parent");
	struct btf_member m[3];

	for (int order = 0; order < 2; order++) {
		btf_writer_free(&w);
		setup();
		for (int i = 0; i < 2; i++) {
			if (i == order)
				STRUCT("xa_node", 576, F("shift", u8, 0), F("parent", ptr, 8),
				       F("slots", ptr, 40));
			else
				STRUCT("xa_node", 12, F("parent", u32, 4), F("x", u32, 8));
			STRUCT("between", 1, F("shift", u8, 0));
		}
		for (int i = 0; i < 3; i++)
			m[i] = (struct btf_member){ .type = "xa_node", .member = wanted[i] };
		ck_ok(look(m, 3, NULL), why);
		ck_assert(m[0].found && m[1].found && m[2].found);
		ck_assert_uint_eq(m[1].offset, 40);
		ck_assert_uint_eq(m[2].offset, 8);
		ck_assert_uint_eq(m[2].size, 8);
	}
}
END_TEST

/* Members are never mixed from two definitions. */
START_TEST(btf__definitions_are_not_mixed)
{
	struct btf_member m[3] = {
		{ .type = "s", .member = "a" }, { .type = "s", .member = "b" },
		{ .type = "s", .member = "c" },
	};

	STRUCT("s", 8, F("c", u64, 0));
	STRUCT("s", 16, F("a", u64, 0), F("b", u64, 8));
	ck_ok(look(m, 3, NULL), why);
	ck_assert(m[0].found && m[1].found && !m[2].found);
}
END_TEST

START_TEST(btf__type_that_exists_is_told_from_a_member_that_does_not)
{
	struct btf_member m[4] = {
		{ .type = "bpf_arena", .member = "map" }, { .type = "bpf_map", .member = "x" },
		{ .type = "page", .member = "flags" }, { .type = "typed", .member = "ops" },
	};
	bool type[4];

	STRUCT("bpf_map", 8, F("ops", ptr, 0));
	btf_refer(&w, BTF_FWD, "page", 0);
	btf_refer(&w, BTF_TYPEDEF, "typed", 5);
	ck_ok(look(m, 4, type), why);
	ck_assert(!type[0] && type[1] && !type[2] && !type[3]);
	for (int i = 0; i < 4; i++)
		ck_assert(!m[i].found);
}
END_TEST

START_TEST(btf__results_of_an_earlier_look_are_forgotten)
{
	struct btf_member m = { .type = "s", .member = "gone", .found = true };

	STRUCT("s", 8, F("ops", ptr, 0));
	ck_ok(look(&m, 1, NULL), why);
	ck_assert(!m.found);
}
END_TEST

/* All kinds that have a body of their own lie before the struct; each must be stepped over. */
static void add_all_kinds(void)
{
	btf_array(&w, u32, 4);
	STRUCT("filler", 8, F("a", u32, 0), F("b", u32, 4));
	UNION("filler", 8, F("a", u32, 0), F("b", u64, 0));
	btf_enum(&w, "filler", 3);
	btf_enum64(&w, "filler", 3);
	btf_raw(&w, BTF_FUNC_PROTO, false, 3, NULL, u32, NULL, 24);
	btf_refer(&w, BTF_FUNC, "filler", 6);
	btf_raw(&w, BTF_VAR, false, 0, "filler", u32, NULL, 4);
	btf_raw(&w, BTF_DATASEC, false, 2, ".data..percpu", 100, NULL, 24);
	btf_raw(&w, BTF_FLOAT, false, 0, "double", 8, NULL, 0);
	btf_raw(&w, BTF_DECL_TAG, false, 0, "bpf_kfunc", 6, NULL, 4);
	btf_refer(&w, BTF_TYPE_TAG, "arena", u32);
	btf_refer(&w, BTF_FWD, "filler", 0);
}

START_TEST(btf__every_kind_is_stepped_over)
{
	add_all_kinds();
	STRUCT("bpf_map", 280, F("ops", ptr, 32));
	ck_member("bpf_map", "ops", 32, 8);
}
END_TEST

START_TEST(btf__layout_section_between_types_and_strings_is_no_string)
{
	add_all_kinds();
	STRUCT("bpf_map", 280, F("ops", ptr, 32));
	btf_layout_known(&w);
	ck_member("bpf_map", "ops", 32, 8);
	/* 32 bytes of header */
	ck_assert_uint_eq(blob.data[4], 32);
}
END_TEST

START_TEST(btf__unknown_kind_with_a_layout_is_stepped_over)
{
	btf_raw(&w, 21, false, 3, "future", 0, NULL, 8 + 3 * 20);
	STRUCT("bpf_map", 280, F("ops", ptr, 32));
	btf_layout_known(&w);
	btf_layout(&w, 21, 8, 20);
	ck_member("bpf_map", "ops", 32, 8);
}
END_TEST

START_TEST(btf__unknown_kind_without_a_layout_is_refused)
{
	struct btf_member m = { .type = "bpf_map", .member = "ops" };

	STRUCT("bpf_map", 280, F("ops", ptr, 32));
	btf_raw(&w, _i ? 21 : 31, false, 0, "future", 0, NULL, 0);
	if (_i)		/* a layout that ends before this kind */
		btf_layout_known(&w);
	ck_assert(!look(&m, 1, NULL));
	ck_fault(why, FAULT_UNSUPPORTED, "unknown kind");
}
END_TEST

/* vlen has 16 bits up to 7.2, and 24 from 7.3 on. */
START_TEST(btf__number_of_members_may_need_more_than_16_bits)
{
	static const uint32_t numbers[] = { 255, 256, 65535, 65536, 70000 };

	btf_enum(&w, "many", numbers[_i]);
	STRUCT("bpf_map", 280, F("ops", ptr, 32));
	ck_member("bpf_map", "ops", 32, 8);
}
END_TEST

START_TEST(btf__kind_zero_has_no_body)
{
	btf_raw(&w, 0, false, 0, NULL, 0, NULL, 0);
	STRUCT("bpf_map", 280, F("ops", ptr, 32));
	ck_member("bpf_map", "ops", 32, 8);
}
END_TEST

START_TEST(btf__more_header_than_is_known_is_skipped)
{
	struct btf_member m = { .type = "bpf_map", .member = "ops" };
	struct bytes longer = { 0 };

	STRUCT("bpf_map", 280, F("ops", ptr, 32));
	btf_layout_known(&w);
	btf_finish(&w, &blob);
	bytes_put(&longer, blob.data, 32);
	bytes_u64(&longer, UINT64_MAX);
	bytes_put(&longer, blob.data + 32, blob.n - 32);
	bytes_set_u32(&longer, 4, 40);
	ck_ok(look_in(longer.data, longer.n, &m, 1, NULL), why);
	ck_assert(m.found);
	bytes_free(&longer);
}
END_TEST

/* What must not end in a loop or a deep recursion. */

START_TEST(btf__typedef_that_means_itself_has_no_size)
{
	uint32_t self = w.n + 1;

	btf_refer(&w, BTF_TYPEDEF, "ouroboros", self);
	STRUCT("s", 8, F("m", self, 0));
	ck_member("s", "m", 0, 0);
}
END_TEST

START_TEST(btf__array_of_itself_has_no_size)
{
	uint32_t self = w.n + 1;

	btf_array(&w, self, 0x10000);
	STRUCT("s", 8, F("m", self, 0));
	ck_member("s", "m", 0, 0);
}
END_TEST

START_TEST(btf__struct_that_holds_itself_ends)
{
	uint32_t self = w.n + 1;

	STRUCT("s", 8, F(NULL, self, 0), F(NULL, self, 0), F("m", u32, 4));
	ck_member("s", "m", 4, 4);
	ck_no_member("s", "absent");
}
END_TEST

START_TEST(btf__nested_unnamed_structs_without_end_do_not_take_all_day)
{
	struct btf_field wide[64];
	uint32_t inner = STRUCT(NULL, 8, F("x", u32, 0));

	/* 64 ^ 14 ways down */
	for (int depth = 0; depth < 14; depth++) {
		for (int i = 0; i < 64; i++)
			wide[i] = (struct btf_field){ NULL, inner, 0, 0, 0 };
		inner = btf_struct(&w, BTF_STRUCT, depth == 13 ? "s" : NULL, 8, wide, 64);
	}
	ck_no_member("s", "absent");
}
END_TEST

START_TEST(btf__type_ids_out_of_range_are_no_types)
{
	STRUCT("s", 8, F("m", 0xffffffff, 0), F(NULL, 0x7fffffff, 0), F(NULL, w.n + 2, 0),
	       F("n", u32, 4));
	ck_member("s", "m", 0, 0);
	ck_member("s", "n", 4, 4);
}
END_TEST

START_TEST(btf__name_outside_of_the_strings_is_no_name)
{
	struct btf_member m = { .type = "s", .member = "m" };

	STRUCT("s", 8, F("m", u32, 4));
	btf_finish(&w, &blob);
	/* name of the struct: its btf_type is the last but 12 bytes of member */
	bytes_set_u32(&blob, 24 + w.types.n - 24, 0xfffffff0);
	ck_ok(look_in(blob.data, blob.n, &m, 1, NULL), why);
	ck_assert(!m.found);
}
END_TEST

START_TEST(btf__header_that_is_none_is_refused)
{
	static const struct { size_t at; uint32_t value; } broken[] = {
		{ 0, 0x0001eb9e },		/* magic */
		{ 4, 23 }, { 4, 0 }, { 4, UINT32_MAX },	/* hdr_len */
		{ 8, UINT32_MAX }, { 12, UINT32_MAX }, { 12, 1u << 20 },	/* types */
		{ 16, UINT32_MAX }, { 20, UINT32_MAX }, { 20, 0 },		/* strings */
	};
	struct btf_member m = { .type = "s", .member = "m" };

	STRUCT("s", 8, F("m", u32, 4));
	btf_finish(&w, &blob);
	bytes_set_u32(&blob, broken[_i].at, broken[_i].value);
	ck_assert(!look_in(blob.data, blob.n, &m, 1, NULL));
	ck_fault(why, STATE_DAMAGED, "BTF");
}
END_TEST

START_TEST(btf__strings_without_an_end_are_refused)
{
	struct btf_member m = { .type = "s", .member = "m" };

	STRUCT("s", 8, F("m", u32, 4));
	btf_finish(&w, &blob);
	blob.data[blob.n - 1] = 'x';
	ck_assert(!look_in(blob.data, blob.n, &m, 1, NULL));
	ck_fault(why, STATE_DAMAGED, "strings do not end");
}
END_TEST

START_TEST(btf__type_that_runs_over_the_end_is_refused)
{
	struct btf_member m = { .type = "s", .member = "m" };

	/* vlen says two members, there is one */
	btf_raw(&w, BTF_STRUCT, false, 2, "s", 8, NULL, 12);
	ck_assert(!look(&m, 1, NULL));
	ck_fault(why, STATE_DAMAGED, "runs over the end");
}
END_TEST

/* Cut at each byte: the strings are last, so what is there never suffices. */
START_TEST(btf__cut_at_every_byte_is_refused)
{
	struct btf_member m = { .type = "bpf_map", .member = "ops" };

	add_all_kinds();
	STRUCT("bpf_map", 280, F("ops", ptr, 32));
	if (_i)
		btf_layout_known(&w);
	btf_finish(&w, &blob);
	for (size_t n = 0; n < blob.n; n++)
		ck_assert_msg(!look_in(blob.data, n, &m, 1, NULL), "cut at %zu", n);
}
END_TEST

/* Each byte damaged in turn: any answer, but no step outside (run with ASan and valgrind). */
START_TEST(btf__damage_to_every_byte_does_no_harm)
{
	static const uint8_t damage[] = { 0xff, 0x80, 0x01, 0x7f };
	struct btf_member m[2] = {
		{ .type = "bpf_map", .member = "ops" }, { .type = "bpf_map", .member = "name" },
	};
	uint32_t inner;

	add_all_kinds();
	inner = UNION(NULL, 16, F("name", btf_array(&w, u8, 16), 0), { "x", u32, 0, 3, 1 });
	STRUCT("bpf_map", 280, F("ops", ptr, 32), F(NULL, inner, 40));
	btf_layout_known(&w);
	btf_finish(&w, &blob);
	for (size_t at = 0; at < blob.n; at++) {
		blob.data[at] ^= damage[_i];
		look_in(blob.data, blob.n, m, 2, NULL);
		blob.data[at] ^= damage[_i];
	}
}
END_TEST

static const struct btf_enum *find_enum(const char *name)
{
	static struct btf_enum e;

	blob.n = 0;
	btf_finish(&w, &blob);
	ck_ok(btf_find_enum(blob.data, blob.n, name, &e, &why), why);
	return &e;
}

START_TEST(btf__enumerators)
{
	static const char *const names[] = { "FIRST", "A_NAME_OF_MORE_THAN_31_CHARACTERS", "LAST" };
	static const uint32_t values[] = { 0, 7, 1026 };
	const struct btf_enum *e;

	btf_enum(&w, "other", 2);
	btf_enumerators(&w, "kind", names, values, 3);
	STRUCT("kind", 8, F("a", u64, 0));
	e = find_enum("kind");
	ck_assert_uint_eq(e->n, 2);
	ck_assert_str_eq(e->of[0].name, "FIRST");
	ck_assert_str_eq(e->of[1].name, "LAST");
	ck_assert_uint_eq(e->of[1].value, 1026);
	ck_assert_uint_eq(find_enum("none")->n, 0);
}
END_TEST

/* More than there is room for; a declaration before it has none. */
START_TEST(btf__many_enumerators)
{
	btf_enum(&w, "kind", 0);
	btf_enum(&w, "kind", 1000);
	ck_assert_uint_eq(find_enum("kind")->n, 32);
}
END_TEST

START_TEST(btf__enum_in_damaged_types)
{
	struct btf_enum e;

	btf_enum(&w, "kind", 2);
	blob.n = 0;
	btf_finish(&w, &blob);
	ck_assert(!btf_find_enum(blob.data, 20, "kind", &e, &why));
	ck_fault(why, STATE_DAMAGED, "BTF");
	btf_raw(&w, 60, false, 0, "new", 0, NULL, 0);
	blob.n = 0;
	btf_finish(&w, &blob);
	ck_assert(!btf_find_enum(blob.data, blob.n, "none", &e, &why));
	ck_fault(why, FAULT_UNSUPPORTED, "60");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, btf__enumerators);
	tcase_add_test(tests, btf__many_enumerators);
	tcase_add_test(tests, btf__enum_in_damaged_types);
	tcase_add_test(tests, btf__members_have_offset_and_size);
	tcase_add_test(tests, btf__type_and_member_names_are_whole_names);
	tcase_add_test(tests, btf__member_with_the_name_of_a_type_is_a_member);
	tcase_add_test(tests, btf__anonymous_members_are_searched);
	tcase_add_test(tests, btf__members_of_named_members_are_not_searched);
	tcase_add_test(tests, btf__size_goes_through_typedefs_qualifiers_and_tags);
	tcase_add_test(tests, btf__size_of_arrays_is_their_product);
	tcase_add_test(tests, btf__size_of_each_kind);
	tcase_add_test(tests, btf__bit_fields_have_no_size);
	tcase_add_test(tests, btf__unaligned_member_of_an_old_bit_field_has_no_size);
	tcase_add_test(tests, btf__of_two_definitions_the_one_with_the_members_counts);
	tcase_add_test(tests, btf__definitions_are_not_mixed);
	tcase_add_test(tests, btf__type_that_exists_is_told_from_a_member_that_does_not);
	tcase_add_test(tests, btf__results_of_an_earlier_look_are_forgotten);
	tcase_add_test(tests, btf__every_kind_is_stepped_over);
	tcase_add_test(tests, btf__layout_section_between_types_and_strings_is_no_string);
	tcase_add_test(tests, btf__unknown_kind_with_a_layout_is_stepped_over);
	tcase_add_loop_test(tests, btf__unknown_kind_without_a_layout_is_refused, 0, 2);
	tcase_add_loop_test(tests, btf__number_of_members_may_need_more_than_16_bits, 0, 5);
	tcase_add_test(tests, btf__kind_zero_has_no_body);
	tcase_add_test(tests, btf__more_header_than_is_known_is_skipped);
	tcase_add_test(tests, btf__typedef_that_means_itself_has_no_size);
	tcase_add_test(tests, btf__array_of_itself_has_no_size);
	tcase_add_test(tests, btf__struct_that_holds_itself_ends);
	tcase_add_test(tests, btf__nested_unnamed_structs_without_end_do_not_take_all_day);
	tcase_add_test(tests, btf__type_ids_out_of_range_are_no_types);
	tcase_add_test(tests, btf__name_outside_of_the_strings_is_no_name);
	tcase_add_loop_test(tests, btf__header_that_is_none_is_refused, 0, 10);
	tcase_add_test(tests, btf__strings_without_an_end_are_refused);
	tcase_add_test(tests, btf__type_that_runs_over_the_end_is_refused);
	tcase_add_loop_test(tests, btf__cut_at_every_byte_is_refused, 0, 2);
	tcase_add_loop_test(tests, btf__damage_to_every_byte_does_no_harm, 0, 4);
}

int main(void)
{
	return run_suite("btf", add);
}
