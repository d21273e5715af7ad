// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcoreinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 64 << 10, MAX_LINE = 1 << 10, MAX_DOTS = 8 };

/* The line at *@pos, without its end; moves *@pos behind it. False at the end of the text. */
static bool next_line(const struct vmcoreinfo *vi, size_t *pos, const char **line, size_t *len)
{
	const char *end;

	if (*pos >= vi->len)
		return false;
	*line = vi->text + *pos;
	end = memchr(*line, '\n', vi->len - *pos);
	*len = end ? (size_t)(end - *line) : vi->len - *pos;
	*pos += *len + 1;
	return true;
}

bool vmcoreinfo_init(struct vmcoreinfo *vi, const char *text, size_t len, struct fault *why)
{
	size_t pos = 0, n;
	const char *line;

	/* notes and the kernel's own page are padded with zeros */
	len = strnlen(text, len);
	*vi = (struct vmcoreinfo){ .text = text, .len = len };
	if (len > MAX_TEXT)
		return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
			"VMCOREINFO of %zu bytes; no kernel writes more than %d", len, MAX_TEXT);
	while (next_line(vi, &pos, &line, &n)) {
		size_t dots = 0;

		for (size_t i = 0; i < n && line[i] != '='; i++)
			dots += line[i] == '.';
		if (n > MAX_LINE || dots > MAX_DOTS)
			return fault_set(why, STATE_DAMAGED, SPACE_NONE, 0,
				"VMCOREINFO has a line that no kernel writes (%zu bytes)", n);
	}
	return true;
}

bool vmcoreinfo_is_lines(const char *text, size_t len)
{
	bool equals = true;	/* in the line so far */

	for (size_t i = 0; i < len; i++) {
		bool begins = !i || text[i - 1] == '\n';

		if (begins && (!equals || text[i] == '='))
			return false;
		equals = (equals && !begins) || text[i] == '=';
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
			return false;
	}
	return len && equals;
}

bool vmcoreinfo_string(const struct vmcoreinfo *vi, const char *key, char *buf, size_t size)
{
	size_t pos = 0, n, key_len = strlen(key);
	const char *line;

	while (next_line(vi, &pos, &line, &n)) {
		if (n <= key_len || line[key_len] != '=' || memcmp(line, key, key_len))
			continue;
		n -= key_len + 1;
		if (n >= size)
			return false;
		memcpy(buf, line + key_len + 1, n);
		buf[n] = '\0';
		return true;
	}
	return false;
}

static bool parse(const char *text, int base, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, base);
	return end != text && !*end && !errno;
}

bool vmcoreinfo_symbol(const struct vmcoreinfo *vi, const char *name, uint64_t *value)
{
	char key[128], text[32];

	snprintf(key, sizeof(key), "SYMBOL(%s)", name);
	return vmcoreinfo_string(vi, key, text, sizeof(text)) && parse(text, 16, value);
}

bool vmcoreinfo_number(const struct vmcoreinfo *vi, const char *key, uint64_t *value)
{
	char text[32];

	if (!vmcoreinfo_string(vi, key, text, sizeof(text)))
		return false;
	/* strtoull takes a minus sign and wraps, which is what a negative phys_base wants */
	return parse(text, strncmp(text, "0x", 2) ? 10 : 16, value);
}
