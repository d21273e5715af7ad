// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a process maps and holds: include/linux/mm_types.h, fdtable.h, fs.h.
 */
#include "tasks_internal.h"

#include <inttypes.h>

#include "maple.h"
#include "reader.h"

enum {
	MAX_FDS = 1 << 20,	/* of a process; the default of fs.nr_open */
	ALL_FDS = 1 << 27,	/* slots for descriptors in all */
	FD_PIECE = 4096,	/* bytes; no piece crosses a page */
	MAX_SPAN = 512,
};

void tasks_note(struct tasks *w, const struct fault *why)
{
	struct losses *l = &w->losses;

	if (!l->n++)
		l->first = *why;
}

bool tasks_tell(struct tasks *w, const char *what)
{
	struct losses *l = &w->losses;
	size_t n = l->n;

	l->n = 0;
	if (!n)
		return true;
	if (w->user.pid)
		fault_prefix(&l->first, "process %" PRIu32 ": %s: ", w->user.pid, what);
	else
		fault_prefix(&l->first, "task 0x%" PRIx64 ": %s: ", w->user.task, what);
	if (n > 1)
		fault_add(&l->first, "; and %zu more", n - 1);
	w->stop = !w->visitor->lost(w->visitor->ctx, &l->first);
	return !w->stop;
}

static bool damaged(struct fault *why, uint64_t va, const char *what, uint64_t value)
{
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va, "0x%" PRIx64 ": %s 0x%" PRIx64, va,
			 what, value);
}

/* Read a struct's @span; what was read is asked by span_u64(). */
static bool read_span(const struct tasks *w, uint64_t va, const struct span *span, uint8_t *buf,
		      struct fault *why)
{
	if (!va || va % 8)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va, "0x%" PRIx64 " is no pointer",
				 va);
	return kernel_read(w->k, va + span->start, buf, span->size, why);
}

static uint64_t span_u64(const struct tasks *w, const struct span *span, const uint8_t *buf,
			 enum member m)
{
	return load_u64(buf + (w->k->members.offset[m] - span->start));
}

/* Mappings */

/* The map that a file is a descriptor of, or 0: of none. Without the symbol all files are. */
static bool file_map(const struct tasks *w, uint64_t file, uint64_t *map, struct fault *why)
{
	uint8_t buf[MAX_SPAN];

	*map = 0;
	if (!read_span(w, file, &w->file, buf, why))
		return false;
	if (w->bpf_map_fops &&
	    span_u64(w, &w->file, buf, MEMBER_file_f_op) != w->bpf_map_fops)
		return true;
	*map = span_u64(w, &w->file, buf, MEMBER_file_private_data);
	if (!*map || *map % 8)
		return damaged(why, file, "a file with an impossible map", *map);
	return true;
}

static bool arena_vma(struct tasks *w, const uint8_t *buf)
{
	uint64_t file = span_u64(w, &w->vma, buf, MEMBER_vm_area_struct_vm_file), map = 0;
	struct fault why;

	w->mapping.user = w->user;
	if (!file_map(w, file, &map, &why)) {
		fault_prefix(&why, "the file of the one at 0x%" PRIx64 ": ", w->mapping.start);
		tasks_note(w, &why);
		map = 0;
	} else if (!map) {
		damaged(&why, file, "a file that is no map, mapped as an arena at",
			w->mapping.start);
		tasks_note(w, &why);
	}
	w->mapping.user.map = map;
	w->mapping.user.file = file;
	w->stop = !w->visitor->mapping(w->visitor->ctx, &w->mapping);
	return !w->stop;
}

static bool on_vma(void *ctx, uint64_t first, uint64_t last, uint64_t vma)
{
	struct tasks *w = ctx;
	uint8_t buf[MAX_SPAN];
	struct fault why;

	if (!read_span(w, vma, &w->vma, buf, &why)) {
		fault_prefix(&why, "the one at 0x%" PRIx64 ": ", first);
		tasks_note(w, &why);
		return true;
	}
	if (span_u64(w, &w->vma, buf, MEMBER_vm_area_struct_vm_ops) != w->arena_vm_ops)
		return true;
	w->mapping.start = span_u64(w, &w->vma, buf, MEMBER_vm_area_struct_vm_start);
	w->mapping.end = span_u64(w, &w->vma, buf, MEMBER_vm_area_struct_vm_end);
	if (w->mapping.start == first && w->mapping.end - 1 == last)
		return arena_vma(w, buf);
	damaged(&why, vma, "an area that is not the one at", first);
	tasks_note(w, &why);
	return true;
}

