/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sink whose other end is here: what it was given, and in which blocks.
 */
#ifndef TESTS_SINK_RIG_H
#define TESTS_SINK_RIG_H

#include "suite.h"

#include "../core/sink.h"
#include "../fixtures/synth/bytes.h"

static struct sink out;
static struct bytes taken;
static size_t blocks, block_end[64];	/* where each block ends in @taken */
static size_t stop_at;		/* answer "stop" to this block; 0: never */

static inline bool take_block(void *ctx, const char *text, size_t n)
{
	ck_assert_ptr_eq(ctx, &out);
	ck_assert_msg(!stop_at || blocks < stop_at, "written to after it said stop");
	ck_assert_uint_gt(n, 0);
	bytes_put(&taken, text, n);
	if (blocks < 64)
		block_end[blocks] = taken.n;
	return ++blocks != stop_at;
}

static inline void sink_rig_setup(void)
{
	taken = (struct bytes){ 0 };
	blocks = stop_at = 0;
	sink_init(&out, take_block, &out);
}

static inline void sink_rig_teardown(void)
{
	bytes_free(&taken);
}

/* All that was written since the last call, flushed; NUL-terminated, and owned by the rig. */
static inline const char *taken_text(void)
{
	sink_flush(&out);
	bytes_u8(&taken, 0);
	taken.n = 0;
	return (const char *)taken.data;
}

#define ck_taken(expected) ck_assert_str_eq(taken_text(), (expected))

#endif
