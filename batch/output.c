// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

int output_open(struct output *out, const char *path, struct fault *why)
{
	*out = (struct output){ .path = path, .dir = -1 };
	if (!mkdir(path, 0777))
		out->made = true;
	else if (errno != EEXIST)
		return refuse(why, 3, strerror(errno));
	out->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* a file, or a link that leads nowhere */
	if (out->dir < 0)
		return errno == ENOTDIR || errno == ENOENT || errno == ELOOP ?
		       refuse(why, 2, "exists; not overwritten") :
		       refuse(why, 3, strerror(errno));
	if (!is_empty(out->dir)) {
		close(out->dir);
		out->dir = -1;
		return refuse(why, 2, "exists and is not empty; not overwritten");
	}
	return 0;
}

/* The names that a worker may ask for: it has parsed a hostile file. */
static bool name_ok(const char *name)
{
	size_t n = strnlen(name, OUTPUT_NAME);

	return n && n + 8 < OUTPUT_NAME && *name != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n;
}

static void temporary(const char *name, char text[OUTPUT_NAME + 8])
{
	snprintf(text, OUTPUT_NAME + 8, ".%s.tmp", name);
}

static int make_file(struct output *out, const char *name)
{
	char text[OUTPUT_NAME + 8];
	int fd;

	if (!name_ok(name))
		return -1;
	if (out->n == out->room) {
		size_t room = out->room ? 2 * out->room : 64;
		void *p = realloc(out->file, room * sizeof(*out->file));

		if (!p)
			return -1;
		out->file = p;
		out->room = room;
	}
	temporary(name, text);
	fd = openat(out->dir, text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd >= 0)
		snprintf(out->file[out->n++].name, OUTPUT_NAME, "%s", name);
	return fd;
}

union control {
	struct cmsghdr header;
	char buf[CMSG_SPACE(sizeof(int))];
};

/* Send one byte, and @fd with it if there is one. */
static bool send_file(int socket, int fd)
{
	char ok = fd >= 0;
	struct iovec iov = { &ok, 1 };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL) == 1;
}

bool output_serve(struct output *out, int socket)
{
	char name[OUTPUT_NAME];
	ssize_t n = recv(socket, name, sizeof(name), 0);
	bool ok;
	int fd;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	name[(size_t)n < sizeof(name) ? (size_t)n : sizeof(name) - 1] = '\0';
	fd = out->dir >= 0 ? make_file(out, name) : -1;
	ok = send_file(socket, fd);
	if (fd >= 0)
		close(fd);
	return ok;
}

int output_request(int socket, const char *name)
{
	char ok = 0;
	struct iovec iov = { &ok, 1 };
	union control control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c;
	int fd = -1;

	if (send(socket, name, strlen(name), MSG_NOSIGNAL) < 0 ||
	    recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != 1 || !ok)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void forget(struct output *out)
{
	free(out->file);
	if (out->dir >= 0)
		close(out->dir);
	*out = (struct output){ .dir = -1 };
}

void output_abort(struct output *out)
{
	char text[OUTPUT_NAME + 8];

	if (out->dir < 0)
		return;
	for (size_t i = 0; i < out->n; i++) {
		temporary(out->file[i].name, text);
		unlinkat(out->dir, text, 0);
	}
	if (out->made)
		rmdir(out->path);
	forget(out);
}

/* snapshot.json was asked for first and gets its name last: where it is, all is there. */
bool output_commit(struct output *out, struct fault *why)
{
	char text[OUTPUT_NAME + 8];

	for (size_t i = out->n; i-- > 0; ) {
		temporary(out->file[i].name, text);
		if (!renameat2(out->dir, text, out->dir, out->file[i].name, RENAME_NOREPLACE))
			continue;
		fault_fill(why, FAULT_IO, SPACE_NONE, 0, "%s: %s", out->path,
			   errno == EEXIST ? "a file appeared in it; not overwritten" :
			   strerror(errno));
		for (size_t j = i + 1; j < out->n; j++)
			unlinkat(out->dir, out->file[j].name, 0);
		output_abort(out);
		return false;
	}
	forget(out);
	return true;
}
