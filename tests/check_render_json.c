// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/render_json.c: exact lines from structs filled by hand; keys and their order are those
 * of design.md §5.
 */
#include "render_rig.h"

static struct json_renderer j;

static void json_setup(void)
{
	setup();
	json_renderer_init(&j, &out, "arenasnap", "/var/crash/vmcore");
}

static bool begin(void)
{
	return j.renderer.begin(&j.renderer, &k, &result);
}

static bool show(void)
{
	return j.renderer.arena(&j.renderer, &k, &a, &result);
}

static bool end(void)
{
	return j.renderer.end(&j.renderer, &k, &result);
}

static void add_problem(enum space space, const char *text, bool of_arena)
{
	fault_fill(&why, STATE_EXCLUDED, space, 0x5000, "%s", text);
	if (of_arena)
		problems_add_map(&result.problems, &why, 9, UINT64_C(0xffff8e8402a10000));
	else
		problems_add(&result.problems, &why);
}

#define HEAD \
	"{\"schema\":1,\"tool\":\"arenasnap\",\"vmcore\":\"/var/crash/vmcore\"," \
	"\"release\":\"6.12.107+deb13-amd64\",\"machine\":\"x86_64\",\"page_size\":4096," \
	"\"crash\":null,\"scheduler\":null,\"arenas\":["
#define STRUCT \
	"{\"id\":23,\"name\":\"scx_arena\",\"map\":\"0xffff8e8402a11000\",\"max_entries\":65536," \
	"\"map_extra\":\"0x100000000000\",\"map_flags\":\"0x20400\",\"declared_pages\":65536,"
#define ADDRESSES \
	"\"user_vm_start\":\"0x100000000000\",\"user_vm_end\":\"0x100010000000\"," \
	"\"kern_vm_start\":\"0xffffc90000008000\",\"truncated\":false,\"span_capped\":false,"
#define COUNTS \
	"\"mapped\":0,\"scratch\":0,\"outside\":0,\"missing\":0,\"found_by\":\"map_idr\"," \
	"\"life\":\"live\",\"unknown\":[],"
#define ARENA STRUCT ADDRESSES COUNTS "\"lost\":[]"

START_TEST(json__dump_without_arenas_is_one_line)
{
	ck_assert(begin());
	ck_assert(end());
	ck_taken(HEAD "],\"errors\":[],\"status\":\"complete\"}\n");
}
END_TEST

START_TEST(json__arenas_are_in_one_list_and_status_is_last)
{
	begin();
	ck_assert(show());
	ck_assert(show());
	end();
	ck_taken(HEAD ARENA "}," ARENA "}],\"errors\":[],\"status\":\"complete\"}\n");
}
END_TEST

START_TEST(json__counts_and_flags_are_those_of_the_arena)
{
	a.truncated = a.span_capped = true;
	a.mapped = 12;
	a.scratch = 3;
	a.outside = 2;
	a.missing = 1;
	show();
	ck_taken(STRUCT "\"user_vm_start\":\"0x100000000000\",\"user_vm_end\":\"0x100010000000\","
		 "\"kern_vm_start\":\"0xffffc90000008000\",\"truncated\":true,\"span_capped\":true,"
		 "\"mapped\":12,\"scratch\":3,\"outside\":2,\"missing\":1,"
		 "\"found_by\":\"map_idr\",\"life\":\"live\",\"unknown\":[],\"lost\":[]}");
}
END_TEST

/* Counts are null; the two addresses of the seed stay "0x0". All are named in unknown. */
START_TEST(json__unknown_window_is_null_or_zero_and_named)
{
	window_unknown();
	a.user_vm_start = 0;
	a.unknown |= 1u << FIELD_USER_VM_START;
	show();
	ck_taken(STRUCT "\"user_vm_start\":\"0x0\",\"user_vm_end\":\"0x100010000000\","
		 "\"kern_vm_start\":\"0x0\",\"truncated\":true,\"span_capped\":false,"
		 "\"mapped\":null,\"scratch\":null,\"outside\":null,\"missing\":null,"
		 "\"found_by\":\"map_idr\",\"life\":\"live\",\"unknown\":[\"user_vm_start\","
		 "\"kern_vm_start\",\"mapped\",\"scratch\",\"outside\",\"missing\"],\"lost\":[]}");
}
END_TEST

