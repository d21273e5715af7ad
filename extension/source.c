// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../batch/fileio.h"
#include "../core/dumpfile.h"
#include "../core/notes.h"
#include "../core/pagetable.h"
#include "../core/reader.h"
#include "crash.h"

/* As core/vmcoreinfo.c takes it */
enum { MAX_VMCOREINFO = 65536 };

/* struct elf_note, and "VMCOREINFO" padded to words */
enum { NOTE_HEAD = 12 + 12 };

struct source {
	int fd;
	struct dumpfile *df;	/* NULL: only crash knows what it reads */
	char *vmcoreinfo;	/* owned; from the kernel's memory, not from a note */
	struct memory mem;
};

static bool read_file(void *file, void *buf, size_t n, uint64_t offset)
{
	const struct source *s = file;

	return read_at(s->fd, buf, n, offset);
}

static enum state read_phys(void *source, uint64_t phys, void *buf, size_t n)
{
	const struct source *s = source;
	enum state state;

	if (!s->df)
		return crash_read(phys, buf, n);
	/* crash reads holes of an ELF dump, and what is around its segments, as zeros or worse */
	state = dumpfile_state(s->df, phys, n);
	if (state != STATE_STORED)
		return state;
	return crash_read(phys, buf, n) == STATE_STORED ? STATE_STORED : STATE_DAMAGED;
}

static enum state phys_state(void *source, uint64_t phys, size_t n)
{
	const struct source *s = source;

	return s->df ? dumpfile_state(s->df, phys, n) : STATE_UNKNOWN;
}

static bool next_stored(void *source, uint64_t *phys, uint64_t *n)
{
	const struct source *s = source;

	return dumpfile_next(s->df, phys, n);
}

static bool progress(void *source, const char *what, uint64_t done, uint64_t total)
{
	(void)source;
	(void)what;
	(void)done;
	(void)total;
	return !crash_stopped();
}

/* With a map of the file, and without one. */
static const struct memory_ops mapped = {
	.read = read_phys,
	.state = phys_state,
	.next = next_stored,
	.progress = progress,
};

static const struct memory_ops unmapped = {
	.read = read_phys,
	.state = phys_state,
	.progress = progress,
};

/* True: there is a map, or crash can do without it. */
static bool open_map(struct source *s, struct fault *why)
{
	struct dumpfile_io io = { .pread = read_file, .file = s };
	struct stat st;

	s->fd = crash_is_live() ? -1 : open(crash_vmcore(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->fd >= 0 && !fstat(s->fd, &st) && S_ISREG(st.st_mode)) {
		io.size = (uint64_t)st.st_size;
		s->df = dumpfile_open(&io, why);
		/* the map is of this file alone, and crash up to 9.0.2 mixes up pages of a set */
		if (s->df && dumpfile_facts(s->df)->gap)
			return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
				"this is one part of a split dump, and crash reads some pages of such "
				"a set as others; arenasnap reads it, all parts given together");
		if (s->df)
			return true;
		if (why->kind != FAULT_UNSUPPORTED)
			return false;
	}
	if (!crash_invents_zeros())
		return true;
	return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
		"crash reads what this kind of dump does not hold as zeros, so nothing can be said "
		"for sure; of a flattened ELF dump 'makedumpfile -R' makes one that can be read");
}

/* What page tables need to be known of x86_64, from symbols alone, in VMCOREINFO's own words. */
static bool describe_machine(const struct source *s, char *text, size_t size, struct fault *why)
{
	uint64_t stext, phys, root, l5;
	uint8_t levels[4] = { 0 };

	if (strcmp(crash_machine(), "x86_64"))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"the dump has no VMCOREINFO note; without one only x86_64 is read");
	if (!crash_symbol("_stext", &stext) || !crash_symbol("init_top_pgt", &root) ||
	    !crash_image_phys(stext, &phys))
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"the dump has no VMCOREINFO note, and crash does not know where the kernel is");
	if (crash_symbol("__pgtable_l5_enabled", &l5) && crash_image_phys(l5, &l5))
		read_phys((void *)s, l5, levels, sizeof(levels));
	snprintf(text, size, "SYMBOL(init_top_pgt)=%" PRIx64 "\nNUMBER(phys_base)=%" PRId64
		 "\nNUMBER(pgtable_l5_enabled)=%d\n", root,
		 (int64_t)(phys - (stext - UINT64_C(0xffffffff80000000))), levels[0] != 0);
	return true;
}

