// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmlinux.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dwarf.h"

enum {
	MAX_PATH_SHOWN = 100,
	MIN_ID = 8, MAX_ID = 32,	/* bytes; SHA-1 has 20 */
};

struct vmlinux {
	void *image;		/* the file, a private mapping */
	uint64_t size;
	Elf *elf;
	char name[sizeof("vmlinux ...") + MAX_PATH_SHOWN];
	char build_id[2 * MAX_ID + 1];
	struct debuginfo debuginfo;
};

/* The sentence must have room for more: of a long path the end is what tells. */
static void set_name(struct vmlinux *v, const char *path)
{
	size_t n = strlen(path);
	const bool cut = n > MAX_PATH_SHOWN;

	snprintf(v->name, sizeof(v->name), "vmlinux %s%s", cut ? "..." : "",
		 cut ? path + n - MAX_PATH_SHOWN : path);
}

static bool no_elf(const struct vmlinux *v, struct fault *why)
{
	const bool boot = v->size >= 2 && !memcmp(v->image, "MZ", 2);

	return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0, "%s is %s", v->name, boot ?
		"an image to boot (vmlinuz), which has no debug symbols" :
		"no ELF file of a 64-bit little-endian machine");
}

static bool open_elf(struct vmlinux *v, int fd, struct fault *why)
{
	const char *ident;

	if (!v->size)
		return no_elf(v, why);
	/* libelf writes into it where sections are compressed */
	v->image = mmap(NULL, v->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	if (v->image == MAP_FAILED) {
		v->image = NULL;
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "%s: out of memory", v->name);
	}
	elf_version(EV_CURRENT);
	v->elf = elf_memory(v->image, v->size);
	if (!v->elf || elf_kind(v->elf) != ELF_K_ELF)
		return no_elf(v, why);
	ident = elf_getident(v->elf, NULL);
	return (ident && ident[EI_CLASS] == ELFCLASS64 && ident[EI_DATA] == ELFDATA2LSB) ||
	       no_elf(v, why);
}

/* The contents of a section; NULL where the file does not have them. */
static const Elf_Data *contents(Elf_Scn *section)
{
	const Elf_Data *data = elf_getdata(section, NULL);

	return data && data->d_buf && data->d_size ? data : NULL;
}

static bool take_build_id(struct vmlinux *v, Elf_Data *notes)
{
	size_t at = 0, name, desc;
	GElf_Nhdr n;

	while (at < notes->d_size && (at = gelf_getnote(notes, at, &n, &name, &desc))) {
		const uint8_t *id = (const uint8_t *)notes->d_buf + desc;

		if (n.n_type != NT_GNU_BUILD_ID || n.n_namesz != sizeof("GNU") ||
		    memcmp((const char *)notes->d_buf + name, "GNU", sizeof("GNU")) ||
		    n.n_descsz < MIN_ID || n.n_descsz > MAX_ID)
			continue;
		for (size_t i = 0; i < n.n_descsz; i++)
			snprintf(v->build_id + 2 * i, 3, "%02x", id[i]);
		return true;
	}
	return false;
}

static bool find_build_id(struct vmlinux *v, struct fault *why)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(v->elf, section))) {
		const Elf_Data *notes;
		GElf_Shdr h;

		if (!gelf_getshdr(section, &h) || h.sh_type != SHT_NOTE)
			continue;
		notes = contents(section);
		if (notes && take_build_id(v, (Elf_Data *)notes))
			return true;
	}
	return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
		"%s has no build ID, so nothing shows that it is of the dump's kernel", v->name);
}

/* Questions of core/. */

static void look_up(Elf *elf, const GElf_Shdr *h, const Elf_Data *table, struct symbol *want,
		    size_t n)
{
	const size_t entries = table->d_size / sizeof(Elf64_Sym);

	for (size_t i = 0; i < entries && i < INT32_MAX; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym((Elf_Data *)table, (int)i, &sym) || sym.st_shndx == SHN_UNDEF ||
		    GELF_ST_TYPE(sym.st_info) == STT_FILE)
			continue;
		name = elf_strptr(elf, h->sh_link, sym.st_name);
		for (size_t j = 0; name && j < n; j++) {
			if (*name != *want[j].name ||
			    !symbol_matches(&want[j], name, strlen(name)))
				continue;
			want[j].addr = sym.st_value;
			want[j].index = (uint32_t)i;
			want[j].count++;
		}
	}
}

static bool symbols(void *source, struct symbol *want, size_t n, struct fault *why)
{
	const struct vmlinux *v = source;
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(v->elf, section))) {
		const Elf_Data *table;
		GElf_Shdr h;

		if (!gelf_getshdr(section, &h) || h.sh_type != SHT_SYMTAB)
			continue;
		table = contents(section);
		if (!table)
			break;
		look_up(v->elf, &h, table, want, n);
		return true;
	}
	return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "no symbols; it was stripped");
}

static bool btf(void *source, const void **data, size_t *size, struct fault *why)
{
	const struct vmlinux *v = source;
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(v->elf, &names))
		names = SHN_UNDEF;
	while ((section = elf_nextscn(v->elf, section))) {
		const Elf_Data *found;
		const char *name;
		GElf_Shdr h;

		if (!gelf_getshdr(section, &h))
			continue;
		name = elf_strptr(v->elf, names, h.sh_name);
		if (!name || strcmp(name, ".BTF") || h.sh_flags & SHF_COMPRESSED)
			continue;
		found = contents(section);
		if (!found)
			break;
		*data = found->d_buf;
		*size = found->d_size;
		return true;
	}
	return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "no BTF");
}

static bool members(void *source, struct btf_member *want, size_t n, bool *type_found,
		    struct fault *why)
{
	const struct vmlinux *v = source;

	return dwarf_find_members(v->elf, v->image, v->size, want, n, type_found, why);
}

static const struct debuginfo_ops vmlinux_ops = { symbols, btf, members };

struct vmlinux *vmlinux_open(int fd, uint64_t size, const char *path, struct fault *why)
{
	struct vmlinux *v = calloc(1, sizeof(*v));

	if (!v) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	v->size = size;
	set_name(v, path);
	v->debuginfo = (struct debuginfo){ &vmlinux_ops, v, v->name, v->build_id };
	if (open_elf(v, fd, why) && find_build_id(v, why))
		return v;
	vmlinux_close(v);
	return NULL;
}

void vmlinux_close(struct vmlinux *v)
{
	if (!v)
		return;
	elf_end(v->elf);
	if (v->image)
		munmap(v->image, v->size);
	free(v);
}

const struct debuginfo *vmlinux_debuginfo(const struct vmlinux *v)
{
	return &v->debuginfo;
}
