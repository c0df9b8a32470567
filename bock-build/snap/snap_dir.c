/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(DIR *dir, const char *path, char ***names, struct bk_err **err)
{
	struct dirent *entry;
	size_t n = 0;

	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (bk_streq(entry->d_name, ".") || bk_streq(entry->d_name, ".."))
			continue;
		if (n++ >= SNAP_DIR_NAMES_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %zu files in '%s'",
					  SNAP_DIR_NAMES_MAX, path);
		bk_strv_add(names, entry->d_name);
	}
	return errno ? bk_err_set(err, BK_ERR_IO, errno, "read directory '%s'", path) : 0;
}

int snap_dir_names(const struct bk_root *root, const char *path, char ***ret, struct bk_err **err)
{
	bk_autostrv char **names = NULL;
	bk_autoclosedir DIR *dir = NULL;
	bk_autoclose int fd = -1;
	int rc = bk_root_openat_nolinks(root, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0, &fd,
					err);

	if (rc < 0)
		return rc;
	dir = fdopendir(fd);
	if (!dir)
		return bk_err_set(err, BK_ERR_IO, errno, "read directory '%s'", path);
	bk_steal_fd(&fd);
	rc = read_names(dir, path, &names, err);
	if (rc < 0)
		return rc;
	if (names)
		qsort(names, bk_strv_len(names), sizeof(*names), compare_names);
	*ret = bk_steal_ptr(&names);
	return 0;
}
