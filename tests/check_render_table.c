// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/render_table.c: exact lines from structs filled by hand.
 */
#include "render_rig.h"

static struct table_renderer t;

static void table_setup(void)
{
	setup();
	table_renderer_init(&t, &out);
}

static bool begin(void)
{
	return t.renderer.begin(&t.renderer, &k, &result);
}

static bool show(void)
{
	return t.renderer.arena(&t.renderer, &k, &a, &result);
}

static bool end(void)
{
	return t.renderer.end(&t.renderer, &k, &result);
}

/* No line of @text is wider than a terminal. */
static void ck_narrow(const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		ck_assert_msg(n <= 80, "%zu columns: %.*s", n, (int)n, text);
	}
}

/* The list */

#define HEADING "       ID BPF_MAP           USER_VM_START  MAPPED DECLARED FLAGS NAME\n"

START_TEST(table__list_looks_as_in_the_design)
{
	ck_assert(begin());
	a = (struct arena_snapshot){
		.id = 9, .name = "arena", .map = UINT64_C(0xffff8e8402a10000),
		.user_vm_start = UINT64_C(0x7f1200000000), .declared_pages = 1048576,
		.mapped = 12,
	};
	ck_assert(show());
	a = (struct arena_snapshot){
		.id = 23, .name = "scx_arena", .map = UINT64_C(0xffff8e8402a11000),
		.user_vm_start = UINT64_C(1) << 44, .declared_pages = 65536, .mapped = 2048,
		.scratch = 1, .outside = 3,
	};
	ck_assert(show());
	ck_assert(end());
	ck_taken(HEADING
		"        9 ffff8e8402a10000   7f1200000000      12  1048576 -     arena\n"
		"       23 ffff8e8402a11000   100000000000    2048    65536 SO    scx_arena\n");
}
END_TEST

START_TEST(table__list_without_headings_is_rows_alone)
{
	t.headings = false;
	show();
	end();
	ck_taken("       23 ffff8e8402a11000   100000000000       0    65536 -     scx_arena\n");
}
END_TEST

START_TEST(table__each_flag_has_its_letter_and_its_place)
{
	for (unsigned set = 0; set < 32; set++) {
		char row[128], flags[8] = "";

		a.truncated = set & 1;
		a.missing = set & 2 ? 7 : 0;
		a.scratch = set & 4 ? 1 : 0;
		a.outside = set & 8 ? UINT64_C(1) << 32 : 0;
		a.span_capped = set & 16;
		for (unsigned i = 0; i < 5; i++)
			if (set & 1u << i)
				strncat(flags, &"TMSOC"[i], 1);
		t.headings = false;
		show();
		snprintf(row, sizeof(row), "       23 ffff8e8402a11000   100000000000       0"
			 "    65536 %-5s scx_arena\n", set ? flags : "-");
		ck_taken(row);
	}
}
END_TEST

START_TEST(table__flags_say_what_is_not_a_living_arena)
{
	static const struct { bool lost, truncated; enum arena_life life; const char *flags; } is[] = {
		{ false, false, LIFE_NEW, " N     " },
		{ false, false, LIFE_DYING, " D     " },
		{ true, false, LIFE_LIVE, " L     " },
		{ true, false, LIFE_DYING, " LD    " },
		{ true, true, LIFE_DYING, " TLD   " },
	};

	t.headings = false;
	a.no_struct = is[_i].lost;
	a.truncated = is[_i].truncated;
	a.life = is[_i].life;
	show();
	ck_assert_ptr_nonnull(strstr(taken_text(), is[_i].flags));
}
END_TEST

START_TEST(table__unknown_is_a_question_mark_and_zero_is_a_zero)
{
	t.headings = false;
	a.user_vm_start = 0;
	show();
	ck_taken("       23 ffff8e8402a11000              0       0    65536 -     scx_arena\n");
	window_unknown();
	a.unknown |= 1u << FIELD_USER_VM_START;
	show();
	ck_taken("       23 ffff8e8402a11000              ?       ?    65536 T     scx_arena\n");
}
END_TEST