static bool on_lost_vmas(void *ctx, uint64_t first, uint64_t last, const struct fault *why)
{
	struct tasks *w = ctx;

	(void)first;
	(void)last;
	tasks_note(w, why);
	return true;
}

bool tasks_walk_mm(struct tasks *w, uint64_t mm)
{
	const struct maple_visitor visitor = { on_vma, on_lost_vmas, w };
	struct fault why;

	if (!kernel_member_u64(w->k, mm, MEMBER_mm_struct_pgd, &w->mapping.pgd, &why)) {
		w->mapping.pgd = 0;
		tasks_note(w, &why);
	}
	if (!maple_walk(w->k, mm + w->k->members.offset[MEMBER_mm_struct_mm_mt], &visitor, &why)) {
		if (w->stop)
			return false;
		tasks_note(w, &why);
	}
	return tasks_tell(w, "its mappings");
}

/* Descriptors */

static bool visit_fd(struct tasks *w, uint32_t fd, uint64_t file)
{
	struct fault why;

	if (!file_map(w, file, &w->user.map, &why)) {
		fault_prefix(&why, "descriptor %" PRIu32 ": ", fd);
		tasks_note(w, &why);
		return true;
	}
	w->user.file = file;
	if (w->user.map)
		w->stop = !w->visitor->descriptor(w->visitor->ctx, &w->user, fd);
	return !w->stop;
}

static bool visit_fds(struct tasks *w, uint64_t array, uint32_t n)
{
	uint8_t buf[FD_PIECE];

	for (uint32_t fd = 0; fd < n;) {
		uint64_t at = array + (uint64_t)fd * 8;
		uint32_t part = (uint32_t)(FD_PIECE - (at & (FD_PIECE - 1))) / 8;
		struct fault why;

		part = part > n - fd ? n - fd : part;
		w->stop = !memory_progress(w->k->mem, "walking processes", 0, 0, w->why);
		if (w->stop)
			return false;
		if (!kernel_read(w->k, at, buf, (size_t)part * 8, &why)) {
			tasks_note(w, &why);
			fd += part;
			continue;
		}
		for (uint32_t i = 0; i < part; i++, fd++) {
			uint64_t file = load_u64(buf + i * 8);

			if (file && !visit_fd(w, fd, file))
				return false;
		}
	}
	return true;
}

static bool read_fdtable(const struct tasks *w, uint64_t files, uint64_t *array, uint32_t *n,
			 struct fault *why)
{
	uint64_t fdt;

	if (!kernel_member_u64(w->k, files, MEMBER_files_struct_fdt, &fdt, why) ||
	    !kernel_member_u32(w->k, fdt, MEMBER_fdtable_max_fds, n, why) ||
	    !kernel_member_u64(w->k, fdt, MEMBER_fdtable_fd, array, why))
		return false;
	return *array % 8 == 0 || damaged(why, fdt, "a table of files with an impossible array",
					  *array);
}

bool tasks_walk_files(struct tasks *w, uint64_t files)
{
	struct fault why;
	uint64_t array;
	uint32_t n;

	if (!read_fdtable(w, files, &array, &n, &why)) {
		tasks_note(w, &why);
		return tasks_tell(w, "its files");
	}
	if (n > MAX_FDS || w->fds + n > ALL_FDS) {
		damaged(&why, files, "more files than are looked at:", n);
		tasks_note(w, &why);
		n = w->fds + MAX_FDS > ALL_FDS ? 0 : n > MAX_FDS ? MAX_FDS : n;
	}
	w->fds += n;
	return visit_fds(w, array, n) && tasks_tell(w, "its files");
}

/* What is known of this kernel */