#define LOST_STRUCT \
	"{\"id\":null,\"name\":null,\"map\":null,\"max_entries\":null,\"map_extra\":null," \
	"\"map_flags\":null,\"declared_pages\":null,\"user_vm_start\":\"0x0\"," \
	"\"user_vm_end\":null,"
#define LOST_FIELDS \
	"\"id\",\"name\",\"map\",\"max_entries\",\"map_extra\",\"map_flags\"," \
	"\"declared_pages\",\"user_vm_start\",\"user_vm_end\","

/* The window and the counts are known all the same. */
START_TEST(json__lost_struct_is_null_and_its_window_is_there)
{
	j.ask.view = VIEW_PAGES;
	struct_lost();
	a.mapped = 1;
	add_page(FIRST, 0x1000, KIND_PAGE, STATE_STORED);
	show();
	ck_taken(LOST_STRUCT "\"kern_vm_start\":\"0xffffc90000008000\",\"truncated\":false,"
		 "\"span_capped\":false,\"mapped\":1,\"scratch\":0,\"outside\":0,\"missing\":0,"
		 "\"found_by\":\"vmalloc\",\"life\":null,\"unknown\":[" LOST_FIELDS
		 "\"life\"],\"lost\":[],\"pages\":[{\"pgoff\":null,\"user\":null,"
		 "\"kernel\":\"0xffffc90000008000\",\"phys\":\"0x1000\",\"kind\":\"page\","
		 "\"stored\":true}]}");
}
END_TEST

START_TEST(json__what_a_mapping_proves_of_a_lost_struct_is_not_unknown)
{
	struct_lost();
	a.id = 23;
	a.map = UINT64_C(0xffff8e8402a11000);
	a.user_vm_start = UINT64_C(1) << 44;
	a.user_vm_end = a.user_vm_start + 0x1000;
	a.unknown &= ~(1u << FIELD_ID | 1u << FIELD_MAP | 1u << FIELD_USER_VM_START |
		       1u << FIELD_USER_VM_END | 1u << FIELD_LIFE);
	show();
	ck_taken("{\"id\":23,\"name\":null,\"map\":\"0xffff8e8402a11000\",\"max_entries\":null,"
		 "\"map_extra\":null,\"map_flags\":null,\"declared_pages\":null,"
		 "\"user_vm_start\":\"0x100000000000\",\"user_vm_end\":\"0x100000001000\","
		 "\"kern_vm_start\":\"0xffffc90000008000\",\"truncated\":false,"
		 "\"span_capped\":false,\"mapped\":0,\"scratch\":0,\"outside\":0,\"missing\":0,"
		 "\"found_by\":\"vmalloc\",\"life\":\"live\",\"unknown\":[\"name\","
		 "\"max_entries\",\"map_extra\",\"map_flags\",\"declared_pages\"],\"lost\":[]}");
}
END_TEST

START_TEST(json__window_without_a_place_is_zero_and_unknown)
{
	j.ask.view = VIEW_PAGES;
	window_inexact();
	a.mapped = 1;
	add_page(3, 0x1000, KIND_PAGE, STATE_STORED);
	show();
	ck_taken(LOST_STRUCT "\"kern_vm_start\":\"0x0\",\"truncated\":false,"
		 "\"span_capped\":false,\"mapped\":1,\"scratch\":0,\"outside\":0,\"missing\":0,"
		 "\"found_by\":\"pagetable\",\"life\":null,\"unknown\":[" LOST_FIELDS
		 "\"kern_vm_start\",\"life\"],\"lost\":[],\"pages\":[{\"pgoff\":null,"
		 "\"user\":null,\"kernel\":\"0xffffc90000003000\",\"phys\":\"0x1000\","
		 "\"kind\":\"page\",\"stored\":true}]}");
}
END_TEST