/* Two windows without structs are told by their places. */
START_TEST(table__lost_struct_has_its_window_in_place_of_both_addresses)
{
	struct_lost();
	a.mapped = 12;
	show();
	window_inexact();
	show();
	ck_taken(HEADING
		"        ?  kern_vm_start ffffc90000008000      12        ? L     ?\n"
		"        ? kern_vm_start ~ffffc90000000000      12        ? L     ?\n");
}
END_TEST

START_TEST(table__lost_struct_has_the_addresses_that_are_proved)
{
	t.headings = false;
	struct_lost();
	a.id = 23;
	a.map = UINT64_C(0xffff8e8402a11000);
	a.user_vm_start = UINT64_C(1) << 44;
	a.unknown &= ~(1u << FIELD_ID | 1u << FIELD_MAP | 1u << FIELD_USER_VM_START);
	show();
	ck_taken("       23 ffff8e8402a11000   100000000000       0        ? L     ?\n");
	a.unknown |= 1u << FIELD_ID | 1u << FIELD_MAP;
	show();
	ck_taken("        ? ?                  100000000000       0        ? L     ?\n");
}
END_TEST

START_TEST(table__list_is_at_most_80_columns_wide)
{
	a.id = 999999999;
	memcpy(a.name, "fifteen_letters", 16);
	a.map = UINT64_MAX;
	a.user_vm_start = UINT64_C(0xffffffffff000);
	a.mapped = a.declared_pages = 1048576;
	a.truncated = a.span_capped = true;
	a.missing = a.scratch = a.outside = 1;
	show();
	ck_narrow(taken_text());
	a.life = LIFE_DYING;
	a.span_capped = false;
	show();
	ck_narrow(taken_text());
	window_inexact();
	a.life = LIFE_DYING;
	show();
	ck_narrow(taken_text());
}
END_TEST

START_TEST(table__names_are_one_harmless_word)
{
	t.headings = false;
	memcpy(a.name, "a \x1b[2J\xff", 8);
	show();
	ck_taken("       23 ffff8e8402a11000   100000000000       0    65536 -     "
		 "a\\x20\\x1b[2J\\xff\n");
	a.name[0] = '\0';
	show();
	ck_taken("       23 ffff8e8402a11000   100000000000       0    65536 -     -\n");
}
END_TEST

/* What is said where there is nothing to show. */
START_TEST(table__no_arenas_is_a_sentence)
{
	result.found = 0;
	begin();
	ck_assert(end());
	ck_taken("no BPF arenas among 111 maps\n");
	k.has_arenas = false;
	ck_assert(end());
	ck_taken("no BPF arenas: this kernel does not have them\n");
	k.has_arenas = true;
	fault_fill(&why, STATE_EXCLUDED, SPACE_NONE, 0, "a node is lost");
	problems_add(&result.problems, &why);
	ck_assert(end());
	ck_taken("no BPF arenas found among the 111 maps that could be read\n");
}
END_TEST

START_TEST(table__arenas_that_were_not_asked_for_are_not_denied)
{
	begin();
	ck_assert(end());
	ck_taken("");
}
END_TEST

/* All fields */

#define FIELDS \
	"           id: 23\n" \
	"         name: scx_arena\n" \
	"          map: ffff8e8402a11000\n" \
	"  max_entries: 65536\n" \
	"    map_extra: 100000000000\n" \
	"    map_flags: 00020400\n" \
	"     declared: 65536\n" \
	"user_vm_start: 100000000000\n" \
	"  user_vm_end: 100010000000\n" \
	"kern_vm_start: ffffc90000008000\n" \
	"       mapped: 12\n" \
	"      scratch: 3\n" \
	"      outside: 2\n" \
	"      missing: 1\n" \
	"    truncated: no\n" \
	"     found_by: map_idr\n"

static void verbose(void)
{
	t.ask.view = VIEW_VERBOSE;
	a.mapped = 12;
	a.scratch = 3;
	a.outside = 2;
	a.missing = 1;
}

START_TEST(table__verbose_has_all_fields_and_a_blank_line_between)
{
	verbose();
	ck_assert(show());
	ck_assert(show());
	ck_taken(FIELDS "\n" FIELDS);
}
END_TEST

