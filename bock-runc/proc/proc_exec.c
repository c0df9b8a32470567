/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "sys/sys_words.h"

#define PASSWD_MAX ((size_t)1 << 20)

/* name:password:uid:gid:gecos:home:shell */
static char *passwd_home(char *text, uid_t uid)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *field[7] = { NULL };
		uint32_t found;
		size_t n = 0;

		while (n < BK_ARRAY_SIZE(field) && (field[n] = strsep(&line, ":")))
			n++;
		if (n > 5 && bk_num_u32(field[2], UINT32_MAX - 1, &found, NULL) == 0 && found == uid)
			return bk_strdup(field[5]);
	}
	return NULL;
}

/* An image without /etc/passwd, or with a device or FIFO in its place, has no homes; this is another matter. */
static bool is_trouble(int errnum)
{
	return errnum == EIO || errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE;
}

int proc_exec_env(char *const *env, const struct bk_root *root, uid_t uid, char ***ret,
		  struct bk_err **err)
{
	bk_autostrv char **out = NULL;
	const char *home;

	for (; env && *env; env++) {
		const char *eq = strchr(*env, '=');

		if (eq && eq != *env)
			bk_env_set(&out, *env);
		else
			bk_strv_add(&out, *env);
	}
	home = bk_env_get(out, "HOME");
	if (!home || !*home) {
		bk_autobuf struct bk_buf b = BK_BUF_INIT(PASSWD_MAX);
		bk_autofree char *found = NULL;
		bk_autofree char *assign = NULL;
		struct bk_err *e = NULL;
		int rc = bk_root_read(root, "/etc/passwd", &b, &e);

		if (rc < 0 && is_trouble(bk_err_errno(e))) {
			bk_err_move(err, e);
			return bk_err_wrap(err, rc, "find HOME");
		}
		bk_err_clear(&e);
		if (rc == 0) {
			bk_autofree char *text = bk_buf_steal(&b);

			found = passwd_home(text, uid);
		}
		assign = bk_asprintf("HOME=%s", found && *found ? found : "/");
		bk_env_set(&out, assign);
	}
	*ret = bk_steal_ptr(&out);
	if (!*ret)
		*ret = bk_calloc(1, sizeof(char *));
	return 0;
}

int proc_exec_make_cwd(const char *cwd, const struct bk_root *root, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc;

	if (bk_streq(cwd, "/"))
		return 0;
	rc = bk_root_mkdirs(root, cwd, 0755, &fd, err);
	return rc < 0 ? bk_err_wrap(err, rc, "process.cwd") : 0;
}

int proc_exec_inside(struct bk_err **err)
{
	char buf[PATH_MAX];

	/* a cwd outside of the root reads as "(unreachable)/..." or not at all */
	if (!getcwd(buf, sizeof(buf)))
		return bk_err_set(err, BK_ERR_IO, errno,
				  "process.cwd: current working directory is outside of container "
				  "mount namespace root -- possible container breakout detected");
	if (buf[0] != '/')
		return bk_err_set(err, BK_ERR_PERMISSION, 0,
				  "process.cwd: current working directory is outside of container "
				  "mount namespace root -- possible container breakout detected");
	return 0;
}

int proc_exec_chdir(const char *cwd, struct bk_err **err)
{
	if (chdir(cwd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "process.cwd: chdir to '%s'", cwd);
	return proc_exec_inside(err);
}

/* 0, or the errno that says why path can't be executed. */
static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	/* EPERM is a seccomp profile's that does not know faccessat2: execve will find out */
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 && errno != EPERM)
		return errno;
	return 0;
}

static int fail_path(const char *name, int errnum, struct bk_err **err)
{
	switch (errnum) {
	case ENOENT:
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0,
				  "exec: \"%s\": stat %s: " SYS_WORD_NO_FILE, name, name);
	case EISDIR:
		return bk_err_set(err, BK_ERR_PERMISSION, 0,
				  "exec: \"%s\": is a directory: " SYS_WORD_NO_PERMISSION, name);
	case EACCES:
	case EPERM:
		return bk_err_set(err, BK_ERR_PERMISSION, 0, "exec: \"%s\": " SYS_WORD_NO_PERMISSION, name);
	case ENOTDIR:
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "exec: \"%s\": stat %s: not a directory",
				  name, name);
	default:
		return bk_err_set(err, BK_ERR_IO, errnum, "exec: \"%s\"", name);
	}
}

int proc_exec_find(const char *name, char *const *env, char **ret, struct bk_err **err)
{
	bk_autostrv char **dirs = NULL;
	const char *path;
	int denied = 0;

	if (!*name)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "exec: \"\": " SYS_WORD_NOT_IN_PATH);
	if (strchr(name, '/')) {
		int e = executable(name);

		if (e)
			return fail_path(name, e, err);
		*ret = bk_strdup(name);
		return 0;
	}
	path = bk_env_get(env, "PATH");
	dirs = bk_strv_split(path ? path : "", ":");
	for (char **d = dirs; d && *d; d++) {
		bk_autofree char *full = bk_path_join(*d, name);
		int e = executable(full);

		if (e == 0) {
			*ret = bk_steal_ptr(&full);
			return 0;
		}
		if (e == EACCES)
			denied = e;
	}
	if (denied)
		return fail_path(name, denied, err);
	return bk_err_set(err, BK_ERR_NOT_FOUND, 0,
			  "exec: \"%s\": " SYS_WORD_NOT_IN_PATH, name);
}
