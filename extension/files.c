// SPDX-License-Identifier: GPL-2.0-or-later
#include "files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../batch/fileio.h"

static bool failed(struct fault *why)
{
	return fault_set(why, FAULT_IO, SPACE_NONE, 0, "%s", strerror(errno ? errno : EIO));
}

static bool create(void *ctx, const char *name, struct fault *why)
{
	struct files *f = ctx;

	f->contents = folder_create(&f->folder, name);
	return f->contents >= 0 || failed(why);
}

static bool write_contents(void *ctx, const void *data, size_t n, uint64_t offset,
			   struct fault *why)
{
	const struct files *f = ctx;

	return write_at(f->contents, data, n, offset) || failed(why);
}

static bool close_file(int *file)
{
	int fd = *file;

	*file = -1;
	return fd < 0 || !close(fd);
}

static void drop(void *ctx)
{
	struct files *f = ctx;

	close_file(&f->contents);
}

static bool finish(void *ctx, uint64_t size, struct fault *why)
{
	struct files *f = ctx;

	return (!ftruncate(f->contents, (off_t)size) && close_file(&f->contents)) || failed(why);
}

bool files_open(struct files *f, const char *dir, const char *vmcore, struct fault *why)
{
	const struct contents_files io = { create, write_contents, finish, drop, f };

	f->contents = f->snapshot_fd = -1;
	if (folder_open(&f->folder, dir, why))
		return fault_prefix(why, "%s: ", dir);
	f->snapshot_fd = folder_create(&f->folder, "snapshot.json");
	if (f->snapshot_fd < 0) {
		failed(why);
		files_abort(f);
		return fault_prefix(why, "snapshot.json cannot be made in %s: ", dir);
	}
	sink_init(&f->snapshot, write_fd, &f->snapshot_fd);
	json_renderer_init(&f->json, &f->snapshot, "arena", vmcore);
	f->json.ask.view = VIEW_PAGES;
	contents_renderer_init(&f->renderer, &io);
	return true;
}

bool files_commit(struct files *f, struct fault *why)
{
	if (f->renderer.failed) {
		*why = f->renderer.why;
	} else if (f->snapshot.stopped || !close_file(&f->snapshot_fd)) {
		failed(why);
		fault_prefix(why, "snapshot.json cannot be written: ");
	} else {
		return folder_commit(&f->folder, why);
	}
	files_abort(f);
	return false;
}

void files_abort(struct files *f)
{
	if (f->folder.dir < 0)
		return;
	close_file(&f->contents);
	close_file(&f->snapshot_fd);
	folder_abort(&f->folder);
}