START_TEST(table__verbose_says_what_is_unknown_and_capped)
{
	const char *text;

	verbose();
	window_unknown();
	a.unknown |= 1u << FIELD_USER_VM_START;
	a.span_capped = true;
	a.declared_pages = 1048576;
	show();
	text = taken_text();
	ck_assert_ptr_nonnull(strstr(text, "\n     declared: 1048576 (capped at 4 GiB)\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nuser_vm_start: ?\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nkern_vm_start: ?\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n       mapped: ?\n      scratch: ?\n"
				     "      outside: ?\n      missing: ?\n    truncated: yes\n"));
}
END_TEST

#define LOST_FIELDS \
	"           id: ?\n" \
	"         name: ?\n" \
	"          map: ? (lost)\n" \
	"  max_entries: ?\n" \
	"    map_extra: ?\n" \
	"    map_flags: ?\n" \
	"     declared: ?\n" \
	"user_vm_start: ?\n" \
	"  user_vm_end: ?\n"
#define LOST_COUNTS \
	"       mapped: 12\n" \
	"      scratch: 3\n" \
	"      outside: 2\n" \
	"      missing: 1\n" \
	"    truncated: no\n"

START_TEST(table__verbose_has_all_fields_of_a_lost_struct)
{
	verbose();
	struct_lost();
	show();
	ck_taken(LOST_FIELDS "kern_vm_start: ffffc90000008000\n" LOST_COUNTS
		 "     found_by: vmalloc\n");
	window_inexact();
	show();
	ck_taken("\n" LOST_FIELDS
		 "kern_vm_start: ? (page tables begin at ffffc90000000000)\n" LOST_COUNTS
		 "     found_by: pagetable\n");
}
END_TEST

START_TEST(table__verbose_tells_new_and_dying_from_living)
{
	verbose();
	a.life = LIFE_DYING;
	show();
	ck_assert_ptr_nonnull(strstr(taken_text(),
				     "           id: 23 (being freed: nobody holds it)\n"));
	a.life = LIFE_NEW;
	a.unknown = 1u << FIELD_ID;
	show();
	ck_assert_ptr_nonnull(strstr(taken_text(),
				     "           id: ? (being made: it has no id yet)\n"));
	/* what is not known is not said */
	a.unknown |= 1u << FIELD_LIFE;
	show();
	ck_assert_ptr_nonnull(strstr(taken_text(), "           id: ?\n"));
}
END_TEST

START_TEST(table__lost_ranges_name_pages_address_and_reason)
{
	const char *text;

	verbose();
	a.n_lost = 3;
	lost[0] = (struct arena_lost){
		.has_pgoff = true, .pgoff = 512, .n = 512,
		.kernel = UINT64_C(0xffffc90000208000),
	};
	fault_fill(&lost[0].why, STATE_EXCLUDED, SPACE_PHYS, 0, "its table is \x1b excluded");
	lost[1] = (struct arena_lost){ .n = 8, .kernel = AREA };
	fault_fill(&lost[1].why, STATE_CUT, SPACE_PHYS, 0, "cut");
	/* no window, in a struct without pages */
	lost[2] = (struct arena_lost){ .has_pgoff = true };
	fault_fill(&lost[2].why, STATE_DAMAGED, SPACE_VIRT, 0, "torn");
	ck_assert(show());
	text = taken_text();
	ck_assert_int_eq(strncmp(text, FIELDS, strlen(FIELDS)), 0);
	ck_assert_str_eq(text + strlen(FIELDS),
		"         lost: pgoff 512 to 1023 (kernel ffffc90000208000)\n"
		"               its table is \\x1b excluded\n"
		"         lost: 8 pages (kernel ffffc90000000000)\n"
		"               cut\n"
		"         lost: 0 pages\n"
		"               torn\n");
}
END_TEST

/* Where it came from */

static const char *sources(void)
{
	t.ask.view = VIEW_VERBOSE;
	ck_assert(begin());
	return taken_text();
}

