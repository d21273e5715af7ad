// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

bool output_serve(struct folder *folder, int socket)
{
	char name[FOLDER_NAME];
	ssize_t n = recv(socket, name, sizeof(name), 0);
	bool ok;
	int fd;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	name[(size_t)n < sizeof(name) ? (size_t)n : sizeof(name) - 1] = '\0';
	fd = folder->dir >= 0 ? folder_create(folder, name) : -1;
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