bool tasks_has_all(const struct tasks *w, const enum member *m, size_t n, struct fault *why)
{
	for (size_t i = 0; i < n; i++)
		if (!kernel_has(w->k, m[i]))
			return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
				"the kernel's types have no member %s of struct %s as it is known",
				member_info[m[i]].name, member_info[m[i]].type);
	return true;
}

/* From the first of @m to the end of the last: pointers, all of 8 bytes. */
static bool make_span(const struct tasks *w, const enum member *m, size_t n, struct span *span,
		      struct fault *why)
{
	uint32_t start = UINT32_MAX, last = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t offset = w->k->members.offset[m[i]];

		start = offset < start ? offset : start;
		last = offset > last ? offset : last;
	}
	*span = (struct span){ start, last - start + 8 };
	return last - start <= MAX_SPAN - 8 || fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
		"struct %s is larger than is known", member_info[m[0]].type);
}

static bool know_file(struct tasks *w, struct fault *why)
{
	static const enum member file[] = { MEMBER_file_f_op, MEMBER_file_private_data };

	return tasks_has_all(w, file, COUNT(file), why) &&
	       make_span(w, file, COUNT(file), &w->file, why);
}

bool tasks_know_mappings(struct tasks *w, struct fault *why)
{
	static const enum member mm[] = { MEMBER_mm_struct_mm_mt, MEMBER_mm_struct_pgd };
	static const enum member vma[] = {
		MEMBER_vm_area_struct_vm_start, MEMBER_vm_area_struct_vm_end,
		MEMBER_vm_area_struct_vm_ops, MEMBER_vm_area_struct_vm_file,
	};

	return kernel_symbol(w->k, SYMBOL_arena_vm_ops, &w->arena_vm_ops, why) &&
	       tasks_has_all(w, mm, COUNT(mm), why) && tasks_has_all(w, vma, COUNT(vma), why) &&
	       make_span(w, vma, COUNT(vma), &w->vma, why) && maple_known(w->k, why) &&
	       know_file(w, why);
}

bool tasks_know_files(struct tasks *w, struct fault *why)
{
	static const enum member table[] = {
		MEMBER_files_struct_fdt, MEMBER_fdtable_max_fds, MEMBER_fdtable_fd,
	};

	return kernel_symbol(w->k, SYMBOL_bpf_map_fops, &w->bpf_map_fops, why) &&
	       tasks_has_all(w, table, COUNT(table), why) && know_file(w, why);
}

bool tasks_read_vma(const struct kernel *k, uint64_t va, struct task_mapping *mapping)
{
	uint64_t ops, mm, file, fops;
	struct fault ignored;

	*mapping = (struct task_mapping){ 0 };
	if (k->symbol[SYMBOL_arena_vm_ops].count != 1 ||
	    !kernel_has(k, MEMBER_vm_area_struct_vm_mm) || !kernel_has(k, MEMBER_mm_struct_pgd) ||
	    !kernel_member_u64(k, va, MEMBER_vm_area_struct_vm_ops, &ops, &ignored) ||
	    ops != k->symbol[SYMBOL_arena_vm_ops].addr ||
	    !kernel_member_u64(k, va, MEMBER_vm_area_struct_vm_start, &mapping->start, &ignored) ||
	    !kernel_member_u64(k, va, MEMBER_vm_area_struct_vm_end, &mapping->end, &ignored) ||
	    !kernel_member_u64(k, va, MEMBER_vm_area_struct_vm_mm, &mm, &ignored) ||
	    mm < k->format.lowest ||
	    !kernel_member_u64(k, mm, MEMBER_mm_struct_pgd, &mapping->pgd, &ignored))
		return false;
	/* the map is known where the file can be read */
	if (kernel_has(k, MEMBER_file_f_op) && kernel_has(k, MEMBER_file_private_data) &&
	    kernel_member_u64(k, va, MEMBER_vm_area_struct_vm_file, &file, &ignored) &&
	    file >= k->format.lowest &&
	    kernel_member_u64(k, file, MEMBER_file_f_op, &fops, &ignored) &&
	    k->symbol[SYMBOL_bpf_map_fops].count == 1 &&
	    fops == k->symbol[SYMBOL_bpf_map_fops].addr)
		kernel_member_u64(k, file, MEMBER_file_private_data, &mapping->user.map, &ignored);
	return true;
}
