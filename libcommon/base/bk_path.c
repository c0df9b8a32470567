/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

char *bk_path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	if (*name == '/' || len == 0)
		return bk_strdup(name);
	while (len > 0 && dir[len - 1] == '/')
		len--;
	if (!*name)
		return len ? bk_strndup(dir, len) : bk_strdup("/");
	return bk_asprintf("%.*s/%s", (int)len, dir, name);
}

char *bk_path_clean(const char *path)
{
	const bool absolute = *path == '/';
	char *clean = bk_malloc(strlen(path) + 2);
	size_t len = 0;

	if (absolute)
		clean[len++] = '/';
	for (;;) {
		size_t part;

		path += strspn(path, "/");
		part = strcspn(path, "/");
		if (part == 0)
			break;
		if (part == 2 && memcmp(path, "..", 2) == 0) {
			/* back to the slash in front of the last component, or to the start */
			while (len > 0 && clean[len - 1] != '/')
				len--;
			if (len > 1)
				len--;
			else if (!absolute)
				len = 0;
		} else if (part != 1 || *path != '.') {
			if (len > 0 && clean[len - 1] != '/')
				clean[len++] = '/';
			memcpy(clean + len, path, part);
			len += part;
		}
		path += part;
	}
	if (len == 0)
		clean[len++] = '.';
	clean[len] = '\0';
	return clean;
}

int bk_path_absolute(const char *path, char **ret, struct bk_err **err)
{
	bk_autofree char *cwd = NULL;
	bk_autofree char *joined = NULL;

	if (*path == '/') {
		*ret = bk_path_clean(path);
		return 0;
	}
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return bk_err_set(err, BK_ERR_IO, errno, "find the current directory");
	/* The kernel says "(unreachable)/..." where the directory is outside of our root. */
	if (*cwd != '/')
		return bk_err_set(err, BK_ERR_IO, ENOENT, "find the current directory");
	joined = bk_path_join(cwd, path);
	*ret = bk_path_clean(joined);
	return 0;
}

const char *bk_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *bk_path_dir(const char *path)
{
	size_t len = (size_t)(bk_path_base(path) - path);

	if (len == 0)
		return bk_strdup(".");
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len ? bk_strndup(path, len) : bk_strdup("/");
}

bool bk_path_below(const char *path, const char *prefix)
{
	const char *rest = bk_skip_prefix(path, prefix);

	if (!rest)
		return false;
	return !*rest || *rest == '/' || bk_streq(prefix, "/");
}