static bool read_u64(struct pagetable *pt, const char *name, uint64_t *value, struct fault *why)
{
	uint64_t addr;
	uint8_t b[8];

	if (!crash_symbol(name, &addr))
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"the dump has no VMCOREINFO note, and the kernel no symbol %s", name);
	if (!pagetable_read(pt, addr, b, sizeof(b), why))
		return fault_prefix(why, "the dump has no VMCOREINFO note; %s: ", name);
	*value = load_u64(b);
	return true;
}

/*
 * The note that /proc/vmcore would show. A panic moves vmcoreinfo_data to a copy in the memory of
 * the second kernel, which no dump holds; the note stays.
 */
static bool copy_note(struct source *s, struct pagetable *pt, uint64_t size, struct fault *why)
{
	uint8_t *notes = calloc(1, NOTE_HEAD + size + 4);
	struct note note;
	uint64_t addr;
	bool ok;

	if (!notes)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	ok = read_u64(pt, "vmcoreinfo_note", &addr, why) &&
	     (pagetable_read(pt, addr, notes, NOTE_HEAD + size, why) ||
	      fault_prefix(why, "the kernel's own VMCOREINFO: "));
	if (ok && (!notes_find(notes, NOTE_HEAD + size + 4, "VMCOREINFO", 0, &note) ||
		   note.size > size))
		ok = fault_set(why, STATE_DAMAGED, SPACE_VIRT, addr,
			"the kernel's own VMCOREINFO is no note");
	if (ok)
		memcpy(s->vmcoreinfo, note.data, note.size);
	free(notes);
	return ok;
}

static bool copy_vmcoreinfo(struct source *s, struct pagetable *pt, struct fault *why)
{
	uint64_t data, size;

	if (!read_u64(pt, "vmcoreinfo_data", &data, why) ||
	    !read_u64(pt, "vmcoreinfo_size", &size, why))
		return false;
	if (!data || !size || size > MAX_VMCOREINFO)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, data,
			"the kernel's own VMCOREINFO of %" PRIu64 " bytes cannot be", size);
	s->vmcoreinfo = calloc(1, size);
	if (!s->vmcoreinfo)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	if (!pagetable_read(pt, data, s->vmcoreinfo, size, why) && !copy_note(s, pt, size, why))
		return false;
	s->mem.facts.vmcoreinfo = s->vmcoreinfo;
	s->mem.facts.vmcoreinfo_len = size;
	return true;
}

/*
 * Without a map the note is not seen, and memory not searched: crash knows where in memory the
 * kernel keeps its text. What that says is proved when it is used.
 */
static bool take_vmcoreinfo(struct source *s, struct fault *why)
{
	struct pagetable_format format;
	struct pagetable *pt;
	struct vmcoreinfo vi;
	char text[256];
	bool ok;

	if (!describe_machine(s, text, sizeof(text), why) ||
	    !vmcoreinfo_init(&vi, text, strlen(text), why) ||
	    !pagetable_x86_64(&format, &vi, why))
		return false;
	pt = pagetable_new(&s->mem, &format);
	if (!pt)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	ok = copy_vmcoreinfo(s, pt, why);
	pagetable_free(pt);
	return ok;
}

struct source *source_open(struct fault *why)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	s->fd = -1;
	if (open_map(s, why)) {
		s->mem = (struct memory){ .ops = s->df ? &mapped : &unmapped, .source = s };
		if (s->df)
			s->mem.facts = *dumpfile_facts(s->df);
		else
			s->mem.facts = (struct memory_facts){
				.machine = crash_machine(), .level = -1, .live = crash_is_live(),
				.format = crash_is_live() ? "live memory" : "as crash reads it" };
		/* where the map does not have the note, it lets core look for its text */
		if (s->df || take_vmcoreinfo(s, why))
			return s;
	}
	source_close(s);
	return NULL;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	dumpfile_close(s->df);
	if (s->fd >= 0)
		close(s->fd);
	free(s->vmcoreinfo);
	free(s);
}

const struct memory *source_memory(const struct source *s)
{
	return &s->mem;
}