/* The words are a contract: arenasnap.schema.json has them. */
START_TEST(json__found_by_and_life_are_words)
{
	static const struct { enum found_by by; enum arena_life life; const char *words; } is[] = {
		{ FOUND_MAP_IDR, LIFE_LIVE, ",\"found_by\":\"map_idr\",\"life\":\"live\"," },
		{ FOUND_PROGRAM, LIFE_NEW, ",\"found_by\":\"program\",\"life\":\"new\"," },
		{ FOUND_VMALLOC, LIFE_DYING, ",\"found_by\":\"vmalloc\",\"life\":\"dying\"," },
		{ FOUND_TASK, LIFE_LIVE, ",\"found_by\":\"task\",\"life\":\"live\"," },
		{ FOUND_SCAN, LIFE_LIVE, ",\"found_by\":\"scan\",\"life\":\"live\"," },
		{ FOUND_PAGETABLE, LIFE_LIVE,
		  ",\"found_by\":\"pagetable\",\"life\":\"live\"," },
	};

	a.found_by = is[_i].by;
	a.life = is[_i].life;
	show();
	ck_assert_ptr_nonnull(strstr(taken_text(), is[_i].words));
}
END_TEST

START_TEST(json__true_zero_is_not_unknown)
{
	a.user_vm_start = a.user_vm_end = 0;
	show();
	ck_taken(STRUCT "\"user_vm_start\":\"0x0\",\"user_vm_end\":\"0x0\","
		 "\"kern_vm_start\":\"0xffffc90000008000\",\"truncated\":false,"
		 "\"span_capped\":false," COUNTS "\"lost\":[]}");
}
END_TEST

START_TEST(json__single_unknown_field_has_no_comma)
{
	a.unknown = 1u << FIELD_USER_VM_START;
	show();
	ck_assert_ptr_nonnull(strstr(taken_text(), ",\"unknown\":[\"user_vm_start\"],"));
}
END_TEST

START_TEST(json__lost_ranges_have_null_for_what_there_is_not)
{
	a.n_lost = 2;
	lost[0] = (struct arena_lost){
		.has_pgoff = true, .pgoff = 512, .n = 512,
		.kernel = UINT64_C(0xffffc90000208000), .table = 0x7654000,
	};
	fault_fill(&lost[0].why, STATE_EXCLUDED, SPACE_PHYS, 0x7654000, "it is \"excluded\"");
	lost[1] = (struct arena_lost){ .pgoff = 99, .n = 8 };
	fault_fill(&lost[1].why, STATE_CUT, SPACE_NONE, 0, "cut");
	show();
	ck_taken(STRUCT ADDRESSES COUNTS "\"lost\":["
		 "{\"pgoff\":512,\"n\":512,\"kernel\":\"0xffffc90000208000\","
		 "\"table\":\"0x7654000\",\"code\":\"excluded\",\"text\":\"it is \\\"excluded\\\"\"},"
		 "{\"pgoff\":null,\"n\":8,\"kernel\":null,\"table\":null,\"code\":\"cut\","
		 "\"text\":\"cut\"}]}");
}
END_TEST