START_TEST(table__sources_of_a_whole_kernel)
{
	mem.facts.level = 31;
	k.symbols = 123456;
	k.encoding = KALLSYMS_ABSOLUTE_PERCPU;
	k.btf_size = 6000000;
	ck_assert_str_eq(sources(),
		"       kernel: Linux 6.12.107+deb13-amd64, x86_64, pages of 4 KiB\n"
		"         dump: kdump, zlib, level 31\n"
		"      symbols: kallsyms in the dump, 123456 symbols\n"
		"               (addresses relative to a base, per-CPU ones absolute)\n"
		"        types: BTF in the dump, 6000000 bytes\n"
		"  page tables: x86_64, 4 levels, root at physical 0x2c10000\n"
		"       arenas: 111 maps in map_idr, 0 pointers of programs,\n"
		"               1 vmalloc areas\n\n");
}
END_TEST

/* What was looked at, and what could not be. */
START_TEST(table__sources_name_the_ways_to_arenas)
{
	static const struct { struct arena_search search; const char *lines; } is[] = {
		{ { .maps = 3, .programs = 2, .areas = 5 },
		  "       arenas: 3 maps in map_idr, 2 pointers of programs,\n"
		  "               5 vmalloc areas\n\n" },
		{ { .maps = 3, .no_programs = true, .no_areas = true },
		  "       arenas: 3 maps in map_idr, programs cannot be read,\n"
		  "               vmalloc areas cannot be read\n\n" },
		{ { .areas = 5, .tasks = true, .mappings = 7 },
		  "               5 vmalloc areas, 7 mappings of processes\n\n" },
		{ { .areas = 5, .tasks = true, .mappings = 7, .scan = true, .candidates = 9 },
		  "               5 vmalloc areas, 7 mappings of processes,\n"
		  "               all pages: 9 more structs\n\n" },
		{ { .maps = INT32_MAX, .programs = INT32_MAX, .areas = INT32_MAX, .tasks = true,
		    .mappings = INT32_MAX, .scan = true, .candidates = INT32_MAX },
		  "       arenas: 2147483647 maps in map_idr, 2147483647 pointers of programs,\n" },
	};
	const char *text;

	result.search = is[_i].search;
	text = sources();
	ck_assert_msg(strstr(text, is[_i].lines), "%s", text);
	ck_narrow(strstr(text, "       arenas: "));
}
END_TEST

START_TEST(table__sources_of_a_kernel_without_arenas_name_no_ways)
{
	k.has_arenas = false;
	ck_assert_ptr_null(strstr(sources(), "map_idr"));
}
END_TEST

START_TEST(table__sources_name_the_encoding)
{
	static const char *const words[] = {
		[KALLSYMS_ABSOLUTE_PERCPU] = "(addresses relative to a base, per-CPU ones absolute)",
		[KALLSYMS_BASE] = "(addresses relative to a base)\n",
		[KALLSYMS_PLACE] = "(addresses relative to their place)\n",
		[KALLSYMS_ENCODINGS] = "(addresses ?)\n",
	};

	k.encoding = (enum kallsyms_encoding)_i;
	ck_assert_ptr_nonnull(strstr(sources(), words[_i]));
}
END_TEST

START_TEST(table__sources_say_what_the_dump_is)
{
	static const struct { struct memory_facts facts; const char *line; } dump[] = {
		{ { .level = -1 }, "         dump: ?\n" },
		{ { .level = 0, .format = "ELF" }, "         dump: ELF, level 0\n" },
		{ { .level = 1, .format = "ELF", .reduced = true },
		  "         dump: reduced by arenasnap from ELF, level 1\n" },
		{ { .level = -1, .format = "ELF", .parts = 1 },
		  "         dump: ELF, 1 part of a split set (0 empty)\n" },
		{ { .level = -1, .format = "ELF", .parts = 4, .empty_parts = 2 },
		  "         dump: ELF, 4 parts of a split set (2 empty)\n" },
	};

	mem.facts = dump[_i].facts;
	ck_assert_ptr_nonnull(strstr(sources(), dump[_i].line));
}
END_TEST

