// SPDX-License-Identifier: GPL-2.0-or-later
#include "members.h"

#include <inttypes.h>

const struct member_info member_info[MEMBERS_END] = {
#define M(type, name, size, need, loss) { #type, #name, size, need, loss },
	MEMBERS(M)
#undef M
};

/* What can be done without is not known where it is not what it was. */
static bool is_known(const struct btf_member *got, const struct member_info *want)
{
	return got->found && (!want->size || got->size == want->size);
}

static bool check_member(const struct btf_member *got, const struct member_info *want,
			 const char *source, struct fault *why)
{
	if (!got->found && want->need == REQUIRED)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"the kernel's %s has no member %s of struct %s, which is needed",
			source, want->name, want->type);
	if (want->need == REQUIRED && want->size && got->size != want->size)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"the kernel's %s: member %s of struct %s has %" PRIu32
			" bytes; %" PRIu32 " are known", source, want->name, want->type,
			got->size, want->size);
	return true;
}

void members_want(struct btf_member want[MEMBERS_END])
{
	for (size_t i = 0; i < MEMBERS_END; i++)
		want[i] = (struct btf_member){
			.type = member_info[i].type, .member = member_info[i].name,
			.optional = member_info[i].need != REQUIRED,
		};
}

bool members_take(struct members *m, const struct btf_member want[MEMBERS_END],
		  const bool type_found[MEMBERS_END], const char *source, bool *has_arenas,
		  struct fault *why)
{
	*m = (struct members){ 0 };
	*has_arenas = type_found[MEMBER_bpf_arena_map];
	if (!*has_arenas)
		return true;
	for (size_t i = 0; i < MEMBERS_END; i++) {
		if (!check_member(&want[i], &member_info[i], source, why))
			return false;
		m->known[i] = is_known(&want[i], &member_info[i]);
		m->offset[i] = want[i].offset;
		m->size[i] = want[i].size;
	}
	if (m->offset[MEMBER_bpf_arena_map])
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"the kernel's %s: struct bpf_arena does not begin with its map", source);
	return true;
}

bool members_from_btf(struct members *m, const void *data, size_t size, bool *has_arenas,
		      struct fault *why)
{
	struct btf_member want[MEMBERS_END];
	bool type_found[MEMBERS_END];

	members_want(want);
	return btf_find_members(data, size, want, MEMBERS_END, type_found, why) &&
	       members_take(m, want, type_found, "BTF", has_arenas, why) &&
	       btf_find_enum(data, size, "scx_exit_kind", &m->exit_kinds, why);
}
