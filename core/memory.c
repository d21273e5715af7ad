// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory.h"

#include <inttypes.h>

bool memory_fault(const struct memory *mem, enum state state, uint64_t phys, struct fault *why)
{
	const char *format = mem->facts.format ? mem->facts.format : "";

	switch (state) {
	case STATE_EXCLUDED:
		if (format[0] == 'E')
			return fault_set(why, state, SPACE_PHYS, phys,
				"the page of physical 0x%" PRIx64 " was left out of the ELF dump "
				"(excluded, or all zero)", phys);
		if (mem->facts.level > 0)
			return fault_set(why, state, SPACE_PHYS, phys,
				"the page of physical 0x%" PRIx64 " is excluded from the dump "
				"(filtered at level %d)", phys, mem->facts.level);
		return fault_set(why, state, SPACE_PHYS, phys,
			"the page of physical 0x%" PRIx64 " is excluded from the dump", phys);
	case STATE_ABSENT:
		return fault_set(why, state, SPACE_PHYS, phys,
			"the dump has no memory at physical 0x%" PRIx64, phys);
	case STATE_CUT:
		return fault_set(why, state, SPACE_PHYS, phys,
			"the page of physical 0x%" PRIx64 " was not written: the file is cut or "
			"incomplete", phys);
	case STATE_STORED:
	case STATE_DAMAGED:
		return fault_set(why, STATE_DAMAGED, SPACE_PHYS, phys,
			"the page of physical 0x%" PRIx64 " cannot be decoded: the file is damaged",
			phys);
	case FAULT_UNSUPPORTED:
		return fault_set(why, state, SPACE_PHYS, phys,
			"the page of physical 0x%" PRIx64 " is packed in a way that this build "
			"cannot unpack", phys);
	case STATE_UNKNOWN:
	case FAULT_UNKNOWN_TYPE:
	case FAULT_LIMIT:
	case FAULT_WORKER:
	case FAULT_IO:
	case FAULT_NOMEM:
		break;
	}
	return fault_set(why, FAULT_IO, SPACE_PHYS, phys,
		"the page of physical 0x%" PRIx64 " cannot be read", phys);
}

bool memory_read(const struct memory *mem, uint64_t phys, void *buf, size_t n,
		 struct fault *why)
{
	enum state state = mem->ops->read(mem->source, phys, buf, n);

	return state == STATE_STORED || memory_fault(mem, state, phys, why);
}

enum state memory_peek(const struct memory *mem, uint64_t phys, void *buf, size_t n)
{
	return (mem->ops->peek ? mem->ops->peek : mem->ops->read)(mem->source, phys, buf, n);
}

bool memory_next(const struct memory *mem, uint64_t *phys, uint64_t *n)
{
	return mem->ops->next && mem->ops->next(mem->source, phys, n);
}

enum state memory_state(const struct memory *mem, uint64_t phys, size_t n)
{
	return mem->ops->state(mem->source, phys, n);
}

bool memory_progress(const struct memory *mem, const char *what, uint64_t done, uint64_t total,
		     struct fault *why)
{
	if (!mem->ops->progress || mem->ops->progress(mem->source, what, done, total))
		return true;
	return fault_set(why, FAULT_LIMIT, SPACE_NONE, 0, "interrupted while %s", what);
}
