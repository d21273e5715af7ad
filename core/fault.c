// SPDX-License-Identifier: GPL-2.0-or-later
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fault_fill(struct fault *why, enum state kind, enum space space, uint64_t addr,
		const char *format, ...)
{
	va_list args;

	why->kind = kind;
	why->space = space;
	why->addr = addr;
	why->cure = CURE_NONE;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
}

void fault_put_before(struct fault *why, const char *format, ...)
{
	char text[sizeof(why->text)];
	va_list args;
	size_t n;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	n = strlen(text);
	snprintf(text + n, sizeof(text) - n, "%s", why->text);
	memcpy(why->text, text, sizeof(text));
}

void fault_put_after(struct fault *why, const char *format, ...)
{
	size_t n = strlen(why->text);
	va_list args;

	va_start(args, format);
	vsnprintf(why->text + n, sizeof(why->text) - n, format, args);
	va_end(args);
}

const char *fault_code(enum state kind)
{
	switch (kind) {
	case STATE_EXCLUDED:
		return "excluded";
	case STATE_ABSENT:
		return "absent";
	case STATE_CUT:
		return "cut";
	case STATE_STORED:
	case STATE_DAMAGED:
		return "damaged";
	case FAULT_UNKNOWN_TYPE:
		return "unknown_type";
	case FAULT_UNSUPPORTED:
		return "unsupported";
	case FAULT_LIMIT:
		return "limit";
	case FAULT_WORKER:
		return "worker";
	case STATE_UNKNOWN:
	case FAULT_IO:
		return "io";
	case FAULT_NOMEM:
		return "nomem";
	}
	return "damaged";
}

const char *fault_space(enum space space)
{
	switch (space) {
	case SPACE_PHYS:
		return "phys";
	case SPACE_VIRT:
		return "virt";
	case SPACE_FILE:
		return "file";
	case SPACE_NONE:
		break;
	}
	return NULL;
}
