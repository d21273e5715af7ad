// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/dumpfile.h"
#include "straighten.h"

/* The key of one file; 0: no part of a split dump, or not to be read. */
static uint64_t file_key(const char *path)
{
	static uint8_t head[DUMPFILE_HEAD];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t key = 0;
	struct stat st;
	ssize_t n = 0;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		n = is_flattened(fd) ?
		    (ssize_t)flattened_head(fd, (uint64_t)st.st_size, head, sizeof(head)) :
		    pread(fd, head, sizeof(head), 0);
	if (n > 0)
		key = dumpfile_split_key(head, (size_t)n);
	if (fd >= 0)
		close(fd);
	return key;
}

/* Fill @key in a child; where that dies the rest of them stays 0, and nothing is grouped. */
static void find_keys(uint64_t *key, char *const *path, size_t n)
{
	pid_t pid = fork();

	if (!pid) {
		for (size_t i = 0; i < n; i++)
			key[i] = file_key(path[i]);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void group(struct vmcores *v, char *const *path, const uint64_t *key, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		struct vmcore *one = &v->vmcore[v->n];
		bool seen = false;

		for (size_t j = 0; key[i] && j < i && !seen; j++)
			seen = key[j] == key[i];
		if (seen)
			continue;
		one->path = v->path + at;
		for (size_t j = i; j < n; j++)
			if (j == i || (key[i] && key[j] == key[i]))
				v->path[at++] = path[j];
		one->n = (size_t)(v->path + at - one->path);
		v->n++;
	}
}

bool vmcores_group(struct vmcores *v, char *const *path, size_t n)
{
	size_t bytes = (n + 1) * sizeof(uint64_t);
	uint64_t *key = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*v = (struct vmcores){ .vmcore = calloc(n + 1, sizeof(*v->vmcore)),
			       .path = calloc(n + 1, sizeof(*v->path)) };
	if (key == MAP_FAILED || !v->vmcore || !v->path)
		return false;
	if (n > 1)
		find_keys(key, path, n);
	group(v, path, key, n);
	munmap(key, bytes);
	return true;
}

void vmcores_free(struct vmcores *v)
{
	free(v->vmcore);
	free(v->path);
}
