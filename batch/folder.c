// SPDX-License-Identifier: GPL-2.0-or-later
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool empty = d;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			empty = false;
	if (d)
		closedir(d);
	return empty;
}

static int refuse(struct fault *why, int status, const char *sentence)
{
	fault_fill(why, FAULT_IO, SPACE_NONE, 0, "%s", sentence);
	return status;
}

int folder_open(struct folder *folder, const char *path, struct fault *why)
{
	*folder = (struct folder){ .path = path, .dir = -1 };
	if (!mkdir(path, 0777))
		folder->made = true;
	else if (errno != EEXIST)
		return refuse(why, 3, strerror(errno));
	folder->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* a file, or a link that leads nowhere */
	if (folder->dir < 0)
		return errno == ENOTDIR || errno == ENOENT || errno == ELOOP ?
		       refuse(why, 2, "exists; not overwritten") :
		       refuse(why, 3, strerror(errno));
	if (!is_empty(folder->dir)) {
		close(folder->dir);
		folder->dir = -1;
		return refuse(why, 2, "exists and is not empty; not overwritten");
	}
	return 0;
}

/* The names that a worker may ask for: it has parsed a hostile file. */
static bool name_ok(const char *name)
{
	size_t n = strnlen(name, FOLDER_NAME);

	return n && n + 8 < FOLDER_NAME && *name != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n;
}

static void temporary(const char *name, char text[FOLDER_NAME + 8])
{
	snprintf(text, FOLDER_NAME + 8, ".%s.tmp", name);
}

int folder_create(struct folder *folder, const char *name)
{
	char text[FOLDER_NAME + 8];
	int fd;

	if (!name_ok(name)) {
		errno = EINVAL;
		return -1;
	}
	if (folder->n == folder->room) {
		size_t room = folder->room ? 2 * folder->room : 64;
		void *p = realloc(folder->file, room * sizeof(*folder->file));

		if (!p)
			return -1;
		folder->file = p;
		folder->room = room;
	}
	temporary(name, text);
	fd = openat(folder->dir, text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd >= 0)
		snprintf(folder->file[folder->n++].name, FOLDER_NAME, "%s", name);
	return fd;
}

static void forget(struct folder *folder)
{
	free(folder->file);
	if (folder->dir >= 0)
		close(folder->dir);
	*folder = (struct folder){ .dir = -1 };
}

void folder_abort(struct folder *folder)
{
	char text[FOLDER_NAME + 8];

	if (folder->dir < 0)
		return;
	for (size_t i = 0; i < folder->n; i++) {
		temporary(folder->file[i].name, text);
		unlinkat(folder->dir, text, 0);
	}
	if (folder->made)
		rmdir(folder->path);
	forget(folder);
}

/* snapshot.json was asked for first and gets its name last: where it is, all is there. */
bool folder_commit(struct folder *folder, struct fault *why)
{
	char text[FOLDER_NAME + 8];

	for (size_t i = folder->n; i-- > 0; ) {
		temporary(folder->file[i].name, text);
		if (!renameat2(folder->dir, text, folder->dir, folder->file[i].name, RENAME_NOREPLACE))
			continue;
		fault_fill(why, FAULT_IO, SPACE_NONE, 0, "%s: %s", folder->path,
			   errno == EEXIST ? "a file appeared in it; not overwritten" :
			   strerror(errno));
		for (size_t j = i + 1; j < folder->n; j++)
			unlinkat(folder->dir, folder->file[j].name, 0);
		folder_abort(folder);
		return false;
	}
	forget(folder);
	return true;
}
