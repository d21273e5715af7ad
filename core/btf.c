// SPDX-License-Identifier: GPL-2.0-or-later
#include "btf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

/* include/uapi/linux/btf.h; kind 19 is the last one of 7.3 */
enum {
	KIND_INT = 1, KIND_PTR, KIND_ARRAY, KIND_STRUCT, KIND_UNION, KIND_ENUM, KIND_FWD,
	KIND_TYPEDEF, KIND_VOLATILE, KIND_CONST, KIND_RESTRICT, KIND_FUNC, KIND_FUNC_PROTO,
	KIND_VAR, KIND_DATASEC, KIND_FLOAT, KIND_DECL_TAG, KIND_TYPE_TAG, KIND_ENUM64,
	KINDS
};

enum {
	BTF_MAGIC = 0xeb9f,
	MIN_HEADER = 24,
	LAYOUT_HEADER = 32,	/* with layout_off, layout_len: pahole 1.31, Linux 7.1 */
	TYPE_SIZE = 12,
	MEMBER_SIZE = 12,
	ENUMERATOR_SIZE = 8,
	MAX_TYPES = 4 << 20,
	MAX_DEPTH = 16,		/* of anonymous members, typedefs and arrays */
	MAX_VISITS = 1 << 16,	/* members looked at below one struct */
	MAX_CANDIDATES = 64,
};

struct btf {
	const uint8_t *types, *strings, *layout;
	size_t types_len, strings_len, layout_len;
	uint32_t *offset;	/* of type i (from 1) in @types */
	size_t n;		/* type ids are below */
};

struct type {
	uint32_t name, kind, vlen, size;	/* size: or the type that it refers to */
	bool kind_flag;
	const uint8_t *extra;	/* what follows, checked to be inside */
};

static bool section(const uint8_t *data, size_t size, uint64_t off, uint64_t len,
		    const uint8_t **start, size_t *n)
{
	*start = data + off;
	*n = (size_t)len;
	return range_ok(off, len, size);
}

static bool read_header(struct btf *btf, const uint8_t *data, size_t size, struct fault *why)
{
	struct reader r = reader_init(data, size);
	uint32_t head, type_off, type_len, str_off, str_len, layout_off = 0, layout_len = 0;
	uint16_t magic = reader_u16(&r);

	reader_skip(&r, 2);	/* version, flags */
	head = reader_u32(&r);
	type_off = reader_u32(&r);
	type_len = reader_u32(&r);
	str_off = reader_u32(&r);
	str_len = reader_u32(&r);
	if (head >= LAYOUT_HEADER) {
		layout_off = reader_u32(&r);
		layout_len = reader_u32(&r);
	}
	if (r.bad || magic != BTF_MAGIC || head < MIN_HEADER)
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0, "BTF: no header");
	if (!section(data, size, (uint64_t)head + type_off, type_len, &btf->types,
		     &btf->types_len) ||
	    !section(data, size, (uint64_t)head + str_off, str_len, &btf->strings,
		     &btf->strings_len) ||
	    !section(data, size, (uint64_t)head + layout_off, layout_len, &btf->layout,
		     &btf->layout_len))
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
			"BTF: the header describes more than there is");
	if (!str_len || btf->strings[str_len - 1])
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0, "BTF: the strings do not end");
	return true;
}

/* Bytes after struct btf_type: of the kinds that are known, else by the layout section. */
static bool extra_size(const struct btf *btf, const struct type *t, uint64_t *size)
{
	static const struct { uint8_t fixed, each; } known[KINDS] = {
		[KIND_INT] = { 4, 0 }, [KIND_ARRAY] = { 12, 0 },
		[KIND_STRUCT] = { 0, 12 }, [KIND_UNION] = { 0, 12 },
		[KIND_ENUM] = { 0, 8 }, [KIND_FUNC_PROTO] = { 0, 8 },
		[KIND_VAR] = { 4, 0 }, [KIND_DATASEC] = { 0, 12 },
		[KIND_DECL_TAG] = { 4, 0 }, [KIND_ENUM64] = { 0, 12 },
	};

	if (t->kind < KINDS) {
		*size = known[t->kind].fixed + (uint64_t)known[t->kind].each * t->vlen;
		return true;
	}
	/* struct btf_layout: u8 info_sz, u8 elem_sz, u16 flags */
	if (!range_ok((uint64_t)t->kind * 4, 4, btf->layout_len))
		return false;
	*size = btf->layout[t->kind * 4] + (uint64_t)btf->layout[t->kind * 4 + 1] * t->vlen;
	return true;
}

