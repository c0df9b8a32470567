/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sys_helper.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

#define OWN_END	    "/bock-runc/bock-runc"
#define COPY_PREFIX "/memfd:"	 /* as procfs shows a sealed copy */
#define COPY_SUFFIX " (deleted)" /* as procfs shows what has no name any more */

bool sys_helper_build_tree(char *path, size_t size)
{
	char link[PATH_MAX];
	const char *own = link;
	ssize_t n = readlink("/proc/self/exe", link, sizeof(link) - 1);

	if (n <= 0)
		return false;
	link[n] = '\0';
	if (bk_skip_prefix(link, COPY_PREFIX) && bk_has_suffix(link, COPY_SUFFIX)) {
		own = link + strlen(COPY_PREFIX);
		link[(size_t)n - strlen(COPY_SUFFIX)] = '\0';
	}
	if (own[0] != '/' || !bk_has_suffix(own, OWN_END) || strlen(own) >= size)
		return false;
	memcpy(path, own, strlen(own) + 1);
	return true;
}

static bool is_of(const char *path, mode_t type, uid_t owner)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type &&
	       (st.st_uid == owner || st.st_uid == 0);
}

/* The helper beside our own folder, NULL: there is none, or not one to be trusted. */
static char *find_beside(const char *name)
{
	char own[PATH_MAX];
	bk_autofree char *folder = NULL;
	bk_autofree char *path = NULL;
	struct stat st;

	if (!sys_helper_build_tree(own, sizeof(own)) || lstat(own, &st) < 0)
		return NULL;
	folder = bk_asprintf("%.*s/%s", (int)(strlen(own) - strlen(OWN_END)), own, name);
	path = bk_asprintf("%s/%s", folder, name);
	if (!is_of(folder, S_IFDIR, st.st_uid) || !is_of(path, S_IFREG, st.st_uid))
		return NULL;
	return bk_steal_ptr(&path);
}

int sys_helper_find(const char *name, char **ret_path, struct bk_err **err)
{
	bk_autofree char *path = find_beside(name);
	struct stat st;
	int found;

	if (!path) {
		path = bk_asprintf("%s/%s", BOCK_LIBEXECDIR, name);
		found = stat(path, &st);
		if (found < 0 && errno != ENOENT && errno != ENOTDIR)
			return bk_err_set(err, BK_ERR_IO, errno, "look at the program '%s'", path);
		if (found < 0 || !S_ISREG(st.st_mode))
			return bk_err_set(err, BK_ERR_NOT_FOUND, 0,
					  "the program '%s', which does this, is not installed",
					  path);
	}
	*ret_path = bk_steal_ptr(&path);
	return 0;
}

int sys_helper_failed(const char *name, int status, const struct bk_buf *said, struct bk_err **err)
{
	bk_autofree char *text = bk_strdup(bk_buf_str(said));
	bk_autofree char *prefix = bk_asprintf("%s: ", name);
	const char *message = bk_skip_prefix(text, prefix);

	text[strcspn(text, "\n")] = '\0';
	if (WIFSIGNALED(status))
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "%s was killed by signal %d", name,
				  WTERMSIG(status));
	if (!message || !*message)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "%s ended with status %d: %s", name,
				  WEXITSTATUS(status), text);
	return bk_err_set(err, BK_ERR_IO, 0, "%s", message);
}
