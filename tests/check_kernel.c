// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/kernel.c on whole synthetic machines, and on machines that contradict themselves.
 */
#include "suite.h"

#include "../core/kernel.h"
#include "../fixtures/synth/machine.h"

static struct machine m;
static struct memory mem;
static struct kernel *k;
static struct fault why;

static void setup(void)
{
	memset(&m, 0, sizeof(m));
	k = NULL;
}

static void teardown(void)
{
	ck_assert_uint_eq(m.pm.crossings, 0);
	kernel_close(k);
	if (m.pm.page_size)
		machine_free(&m);
}

static bool open_kernel(void)
{
	machine_finish(&m);
	mem = machine_memory(&m);
	k = kernel_open(&mem, &why);
	return k;
}

static void ck_refused(enum state kind, const char *text)
{
	ck_assert(!open_kernel());
	ck_fault(why, kind, text);
}

static void init(const char *name)
{
	machine_init(&m, machine_config(name));
}

START_TEST(kernel__each_machine_is_opened)
{
	static const enum kallsyms_encoding same[] = {
		[OFFSETS_PERCPU] = KALLSYMS_ABSOLUTE_PERCPU, [OFFSETS_BASE] = KALLSYMS_BASE,
		[OFFSETS_PLACE] = KALLSYMS_PLACE,
	};

	machine_init(&m, &machine_configs[_i]);
	ck_ok(open_kernel(), why);
	ck_assert_str_eq(k->release, m.c.release);
	ck_assert_str_eq(k->machine, machine_name(&m));
	ck_u64_eq(k->page_size, m.pm.page_size);
	ck_assert_int_eq(k->encoding, same[m.c.encoding]);
	ck_assert(k->has_arenas);
	ck_u64_eq(k->symbol[SYMBOL_map_idr].addr, m.map_idr);
	ck_u64_eq(k->symbol[SYMBOL_arena_map_ops].addr, m.arena_map_ops);
	ck_u64_eq(k->btf_size, m.btf_blob.n);
}
END_TEST

START_TEST(kernel__members_are_those_of_its_btf)
{
	machine_init(&m, &machine_configs[_i]);
	ck_ok(open_kernel(), why);
	for (int i = 0; i < MEMBERS_END; i++) {
		const struct member_info *info = &member_info[i];

		if (info->need == NEW && !machine_has(&m, info->type, info->name))
			ck_assert(!kernel_has(k, (enum member)i));
		else
			ck_assert_uint_eq(k->members.offset[i],
					  machine_offset(&m, info->type, info->name));
	}
	ck_assert_uint_eq(k->members.size[MEMBER_xa_node_slots], 512);
}
END_TEST

START_TEST(kernel__reads_values_of_the_direct_map)
{
	uint64_t map, v64 = 0;
	uint32_t v32 = 0;

	machine_init(&m, &machine_configs[_i]);
	map = machine_add_map(&m, 7, 2, "counters");
	ck_ok(open_kernel(), why);
	ck_ok(kernel_member_u32(k, map, MEMBER_bpf_map_id, &v32, &why), why);
	ck_assert_uint_eq(v32, 7);
	ck_ok(kernel_member_u64(k, map, MEMBER_bpf_map_ops, &v64, &why), why);
	ck_u64_eq(v64, m.arena_map_ops + 0x200);
	physmem_set_state(&m.pm, machine_phys(&m, map), STATE_EXCLUDED);
	ck_assert(!kernel_member_u32(k, map, MEMBER_bpf_map_id, &v32, &why));
	ck_fault(why, STATE_EXCLUDED, "excluded");
}
END_TEST

START_TEST(kernel__two_kernels_are_open_at_once)
{
	struct machine other;
	struct memory other_mem;
	struct kernel *other_k;

	init("x86_64");
	machine_init(&other, machine_config("aarch64-16k"));
	machine_finish(&other);
	other_mem = machine_memory(&other);
	other_k = kernel_open(&other_mem, &why);
	ck_assert_ptr_nonnull(other_k);
	ck_ok(open_kernel(), why);
	ck_assert_str_eq(k->machine, "x86_64");
	ck_assert_str_eq(other_k->machine, "aarch64");
	ck_u64_eq(k->symbol[SYMBOL_map_idr].addr, m.map_idr);
	ck_u64_eq(other_k->symbol[SYMBOL_map_idr].addr, other.map_idr);
	kernel_close(other_k);
	machine_free(&other);
}
END_TEST

