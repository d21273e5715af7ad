// SPDX-License-Identifier: GPL-2.0-or-later
#include "reduce.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/notes.h"
#include "../core/reduced.h"
#include "../core/report.h"
#include "pageset.h"
#include "write_kdump.h"

enum {
	PHYS_BITS = 52,
	MAX_PAGE = 65536,
	NT_PRSTATUS = 1,
};

/* What readers of kdumps take, ours too. */
#define MAX_PAGES (UINT64_C(1) << 36)

struct recorder {
	const struct memory *inner;
	struct memory mem;
	struct pageset set;
	struct reduced_pieces pieces;
	bool nomem, too_high;
};

/* Recording. */

static void record(struct recorder *r, uint64_t phys, size_t n, enum state state)
{
	uint64_t last = phys + (n ? n - 1 : 0);

	if (last >> PHYS_BITS) {
		/* no such memory can be written; none is as absent there as it was */
		r->too_high |= state != STATE_ABSENT;
		return;
	}
	for (uint64_t page = phys >> 12; page <= last >> 12; page++)
		if (!pageset_add(&r->set, page << 12))
			r->nomem = true;
}

static enum state recorder_read(void *source, uint64_t phys, void *buf, size_t n)
{
	struct recorder *r = source;
	enum state state = r->inner->ops->read(r->inner->source, phys, buf, n);

	record(r, phys, n, state);
	return state;
}

static enum state recorder_state(void *source, uint64_t phys, size_t n)
{
	struct recorder *r = source;
	enum state state = memory_state(r->inner, phys, n);

	record(r, phys, n, state);
	return state;
}

static bool recorder_next(void *source, uint64_t *phys, uint64_t *n)
{
	const struct recorder *r = source;

	return memory_next(r->inner, phys, n);
}

/* A search looks at all pages: only what it finds is read again, and recorded then. */
static enum state recorder_peek(void *source, uint64_t phys, void *buf, size_t n)
{
	const struct recorder *r = source;

	return memory_peek(r->inner, phys, buf, n);
}

static bool recorder_progress(void *source, const char *what, uint64_t done, uint64_t total)
{
	const struct recorder *r = source;
	const struct memory_ops *ops = r->inner->ops;

	return !ops->progress || ops->progress(r->inner->source, what, done, total);
}

static const struct memory_ops recorder_ops = {
	.read = recorder_read,
	.state = recorder_state,
	.next = recorder_next,
	.peek = recorder_peek,
	.progress = recorder_progress,
};

struct recorder *recorder_new(const struct memory *mem)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->inner = mem;
	r->mem = (struct memory){ .ops = &recorder_ops, .source = r, .facts = mem->facts };
	return r;
}

void recorder_free(struct recorder *r)
{
	if (r)
		pageset_free(&r->set);
	free(r);
}

const struct memory *recorder_memory(const struct recorder *r)
{
	return &r->mem;
}

/* Asking. */

/*
 * Variables that crash --minimal reads before it opens a dump of x86_64, and the banner by which
 * it knows the kernel. Where they are missing crash has to do without, as with the whole dump.
 */
static void ask_for_crash(const struct kernel *k)
{
	struct symbol want[] = {
		{ .name = "page_offset_base" }, { .name = "vmalloc_base" },
		{ .name = "vmemmap_base" }, { .name = "linux_banner" },
	};
	const size_t n = sizeof(want) / sizeof(want[0]);
	enum kallsyms_encoding encoding;
	uint32_t total;
	struct fault ignored;
	uint64_t value;

	if (!kallsyms_resolve(k->pt, &k->vmcoreinfo, want, n, &encoding, &total, &ignored))
		return;
	for (size_t i = 0; i < n; i++)
		if (want[i].count == 1)
			kernel_read_u64(k, want[i].addr, &value, &ignored);
}

static bool ask_view(const struct kernel *k, enum view view, struct fault *why)
{
	const struct report_options all = { .ask.view = view };
	struct report_result result;
	bool ok = report_run(k, &all, NULL, 0, &result, why);

	if (ok && result.interrupted)
		ok = fault_set(why, FAULT_LIMIT, SPACE_NONE, 0, "interrupted");
	report_free(&result);
	return ok;
}

/*
 * All arenas, whichever the user wants to see now. A snapshot asks for the state of each page,
 * so all contents are among what is recorded, and a check reads their allocators. What is not
 * there is no fault here.
 */
