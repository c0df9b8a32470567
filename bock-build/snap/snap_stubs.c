/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_stubs.h"

#include <fcntl.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "snap/snap_dest.h"
#include "snap/snap_dir.h"

void snap_stubs_done(struct snap_stubs *stubs)
{
	for (size_t i = 0; i < stubs->n; i++)
		free(stubs->items[i].path);
	free(stubs->items);
	*stubs = (struct snap_stubs)SNAP_STUBS_INIT;
}

static char *parent_of(const char *path)
{
	return strchr(path, '/') ? bk_path_dir(path) : bk_strdup(".");
}

static int parent_time(const struct bk_root *root, const char *path, struct timespec *ret,
		       struct bk_err **err)
{
	bk_autofree char *parent = parent_of(path);
	struct stat st;
	int rc = bk_root_lstat(root, parent, &st, err);

	if (rc == 0)
		*ret = st.st_mtim;
	return rc;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* One component; what is above it is there. */
static int make_one(struct snap_stubs *stubs, const struct bk_root *root, const char *path,
		    bool dir, struct bk_err **err)
{
	struct snap_stub stub = { .dir = dir };
	bk_autoclose int fd = -1;
	int rc = parent_time(root, path, &stub.before, err);

	if (rc == 0)
		rc = dir ? bk_root_mkdirs(root, path, 0755, &fd, err)
			 : bk_root_mkfile(root, path, 0644, &fd, err);
	if (rc == 0)
		rc = parent_time(root, path, &stub.after, err);
	if (rc < 0)
		return rc;
	stub.path = bk_strdup(path);
	stubs->items = bk_reallocarray(stubs->items, stubs->n + 1, sizeof(*stubs->items));
	stubs->items[stubs->n++] = stub;
	return 0;
}

int snap_stubs_add(struct snap_stubs *stubs, const struct bk_root *root, const char *path, bool dir,
		   char **ret_path, struct bk_err **err)
{
	bk_autofree char *dest = NULL;
	struct stat st;
	int rc = snap_dest_resolve(root, path, &dest, &st, err);

	for (char *end = dest; rc == 0 && st.st_mode == 0 && end;) {
		struct stat part;

		end = strchr(*end == '/' ? end + 1 : end, '/');
		if (end)
			*end = '\0';
		rc = snap_dest_look(root, dest, &part, err);
		if (rc == 0 && part.st_mode == 0)
			rc = make_one(stubs, root, dest, end || dir, err);
		if (end)
			*end = '/';
	}
	if (rc < 0)
		return bk_err_wrap(err, rc, "make the mount point '%s'", path);
	*ret_path = bk_asprintf("/%s", dest);
	return 0;
}

static int is_untouched(const struct bk_root *root, const struct snap_stub *stub, bool *ret,
			struct bk_err **err)
{
	bk_autostrv char **names = NULL;
	struct stat st;
	int rc = snap_dest_look(root, stub->path, &st, err);

	*ret = false;
	if (rc < 0 || st.st_mode == 0)
		return rc;
	if (!stub->dir) {
		*ret = S_ISREG(st.st_mode) && st.st_size == 0;
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	rc = snap_dir_names(root, stub->path, &names, err);
	*ret = rc == 0 && !names;
	return rc;
}

/* What nobody but us changed gets its old time; else the time of the last other change stays. */
static int restore_time(const struct bk_root *root, const struct snap_stub *stub,
			const struct timespec *now, struct bk_err **err)
{
	bk_autofree char *parent = parent_of(stub->path);
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		same_time(now, &stub->after) ? stub->before : *now,
	};
	bk_autoclose int fd = -1;
	int rc = bk_root_openat_nolinks(root, parent, O_RDONLY | O_DIRECTORY, 0, &fd, err);

	if (rc == 0 && futimens(fd, times) < 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "set the time of '/%s'", parent);
	return rc;
}

int snap_stubs_remove(struct snap_stubs *stubs, const struct bk_root *root, struct bk_err **err)
{
	int rc = 0;

	for (size_t i = stubs->n; i > 0 && rc == 0; i--) {
		const struct snap_stub *stub = &stubs->items[i - 1];
		struct timespec now;
		bool untouched = false;

		rc = is_untouched(root, stub, &untouched, err);
		if (rc < 0 || !untouched)
			continue;
		rc = parent_time(root, stub->path, &now, err);
		if (rc == 0)
			rc = bk_root_unlink(root, stub->path, stub->dir, err);
		if (rc == 0)
			rc = restore_time(root, stub, &now, err);
	}
	return rc;
}
