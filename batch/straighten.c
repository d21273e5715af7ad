// SPDX-License-Identifier: GPL-2.0-or-later
#include "straighten.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../core/reader.h"
#include "fileio.h"

enum {
	HEADER = 4096,		/* struct makedumpfile_header, padded */
	RECORD = 16,		/* struct makedumpfile_data_header: offset, size, big endian */
	COPY = 1 << 18,
	MAX_WRITTEN = 1 << 20,
};

static const char magic[16] = "makedumpfile";

struct record {
	uint64_t offset, size;
};

/* How records are read: one after the other, each header where the last one's data ended. */
struct stream {
	int fd;
	uint64_t size, pos;
};

enum next { NEXT_RECORD, NEXT_END, NEXT_CUT, NEXT_BAD };

bool is_flattened(int fd)
{
	uint8_t head[sizeof(magic)];

	return read_at(fd, head, sizeof(head), 0) && !memcmp(head, magic, sizeof(magic));
}

/* The next record; its size is cut to what the file has. */
static enum next next_record(struct stream *s, struct record *r)
{
	uint8_t h[RECORD];
	uint64_t raw[2], limit;

	if (!range_ok(s->pos, RECORD, s->size) || !read_at(s->fd, h, RECORD, s->pos))
		return NEXT_CUT;
	memcpy(raw, h, sizeof(raw));
	r->offset = be64toh(raw[0]);
	r->size = be64toh(raw[1]);
	s->pos += RECORD;
	if (r->offset == UINT64_MAX && r->size == UINT64_MAX)
		return NEXT_END;
	/* a plain file much larger than its stream is no dump but an attack on the disk */
	limit = (s->size > UINT64_MAX >> 8 ? s->size : s->size * 64) + (UINT64_C(1) << 30);
	if (!r->size || r->offset > limit || r->size > limit - r->offset)
		return NEXT_BAD;
	if (r->size > s->size - s->pos)
		r->size = s->size - s->pos;
	s->pos += r->size;
	return r->size ? NEXT_RECORD : NEXT_CUT;
}

size_t flattened_head(int fd, uint64_t size, uint8_t *head, size_t n)
{
	struct stream s = { .fd = fd, .size = size, .pos = HEADER };
	struct record r;
	size_t got = 0;

	memset(head, 0, n);
	for (int i = 0; i < 64 && next_record(&s, &r) == NEXT_RECORD; i++) {
		size_t part;

		if (r.offset >= n)
			continue;
		part = r.size < n - r.offset ? (size_t)r.size : n - (size_t)r.offset;
		if (!read_at(fd, head + r.offset, part, s.pos - r.size))
			break;
		if (r.offset + part > got)
			got = (size_t)r.offset + part;
	}
	return got;
}

