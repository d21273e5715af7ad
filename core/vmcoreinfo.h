/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCOREINFO: the KEY=VALUE lines by which a kernel describes itself to dump tools
 * (kernel/vmcore_info.c; kernel/crash_core.c up to 6.8).
 */
#ifndef ARENA_VMCOREINFO_H
#define ARENA_VMCOREINFO_H

#include "fault.h"

struct vmcoreinfo {
	const char *text;	/* borrowed, not NUL-terminated */
	size_t len;
};

/**
 * Take @text as VMCOREINFO. Refused (STATE_DAMAGED) is what no kernel writes and what is known
 * to harm readers: more than 64 KiB, lines over 1 KiB, keys with more than 8 dots.
 */
bool vmcoreinfo_init(struct vmcoreinfo *vi, const char *text, size_t len, struct fault *why);

/** Is it KEY=VALUE lines of printable characters, and nothing else? The last may lack its end. */
bool vmcoreinfo_is_lines(const char *text, size_t len);

/** Copy the value of @key ("OSRELEASE", "SYMBOL(_stext)") as a string. False: none, or too long. */
bool vmcoreinfo_string(const struct vmcoreinfo *vi, const char *key, char *buf, size_t size);

/** SYMBOL(@name): hexadecimal without 0x. */
bool vmcoreinfo_symbol(const struct vmcoreinfo *vi, const char *name, uint64_t *value);

/** NUMBER(@name), OFFSET(..), SIZE(..): give the whole key. Decimal, may be negative, or 0x hex. */
bool vmcoreinfo_number(const struct vmcoreinfo *vi, const char *key, uint64_t *value);

#endif
