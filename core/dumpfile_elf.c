// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ELF64 vmcores. Segments may overlap (x86_64 /proc/vmcore has the kernel image twice), need
 * not be page aligned, and may be many (QEMU, makedumpfile -E), so the map is a sorted list of
 * disjoint ranges, each with one state.
 */
#include "dumpfile_internal.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

enum { MAX_SEGMENTS = 1 << 18 };

/* DUMP_ELF_INCOMPLETE of makedumpfile's elf_info.h */
enum { ELF_INCOMPLETE = 1 };

struct range {
	uint64_t start, end;	/* physical, end exclusive */
	enum state state;
};

struct elf_map {
	struct range *range;	/* ascending, disjoint */
	size_t n;
};

/* Where a piece of a segment begins (+1) or ends (-1). */
struct edge {
	uint64_t phys;
	enum state state;
	int step;
};

struct edges {
	struct edge *edge;
	size_t n, room;
	bool nomem;
};

static int by_phys(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return (x->phys > y->phys) - (x->phys < y->phys);
}

static void add_piece(struct edges *edges, uint64_t start, uint64_t size, enum state state)
{
	if (!size)
		return;
	if (edges->n + 2 > edges->room) {
		size_t room = edges->room ? 2 * edges->room : 256;
		void *p = realloc(edges->edge, room * sizeof(struct edge));

		if (!p) {
			edges->nomem = true;
			return;
		}
		edges->edge = p;
		edges->room = room;
	}
	edges->edge[edges->n++] = (struct edge){ start, state, 1 };
	edges->edge[edges->n++] = (struct edge){ start + size, state, -1 };
}

/*
 * Where copies of a page differ in state the worst counts: a decoder may pick any of them,
 * and a copy behind the end of the file reads as zeros.
 */
static bool merge(struct elf_map *map, const struct edges *edges, struct fault *why)
{
	static const enum state order[] = { STATE_CUT, STATE_STORED, STATE_EXCLUDED };
	long depth[STATE_UNKNOWN] = { 0 };

	map->range = calloc(edges->n ? edges->n : 1, sizeof(*map->range));
	if (!map->range)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < edges->n; i++) {
		const struct edge *e = &edges->edge[i];
		struct range *last = map->n ? &map->range[map->n - 1] : NULL;

		depth[e->state] += e->step;
		if (i + 1 == edges->n || e[1].phys == e->phys)
			continue;
		for (size_t j = 0; j < sizeof(order) / sizeof(order[0]); j++) {
			if (depth[order[j]] <= 0)
				continue;
			if (last && last->state == order[j] && last->end == e->phys)
				last->end = e[1].phys;
			else
				map->range[map->n++] =
					(struct range){ e->phys, e[1].phys, order[j] };
			break;
		}
	}
	return true;
}

/* [@offset, @offset + @size) is inside the file; pieces of it may never have been written. */
static void add_stored(const struct dumpfile *df, struct edges *edges, uint64_t phys,
		       uint64_t offset, uint64_t size)
{
	while (size) {
		bool written = true;
		uint64_t n = df->io.run ? df->io.run(df->io.file, offset, &written) : size;

		if (n > size)
			n = size;
		add_piece(edges, phys, n, written ? STATE_STORED : STATE_CUT);
		phys += n;
		offset += n;
		size -= n;
	}
}

static bool add_load(struct dumpfile *df, struct edges *edges, const uint8_t *ph,
		     struct fault *why)
{
	uint64_t offset = load_u64(ph + 8), phys = load_u64(ph + 24);
	uint64_t filesz = load_u64(ph + 32), memsz = load_u64(ph + 40);
	uint64_t here, end;

	/* /proc/kcore: virtual only */
	if (phys == UINT64_MAX)
		return true;
	if (memsz < filesz)
		memsz = filesz;
	if (!add_ok(phys, memsz, &end) || !add_ok(offset, filesz, &end))
		return fault_set(why, STATE_DAMAGED, SPACE_FILE, offset,
			"a program header describes memory beyond 64 bits");
	if (filesz)
		dumpfile_needs(df, end);
	here = offset > df->io.size ? 0 : df->io.size - offset;
	if (here > filesz)
		here = filesz;
	add_stored(df, edges, phys, offset, here);
	add_piece(edges, phys + here, filesz - here, STATE_CUT);
	add_piece(edges, phys + filesz, memsz - filesz, STATE_EXCLUDED);
	return true;
}

static bool take_note(struct dumpfile *df, const uint8_t *ph, struct fault *why)
{
	uint64_t offset = load_u64(ph + 8), filesz = load_u64(ph + 32), end;

	if (!add_ok(offset, filesz, &end))
		return fault_set(why, STATE_DAMAGED, SPACE_FILE, offset,
			"a program header describes notes beyond 64 bits");
	if (!filesz)
		return true;
	dumpfile_needs(df, end);
	if (df->facts.vmcoreinfo)
		return true;
	return dumpfile_take_notes(df, offset, filesz, why);
}

static bool read_segments(struct dumpfile *df, uint64_t offset, uint64_t count,
			  struct elf_map *map, struct fault *why)
{
	uint8_t ph[sizeof(Elf64_Phdr)];
	struct edges edges = { 0 };
	bool ok = true;

