// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * batch/vmlinux.c and batch/dwarf.c on small files that the compiler makes here: the structs of
 * a synthetic machine, its symbols, its build ID. CC names the compiler.
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../batch/vmlinux.h"
#include "../core/kernel.h"
#include "../fixtures/synth/examples.h"
#include "../fixtures/synth/structs.h"

#define BUILD_ID "0123456789abcdef0123456789abcdef01234567"

static const uint64_t linked_at = UINT64_C(0xffffffff81000000);

static char dir[] = "/tmp/check_vmlinux.XXXXXX";
static char source_path[sizeof(dir) + 16], elf_path[sizeof(dir) + 16];
static struct machine m;
static struct kernel *k;
static struct vmlinux *v;
static struct fault why;

static void setup(void)
{
	memset(&m, 0, sizeof(m));
	k = NULL;
	v = NULL;
}

static void teardown(void)
{
	kernel_close(k);
	vmlinux_close(v);
	if (m.pm.page_size)
		machine_free(&m);
	unlink(elf_path);
	unlink(source_path);
}

/* Compile @source with @flags to elf_path. */
static void compile(const struct bytes *source, const char *flags)
{
	const char *cc = getenv("CC");
	struct bytes command = { 0 };
	FILE *f = fopen(source_path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(source->data, 1, source->n, f), source->n);
	ck_assert_int_eq(fclose(f), 0);
	bytes_printf(&command, "%s -w -shared -nostdlib -Wl,--build-id=0x" BUILD_ID " %s -o %s %s",
		     cc && *cc ? cc : "gcc", flags, elf_path, source_path);
	bytes_u8(&command, 0);
	ck_assert_msg(!system((const char *)command.data), "%s", (const char *)command.data);
	bytes_free(&command);
}

