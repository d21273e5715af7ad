// SPDX-License-Identifier: GPL-2.0-or-later
#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(struct newfile *file, struct fault *why, int status, const char *sentence)
{
	fault_fill(why, FAULT_IO, SPACE_NONE, 0, "%s", sentence);
	newfile_close(file);
	return status;
}

/* The folder of @path, and the name in it. */
static int open_folder(struct newfile *file, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd;

	file->name = slash ? slash + 1 : path;
	if (!slash)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = strndup(path, (size_t)(slash - path) + 1);
	if (!folder)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	return fd;
}

int newfile_open(struct newfile *file, const char *path, struct fault *why)
{
	struct stat st;

	*file = (struct newfile){ .dir = -1, .fd = -1 };
	/* first, and a link that leads nowhere counts */
	if (!lstat(path, &st))
		return refuse(file, why, 2, "exists; not overwritten");
	file->dir = open_folder(file, path);
	if (file->dir < 0)
		return refuse(file, why, 3, strerror(errno));
	if (!*file->name)
		return refuse(file, why, 3, strerror(*path ? EISDIR : ENOENT));
	/* what a killed run left behind is in nobody's way */
	snprintf(file->temporary, sizeof(file->temporary), ".%.200s.%d.tmp", file->name,
		 (int)getpid());
	file->fd = openat(file->dir, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			  0666);
	return file->fd < 0 ? refuse(file, why, 3, strerror(errno)) : 0;
}

/* Network file systems cannot rename without replacing, but no link replaces anything. */
static bool give_name(const struct newfile *file)
{
	if (!renameat2(file->dir, file->temporary, file->dir, file->name, RENAME_NOREPLACE))
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	if (linkat(file->dir, file->temporary, file->dir, file->name, 0))
		return false;
	unlinkat(file->dir, file->temporary, 0);
	return true;
}

bool newfile_commit(struct newfile *file, struct fault *why)
{
	bool closed = !close(file->fd);

	file->fd = -1;
	if (closed && give_name(file)) {
		file->named = true;
		return true;
	}
	fault_fill(why, FAULT_IO, SPACE_NONE, 0, "%s: %s", file->name,
		   errno == EEXIST ? "exists; not overwritten" : strerror(errno));
	newfile_abort(file);
	return false;
}

void newfile_abort(struct newfile *file)
{
	if (file->dir >= 0)
		unlinkat(file->dir, file->named ? file->name : file->temporary, 0);
	newfile_close(file);
}

void newfile_close(struct newfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->dir >= 0)
		close(file->dir);
	*file = (struct newfile){ .dir = -1, .fd = -1 };
}