static int by_start(const void *a, const void *b)
{
	const struct written *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Sort, and join what touches. */
static void join(struct straightened *s)
{
	size_t n = 0;

	if (s->n)
		qsort(s->written, s->n, sizeof(*s->written), by_start);
	for (size_t i = 0; i < s->n; i++) {
		if (n && s->written[i].start <= s->written[n - 1].end) {
			if (s->written[i].end > s->written[n - 1].end)
				s->written[n - 1].end = s->written[i].end;
		} else {
			s->written[n++] = s->written[i];
		}
	}
	s->n = n;
}

/* Writers fill a few places of the file at once, each ascending: join with one of the last. */
static bool remember(struct straightened *s, const struct record *r)
{
	uint64_t end = r->offset + r->size;

	for (size_t i = s->n; i-- > 0 && s->n - i <= 16; )
		if (s->written[i].end == r->offset) {
			s->written[i].end = end;
			return true;
		}
	if (s->n == s->room) {
		void *p;

		join(s);
		if (s->n >= MAX_WRITTEN)
			return false;
		s->room = 2 * s->n + 256;
		p = realloc(s->written, s->room * sizeof(*s->written));
		if (!p)
			return false;
		s->written = p;
	}
	s->written[s->n++] = (struct written){ r->offset, end };
	return true;
}

static bool check_space(int to, uint64_t bytes, struct fault *why)
{
	struct statvfs fs;

	if (fstatvfs(to, &fs) || bytes <= fs.f_bavail * fs.f_frsize)
		return true;
	return fault_set(why, FAULT_IO, SPACE_NONE, 0,
		"a plain copy of it needs %" PRIu64 " MiB of temporary space, and %" PRIu64
		" MiB are free there (TMPDIR)", bytes >> 20,
		(uint64_t)(fs.f_bavail * fs.f_frsize) >> 20);
}

/* First pass: all record headers, how large the plain file is, whether the stream ends well. */
static bool measure(struct stream *s, struct straightened *out, uint64_t *bytes,
		    struct fault *why)
{
	struct record r;
	enum next next;

	*bytes = 0;
	for (s->pos = HEADER; (next = next_record(s, &r)) == NEXT_RECORD; ) {
		*bytes += r.size;
		if (r.offset + r.size > out->size)
			out->size = r.offset + r.size;
	}
	if (next == NEXT_BAD)
		return fault_set(why, STATE_DAMAGED, SPACE_FILE, s->pos - RECORD,
			"the flattened dump has an impossible piece at offset %" PRIu64,
			s->pos - RECORD);
	out->cut = next == NEXT_CUT;
	return out->size || fault_set(why, STATE_CUT, SPACE_FILE, s->pos,
		"the flattened dump is cut before its first piece");
}

static bool copy(int from, uint64_t at, int to, uint64_t offset, uint64_t n, uint8_t *buf,
		 struct fault *why)
{
	while (n) {
		size_t part = n < COPY ? (size_t)n : COPY;

		if (!read_at(from, buf, part, at))
			return fault_set(why, FAULT_IO, SPACE_FILE, at,
				"cannot be read at offset %" PRIu64, at);
		if (!write_at(to, buf, part, offset))
			return fault_set(why, FAULT_IO, SPACE_NONE, 0,
				"its plain copy cannot be written (TMPDIR): %s", strerror(errno));
		at += part;
		offset += part;
		n -= part;
	}
	return true;
}

/* Second pass. */
static bool copy_records(struct stream *s, int to, int progress, struct straightened *out,
			 uint8_t *buf, struct fault *why)
{
	struct record r;
	uint64_t shown = 0;

	for (s->pos = HEADER; next_record(s, &r) == NEXT_RECORD; ) {
		if (!copy(s->fd, s->pos - r.size, to, r.offset, r.size, buf, why))
			return false;
		if (out->cut && !remember(out, &r))
			return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		if (progress < 0 || s->pos - shown < s->size / 100)
			continue;
		shown = s->pos;
		dprintf(progress, "\r\033[Kmaking a plain copy: %" PRIu64 "%%",
			shown * 100 / s->size);
	}
	join(out);
	return true;
}

bool straighten(int fd, uint64_t size, int to, int progress, struct straightened *out,
		struct fault *why)
{
	struct stream s = { .fd = fd, .size = size };
	uint8_t *buf = malloc(COPY);
	uint64_t bytes;
	bool ok;

	*out = (struct straightened){ 0 };
	ok = buf || fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	ok = ok && measure(&s, out, &bytes, why) && check_space(to, bytes, why) &&
	     copy_records(&s, to, progress, out, buf, why);
	free(buf);
	return ok;
}

void straightened_free(struct straightened *s)
{
	free(s->written);
	*s = (struct straightened){ 0 };
}

uint64_t straightened_run(const struct straightened *s, uint64_t offset, bool *written)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->written[mid].end <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	*written = lo < s->n && s->written[lo].start <= offset;
	if (*written)
		return s->written[lo].end - offset;
	return (lo < s->n ? s->written[lo].start : UINT64_MAX) - offset;
}

bool copy_plain(int from, uint64_t size, int to, struct fault *why)
{
	uint8_t *buf = malloc(COPY);
	bool ok = buf || fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");

	ok = ok && check_space(to, size, why) && copy(from, 0, to, 0, size, buf, why);
	free(buf);
	return ok;
}
