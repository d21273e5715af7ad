// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

size_t utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

size_t text_printable(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = utf8_length(text);

	if (n == 1 && (*s < 0x20 || *s == 0x7f))
		return 0;
	/* C1: U+0080 to U+009f */
	return n == 2 && *s == 0xc2 && s[1] < 0xa0 ? 0 : n;
}