static bool ask_everything(struct recorder *r, const struct kernel *k, struct fault *why)
{
	bool ok = ask_view(k, VIEW_CHECK, why) && ask_view(k, VIEW_USERS, why);

	ask_for_crash(k);
	if (!ok)
		return false;
	if (r->nomem)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	if (r->too_high)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"cannot be reduced: it has memory above physical 2^%d", PHYS_BITS);
	pageset_sort(&r->set);
	return true;
}

/* The head of the file. */

struct notes {
	uint8_t *data;
	size_t n, vmcoreinfo;	/* bytes; place of that text */
	unsigned cpus;
};

static void put(struct notes *notes, const void *data, size_t n)
{
	if (n)
		memcpy(notes->data + notes->n, data, n);
	notes->n += (n + 3) & ~(size_t)3;
}

static void put_note(struct notes *notes, const char *name, uint32_t type, const void *data,
		     size_t n)
{
	uint32_t header[3] = { htole32((uint32_t)strlen(name) + 1), htole32((uint32_t)n),
			       htole32(type) };

	put(notes, header, sizeof(header));
	put(notes, name, strlen(name) + 1);
	put(notes, data, n);
}

static bool is_note(const struct note *note, const char *name, uint32_t type)
{
	return note->type == type && note->name_len == strlen(name) &&
	       !memcmp(note->name, name, note->name_len);
}

/* The notes of the original, VMCOREINFO that proved always among them, and ours. */
static bool make_notes(const struct recorder *r, const struct kernel *k, struct notes *notes,
		       struct fault *why)
{
	const struct vmcoreinfo *vi = &k->vmcoreinfo;
	const struct memory_facts *facts = &r->inner->facts;
	char text[REDUCED_TEXT];
	size_t pos = 0, from = 0;
	struct note note;

	notes->data = calloc(1, facts->notes_len + vi->len + REDUCED_TEXT + 256);
	if (!notes->data)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (; notes_next(facts->notes, facts->notes_len, &pos, &note); from = pos) {
		if (is_note(&note, REDUCED_NAME, REDUCED_NOTE))
			continue;
		if (is_note(&note, "VMCOREINFO", 0)) {
			if ((const char *)note.data != vi->text)
				continue;
			notes->vmcoreinfo = notes->n + (size_t)(note.data - facts->notes) - from;
		}
		put(notes, facts->notes + from, pos - from);
		notes->cpus += note.type == NT_PRSTATUS;
	}
	if (!notes->vmcoreinfo) {
		put_note(notes, "VMCOREINFO", 0, vi->text, vi->len);
		notes->vmcoreinfo = notes->n - ((vi->len + 3) & ~(size_t)3);
	}
	put_note(notes, REDUCED_NAME, REDUCED_NOTE, text,
		 reduced_write(facts, &r->pieces, text));
	return true;
}

/* As the kernel's own uname would say it. */
static void set_utsname(const struct kernel *k, struct kdump_head *head)
{
	uint64_t uts = 0, name = 0;
	struct fault ignored;

	vmcoreinfo_symbol(&k->vmcoreinfo, "init_uts_ns", &uts);
	vmcoreinfo_number(&k->vmcoreinfo, "OFFSET(uts_namespace.name)", &name);
	if (!kernel_read(k, uts + name, head->utsname, sizeof(head->utsname), &ignored))
		memset(head->utsname, 0, sizeof(head->utsname));
	for (size_t i = 0; i < UTSNAMES; i++)
		head->utsname[i][UTSNAME_LEN - 1] = '\0';
	memcpy(head->utsname[2], k->release, UTSNAME_LEN);
	snprintf(head->utsname[4], UTSNAME_LEN, "%s", k->machine);
}

static void set_head(const struct recorder *r, const struct kernel *k, const struct notes *notes,
		     struct kdump_head *head)
{
	const struct memory_facts *facts = &r->inner->facts;

	set_utsname(k, head);
	vmcoreinfo_number(&k->vmcoreinfo, "CRASHTIME", &head->time);
	/* makedumpfile's phys_base of aarch64 is the start of the direct map */
	if (!vmcoreinfo_number(&k->vmcoreinfo, "NUMBER(phys_base)", &head->phys_base))
		vmcoreinfo_number(&k->vmcoreinfo, "NUMBER(PHYS_OFFSET)", &head->phys_base);
	head->level = facts->level > 0 ? facts->level : 0;
	head->incomplete = facts->incomplete;
	head->cpus = notes->cpus ? notes->cpus : 1;
	head->notes = notes->data;
	head->notes_len = notes->n;
	head->vmcoreinfo = notes->vmcoreinfo;
	head->vmcoreinfo_len = k->vmcoreinfo.len;
}

/* Pages. */

