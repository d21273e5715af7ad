// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool debuginfo_check(const struct debuginfo *d, const struct vmcoreinfo *vi, struct fault *why)
{
	char id[65];

	if (!vmcoreinfo_string(vi, "BUILD-ID", id, sizeof(id)))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"%s cannot be used: VMCOREINFO has no BUILD-ID to know its kernel by",
			d->name);
	if (strcasecmp(id, d->build_id))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"%s is of another build: its build ID is %.64s, that of the dump is %s",
			d->name, d->build_id, id);
	return true;
}

/* How far the running kernel lies from where it was linked; modulo 2^64. */
static bool find_move(const struct debuginfo *d, const struct vmcoreinfo *vi,
		      const struct symbol *stext, const struct symbol *uts, uint64_t *move,
		      struct fault *why)
{
	uint64_t there;

	if (stext->count != 1 || uts->count != 1)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"%s: not one symbol %s each", d->name, "_stext and init_uts_ns");
	if (!vmcoreinfo_symbol(vi, stext->name, &there))
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
			"VMCOREINFO has no SYMBOL(_stext)");
	*move = there - stext->addr;
	if (vmcoreinfo_symbol(vi, uts->name, &there) && there == uts->addr + *move)
		return true;
	return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
		"%s: _stext and init_uts_ns are not as far from each other as in VMCOREINFO",
		d->name);
}

bool debuginfo_symbols(const struct debuginfo *d, const struct vmcoreinfo *vi,
		       struct symbol *want, size_t n, bool *elsewhere, struct fault *why)
{
	struct symbol *all = calloc(n + 2, sizeof(*all));
	uint64_t move;
	bool ok;

	if (!all)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		all[i].name = want[i].name;
	all[n].name = "_stext";
	all[n + 1].name = "init_uts_ns";
	ok = d->ops->symbols(d->source, all, n + 2, why) || fault_prefix(why, "%s: ", d->name);
	ok = ok && find_move(d, vi, &all[n], &all[n + 1], &move, why);
	for (size_t i = 0; ok && i < n; i++) {
		if (want[i].count || !all[i].count)
			continue;
		want[i] = all[i];
		want[i].addr += move;
		elsewhere[i] = true;
	}
	free(all);
	return ok;
}

static bool from_btf(const struct debuginfo *d, struct members *m, bool *has_arenas,
		     uint64_t *btf_size, struct fault *why)
{
	const void *data;
	size_t size;

	if (!d->ops->btf)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "no BTF");
	if (!d->ops->btf(d->source, &data, &size, why))
		return false;
	*btf_size = size;
	return members_from_btf(m, data, size, has_arenas, why);
}

static bool from_members(const struct debuginfo *d, struct members *m, bool *has_arenas,
			 struct fault *why)
{
	struct btf_member want[MEMBERS_END];
	bool type_found[MEMBERS_END];

	members_want(want);
	return d->ops->members(d->source, want, MEMBERS_END, type_found, why) &&
	       members_take(m, want, type_found, "debug information", has_arenas, why);
}

bool debuginfo_members(const struct debuginfo *d, struct members *m, bool *has_arenas,
		       uint64_t *btf_size, struct fault *why)
{
	if (from_btf(d, m, has_arenas, btf_size, why))
		return true;
	*btf_size = 0;
	return from_members(d, m, has_arenas, why) || fault_prefix(why, "%s: ", d->name);
}