START_TEST(json__pages_are_there_when_asked_for)
{
	j.ask.view = VIEW_PAGES;
	show();
	ck_taken(ARENA ",\"pages\":[]}");
	j.shown = 0;
	add_page(FIRST, 0x12345000, KIND_PAGE, STATE_STORED);
	add_page(FIRST + 1, 0x12346000, KIND_PAGE, STATE_EXCLUDED);
	add_page(FIRST + 2, UINT64_C(0xfffffffff000), KIND_SCRATCH, STATE_UNKNOWN);
	add_page(FIRST + 1048575, 0, KIND_OUTSIDE, STATE_CUT);
	add_page(FIRST - 1, 0x1000, KIND_OUTSIDE, STATE_ABSENT);
	add_page(FIRST + 1048576, 0x2000, KIND_SCRATCH, STATE_STORED);
	show();
	ck_taken(ARENA ",\"pages\":["
		"{\"pgoff\":0,\"user\":\"0x100000000000\",\"kernel\":\"0xffffc90000008000\","
		"\"phys\":\"0x12345000\",\"kind\":\"page\",\"stored\":true},"
		"{\"pgoff\":1,\"user\":\"0x100000001000\",\"kernel\":\"0xffffc90000009000\","
		"\"phys\":\"0x12346000\",\"kind\":\"page\",\"stored\":false},"
		"{\"pgoff\":2,\"user\":\"0x100000002000\",\"kernel\":\"0xffffc9000000a000\","
		"\"phys\":\"0xfffffffff000\",\"kind\":\"scratch\",\"stored\":null},"
		"{\"pgoff\":1048575,\"user\":\"0x1000fffff000\","
		"\"kernel\":\"0xffffc90100007000\",\"phys\":\"0x0\",\"kind\":\"outside\","
		"\"stored\":false},"
		"{\"pgoff\":null,\"user\":null,\"kernel\":\"0xffffc90000007000\","
		"\"phys\":\"0x1000\",\"kind\":\"outside\",\"stored\":false},"
		"{\"pgoff\":null,\"user\":null,\"kernel\":\"0xffffc90100008000\","
		"\"phys\":\"0x2000\",\"kind\":\"scratch\",\"stored\":true}]}");
}
END_TEST

START_TEST(json__pages_of_an_unknown_start_have_null)
{
	j.ask.view = VIEW_PAGES;
	a.unknown = 1u << FIELD_USER_VM_START;
	add_page(FIRST, 0x1000, KIND_PAGE, STATE_STORED);
	show();
	ck_assert_ptr_nonnull(strstr(taken_text(), "[{\"pgoff\":null,\"user\":null,\"kernel\":"
				     "\"0xffffc90000008000\","));
}
END_TEST

