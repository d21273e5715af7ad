/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as JSON writes them: what is not known is null, addresses are strings. Each returns
 * what the sink says: false to stop.
 */
#ifndef ARENA_JSON_H
#define ARENA_JSON_H

#include <stdint.h>

#include "sink.h"

/** Always valid UTF-8: other bytes become \ufffd. */
bool json_string(struct sink *out, const char *text);
bool json_string_or_null(struct sink *out, const char *text);
/** An address, or 64 bits that are no count: "0x...". */
bool json_hex(struct sink *out, bool known, uint64_t value);
bool json_number(struct sink *out, bool known, uint64_t value);
/** "true" or "false". */
const char *json_boolean(bool value);

#endif