	for (uint64_t i = 0; ok && i < count; i++) {
		if (!dumpfile_peek(df, ph, sizeof(ph), offset + i * sizeof(ph))) {
			ok = fault_set(why, FAULT_IO, SPACE_FILE, offset,
				"the program headers cannot be read");
			break;
		}
		if (load_u32(ph) == PT_LOAD)
			ok = add_load(df, &edges, ph, why);
		else if (load_u32(ph) == PT_NOTE)
			ok = take_note(df, ph, why);
	}
	if (ok && edges.nomem)
		ok = fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	if (ok && edges.n) {
		qsort(edges.edge, edges.n, sizeof(struct edge), by_phys);
		ok = merge(map, &edges, why);
	}
	free(edges.edge);
	if (ok && !map->n)
		ok = fault_set(why, STATE_DAMAGED, SPACE_FILE, offset,
			"the ELF file has no segments with memory");
	return ok;
}

static const char *machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_X86_64:
	case EM_386:		/* QEMU, while the CPU is in real mode */
		return "x86_64";
	case EM_AARCH64:
		return "aarch64";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390x";
	case 243:		/* EM_RISCV */
		return "riscv64";
	case 258:		/* EM_LOONGARCH */
		return "loongarch64";
	}
	return NULL;
}

/* The number of program headers; more than 0xfffe are counted in section header 0. */
static bool count_segments(struct dumpfile *df, const uint8_t *eh, uint64_t *count,
			   struct fault *why)
{
	uint8_t sh[sizeof(Elf64_Shdr)];
	uint64_t offset = load_u64(eh + 40);

	*count = load_u16(eh + 56);
	if (*count == PN_XNUM) {
		if (!dumpfile_pread(df, sh, sizeof(sh), offset, "section header", why))
			return false;
		*count = load_u32(sh + 44);
	}
	if (*count > MAX_SEGMENTS)
		return fault_set(why, FAULT_LIMIT, SPACE_FILE, 0,
			"%" PRIu64 " program headers; at most %d are read", *count, MAX_SEGMENTS);
	if (!*count)
		return fault_set(why, STATE_DAMAGED, SPACE_FILE, 0,
			"the ELF file has no program headers, so no memory");
	return true;
}

static bool check_header(const uint8_t *eh, struct fault *why)
{
	if (eh[EI_CLASS] != ELFCLASS64 || eh[EI_DATA] != ELFDATA2LSB)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_FILE, EI_CLASS,
			"this ELF file is %s; only 64-bit little endian is read",
			eh[EI_CLASS] == ELFCLASS32 ? "of a 32-bit machine" :
			eh[EI_DATA] == ELFDATA2MSB ? "big endian" : "of an unknown class");
	if (load_u16(eh + 16) != ET_CORE)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_FILE, 16,
			"this ELF file is no core dump (a vmlinux?)");
	if (load_u16(eh + 54) != sizeof(Elf64_Phdr))
		return fault_set(why, STATE_DAMAGED, SPACE_FILE, 54,
			"the ELF header gives %u as size of a program header; it is 56",
			load_u16(eh + 54));
	/* libkdumpfile up to 0.5.6 follows section headers of size 0 into a NULL pointer */
	if (load_u16(eh + 58) != sizeof(Elf64_Shdr) && (load_u64(eh + 40) || load_u16(eh + 60)))
		return fault_set(why, STATE_DAMAGED, SPACE_FILE, 58,
			"the ELF header names section headers, but of size %u; it is 64",
			load_u16(eh + 58));
	return true;
}

static bool elf_open(struct dumpfile *df, struct fault *why)
{
	uint8_t eh[sizeof(Elf64_Ehdr)];
	uint64_t count, offset, end;
	struct elf_map *map = calloc(1, sizeof(*map));

	df->map = map;
	if (!map)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	if (!dumpfile_pread(df, eh, sizeof(eh), 0, "ELF header", why) ||
	    !check_header(eh, why) || !count_segments(df, eh, &count, why))
		return false;
	offset = load_u64(eh + 32);
	if (!add_ok(offset, count * sizeof(Elf64_Phdr), &end) || end > df->io.size)
		return fault_set(why, STATE_CUT, SPACE_FILE, offset,
			"the file is cut: %" PRIu64 " program headers from offset %" PRIu64
			" do not fit into %" PRIu64 " bytes", count, offset, df->io.size);
	df->facts.format = "ELF";
	df->facts.machine = machine_name(load_u16(eh + 18));
	df->facts.incomplete = load_u32(eh + 48) & ELF_INCOMPLETE;
	return read_segments(df, offset, count, map, why);
}

static void elf_close(struct dumpfile *df)
{
	struct elf_map *map = df->map;

	if (map)
		free(map->range);
	free(map);
}

/* The first range that ends behind @phys, or NULL. */
static const struct range *find(const struct elf_map *map, uint64_t phys)
{
	size_t lo = 0, hi = map->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (map->range[mid].end <= phys)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < map->n ? &map->range[lo] : NULL;
}

static enum state elf_state(struct dumpfile *df, uint64_t phys, uint64_t n)
{
	const struct elf_map *map = df->map;
	const struct range *r = find(map, phys);
	uint64_t end = phys + n;

	for (; phys < end; phys = r->end, r++) {
		if (!r || r == map->range + map->n || r->start > phys)
			return STATE_ABSENT;
		if (r->state != STATE_STORED)
			return r->state;
	}
	return STATE_STORED;
}

static bool elf_next(struct dumpfile *df, uint64_t *phys, uint64_t *n)
{
	const struct elf_map *map = df->map;
	const struct range *r = find(map, *phys);

	while (r && r < map->range + map->n && r->state != STATE_STORED)
		r++;
	if (!r || r == map->range + map->n)
		return false;
	if (*phys < r->start)
		*phys = r->start;
	*n = r->end - *phys;
	return true;
}

const struct dumpfile_format dumpfile_elf = {
	.open = elf_open,
	.close = elf_close,
	.state = elf_state,
	.next = elf_next,
};
