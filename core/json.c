// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include <inttypes.h>

#include "text.h"

bool json_string(struct sink *out, const char *text)
{
	sink_puts(out, "\"");
	while (*text) {
		size_t n = utf8_length(text);

		if (!n) {
			sink_puts(out, "\\ufffd");
			n = 1;
		} else if (*text == '"' || *text == '\\') {
			sink_printf(out, "\\%c", *text);
		} else if (n == 1 && !text_printable(text)) {
			sink_printf(out, "\\u%04x", (unsigned char)*text);
		} else {
			sink_write(out, text, n);
		}
		text += n;
	}
	return sink_puts(out, "\"");
}

bool json_string_or_null(struct sink *out, const char *text)
{
	return text ? json_string(out, text) : sink_puts(out, "null");
}

bool json_hex(struct sink *out, bool known, uint64_t value)
{
	return known ? sink_printf(out, "\"0x%" PRIx64 "\"", value) : sink_puts(out, "null");
}

bool json_number(struct sink *out, bool known, uint64_t value)
{
	return known ? sink_printf(out, "%" PRIu64, value) : sink_puts(out, "null");
}

const char *json_boolean(bool value)
{
	return value ? "true" : "false";
}
