// SPDX-License-Identifier: GPL-2.0-or-later
#include "evidence.h"

#include <stdarg.h>
#include <stdio.h>

static const struct { const char *name; enum weight weight; } codes[EVIDENCE_CODES] = {
#define E(name, weight) [EVIDENCE_##name] = { #name, WEIGHT_##weight },
	EVIDENCE(E)
#undef E
};

const char *evidence_name(enum evidence_code code)
{
	return codes[code].name;
}

enum weight evidence_weight(enum evidence_code code)
{
	return codes[code].weight;
}

/* Room for one more sentence; NULL: it is only counted. */
static struct evidence *grow(struct evidence_list *list, enum evidence_code code)
{
	list->weight[codes[code].weight]++;
	/* a thousand orphans must not hide the one torn node */
	if (list->count[code]++ >= EVIDENCE_MAX / 4 || list->n == EVIDENCE_MAX)
		return NULL;
	return &list->item[list->n++];
}

void evidence_add(struct evidence_list *list, enum evidence_code code, uint64_t addr,
		  const char *format, ...)
{
	struct evidence *e = grow(list, code);
	va_list args;

	if (!e)
		return;
	*e = (struct evidence){ .code = code, .kind = STATE_DAMAGED, .addr = addr,
				.space = addr ? SPACE_VIRT : SPACE_NONE };
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
}

void evidence_add_fault(struct evidence_list *list, const struct fault *why)
{
	struct evidence *e = grow(list, why->kind == FAULT_UNKNOWN_TYPE ? EVIDENCE_unknown_type :
				  EVIDENCE_unreadable);

	if (!e)
		return;
	*e = (struct evidence){
		.code = why->kind == FAULT_UNKNOWN_TYPE ? EVIDENCE_unknown_type :
			EVIDENCE_unreadable,
		.kind = why->kind, .space = why->space, .addr = why->addr,
	};
	snprintf(e->text, sizeof(e->text), "%.223s", why->text);
}

/*
 * The page tables of a dump say with certainty that an address is mapped nowhere; whatever else
 * fails is a page that the dump does not have, or cannot give.
 */
bool fault_is_wrong_pointer(const struct fault *why)
{
	return why->space == SPACE_VIRT &&
	       (why->kind == STATE_DAMAGED || why->kind == STATE_ABSENT);
}