START_TEST(table__sources_name_debug_information_and_why_it_was_asked)
{
	const char *text;

	k.debuginfo = "/tmp/vm\x1blinux";
	k.has_kallsyms = false;
	fault_fill(&k.no_kallsyms, STATE_EXCLUDED, SPACE_NONE, 0, "kallsyms are excluded");
	fault_fill(&k.no_btf, STATE_EXCLUDED, SPACE_NONE, 0, "BTF is excluded");
	k.types = TYPES_DEBUGINFO_BTF;
	text = sources();
	ck_assert_ptr_nonnull(strstr(text, "      symbols: /tmp/vm\\x1blinux\n"
				     "               (kallsyms are excluded)\n"));
	ck_assert_ptr_nonnull(strstr(text, "        types: BTF of /tmp/vm\\x1blinux\n"
				     "               (BTF is excluded)\n"));
	k.types = TYPES_DEBUGINFO;
	ck_assert_ptr_nonnull(strstr(sources(), "        types: debug information of "
				     "/tmp/vm\\x1blinux\n               (BTF is excluded)\n"));
}
END_TEST

START_TEST(table__sources_name_symbols_from_elsewhere)
{
	k.debuginfo = "vmlinux";
	k.symbol[SYMBOL_map_idr].name = "map_idr";
	k.symbol[SYMBOL_arena_map_ops].name = "arena_map_ops";
	k.symbol_elsewhere[SYMBOL_map_idr] = k.symbol_elsewhere[SYMBOL_arena_map_ops] = true;
	ck_assert_ptr_nonnull(strstr(sources(), "\n               map_idr, arena_map_ops: "
				     "vmlinux\n"));
}
END_TEST

/* Only what is lost by it is of interest: not what older kernels never had. */
START_TEST(table__sources_name_missing_members_and_what_is_lost)
{
	const char *text;

	memset(k.members.known, 0, sizeof(k.members.known));
	text = sources();
	ck_assert_ptr_nonnull(strstr(text, "               (no vm_struct.requested_size; lost: "
				     "a check of the size of the kernel window)\n"));
	ck_assert_ptr_nonnull(strstr(text, "               (no xa_node.array; lost: "
				     "a check of the nodes of map_idr)\n"));
	ck_assert_ptr_null(strstr(text, "scratch_page"));
	/* what is lost for the same reason is one entry */
	ck_assert_ptr_nonnull(strstr(text, "               (no bpf_prog.aux and 3 more; lost: "
				     "arenas that only a program leads to)\n"));
	k.has_arenas = false;
	ck_assert_ptr_null(strstr(sources(), "lost:"));
}
END_TEST

START_TEST(table__sources_are_said_with_verbose_alone)
{
	for (int view = VIEW_LIST; view <= VIEW_PAGES; view++) {
		t.ask.view = (enum view)view;
		ck_assert(begin());
		ck_assert_int_eq(!*taken_text(), view != VIEW_VERBOSE);
	}
}
END_TEST

/* Pages */

#define PAGES_HEADING \
	"     ID   PGOFF           USER           KERNEL        PHYS KIND    STORED\n"
#define RUNS_HEADING \
	"   ID   PGOFF   PAGES           USER           KERNEL        PHYS KIND    STORED\n"

START_TEST(table__pages_have_a_line_each)
{
	t.ask.view = VIEW_PAGES;
	a.mapped = 3;
	a.declared_pages = 4;
	add_page(FIRST, 0x12345000, KIND_PAGE, STATE_STORED);
	add_page(FIRST + 1, 0x12346000, KIND_PAGE, STATE_EXCLUDED);
	add_page(FIRST + 3, 0x1000, KIND_PAGE, STATE_UNKNOWN);
	add_page(FIRST + 4, 0x2000, KIND_SCRATCH, STATE_STORED);
	add_page(FIRST + 1048575, 0x3000, KIND_OUTSIDE, STATE_CUT);
	add_page(0, UINT64_C(0xfffffffff000), KIND_OUTSIDE, STATE_ABSENT);
	ck_assert(show());
	ck_taken("arena 23 scx_arena: 3 of 4 pages mapped\n" PAGES_HEADING
		"     23       0   100000000000 ffffc90000008000    12345000 page    yes\n"
		"     23       1   100000001000 ffffc90000009000    12346000 page    no\n"
		"     23       3   100000003000 ffffc9000000b000        1000 page    ?\n"
		"     23       4   100000004000 ffffc9000000c000        2000 scratch yes\n"
		"     23 1048575   1000fffff000 ffffc90100007000        3000 outside no\n"
		"     23       -              - ffffc90000000000 fffffffff000 outside no\n");
}
END_TEST

