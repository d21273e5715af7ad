// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcoreinfo_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/notes.h"
#include "../core/vmcoreinfo.h"

/* All notes of a dump, those of its CPUs among them, are less. */
enum { MAX_FILE = 4 << 20 };

/* To the end, which is not where stat() says for a file of /sys. */
static bool read_all(int fd, char *buf, size_t room, size_t *len, struct fault *why)
{
	ssize_t n;

	*len = 0;
	do {
		n = read(fd, buf + *len, room - *len);
		if (n > 0)
			*len += (size_t)n;
	} while ((n > 0 && *len < room) || (n < 0 && errno == EINTR));
	if (n < 0)
		return fault_set(why, FAULT_IO, SPACE_NONE, 0, "%s", strerror(errno));
	if (*len == room)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"has more than %d bytes, which no VMCOREINFO has", MAX_FILE);
	return true;
}

/* Move the text to the begin of @buf. */
static bool take(char *buf, size_t *len, struct fault *why)
{
	struct vmcoreinfo vi;
	struct note note;

	if (notes_find((const uint8_t *)buf, *len, "VMCOREINFO", 0, &note)) {
		*len = note.size;
		memmove(buf, note.data, note.size);
	} else if (*len > 2 && !memcmp(buf, "0x", 2)) {
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			"has no KEY=VALUE lines; /sys/kernel/vmcoreinfo says only where they are");
	}
	if (!vmcoreinfo_init(&vi, buf, *len, why))
		return false;
	*len = vi.len;
	return vmcoreinfo_is_lines(buf, *len) ||
	       fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
		"is no VMCOREINFO: neither KEY=VALUE lines nor an ELF note of that name");
}

char *vmcoreinfo_file_read(int fd, size_t *len, struct fault *why)
{
	char *buf = malloc(MAX_FILE + 1);

	if (!buf) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	if (read_all(fd, buf, MAX_FILE + 1, len, why) && take(buf, len, why))
		return buf;
	free(buf);
	return NULL;
}