START_TEST(kernel__kernel_without_arenas_is_opened)
{
	init(_i ? "aarch64-4k" : "x86_64");
	m.no_btf_arena = m.no_ops_symbol = true;
	ck_ok(open_kernel(), why);
	ck_assert(!k->has_arenas);
}
END_TEST

START_TEST(kernel__arenas_in_btf_alone_contradict)
{
	init("x86_64");
	m.no_ops_symbol = true;
	ck_refused(FAULT_UNKNOWN_TYPE, "kallsyms has no arena_map_ops");
}
END_TEST

START_TEST(kernel__arenas_in_kallsyms_alone_contradict)
{
	init("x86_64");
	m.no_btf_arena = true;
	ck_refused(FAULT_UNKNOWN_TYPE, "BTF has no struct bpf_arena");
}
END_TEST

START_TEST(kernel__two_symbols_map_idr_are_refused)
{
	init("x86_64");
	m.two_map_idr = true;
	ck_refused(FAULT_UNKNOWN_TYPE, "2 symbols map_idr");
}
END_TEST

START_TEST(kernel__no_btf_symbols_are_refused)
{
	init("aarch64-16k");
	m.no_btf_symbols = true;
	ck_refused(FAULT_UNKNOWN_TYPE, "__start_BTF");
}
END_TEST

START_TEST(kernel__btf_that_is_excluded_is_said)
{
	init("aarch64-4k");
	machine_finish(&m);
	physmem_set_state(&m.pm, machine_phys(&m, m.btf), STATE_EXCLUDED);
	mem = machine_memory(&m);
	ck_assert_ptr_null(kernel_open(&mem, &why));
	ck_fault(why, STATE_EXCLUDED, "BTF: ");
}
END_TEST

START_TEST(kernel__btf_that_is_damaged_is_said)
{
	init("aarch64-4k");
	machine_finish(&m);
	physmem_u32(&m.pm, machine_phys(&m, m.btf), 0);
	mem = machine_memory(&m);
	ck_assert_ptr_null(kernel_open(&mem, &why));
	ck_fault(why, STATE_DAMAGED, "BTF");
}
END_TEST

START_TEST(kernel__vmcoreinfo_of_another_kernel_is_refused)
{
	machine_init(&m, &machine_configs[_i]);
	m.release_in_memory = "6.12.106+deb13-amd64";
	ck_refused(STATE_DAMAGED, m.c.release);
}
END_TEST

/* A prefix is not the same kernel either. */
START_TEST(kernel__release_is_compared_to_its_end)
{
	init("x86_64-7.3");
	m.release_in_memory = _i ? "7.3.4-amd64x" : "7.3.4-amd6";
	ck_refused(STATE_DAMAGED, "7.3.4-amd64");
}
END_TEST

START_TEST(kernel__image_that_the_tables_have_elsewhere_is_refused)
{
	machine_init(&m, &machine_configs[_i]);
	m.moved_image = true;
	ck_refused(STATE_DAMAGED, "page tables have init_uts_ns");
}
END_TEST

START_TEST(kernel__image_that_is_not_mapped_is_refused)
{
	machine_init(&m, &machine_configs[_i]);
	machine_finish(&m);
	physmem_u64(&m.pm, tables_entry(&m.t, m.uts_ns, m.t.c.page_shift), 0);
	mem = machine_memory(&m);
	ck_assert_ptr_null(kernel_open(&mem, &why));
	ck_fault(why, STATE_ABSENT, "the kernel's image");
}
END_TEST

/* The image lies at a fixed distance from its physical place: its symbols and types are found. */
START_TEST(kernel__root_table_that_is_lost_leaves_the_image)
{
	uint64_t start = 0;

	machine_init(&m, &machine_configs[_i]);
	machine_finish(&m);
	physmem_set_state(&m.pm, m.t.root, STATE_EXCLUDED);
	mem = machine_memory(&m);
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
	ck_assert(kernel_read_u64(k, m.btf, &start, &why));
	ck_u64_eq(start & 0xffff, 0xeb9f);
	/* nothing else stands in for the tables of the vmalloc area */
	ck_assert(!kernel_read_u64(k, m.vmalloc, &start, &why));
	ck_fault(why, STATE_EXCLUDED, "page table");
	ck_u64_eq(why.addr, m.t.root);
}
END_TEST

START_TEST(kernel__no_vmcoreinfo_is_said_with_the_cure)
{
	init("x86_64");
	machine_finish(&m);
	mem = machine_memory(&m);
	mem.facts.vmcoreinfo = NULL;
	mem.facts.vmcoreinfo_len = 0;
	ck_assert_ptr_null(kernel_open(&mem, &why));
	ck_fault(why, FAULT_UNSUPPORTED, "vmcoreinfo");
}
END_TEST