/* Where bytes are stored at the begin or at the end of a page that is not. */
static bool find_piece(const struct recorder *r, uint64_t phys, uint32_t size, enum state state,
		       struct reduced_piece *p)
{
	bool begin = memory_state(r->inner, phys, 1) == STATE_STORED;
	uint32_t stored = 1, more = size;

	if (!begin && memory_state(r->inner, phys + size - 1, 1) != STATE_STORED)
		return false;
	while (more - stored > 1) {
		uint32_t n = stored + (more - stored) / 2;

		if (memory_state(r->inner, begin ? phys : phys + size - n, n) == STATE_STORED)
			stored = n;
		else
			more = n;
	}
	*p = (struct reduced_piece){ phys, size, begin ? 0 : size - stored,
				     begin ? stored : size, state };
	return true;
}

static const struct reduced_piece *piece_of(const struct recorder *r, uint64_t phys)
{
	for (size_t i = 0; i < r->pieces.n; i++)
		if (r->pieces.piece[i].phys == phys)
			return &r->pieces.piece[i];
	return NULL;
}

/* The state in which a page is written; one that is there in part is a stored one. */
static bool look_at_page(struct recorder *r, uint64_t phys, size_t size, enum state *state,
			 struct fault *why)
{
	struct reduced_piece piece;

	*state = memory_state(r->inner, phys, size);
	if (*state == STATE_STORED || !find_piece(r, phys, (uint32_t)size, *state, &piece))
		return true;
	if (r->pieces.n == REDUCED_PIECES)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_PHYS, phys,
			"cannot be reduced: more than %d pages are there only in part",
			REDUCED_PIECES);
	r->pieces.piece[r->pieces.n++] = piece;
	*state = STATE_STORED;
	return true;
}

/* How many there are, and how high. */
static bool count_pages(struct recorder *r, struct kdump_head *head, struct fault *why)
{
	struct pageset_cursor at = { 0 };
	enum state state;
	uint64_t phys;

	while (pageset_next(&r->set, &at, head->page_size, &phys)) {
		if (!look_at_page(r, phys, (size_t)head->page_size, &state, why))
			return false;
		if (state == STATE_ABSENT)
			continue;
		head->pages = phys / head->page_size + 1;
		head->in_file += state != STATE_EXCLUDED;
	}
	if (head->pages <= MAX_PAGES)
		return true;
	return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
		"cannot be reduced: no kdump has memory at physical 0x%" PRIx64,
		(head->pages - 1) * head->page_size);
}

/* A page as it is: a reason that is not the dump's own must not become one. */
static bool write_page(const struct recorder *r, struct kdump_writer *w, uint64_t phys,
		       size_t size, struct fault *why)
{
	const struct reduced_piece *piece = piece_of(r, phys);
	enum state state = piece ? STATE_STORED : memory_state(r->inner, phys, size), got;
	size_t from = piece ? piece->from : 0, to = piece ? piece->to : size;
	uint8_t page[MAX_PAGE];

	if (state != STATE_STORED)
		return kdump_writer_page(w, phys / size, state, NULL, why);
	memset(page, 0, size);
	got = r->inner->ops->read(r->inner->source, phys + from, page + from, to - from);
	if (got == STATE_STORED || got == STATE_DAMAGED)
		return kdump_writer_page(w, phys / size, state,
					 got == STATE_STORED ? page : NULL, why);
	memory_fault(r->inner, got, phys, why);
	return fault_prefix(why, "cannot be reduced: ");
}

static bool write_pages(const struct recorder *r, struct kdump_writer *w,
			const struct kdump_head *head, struct fault *why)
{
	struct pageset_cursor at = { 0 };
	uint64_t phys, n = 0;

	while (pageset_next(&r->set, &at, head->page_size, &phys)) {
		if (n++ % 64 == 0 &&
		    !memory_progress(r->inner, "reducing", n, head->in_file, why))
			return false;
		if (!write_page(r, w, phys, (size_t)head->page_size, why))
			return false;
	}
	return true;
}

bool reduce(struct recorder *r, const struct kernel *k, int fd, uint64_t *size,
	    struct fault *why)
{
	struct kdump_head head = { .page_size = k->page_size };
	struct kdump_writer *w = NULL;
	struct notes notes = { 0 };
	bool ok;

	ok = ask_everything(r, k, why) && count_pages(r, &head, why) &&
	     make_notes(r, k, &notes, why);
	if (ok) {
		set_head(r, k, &notes, &head);
		w = kdump_writer_new(fd, &head, why);
	}
	ok = w && write_pages(r, w, &head, why) && kdump_writer_end(w, size, why);
	kdump_writer_free(w);
	free(notes.data);
	return ok;
}