static bool read_type(const struct btf *btf, struct reader *r, struct type *t)
{
	uint32_t info;
	uint64_t extra;

	t->name = reader_u32(r);
	info = reader_u32(r);
	t->size = reader_u32(r);
	/* the masks of 7.3; the added bits were 0 before */
	t->vlen = info & 0xffffff;
	t->kind = info >> 24 & 0x7f;
	t->kind_flag = info >> 31;
	if (!extra_size(btf, t, &extra))
		return false;
	t->extra = reader_bytes(r, extra);
	return !r->bad;
}

static const char *string(const struct btf *btf, uint32_t off)
{
	return off < btf->strings_len ? (const char *)btf->strings + off : "";
}

static bool get_type(const struct btf *btf, uint32_t id, struct type *t)
{
	struct reader r = reader_init(btf->types, btf->types_len);

	if (!id || id >= btf->n)
		return false;
	reader_seek(&r, btf->offset[id]);
	return read_type(btf, &r, t);
}

/* Size in bytes of type @id; 0 where it has none. */
static uint32_t type_size(const struct btf *btf, uint32_t id)
{
	uint64_t times = 1;
	struct type t;

	for (int depth = 0; depth < MAX_DEPTH && get_type(btf, id, &t); depth++) {
		switch (t.kind) {
		case KIND_PTR:
			times *= 8;
			return times <= UINT32_MAX ? (uint32_t)times : 0;
		case KIND_INT:
		case KIND_STRUCT:
		case KIND_UNION:
		case KIND_ENUM:
		case KIND_ENUM64:
		case KIND_FLOAT:
			if (!mul_ok(times, t.size, &times) || times > UINT32_MAX)
				return 0;
			return (uint32_t)times;
		case KIND_ARRAY:
			if (!mul_ok(times, load_u32(t.extra + 8), &times))
				return 0;
			id = load_u32(t.extra);
			break;
		case KIND_TYPEDEF:
		case KIND_VOLATILE:
		case KIND_CONST:
		case KIND_RESTRICT:
		case KIND_TYPE_TAG:
			id = t.size;
			break;
		default:
			return 0;
		}
	}
	return 0;
}

static bool is_aggregate(const struct type *t)
{
	return t->kind == KIND_STRUCT || t->kind == KIND_UNION;
}

/* An anonymous struct or union may come through qualifiers. */
static bool get_aggregate(const struct btf *btf, uint32_t id, struct type *t)
{
	for (int depth = 0; depth < MAX_DEPTH && get_type(btf, id, t); depth++) {
		if (is_aggregate(t))
			return true;
		if (t->kind != KIND_CONST && t->kind != KIND_VOLATILE)
			return false;
		id = t->size;
	}
	return false;
}

/* A struct whose members are being looked through. */
struct level {
	struct type type;
	uint32_t next;		/* member */
	uint64_t base;		/* bytes from the start of the outermost struct */
};

/* Find @m in the struct or union @id, and in its anonymous members. */
static bool find_in(const struct btf *btf, uint32_t id, struct btf_member *m)
{
	struct level stack[MAX_DEPTH];
	int depth = 0;

	if (!get_aggregate(btf, id, &stack[0].type))
		return false;
	if (!strcmp(m->member, "sizeof")) {
		m->offset = 0;
		m->size = stack[0].type.size;
		m->found = true;
		return true;
	}
	stack[0].next = 0;
	stack[0].base = 0;
	for (int visits = 0; depth >= 0 && visits < MAX_VISITS; visits++) {
		struct level *l = &stack[depth];
		const uint8_t *p = l->type.extra + (size_t)l->next * MEMBER_SIZE;
		uint32_t bits, width = 0;
		const char *name;

		if (l->next++ >= l->type.vlen) {
			depth--;
			continue;
		}
		name = string(btf, load_u32(p));
		bits = load_u32(p + 8);
		if (l->type.kind_flag) {
			width = bits >> 24;
			bits &= 0xffffff;
		}
		if (!*name && depth + 1 < MAX_DEPTH &&
		    get_aggregate(btf, load_u32(p + 4), &stack[depth + 1].type)) {
			stack[depth + 1].next = 0;
			stack[depth + 1].base = l->base + bits / 8;
			depth++;
		} else if (!strcmp(name, m->member)) {
			m->offset = (uint32_t)(l->base + bits / 8);
			m->size = width || bits % 8 ? 0 : type_size(btf, load_u32(p + 4));
			m->found = true;
			return true;
		}
	}
	return false;
}