START_TEST(kernel__line_that_vmcoreinfo_lacks_is_named)
{
	static const struct { const char *machine, *line, *named; } lost[] = {
		{ "x86_64", "OSRELEASE", "OSRELEASE" },
		{ "x86_64", "SYMBOL(init_uts_ns)", "init_uts_ns" },
		{ "x86_64", "SYMBOL(kallsyms_names)", "kallsyms_names" },
		{ "aarch64-4k", "SYMBOL(init_uts_ns)", "init_uts_ns" },
		{ "aarch64-4k", "PAGESIZE", "PAGESIZE" },
		{ "aarch64-4k", "SYMBOL(swapper_pg_dir)", "swapper_pg_dir" },
		{ "aarch64-4k", "NUMBER(VA_BITS)", "VA_BITS" },
		{ "aarch64-4k", "SYMBOL(kallsyms_offsets)", "kallsyms_offsets" },
	};

	init(lost[_i].machine);
	m.without_line = lost[_i].line;
	ck_assert(!open_kernel());
	ck_assert_msg(strstr(why.text, lost[_i].named), "%s", why.text);
}
END_TEST

START_TEST(kernel__other_machine_is_named)
{
	init("x86_64");
	m.without_line = "NUMBER(phys_base)";
	machine_finish(&m);
	mem = machine_memory(&m);
	mem.facts.machine = "riscv64";
	ck_assert_ptr_null(kernel_open(&mem, &why));
	ck_fault(why, FAULT_UNSUPPORTED, "riscv64");
}
END_TEST

START_TEST(kernel__missing_required_member_is_named)
{
	const struct member_info *info = &member_info[_i];

	if (!strcmp(info->name, "sizeof"))
		return;		/* every struct has a size */
	init("x86_64-7.3");
	m.without_type = info->type;
	m.without_member = info->name;
	if (info->need != REQUIRED) {
		ck_ok(open_kernel(), why);
		ck_assert(!kernel_has(k, (enum member)_i));
		return;
	}
	ck_assert(!open_kernel());
	ck_assert_int_eq(why.kind, FAULT_UNKNOWN_TYPE);
	ck_assert_msg(strstr(why.text, info->name) && strstr(why.text, info->type), "%s",
		      why.text);
}
END_TEST

/* The whole page of the release may be at the end of a page. */
START_TEST(kernel__reads_over_a_lost_page_fail)
{
	uint8_t buf[128];

	init("x86_64");
	ck_ok(open_kernel(), why);
	ck_assert(!kernel_read(k, m.direct + 0x1000, buf, sizeof(buf), &why));
	ck_assert(!kernel_read(k, 0x1000, buf, sizeof(buf), &why));
	ck_assert(!kernel_read(k, UINT64_MAX - 8, buf, sizeof(buf), &why));
	ck_ok(kernel_read(k, m.stext, buf, 0, &why), why);
}
END_TEST

/* CONFIG_KALLSYMS_ALL is not set. */

START_TEST(kernel__without_variables_in_kallsyms_it_is_opened)
{
	machine_init(&m, &machine_configs[_i]);
	m.functions_only = true;
	ck_ok(open_kernel(), why);
	ck_assert(k->functions_only && k->has_arenas);
	ck_u64_eq(k->btf_found, m.btf);
	ck_u64_eq(k->btf_size, m.btf_blob.n);
	ck_assert_uint_eq(k->members.offset[MEMBER_bpf_arena_kern_vm],
			  machine_offset(&m, "bpf_arena", "kern_vm"));
	ck_assert_uint_eq(k->symbol[SYMBOL_map_idr].count, 0);
	ck_assert_uint_eq(k->symbol[SYMBOL_arena_map_ops].count, 0);
}
END_TEST

START_TEST(kernel__with_variables_btf_needs_no_search)
{
	init("x86_64");
	ck_ok(open_kernel(), why);
	ck_assert(!k->functions_only);
	ck_u64_eq(k->btf_found, 0);
}
END_TEST

START_TEST(kernel__without_variables_and_arenas_it_has_none)
{
	machine_init(&m, &machine_configs[_i]);
	m.functions_only = m.no_btf_arena = m.no_ops_symbol = true;
	ck_ok(open_kernel(), why);
	ck_assert(!k->has_arenas);
	ck_u64_eq(k->btf_found, m.btf);
}
END_TEST

