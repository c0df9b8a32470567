/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/sec_label.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"

#define PROC_ROOT_INODE 1
#define ENABLED_MAX 64	/* bytes of a file that says Y or N */

static const char *property_of(enum sec_label which)
{
	return which == SEC_LABEL_APPARMOR ? "process.apparmorProfile" : "process.selinuxLabel";
}

/* The file is there whenever the module was built in; disabled at boot it says N. */
static bool have_apparmor(const char *sys)
{
	bk_autofree char *path = bk_path_join(sys, "module/apparmor/parameters/enabled");
	bk_autobuf struct bk_buf b = BK_BUF_INIT(ENABLED_MAX);

	return bk_file_read(AT_FDCWD, path, &b, NULL) == 0 && bk_buf_str(&b)[0] == 'Y';
}

/* SELinux without its file system is disabled for everybody (libselinux, runc). */
static bool have_selinux(const char *sys)
{
	bk_autofree char *path = bk_path_join(sys, "fs/selinux/enforce");

	return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

int sec_label_check(enum sec_label which, const char *text, const char *sys, struct bk_err **err)
{
	if (strlen(text) > SEC_LABEL_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: is longer than %d bytes",
				  property_of(which), SEC_LABEL_MAX);
	if (which == SEC_LABEL_APPARMOR && !have_apparmor(sys))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "%s: '%s' is asked for, but AppArmor is not enabled on this host "
				  "(apparmor not supported)", property_of(which), text);
	if (which != SEC_LABEL_APPARMOR && !have_selinux(sys))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "%s: '%s' is asked for, but selinux is disabled or not supported",
				  property_of(which), text);
	return 0;
}

int sec_label_open_proc(int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/proc'");
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'/proc' is not the root of a procfs");
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

/* "PID/attr/NAME" of ourselves, by the number that we have in that procfs. */
static int open_attr(int proc_fd, const char *name)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	char pid[32], path[80];
	ssize_t n = readlinkat(proc_fd, "self", pid, sizeof(pid) - 1);

	if (n < 0)
		return -1;
	pid[n] = '\0';
	snprintf(path, sizeof(path), "%s/attr/%s", pid, name);
	return (int)syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
}

static int write_error(enum sec_label which, const char *text, int errnum, struct bk_err **err)
{
	int rc = bk_err_set(err, errnum == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errnum,
			    which == SEC_LABEL_APPARMOR ? "%s: apply the profile '%s'" :
			    which == SEC_LABEL_KEY ? "%s: label the session keyring '%s'" :
						     "%s: apply the label '%s'",
			    property_of(which), text);

	if (which == SEC_LABEL_APPARMOR && errnum == ENOENT)
		return bk_err_hint(err, rc, "no such profile is loaded: see apparmor_parser(8)");
	if (which != SEC_LABEL_APPARMOR && errnum == EINVAL)
		return bk_err_hint(err, rc, "the loaded policy does not know it");
	return rc;
}

int sec_label_write(int proc_fd, enum sec_label which, const char *text, struct bk_err **err)
{
	bool apparmor = which == SEC_LABEL_APPARMOR;
	bk_autofree char *value = bk_asprintf("%s%s", apparmor ? "exec " : "", text);
	size_t len = strlen(value);
	bk_autoclose int fd = -1;
	ssize_t n;

	if (apparmor)
		fd = open_attr(proc_fd, "apparmor/exec");
	if (fd < 0)
		fd = open_attr(proc_fd, which == SEC_LABEL_KEY ? "keycreate" : "exec");
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "%s: open the attribute in '/proc'",
				  property_of(which));
	/* a second write would be another label */
	n = write(fd, value, len);
	if (n >= 0 && (size_t)n != len)
		return write_error(which, text, E2BIG, err);
	return n < 0 ? write_error(which, text, errno, err) : 0;
}