static bool open_elf(void)
{
	struct stat st;
	int fd = open(elf_path, O_RDONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	v = vmlinux_open(fd, (uint64_t)st.st_size, elf_path, &why);
	close(fd);
	return v;
}

/* The machine's structs as C, with their gaps. */

static void put_member(struct bytes *c, const struct struct_member *sm)
{
	switch (sm->size) {
	case 0:
		bytes_printf(c, "\tstruct %s %s;\n", sm->of, sm->member);
		break;
	case 1:
		bytes_printf(c, "\tu8 %s;\n", sm->member);
		break;
	case 4:
		bytes_printf(c, "\tconst volatile u32 %s;\n", sm->member);
		break;
	case 8:
		bytes_printf(c, sm->member[0] == 'u' ? "\tu64 %s;\n" : "\tvoid *%s;\n", sm->member);
		break;
	case 16:
		bytes_printf(c, "\tchar %s[16];\n", sm->member);
		break;
	default:
		bytes_printf(c, "\tvoid *%s[%u];\n", sm->member, sm->size / 8);
	}
}

static uint32_t size_of(const char *type)
{
	for (unsigned i = 0; i < struct_sizes_n; i++)
		if (!strcmp(struct_sizes[i].type, type))
			return struct_sizes[i].size[m.c.layout];
	ck_abort_msg("no struct %s", type);
}

static void put_struct(struct bytes *c, const struct struct_size *ss)
{
	uint32_t at = 0, gaps = 0;

	bytes_printf(c, "struct %s {\n", ss->type);
	for (unsigned i = 0; i < struct_members_n; i++) {
		const struct struct_member *sm = &struct_members[i];
		uint32_t offset = sm->offset[m.c.layout];

		if (strcmp(sm->type, ss->type) || offset == NOT_THERE)
			continue;
		if (offset > at)
			bytes_printf(c, "\tchar gap%u[%u];\n", gaps++, offset - at);
		put_member(c, sm);
		at = offset + (sm->size ? sm->size : size_of(sm->of));
	}
	if (ss->size[m.c.layout] > at)
		bytes_printf(c, "\tchar gap%u[%u];\n", gaps, ss->size[m.c.layout] - at);
	bytes_printf(c, "} __attribute__((packed)) v_%s;\n", ss->type);
}

static void put_symbol(struct bytes *c, const char *name, uint64_t addr)
{
	bytes_printf(c, "asm(\".globl %s; .set %s, 0x%" PRIx64 "\");\n", name, name,
		     addr - m.image + linked_at);
}

static void put_kernel(struct bytes *c)
{
	bytes_text(c, "typedef unsigned char u8; typedef unsigned u32; typedef unsigned long u64;\n"
		   /* others of the name, as other files have them */
		   "struct xa_node; struct xa_node *forward;\n");
	for (unsigned i = 0; i < struct_sizes_n; i++)
		put_struct(c, &struct_sizes[i]);
	put_symbol(c, "_stext", m.stext);
	put_symbol(c, "init_uts_ns", m.uts_ns);
	put_symbol(c, "map_idr.llvm.123", m.map_idr);
	put_symbol(c, "arena_map_ops", m.arena_map_ops);
	put_symbol(c, "__start_BTF", m.btf);
	put_symbol(c, "__stop_BTF", m.btf_end);
	put_symbol(c, "map_idr_not", 0);
}

static const char *const kinds[] = {
	"-g", "-gdwarf-5", "-gdwarf-4", "-gdwarf-3 -gstrict-dwarf", "-gdwarf-2 -gstrict-dwarf",
	"-gz=zlib -gdwarf-5", "-gz=zlib-gnu -gdwarf-4", "-gdwarf-5 -fdebug-types-section",
	"-gdwarf-4 -fdebug-types-section", "-gdwarf-5 -gz=zlib -fdebug-types-section -O2",
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void make_kernel(const char *machine, const char *flags)
{
	struct bytes c = { 0 };

	machine_init(&m, machine_config(machine));
	example_populate(&m);
	machine_finish(&m);
	put_kernel(&c);
	compile(&c, flags);
	bytes_free(&c);
}

static bool open_kernel(void)
{
	struct memory mem = machine_memory(&m);

	/* BTF, and kallsyms behind it */
	for (uint64_t at = m.btf; at < m.kallsyms.end; at += m.pm.page_size)
		physmem_set_state(&m.pm, machine_phys(&m, at), STATE_EXCLUDED);
	ck_ok(open_elf(), why);
	k = kernel_open_with(&mem, vmlinux_debuginfo(v), &why);
	return k;
}

static void ck_members(void)
{
	for (int i = 0; i < MEMBERS_END; i++) {
		const struct member_info *info = &member_info[i];

		if (info->need == NEW && !machine_has(&m, info->type, info->name)) {
			ck_assert(!kernel_has(k, (enum member)i));
			continue;
		}
		ck_assert(kernel_has(k, (enum member)i));
		ck_assert_uint_eq(k->members.offset[i], machine_offset(&m, info->type, info->name));
	}
	ck_assert_uint_eq(k->members.size[MEMBER_xa_node_slots], 512);
	ck_u64_eq(k->symbol[SYMBOL_map_idr].addr, m.map_idr);
	ck_u64_eq(k->symbol[SYMBOL_arena_map_ops].addr, m.arena_map_ops);
}

START_TEST(vmlinux__each_kind_of_dwarf_gives_all_members)
{
	make_kernel(_i % 2 ? "x86_64-7.3" : "x86_64", kinds[_i]);
	ck_ok(open_kernel(), why);
	ck_assert_int_eq(k->types, TYPES_DEBUGINFO);
	ck_members();
}
END_TEST

START_TEST(vmlinux__its_btf_comes_before_its_dwarf)
{
	char command[256];
	FILE *f;

	make_kernel("x86_64-7.3", _i ? "-g0" : "-g");
	f = fopen(source_path, "w");
	ck_assert_uint_eq(fwrite(m.btf_blob.data, 1, m.btf_blob.n, f), m.btf_blob.n);
	fclose(f);
	snprintf(command, sizeof(command), "objcopy --add-section .BTF=%s %s", source_path, elf_path);
	ck_assert_int_eq(system(command), 0);
	ck_ok(open_kernel(), why);
	ck_assert_int_eq(k->types, TYPES_DEBUGINFO_BTF);
	ck_members();
}
END_TEST

START_TEST(vmlinux__without_debug_information_is_said)
{
	make_kernel("x86_64", "-g0");
	ck_assert(!open_kernel());
	ck_assert_msg(strstr(why.text, "no debug information"), "%s", why.text);
}
END_TEST

START_TEST(vmlinux__stripped_is_said)
{
	make_kernel("x86_64", "-s");
	ck_assert(!open_kernel());
	ck_assert_msg(strstr(why.text, "no symbols; it was stripped"), "%s", why.text);
}
END_TEST

START_TEST(vmlinux__without_build_id_is_refused)
{
	make_kernel("x86_64", "-Wl,--build-id=none");
	ck_assert(!open_elf());
	ck_fault(why, FAULT_UNSUPPORTED, "no build ID");
}
END_TEST

START_TEST(vmlinux__build_id_is_read)
{
	make_kernel("x86_64", "");
	ck_ok(open_elf(), why);
	ck_assert_str_eq(vmlinux_debuginfo(v)->build_id, BUILD_ID);
}
END_TEST

START_TEST(vmlinux__what_is_no_elf_is_said)
{
	static const struct { const char *data; size_t n; const char *said; } files[] = {
		{ "", 0, "no ELF" }, { "MZ\352\007", 4, "vmlinuz" }, { "\177EL", 3, "no ELF" },
		{ "\177ELF\001\001\001", 52, "no ELF" }, { "\177ELF\002\002\001", 64, "no ELF" },
		{ "!<arch>\n", 8, "no ELF" },
	};
	char data[64] = "";
	FILE *f = fopen(elf_path, "w");

	memcpy(data, files[_i].data, strlen(files[_i].data));
	ck_assert_uint_eq(fwrite(data, 1, files[_i].n, f), files[_i].n);
	fclose(f);
	ck_assert(!open_elf());
	ck_fault(why, FAULT_UNSUPPORTED, files[_i].said);
}
END_TEST

START_TEST(vmlinux__long_path_leaves_room_for_the_sentence)
{
	char path[600];
	int fd = open("/dev/null", O_RDONLY);

	memset(path, 'x', sizeof(path));
	memcpy(path + sizeof(path) - 8, "vmlinux", 8);
	ck_assert(!vmlinux_open(fd, 0, path, &why));
	close(fd);
	ck_fault(why, FAULT_UNSUPPORTED, "xvmlinux is no ELF file");
	ck_assert_uint_lt(strlen(why.text), 200);
}
END_TEST

/* Members that hide. */

static const char hidden[] =
	"typedef unsigned char u8; typedef u8 four[4]; typedef const four table[3];\n"
	"enum big { BIG = 1l << 40 };\n"
	"struct other { int nothing; };\n"
	"struct thing {\n"
	"	int first;\n"
	"	union { struct { int a; const struct { short b, c; }; }; long d[2]; };\n"
	"	unsigned bits : 5, more : 7;\n"
	"	table matrix[2];\n"
	"	volatile enum big e;\n"
	"	void (*call)(void);\n"
	"	struct other inner;\n"
	"	_Bool yes;\n"
	"	char tail[];\n"
	"} v_thing;\n"
	"union choice { long l; struct { char c0, c1; }; } v_choice;\n"
	"struct none; struct none *p_none;\n"
	"struct empty { } v_empty;\n";

START_TEST(vmlinux__members_that_hide_are_found)
{
	struct btf_member want[] = {
		{ .type = "thing", .member = "first" }, { .type = "thing", .member = "a" },
		{ .type = "thing", .member = "c" }, { .type = "thing", .member = "d" },
		{ .type = "thing", .member = "more" }, { .type = "thing", .member = "matrix" },
		{ .type = "thing", .member = "e" }, { .type = "thing", .member = "call" },
		{ .type = "thing", .member = "inner" }, { .type = "thing", .member = "yes" },
		{ .type = "thing", .member = "tail" }, { .type = "thing", .member = "nothing" },
		{ .type = "choice", .member = "c1" }, { .type = "none", .member = "x" },
		{ .type = "empty", .member = "x" }, { .type = "nowhere", .member = "x" },
	};
	enum { N = sizeof(want) / sizeof(want[0]) };
	/* as the ABI of x86_64 and aarch64 lays them out; -1: not found */
	static const int offset[N] = { 0, 8, 14, 8, 24, 26, 56, 64, 72, 76, 77, -1, 1, -1, -1, -1 };
	static const uint32_t size[N] = { 4, 4, 2, 16, 0, 24, 8, 8, 4, 1, 0, 0, 1, 0, 0, 0 };
	struct bytes c = { 0 };
	bool type_found[N];
	const struct debuginfo *d;

	bytes_text(&c, hidden);
	compile(&c, kinds[_i]);
	bytes_free(&c);
	ck_ok(open_elf(), why);
	d = vmlinux_debuginfo(v);
	ck_ok(d->ops->members(d->source, want, N, type_found, &why), why);
	for (int i = 0; i < N; i++) {
		ck_assert_msg(want[i].found == (offset[i] >= 0), "%s.%s", want[i].type,
			      want[i].member);
		ck_assert_int_eq(type_found[i], i < 13 || i == 14);
		if (!want[i].found)
			continue;
		/* where a bit-field begins differs between DWARF 4 and 5; its size is not asked */
		if (strcmp(want[i].member, "more"))
			ck_assert_msg(want[i].offset == (uint32_t)offset[i], "%s.%s at %u",
				      want[i].type, want[i].member, want[i].offset);
		ck_assert_msg(want[i].size == size[i], "%s.%s has %u", want[i].type, want[i].member,
			      want[i].size);
	}
}
END_TEST

/* Bytes of a file that is right otherwise, anywhere in it: no crash, no hang, whatever it says. */
START_TEST(vmlinux__wrong_bytes_do_no_harm)
{
	static const uint8_t values[] = { 0x00, 0xff, 0x7f, 0x80, 0x01 };
	unsigned seed = (unsigned)_i + 1;
	struct stat st;
	uint8_t *data;
	int fd;

	make_kernel("x86_64", kinds[_i]);
	fd = open(elf_path, O_RDWR);
	ck_assert_int_eq(fstat(fd, &st), 0);
	data = synth_alloc((size_t)st.st_size);
	ck_assert_int_eq(pread(fd, data, (size_t)st.st_size, 0), st.st_size);
	for (int round = 0; round < 60; round++) {
		struct memory mem = machine_memory(&m);

		for (int i = 0; i < 8; i++) {
			off_t at = rand_r(&seed) % st.st_size;

			ck_assert_int_eq(pwrite(fd, &values[rand_r(&seed) % 5], 1, at), 1);
		}
		if (open_elf()) {
			k = kernel_open_with(&mem, vmlinux_debuginfo(v), &why);
			kernel_close(k);
			k = NULL;
		}
		vmlinux_close(v);
		v = NULL;
		ck_assert_int_eq(pwrite(fd, data, (size_t)st.st_size, 0), st.st_size);
	}
	close(fd);
	free(data);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, vmlinux__each_kind_of_dwarf_gives_all_members, 0, KINDS);
	tcase_add_loop_test(tests, vmlinux__its_btf_comes_before_its_dwarf, 0, 2);
	tcase_add_test(tests, vmlinux__without_debug_information_is_said);
	tcase_add_test(tests, vmlinux__stripped_is_said);
	tcase_add_test(tests, vmlinux__without_build_id_is_refused);
	tcase_add_test(tests, vmlinux__build_id_is_read);
	tcase_add_loop_test(tests, vmlinux__what_is_no_elf_is_said, 0, 6);
	tcase_add_test(tests, vmlinux__long_path_leaves_room_for_the_sentence);
	tcase_add_loop_test(tests, vmlinux__members_that_hide_are_found, 0, KINDS);
	tcase_add_loop_test(tests, vmlinux__wrong_bytes_do_no_harm, 0, KINDS);
}

int main(void)
{
	int status;

	if (!mkdtemp(dir))
		return 1;
	snprintf(source_path, sizeof(source_path), "%s/source.c", dir);
	snprintf(elf_path, sizeof(elf_path), "%s/elf", dir);
	status = run_suite("vmlinux", add);
	rmdir(dir);
	return status;
}
