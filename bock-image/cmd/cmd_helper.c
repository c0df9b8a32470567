/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_helper.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

#define OWN_END "/bock-image/bock-image"

/* Our own path, if it is one of a build tree. */
static bool build_tree(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	return path[0] == '/' && bk_has_suffix(path, OWN_END);
}

/* The helper beside us, NULL: there is none, or one of somebody else's. */
static char *find_beside(void)
{
	bk_autofree char *path = NULL;
	char own[PATH_MAX];
	struct stat self, st;

	if (!build_tree(own) || lstat(own, &self) < 0)
		return NULL;
	path = bk_asprintf("%.*s/%s", (int)(strrchr(own, '/') - own), own, CMD_HELPER);
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_uid != self.st_uid && st.st_uid != 0))
		return NULL;
	return bk_steal_ptr(&path);
}

int cmd_helper_exec(char *const *argv, struct bk_err **err)
{
	bk_autofree char *path = find_beside();
	int rc;

	if (!path)
		path = bk_asprintf("%s/%s", BOCK_LIBEXECDIR, CMD_HELPER);
	(void)execv(path, argv);
	if (errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "execute '%s'", path);
	rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0,
			"the program '%s', which does this, is not installed", path);
	return bk_err_hint(err, rc, "install the whole of Bock");
}
