// SPDX-License-Identifier: GPL-2.0-or-later
#include "dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../core/reader.h"

enum {
	MAX_DEPTH = 16,		/* of anonymous members, typedefs and arrays */
	MAX_VISITS = 1 << 16,	/* members looked at below one struct */
	POINTER = 8,
	GIVE_BACK = 8 << 20,	/* bytes of .debug_info */
};

/* The next DIE of the same parent. Damaged ones may point back: that is the end. */
static bool next_sibling(Dwarf_Die *die)
{
	Dwarf_Off before = dwarf_dieoffset(die);

	return !dwarf_siblingof(die, die) && dwarf_dieoffset(die) > before;
}

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, DW_AT_name, &a) ? dwarf_formstring(&a) : NULL;
}

static bool number(Dwarf_Die *die, unsigned attribute, uint64_t *value)
{
	Dwarf_Attribute a;
	Dwarf_Word word;

	if (!dwarf_attr(die, attribute, &a) || dwarf_formudata(&a, &word))
		return false;
	*value = word;
	return true;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, DW_AT_type, &a) && dwarf_formref_die(&a, type);
}

/* *@times multiplied by the elements of the array, of all its dimensions. False: not known. */
static bool count_elements(Dwarf_Die *array, uint64_t *times)
{
	Dwarf_Die d;
	bool any = false;
	uint64_t n;

	if (dwarf_child(array, &d))
		return false;
	do {
		if (dwarf_tag(&d) != DW_TAG_subrange_type)
			continue;
		/* in C arrays begin at 0; one without a size has neither */
		if (!number(&d, DW_AT_count, &n) &&
		    (!number(&d, DW_AT_upper_bound, &n) || !add_ok(n, 1, &n)))
			return false;
		if (!mul_ok(*times, n, times))
			return false;
		any = true;
	} while (next_sibling(&d));
	return any;
}

/* Size in bytes of the type of @die, a member; 0 where it has none. */
static uint32_t size_of(Dwarf_Die *die)
{
	uint64_t times = 1, size;
	Dwarf_Die type;

	if (!type_of(die, &type))
		return 0;
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		switch (dwarf_tag(&type)) {
		case DW_TAG_array_type:
			if (!count_elements(&type, &times))
				return 0;
			break;
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			break;
		default:
			if (!number(&type, DW_AT_byte_size, &size)) {
				if (dwarf_tag(&type) != DW_TAG_pointer_type)
					return 0;
				size = POINTER;
			}
			if (!mul_ok(times, size, &times) || times > UINT32_MAX)
				return 0;
			return (uint32_t)times;
		}
		if (!type_of(&type, &type))
			return 0;
	}
	return 0;
}

/* Where a member is in its struct, in bytes; one of a union is at 0 and does not say so. */
static bool offset_of(Dwarf_Die *member, uint64_t *offset)
{
	Dwarf_Attribute a;
	Dwarf_Op *expr;
	uint64_t bits;
	size_t n;

	*offset = 0;
	if (number(member, DW_AT_data_bit_offset, &bits)) {
		*offset = bits / 8;
		return true;
	}
	if (!dwarf_attr(member, DW_AT_data_member_location, &a) ||
	    number(member, DW_AT_data_member_location, offset))
		return true;
	/* DWARF 2 and 3 have an expression */
	if (dwarf_getlocation(&a, &expr, &n) || n != 1 || expr->atom != DW_OP_plus_uconst)
		return false;
	*offset = expr->number;
	return true;
}