/* user_vm_start at 4 GiB less 2 pages: the ring comes back to its low end. */
START_TEST(table__addresses_wrap_at_32_bits)
{
	t.ask.view = VIEW_PAGES;
	t.headings = false;
	t.ask.runs = true;
	a.user_vm_start = UINT64_C(0x1000ffffe000);
	add_page(FIRST + 0xffffe, 0x1000, KIND_PAGE, STATE_STORED);
	add_page(FIRST + 0xfffff, 0x2000, KIND_PAGE, STATE_STORED);
	add_page(FIRST, 0x3000, KIND_PAGE, STATE_STORED);
	ck_assert(show());
	/* neighbours by pgoff and frame, but not in the kernel's area */
	ck_taken("   23       0       2   1000ffffe000 ffffc90100006000        1000 page    yes\n"
		 "   23       2       1   100000000000 ffffc90000008000        3000 page    yes\n");
}
END_TEST

START_TEST(table__runs_join_exactly_neighbours)
{
	static const struct arena_page second[] = {
		{ 0x2000, FIRST + 1, KIND_PAGE, STATE_STORED },		/* joined */
		{ 0x2000, FIRST + 2, KIND_PAGE, STATE_STORED },		/* a hole between */
		{ 0x3000, FIRST + 1, KIND_PAGE, STATE_STORED },		/* frames apart */
		{ 0x0000, FIRST + 1, KIND_PAGE, STATE_STORED },		/* frames descend */
		{ 0x1000, FIRST + 1, KIND_PAGE, STATE_STORED },		/* the same frame */
		{ 0x2000, FIRST + 1, KIND_OUTSIDE, STATE_STORED },	/* another kind */
		{ 0x2000, FIRST + 1, KIND_PAGE, STATE_EXCLUDED },	/* not stored */
	};
	const char *text;

	t.ask.view = VIEW_PAGES;
	t.headings = false;
	t.ask.runs = true;
	add_page(FIRST, 0x1000, KIND_PAGE, STATE_STORED);
	page[a.n_pages++] = second[_i];
	ck_assert(show());
	text = taken_text();
	if (!_i)
		ck_assert_str_eq(text, "   23       0       2   100000000000 ffffc90000008000"
				 "        1000 page    yes\n");
	else
		ck_assert_ptr_nonnull(strchr(strchr(text, '\n') + 1, '\n'));
}
END_TEST

START_TEST(table__runs_count_and_end_with_the_pages)
{
	t.ask.view = VIEW_PAGES;
	t.ask.runs = true;
	a.mapped = 6;
	for (uint32_t i = 0; i < 4; i++)
		add_page(FIRST + i, 0x10000 + i * 0x1000, KIND_PAGE, STATE_STORED);
	add_page(FIRST + 9, 0x90000, KIND_PAGE, STATE_STORED);
	add_page(FIRST + 10, 0x91000, KIND_PAGE, STATE_STORED);
	/* both guards: without pgoff, and apart */
	add_page(FIRST - 1, 0x20000, KIND_OUTSIDE, STATE_STORED);
	add_page(FIRST + 1048576, 0x21000, KIND_OUTSIDE, STATE_STORED);
	add_page(FIRST + 1048577, 0x22000, KIND_OUTSIDE, STATE_STORED);
	ck_assert(show());
	ck_taken("arena 23 scx_arena: 6 of 65536 pages mapped\n" RUNS_HEADING
		"   23       0       4   100000000000 ffffc90000008000       10000 page    yes\n"
		"   23       9       2   100000009000 ffffc90000011000       90000 page    yes\n"
		"   23       -       1              - ffffc90000007000       20000 outside yes\n"
		"   23       -       2              - ffffc90100008000       21000 outside yes\n");
}
END_TEST