/* A struct that has the name of a wanted one. */
struct candidate {
	const char *name;
	uint32_t id;
};

/* Where each type is, and the structs that are wanted. */
static bool index_types(struct btf *btf, const struct btf_member *want, size_t n,
			struct candidate *found, size_t *candidates, struct fault *why)
{
	struct reader r = reader_init(btf->types, btf->types_len);
	size_t room = btf->types_len / TYPE_SIZE + 1;
	struct type t;

	if (room > MAX_TYPES)
		return fault_set(why, FAULT_LIMIT, SPACE_NONE, 0, "BTF: too many types");
	btf->offset = malloc(room * sizeof(*btf->offset));
	if (!btf->offset)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (btf->n = 1; reader_left(&r); btf->n++) {
		btf->offset[btf->n] = (uint32_t)r.pos;
		if (!read_type(btf, &r, &t))
			return fault_set(why, r.bad ? STATE_DAMAGED : FAULT_UNSUPPORTED,
				SPACE_NONE, 0, "BTF: type %zu %s (kind %" PRIu32 ")", btf->n,
				r.bad ? "runs over the end" : "is of an unknown kind", t.kind);
		if (!is_aggregate(&t))
			continue;
		for (size_t i = 0; i < n; i++) {
			/* members of one struct are neighbours: compare its name once */
			if ((i && want[i].type == want[i - 1].type) ||
			    strcmp(string(btf, t.name), want[i].type))
				continue;
			if (*candidates < MAX_CANDIDATES)
				found[(*candidates)++] = (struct candidate){
					want[i].type, (uint32_t)btf->n };
			break;
		}
	}
	return true;
}

static void choose(const struct btf *btf, struct btf_member *want, size_t n,
		   const struct candidate *found, size_t candidates, bool *type_found)
{
	for (size_t i = 0; i < candidates; i++) {
		size_t new = 0, old = 0;

		for (size_t j = 0; j < n; j++) {
			struct btf_member m = want[j];

			if (strcmp(want[j].type, found[i].name))
				continue;
			if (type_found)
				type_found[j] = true;
			old += want[j].found;
			new += find_in(btf, found[i].id, &m);
		}
		if (new <= old)
			continue;
		for (size_t j = 0; j < n; j++) {
			if (strcmp(want[j].type, found[i].name))
				continue;
			want[j].found = false;
			find_in(btf, found[i].id, &want[j]);
		}
	}
}

bool btf_find_members(const void *data, size_t size, struct btf_member *want, size_t n,
		      bool *type_found, struct fault *why)
{
	struct candidate found[MAX_CANDIDATES];
	size_t candidates = 0;
	struct btf btf = { 0 };
	bool ok;

	for (size_t i = 0; i < n; i++) {
		want[i].found = false;
		if (type_found)
			type_found[i] = false;
	}
	ok = read_header(&btf, data, size, why) &&
	     index_types(&btf, want, n, found, &candidates, why);
	if (ok)
		choose(&btf, want, n, found, candidates, type_found);
	free(btf.offset);
	return ok;
}

static void take_enumerators(const struct btf *btf, const struct type *t, struct btf_enum *e)
{
	size_t room = sizeof(e->of) / sizeof(e->of[0]);

	for (uint32_t i = 0; i < t->vlen && e->n < room; i++) {
		const uint8_t *p = t->extra + (size_t)i * ENUMERATOR_SIZE;
		const char *name = string(btf, load_u32(p));
		struct btf_enumerator *to = &e->of[e->n];

		if (!*name || strlen(name) >= sizeof(to->name))
			continue;
		strcpy(to->name, name);
		to->value = load_u32(p + 4);
		e->n++;
	}
}

bool btf_find_enum(const void *data, size_t size, const char *name, struct btf_enum *e,
		   struct fault *why)
{
	struct btf btf = { 0 };
	struct reader r;
	struct type t;

	e->n = 0;
	if (!read_header(&btf, data, size, why))
		return false;
	r = reader_init(btf.types, btf.types_len);
	while (!e->n && reader_left(&r)) {
		if (!read_type(&btf, &r, &t))
			return fault_set(why, r.bad ? STATE_DAMAGED : FAULT_UNSUPPORTED,
				SPACE_NONE, 0, "BTF: a type runs over the end, or is of an unknown "
				"kind (%" PRIu32 ")", t.kind);
		if (t.kind == KIND_ENUM && !strcmp(string(&btf, t.name), name))
			take_enumerators(&btf, &t, e);
	}
	return true;
}