static bool is_aggregate(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

/* The struct or union that an anonymous member is; it may come through qualifiers. */
static bool aggregate_of(Dwarf_Die *member, Dwarf_Die *type)
{
	*type = *member;
	for (int depth = 0; depth < MAX_DEPTH && type_of(type, type); depth++) {
		if (is_aggregate(type))
			return true;
		if (dwarf_tag(type) != DW_TAG_const_type &&
		    dwarf_tag(type) != DW_TAG_volatile_type)
			return false;
	}
	return false;
}

/* A struct whose members are being looked through. */
struct level {
	Dwarf_Die member;
	bool more;
	uint64_t base;		/* bytes from the start of the outermost struct */
};

static void enter(struct level *l, Dwarf_Die *type, uint64_t base)
{
	l->more = !dwarf_child(type, &l->member);
	l->base = base;
}

static void found(struct btf_member *m, Dwarf_Die *die, uint64_t offset)
{
	m->offset = (uint32_t)offset;
	m->size = dwarf_hasattr(die, DW_AT_bit_size) ? 0 : size_of(die);
	m->found = true;
}

/* Find @m in the struct @type, and in its anonymous members. */
static bool find_in(Dwarf_Die *type, struct btf_member *m)
{
	struct level stack[MAX_DEPTH];
	uint64_t size;
	int depth = 0;

	if (!strcmp(m->member, "sizeof")) {
		m->found = number(type, DW_AT_byte_size, &size) && size <= UINT32_MAX;
		m->offset = 0;
		m->size = m->found ? (uint32_t)size : 0;
		return m->found;
	}
	enter(&stack[0], type, 0);
	for (int visits = 0; depth >= 0 && visits < MAX_VISITS; visits++) {
		struct level *l = &stack[depth];
		Dwarf_Die die = l->member, inner;
		const char *name;
		uint64_t offset;

		if (!l->more) {
			depth--;
			continue;
		}
		l->more = next_sibling(&l->member);
		if (dwarf_tag(&die) != DW_TAG_member || !offset_of(&die, &offset) ||
		    !add_ok(offset, l->base, &offset) || offset > UINT32_MAX)
			continue;
		name = name_of(&die);
		if (name && !strcmp(name, m->member)) {
			found(m, &die, offset);
			return true;
		}
		if ((!name || !*name) && depth + 1 < MAX_DEPTH && aggregate_of(&die, &inner))
			enter(&stack[++depth], &inner, offset);
	}
	return false;
}

/* What is looked for, and how much of it was found. */
struct search {
	struct btf_member *want;
	size_t n;
	bool *type_found;
	size_t left;		/* members to be found in a definition that has all that is needed */
	bool *done;		/* of each member: its struct was found so */
};

/* Does the definition have every member that is not optional? @count: those that it has. */
static bool has_needed(const struct search *s, Dwarf_Die *die, const char *type, size_t *count)
{
	bool all = true;

	*count = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct btf_member m = s->want[i];

		if (strcmp(m.type, type))
			continue;
		if (find_in(die, &m))
			(*count)++;
		else
			all = all && m.optional;
	}
	return all;
}

/* A definition of a struct that is wanted: take it if it has more than the one before. */
static void consider(struct search *s, Dwarf_Die *die, const char *type)
{
	size_t new, old = 0;
	bool all = has_needed(s, die, type, &new);

	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->want[i].type, type)) {
			s->type_found[i] = true;
			old += s->want[i].found;
		}
	if (new <= old && !all)
		return;
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->want[i].type, type))
			continue;
		s->want[i].found = false;
		find_in(die, &s->want[i]);
		s->done[i] = all;
		s->left -= all;
	}
}

static bool is_wanted(const struct search *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->done[i] && !strcmp(s->want[i].type, name))
			return true;
	return false;
}

static void search_unit(struct search *s, Dwarf_Die *unit)
{
	Dwarf_Die die;

	if (dwarf_child(unit, &die))
		return;
	do {
		const char *name;

		if (!is_aggregate(&die) || dwarf_hasattr(&die, DW_AT_declaration))
			continue;
		name = name_of(&die);
		if (name && is_wanted(s, name))
			consider(s, &die, name);
	} while (s->left && next_sibling(&die));
}

/* .debug_info as it lies in the mapped file. */
struct passed {
	uint8_t *start;
	uint64_t n;
};

/* The whole pages of it. None if a section is compressed: libelf writes into the mapping then. */
static struct passed find_passed(Elf *elf, uint8_t *image, uint64_t size)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct passed passed = { image, 0 };
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return passed;
	while ((section = elf_nextscn(elf, section))) {
		const char *name;
		GElf_Shdr h;
		uint64_t at;

		if (!gelf_getshdr(section, &h) || !(name = elf_strptr(elf, names, h.sh_name)))
			continue;
		if (h.sh_flags & SHF_COMPRESSED || !strncmp(name, ".zdebug", 7))
			return (struct passed){ image, 0 };
		at = (h.sh_offset + page - 1) & ~(page - 1);
		if (strcmp(name, ".debug_info") || !range_ok(h.sh_offset, h.sh_size, size) ||
		    at >= h.sh_offset + h.sh_size)
			continue;
		passed = (struct passed){ image + at, h.sh_offset + h.sh_size - at };
		passed.n &= ~(page - 1);
	}
	return passed;
}

static bool search_units(Dwarf *dwarf, const struct passed *passed, struct search *s)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Off last = 0;
	Dwarf_Die die;
	bool any = false;

	while (s->left && !dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL)) {
		any = true;
		search_unit(s, &die);
		if (passed->n && dwarf_dieoffset(&die) - last > GIVE_BACK) {
			last = dwarf_dieoffset(&die);
			madvise(passed->start, passed->n, MADV_DONTNEED);
		}
	}
	return any;
}

bool dwarf_find_members(Elf *elf, void *image, uint64_t size, struct btf_member *want, size_t n,
			bool *type_found, struct fault *why)
{
	struct search s = { want, n, type_found, n, calloc(n, sizeof(bool)) };
	const struct passed passed = find_passed(elf, image, size);
	Dwarf *dwarf;
	bool ok;

	if (!s.done)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		want[i].found = type_found[i] = false;
	dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	ok = dwarf && search_units(dwarf, &passed, &s);
	if (!ok)
		fault_fill(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			   "no debug information (DWARF)");
	dwarf_end(dwarf);
	free(s.done);
	return ok;
}