START_TEST(table__guard_and_first_page_are_no_run)
{
	t.ask.view = VIEW_PAGES;
	t.headings = false;
	t.ask.runs = true;
	add_page(FIRST - 1, 0x1000, KIND_OUTSIDE, STATE_STORED);
	add_page(FIRST, 0x2000, KIND_OUTSIDE, STATE_STORED);
	show();
	ck_taken("   23       -       1              - ffffc90000007000        1000 outside yes\n"
		 "   23       0       1   100000000000 ffffc90000008000        2000 outside yes\n");
}
END_TEST

/* The kernel's address has the low half of the user's; what lies in a guard has none. */
START_TEST(table__pages_of_an_unknown_start_have_half_an_address)
{
	t.ask.view = VIEW_PAGES;
	a.unknown = 1u << FIELD_USER_VM_START;
	a.user_vm_start = 0;
	a.mapped = 2;
	add_page(0, 0x3000, KIND_OUTSIDE, STATE_STORED);
	add_page(FIRST + 16, 0x1000, KIND_PAGE, STATE_STORED);
	add_page(FIRST + 1048575, 0x9000, KIND_PAGE, STATE_STORED);
	add_page(FIRST + 1048576, 0x2000, KIND_SCRATCH, STATE_STORED);
	show();
	ck_taken("arena 23 scx_arena: 2 of 65536 pages mapped\n" PAGES_HEADING
		 "     23       -              - ffffc90000000000        3000 outside yes\n"
		 "     23       ?      ?00010000 ffffc90000018000        1000 page    yes\n"
		 "     23       ?      ?fffff000 ffffc90100007000        9000 page    yes\n"
		 "     23       -              - ffffc90100008000        2000 scratch yes\n");
}
END_TEST

START_TEST(table__pages_of_a_lost_struct_are_headed_by_their_window)
{
	t.ask.view = VIEW_PAGES;
	struct_lost();
	a.mapped = 1;
	add_page(FIRST, 0x1000, KIND_PAGE, STATE_STORED);
	show();
	ck_taken("arena at 0xffffc90000008000: 1 of ? pages mapped\n" PAGES_HEADING
		 "      ?       ?      ?00000000 ffffc90000008000        1000 page    yes\n");
}
END_TEST

/* Where the window begins is not known, nor is any part of a user address. */
START_TEST(table__pages_of_page_tables_alone_have_kernel_addresses)
{
	t.ask.view = VIEW_PAGES;
	t.ask.runs = true;
	window_inexact();
	a.mapped = 2;
	add_page(FIRST, 0x1000, KIND_PAGE, STATE_STORED);
	add_page(FIRST + 1, 0x2000, KIND_PAGE, STATE_STORED);
	show();
	ck_taken("arena at 0xffffc90000000000: 2 of ? pages mapped\n" RUNS_HEADING
		 "    ?       ?       2              ? ffffc90000008000        1000 page    yes\n");
}
END_TEST

START_TEST(table__arenas_without_pages_have_a_line_and_lost_ranges)
{
	t.ask.view = VIEW_PAGES;
	show();
	window_unknown();
	a.n_lost = 1;
	lost[0] = (struct arena_lost){ .has_pgoff = true, .n = 65536 };
	fault_fill(&lost[0].why, STATE_DAMAGED, SPACE_VIRT, 0, "torn");
	show();
	ck_taken("arena 23 scx_arena: 0 of 65536 pages mapped\n"
		 "\narena 23 scx_arena: ? of 65536 pages mapped\n"
		 "         lost: pgoff 0 to 65535\n"
		 "               torn\n");
	t.headings = false;
	show();
	ck_taken("");
}
END_TEST

START_TEST(table__pages_are_at_most_80_columns_wide)
{
	t.ask.view = VIEW_PAGES;
	a.id = 9999999;
	a.user_vm_start = UINT64_C(0xfffff00000000);
	add_page(FIRST + 1048575, UINT64_C(0xffffffff000), KIND_SCRATCH, STATE_STORED);
	show();
	ck_narrow(taken_text());
	t.ask.runs = true;
	show();
	ck_narrow(taken_text());
}
END_TEST

/* Stop */