START_TEST(kernel__function_and_btf_must_agree)
{
	init(_i & 1 ? "x86_64" : "aarch64-16k");
	m.functions_only = true;
	if (_i & 2) {
		m.no_ops_symbol = true;
		ck_refused(FAULT_UNKNOWN_TYPE, "kallsyms has no arena_map_alloc");
	} else {
		m.no_btf_arena = true;
		ck_refused(FAULT_UNKNOWN_TYPE, "BTF has no struct bpf_arena");
	}
}
END_TEST

/* BTF of something else comes first in the image: it has neither struct. */
START_TEST(kernel__other_btf_in_the_image_is_passed_over)
{
	struct btf_writer w = { 0 };
	struct bytes other = { 0 };
	struct btf_field field = { .name = "next", .offset = 0 };

	init("x86_64-7.3");
	m.functions_only = true;
	machine_finish(&m);
	field.type = btf_int(&w, "unsigned long", 8);
	btf_struct(&w, BTF_STRUCT, "list_head", 16, &field, 1);
	btf_finish(&w, &other);
	physmem_write(&m.pm, machine_phys(&m, m.stext) + 0x100, other.data, other.n);
	mem = machine_memory(&m);
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
	ck_u64_eq(k->btf_found, m.btf);
	btf_writer_free(&w);
	bytes_free(&other);
}
END_TEST

START_TEST(kernel__without_variables_lost_btf_is_said)
{
	init("aarch64-4k");
	m.functions_only = true;
	machine_finish(&m);
	physmem_set_state(&m.pm, machine_phys(&m, m.btf), STATE_EXCLUDED);
	mem = machine_memory(&m);
	ck_assert_ptr_null(kernel_open(&mem, &why));
	ck_fault(why, FAULT_UNKNOWN_TYPE, "without CONFIG_KALLSYMS_ALL");
	ck_assert_int_eq(why.cure, CURE_DEBUGINFO);
}
END_TEST

static void add(TCase *tests)
{
	int n = (int)machine_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, kernel__each_machine_is_opened, 0, n);
	tcase_add_loop_test(tests, kernel__members_are_those_of_its_btf, 0, n);
	tcase_add_loop_test(tests, kernel__reads_values_of_the_direct_map, 0, n);
	tcase_add_test(tests, kernel__two_kernels_are_open_at_once);
	tcase_add_loop_test(tests, kernel__kernel_without_arenas_is_opened, 0, 2);
	tcase_add_test(tests, kernel__arenas_in_btf_alone_contradict);
	tcase_add_test(tests, kernel__arenas_in_kallsyms_alone_contradict);
	tcase_add_test(tests, kernel__two_symbols_map_idr_are_refused);
	tcase_add_test(tests, kernel__no_btf_symbols_are_refused);
	tcase_add_test(tests, kernel__btf_that_is_excluded_is_said);
	tcase_add_test(tests, kernel__btf_that_is_damaged_is_said);
	tcase_add_loop_test(tests, kernel__vmcoreinfo_of_another_kernel_is_refused, 0, n);
	tcase_add_loop_test(tests, kernel__release_is_compared_to_its_end, 0, 2);
	tcase_add_loop_test(tests, kernel__image_that_the_tables_have_elsewhere_is_refused, 0, n);
	tcase_add_loop_test(tests, kernel__image_that_is_not_mapped_is_refused, 0, n);
	tcase_add_loop_test(tests, kernel__root_table_that_is_lost_leaves_the_image, 0, n);
	tcase_add_test(tests, kernel__no_vmcoreinfo_is_said_with_the_cure);
	tcase_add_loop_test(tests, kernel__line_that_vmcoreinfo_lacks_is_named, 0, 8);
	tcase_add_test(tests, kernel__other_machine_is_named);
	tcase_add_loop_test(tests, kernel__missing_required_member_is_named, 0, MEMBERS_END);
	tcase_add_test(tests, kernel__reads_over_a_lost_page_fail);
	tcase_add_loop_test(tests, kernel__without_variables_in_kallsyms_it_is_opened, 0, n);
	tcase_add_test(tests, kernel__with_variables_btf_needs_no_search);
	tcase_add_loop_test(tests, kernel__without_variables_and_arenas_it_has_none, 0, n);
	tcase_add_loop_test(tests, kernel__function_and_btf_must_agree, 0, 4);
	tcase_add_test(tests, kernel__other_btf_in_the_image_is_passed_over);
	tcase_add_test(tests, kernel__without_variables_lost_btf_is_said);
}

int main(void)
{
	return run_suite("kernel", add);
}