/* RFC 8259: what must be escaped; and U+FFFD for what is no UTF-8. */
START_TEST(json__strings_are_valid_whatever_is_in_them)
{
	static const struct { const char *name, *string; } names[] = {
		{ "", "" },
		{ "a\"b\\c/d", "a\\\"b\\\\c/d" },
		{ "\x01\x1f\n\t\x7f", "\\u0001\\u001f\\u000a\\u0009\\u007f" },
		{ "gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac" },
		{ "\xff" "a\xc3", "\\ufffda\\ufffd" },
		{ "\xc0\xaf", "\\ufffd\\ufffd" },
		{ "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },
		{ "\xf0\x9f\x90\x9d", "\xf0\x9f\x90\x9d" },
		{ "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" },
	};
	char expected[128];
	const char *text;

	snprintf(a.name, sizeof(a.name), "%s", names[_i].name);
	snprintf(expected, sizeof(expected), "{\"id\":23,\"name\":\"%s\",\"map\":",
		 names[_i].string);
	show();
	text = taken_text();
	ck_assert_msg(!strncmp(text, expected, strlen(expected)), "%s", text);
}
END_TEST

START_TEST(json__path_and_release_are_escaped_too)
{
	json_renderer_init(&j, &out, "arena", "a\"\x1b\xff");
	memcpy(k.release, "6\x01", 3);
	k.machine = "aarch64";
	k.page_size = 16384;
	begin();
	end();
	ck_taken("{\"schema\":1,\"tool\":\"arena\",\"vmcore\":\"a\\\"\\u001b\\ufffd\","
		 "\"release\":\"6\\u0001\",\"machine\":\"aarch64\",\"page_size\":16384,"
		 "\"crash\":null,\"scheduler\":null,\"arenas\":[],\"errors\":[],\"status\":\"complete\"}\n");
}
END_TEST

START_TEST(json__errors_have_null_for_what_does_not_apply)
{
	add_problem(SPACE_PHYS, "one", true);
	add_problem(SPACE_VIRT, "two", false);
	add_problem(SPACE_FILE, "three", false);
	add_problem(SPACE_NONE, "four\n", false);
	result.status = REPORT_PARTIAL;
	begin();
	end();
	ck_taken(HEAD "],\"errors\":["
		"{\"code\":\"excluded\",\"text\":\"one\",\"arena\":9,"
		"\"map\":\"0xffff8e8402a10000\",\"address\":\"0x5000\",\"space\":\"phys\"},"
		"{\"code\":\"excluded\",\"text\":\"two\",\"arena\":null,\"map\":null,"
		"\"address\":\"0x5000\",\"space\":\"virt\"},"
		"{\"code\":\"excluded\",\"text\":\"three\",\"arena\":null,\"map\":null,"
		"\"address\":\"0x5000\",\"space\":\"file\"},"
		"{\"code\":\"excluded\",\"text\":\"four\\u000a\",\"arena\":null,\"map\":null,"
		"\"address\":null,\"space\":null}],\"status\":\"partial\"}\n");
}
END_TEST

START_TEST(json__failed_dump_is_null_but_for_its_errors)
{
	fault_fill(&why, FAULT_WORKER, SPACE_NONE, 0, "the worker died");
	problems_add(&result.problems, &why);
	ck_assert(json_failed(&out, "arenasnap", "x", &result.problems));
	ck_taken("{\"schema\":1,\"tool\":\"arenasnap\",\"vmcore\":\"x\",\"release\":null,"
		 "\"machine\":null,\"page_size\":null,\"crash\":null,\"scheduler\":null,\"arenas\":null,\"errors\":["
		 "{\"code\":\"worker\",\"text\":\"the worker died\",\"arena\":null,\"map\":null,"
		 "\"address\":null,\"space\":null}],\"status\":\"failed\"}\n");
}
END_TEST

START_TEST(json__stop_is_told_by_every_part)
{
	stop_at = 1;
	j.ask.view = VIEW_PAGES;
	a.n_lost = 1;
	fault_fill(&lost[0].why, STATE_CUT, SPACE_NONE, 0, "cut");
	add_page(FIRST, 0x1000, KIND_PAGE, STATE_STORED);
	add_problem(SPACE_PHYS, "one", true);
	sink_puts(&out, "\n");
	ck_assert(!sink_flush(&out));
	ck_assert(!begin());
	ck_assert(!show());
	j.ask.view = VIEW_LIST;
	ck_assert(!show());
	ck_assert(!end());
	ck_assert(!json_failed(&out, "arenasnap", "x", &result.problems));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, json_setup, teardown);
	tcase_add_test(tests, json__dump_without_arenas_is_one_line);
	tcase_add_test(tests, json__arenas_are_in_one_list_and_status_is_last);
	tcase_add_test(tests, json__counts_and_flags_are_those_of_the_arena);
	tcase_add_test(tests, json__unknown_window_is_null_or_zero_and_named);
	tcase_add_test(tests, json__lost_struct_is_null_and_its_window_is_there);
	tcase_add_test(tests, json__what_a_mapping_proves_of_a_lost_struct_is_not_unknown);
	tcase_add_test(tests, json__window_without_a_place_is_zero_and_unknown);
	tcase_add_loop_test(tests, json__found_by_and_life_are_words, 0, 6);
	tcase_add_test(tests, json__true_zero_is_not_unknown);
	tcase_add_test(tests, json__single_unknown_field_has_no_comma);
	tcase_add_test(tests, json__lost_ranges_have_null_for_what_there_is_not);
	tcase_add_test(tests, json__pages_are_there_when_asked_for);
	tcase_add_test(tests, json__pages_of_an_unknown_start_have_null);
	tcase_add_loop_test(tests, json__strings_are_valid_whatever_is_in_them, 0, 9);
	tcase_add_test(tests, json__path_and_release_are_escaped_too);
	tcase_add_test(tests, json__errors_have_null_for_what_does_not_apply);
	tcase_add_test(tests, json__failed_dump_is_null_but_for_its_errors);
	tcase_add_test(tests, json__stop_is_told_by_every_part);
}

int main(void)
{
	return run_suite("render_json", add);
}