START_TEST(table__stop_is_told_by_every_view)
{
	static const enum view view[] = { VIEW_LIST, VIEW_VERBOSE, VIEW_PAGES, VIEW_PAGES };

	t.ask.view = view[_i];
	a.n_lost = 1;
	fault_fill(&lost[0].why, STATE_CUT, SPACE_NONE, 0, "cut");
	add_page(FIRST, 0x1000, KIND_PAGE, STATE_STORED);
	if (_i == 3)
		add_page(FIRST + 9, 0x1000, KIND_PAGE, STATE_STORED);
	stop_at = 1;
	ck_assert(sink_puts(&out, "line\n"));
	ck_assert(!sink_flush(&out));
	ck_assert(!show());
	if (view[_i] == VIEW_VERBOSE)
		ck_assert(!begin());
	t.headings = false;
	ck_assert(!show());
	ck_assert(!end());
	result.found = 0;
	ck_assert(!end());
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, table_setup, teardown);
	tcase_add_test(tests, table__list_looks_as_in_the_design);
	tcase_add_test(tests, table__list_without_headings_is_rows_alone);
	tcase_add_test(tests, table__each_flag_has_its_letter_and_its_place);
	tcase_add_loop_test(tests, table__flags_say_what_is_not_a_living_arena, 0, 5);
	tcase_add_test(tests, table__lost_struct_has_its_window_in_place_of_both_addresses);
	tcase_add_test(tests, table__lost_struct_has_the_addresses_that_are_proved);
	tcase_add_test(tests, table__unknown_is_a_question_mark_and_zero_is_a_zero);
	tcase_add_test(tests, table__list_is_at_most_80_columns_wide);
	tcase_add_test(tests, table__names_are_one_harmless_word);
	tcase_add_test(tests, table__no_arenas_is_a_sentence);
	tcase_add_test(tests, table__arenas_that_were_not_asked_for_are_not_denied);
	tcase_add_test(tests, table__verbose_has_all_fields_and_a_blank_line_between);
	tcase_add_test(tests, table__verbose_says_what_is_unknown_and_capped);
	tcase_add_test(tests, table__verbose_has_all_fields_of_a_lost_struct);
	tcase_add_test(tests, table__verbose_tells_new_and_dying_from_living);
	tcase_add_test(tests, table__lost_ranges_name_pages_address_and_reason);
	tcase_add_test(tests, table__sources_of_a_whole_kernel);
	tcase_add_loop_test(tests, table__sources_name_the_ways_to_arenas, 0, 5);
	tcase_add_test(tests, table__sources_of_a_kernel_without_arenas_name_no_ways);
	tcase_add_loop_test(tests, table__sources_name_the_encoding, 0, KALLSYMS_ENCODINGS + 1);
	tcase_add_loop_test(tests, table__sources_say_what_the_dump_is, 0, 5);
	tcase_add_test(tests, table__sources_name_debug_information_and_why_it_was_asked);
	tcase_add_test(tests, table__sources_name_symbols_from_elsewhere);
	tcase_add_test(tests, table__sources_name_missing_members_and_what_is_lost);
	tcase_add_test(tests, table__sources_are_said_with_verbose_alone);
	tcase_add_test(tests, table__pages_have_a_line_each);
	tcase_add_test(tests, table__addresses_wrap_at_32_bits);
	tcase_add_loop_test(tests, table__runs_join_exactly_neighbours, 0, 7);
	tcase_add_test(tests, table__runs_count_and_end_with_the_pages);
	tcase_add_test(tests, table__guard_and_first_page_are_no_run);
	tcase_add_test(tests, table__pages_of_an_unknown_start_have_half_an_address);
	tcase_add_test(tests, table__pages_of_a_lost_struct_are_headed_by_their_window);
	tcase_add_test(tests, table__pages_of_page_tables_alone_have_kernel_addresses);
	tcase_add_test(tests, table__arenas_without_pages_have_a_line_and_lost_ranges);
	tcase_add_test(tests, table__pages_are_at_most_80_columns_wide);
	tcase_add_loop_test(tests, table__stop_is_told_by_every_view, 0, 4);
}

int main(void)
{
	return run_suite("render_table", add);
}
