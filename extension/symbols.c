// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../batch/fileio.h"
#include "../core/notes.h"
#include "crash.h"

enum { MAX_SEGMENTS = 64, MAX_NOTES = 65536, ID_BYTES = 32 };

/* The file is the user's own, but what is in it is checked all the same. */
static bool read_id(int fd, char id[65])
{
	Elf64_Phdr phdr[MAX_SEGMENTS];
	Elf64_Ehdr ehdr;
	struct note note;
	bool found = false;

	if (!read_at(fd, &ehdr, sizeof(ehdr), 0) || memcmp(ehdr.e_ident, ELFMAG, SELFMAG) ||
	    ehdr.e_ident[EI_CLASS] != ELFCLASS64 || ehdr.e_phentsize != sizeof(*phdr) ||
	    ehdr.e_phnum > MAX_SEGMENTS ||
	    !read_at(fd, phdr, ehdr.e_phnum * sizeof(*phdr), ehdr.e_phoff))
		return false;
	for (size_t i = 0; !found && i < ehdr.e_phnum; i++) {
		uint8_t *notes;

		if (phdr[i].p_type != PT_NOTE || phdr[i].p_filesz > MAX_NOTES)
			continue;
		notes = malloc(phdr[i].p_filesz + 1);
		found = notes && read_at(fd, notes, phdr[i].p_filesz, phdr[i].p_offset) &&
			notes_find(notes, phdr[i].p_filesz, "GNU", NT_GNU_BUILD_ID, &note) &&
			note.size && note.size <= ID_BYTES;
		for (size_t j = 0; found && j < note.size; j++)
			snprintf(id + 2 * j, 3, "%02x", note.data[j]);
		free(notes);
	}
	return found;
}

bool symbols_build_id(char id[65], struct fault *why)
{
	const char *path = crash_vmlinux();
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool found = fd >= 0 && read_id(fd, id);

	if (fd >= 0)
		close(fd);
	return found || fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
		"crash's vmlinux has no build ID to know its kernel by");
}

static bool symbols_look_up(void *source, struct symbol *want, size_t n, struct fault *why)
{
	(void)source;
	(void)why;
	for (size_t i = 0; i < n; i++)
		want[i].count = crash_symbol(want[i].name, &want[i].addr);
	return true;
}

static bool members_look_up(void *source, struct btf_member *want, size_t n, bool *type_found,
			    struct fault *why)
{
	const struct symbols *s = source;

	(void)why;
	memcpy(want, s->want, n * sizeof(*want));
	memcpy(type_found, s->type_found, n * sizeof(*type_found));
	return true;
}

static const struct debuginfo_ops ops = {
	.symbols = symbols_look_up,
	.members = members_look_up,
};

static void gather_member(struct btf_member *m, bool *type_found)
{
	long offset, size;

	*type_found = crash_has_struct(m->type);
	if (!*type_found)
		return;
	if (!strcmp(m->member, "sizeof")) {
		m->size = (uint32_t)crash_struct_size(m->type);
		m->found = true;
		return;
	}
	offset = crash_member_offset(m->type, m->member, false);
	if (offset < 0 && !m->optional)
		offset = crash_member_offset(m->type, m->member, true);
	if (offset < 0)
		return;
	size = crash_member_size(m->type, m->member);
	m->found = true;
	m->offset = (uint32_t)offset;
	m->size = size > 0 ? (uint32_t)size : 0;
}

void symbols_gather(struct symbols *s, const char *build_id)
{
	snprintf(s->build_id, sizeof(s->build_id), "%s", build_id);
	snprintf(s->name, sizeof(s->name), "vmlinux %.256s", crash_vmlinux());
	s->debuginfo = (struct debuginfo){
		.ops = &ops, .source = s, .name = s->name, .build_id = s->build_id };
	members_want(s->want);
	for (size_t i = 0; i < MEMBERS_END; i++)
		gather_member(&s->want[i], &s->type_found[i]);
}
