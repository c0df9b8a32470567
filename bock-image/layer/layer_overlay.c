/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

#define DATA_MAX 4095	/* bytes that mount(2) takes */
#define LOG_MAX	 512	/* of what overlayfs says */
#define ALL_IDS	 "         0          0 4294967295\n"

static const char *const fixed[] = { LAYER_OVERLAY_OPTIONS };

bool layer_overlay_first_userns(void)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);

	return bk_file_read(AT_FDCWD, "/proc/self/uid_map", &text, NULL) == 0 &&
	       bk_streq(bk_buf_str(&text), ALL_IDS);
}

/* A user namespace in which the caller keeps his ids and may mount. */
static int enter_userns(struct bk_err **err)
{
	bk_autofree char *uids = bk_asprintf("%u %u 1\n", geteuid(), geteuid());
	bk_autofree char *gids = bk_asprintf("%u %u 1\n", getegid(), getegid());
	int rc;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, errno, "make a user namespace to mount overlayfs in");
		return bk_err_hint(err, rc, "unpack --mode copy needs none; sysctl user.max_user_namespaces, "
				   "kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns "
				   "may forbid it");
	}
	rc = bk_file_put(AT_FDCWD, "/proc/self/setgroups", "deny", err);
	if (rc == 0)
		rc = bk_file_put(AT_FDCWD, "/proc/self/uid_map", uids, err);
	return rc < 0 ? rc : bk_file_put(AT_FDCWD, "/proc/self/gid_map", gids, err);
}

static int refused(int fs, int errnum, const char *what, struct bk_err **err)
{
	char log[LOG_MAX];
	ssize_t n = fs < 0 ? -1 : read(fs, log, sizeof(log) - 1);
	int rc;

	if (n > 2) {
		log[n] = '\0';
		log[strcspn(log, "\n")] = '\0';
	}
	rc = bk_err_set(err, BK_ERR_IO, errnum, "overlayfs: %s%s%s", what, n > 2 ? ": " : "",
			n > 2 ? log + 2 : "");
	return bk_err_hint(err, rc, "unpack --mode copy does without overlayfs; the store's file system must be one "
			   "that overlayfs can lie on, with d_type and extended attributes: no nfs, no overlayfs");
}

/* One option, or all of a NULL-terminated list. */
static int set(int fs, const char *name, const char *value, struct bk_err **err)
{
	if (fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, name, value, 0) < 0)
		return refused(fs, errno, name, err);
	return 0;
}

static int set_fixed(int fs, const struct layer_overlay *o, struct bk_err **err)
{
	int rc = set(fs, "source", o->source ? o->source : "bock", err);

	for (size_t i = 0; rc == 0 && i < BK_ARRAY_SIZE(fixed); i++) {
		const char *equals = strchr(fixed[i], '=');
		bk_autofree char *name = bk_strndup(fixed[i], (size_t)(equals - fixed[i]));

		rc = set(fs, name, equals + 1, err);
	}
	if (rc == 0 && o->userxattr)
		rc = set(fs, "userxattr", NULL, err);
	if (rc == 0 && o->upper)
		rc = set(fs, "upperdir", o->upper, err);
	if (rc == 0 && o->upper)
		rc = set(fs, "workdir", o->work, err);
	return rc;
}

/* A mount of what fs was told, never attached. */
static int finish(int fs, const struct layer_overlay *o, int *ret_fd, struct bk_err **err)
{
	unsigned int attrs = MOUNT_ATTR_NODEV | (o->upper ? 0u : MOUNT_ATTR_RDONLY);
	int fd;

	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return refused(fs, errno, "mount", err);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attrs);
	if (fd < 0)
		return refused(fs, errno, "mount", err);
	*ret_fd = fd;
	return 0;
}

/* For kernels that don't know lowerdir+: in a mount namespace of our own, over a directory of the store's. */
static int mount_at_once(const struct layer_overlay *o, bool attach, int *ret_fd, struct bk_err **err)
{
	bk_autobuf struct bk_buf data = BK_BUF_INIT(DATA_MAX);
	bk_autofree char *lower = bk_strv_join(o->lower, ":");
	int fd;

	bk_buf_printf(&data, "lowerdir=%s", lower);
	if (o->upper)
		bk_buf_printf(&data, ",upperdir=%s,workdir=%s", o->upper, o->work);
	for (size_t i = 0; i < BK_ARRAY_SIZE(fixed); i++)
		bk_buf_printf(&data, ",%s", fixed[i]);
	if (o->userxattr)
		bk_buf_adds(&data, ",userxattr");
	if (data.overflow)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "this kernel's overlayfs takes no lowerdir+ (Linux 6.8), and %zu layers are more "
				  "than mount(2) takes; unpack --mode copy does without", bk_strv_len(o->lower));
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return refused(-1, errno, "make a mount namespace", err);
	if (mount(o->source ? o->source : "bock", LAYER_OVERLAY_EMPTY, "overlay",
		  MS_NODEV | (o->upper ? 0ul : MS_RDONLY), bk_buf_str(&data)) < 0)
		return refused(-1, errno, "mount", err);
	/* what is attached elsewhere must be of no namespace */
	fd = attach ? open_tree(AT_FDCWD, LAYER_OVERLAY_EMPTY, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
		    : open(LAYER_OVERLAY_EMPTY, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refused(-1, errno, "open the mount", err);
	*ret_fd = fd;
	return 0;
}

static int open_fs(bool attach, int *ret_fs, struct bk_err **err)
{
	int rc = 0;

	*ret_fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (*ret_fs < 0 && errno == EPERM && !attach) {
		rc = enter_userns(err);
		if (rc == 0)
			*ret_fs = fsopen("overlay", FSOPEN_CLOEXEC);
	}
	if (rc < 0 || *ret_fs >= 0)
		return rc;
	if (errno == ENODEV)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "this kernel has no overlayfs; unpack --mode copy does without");
	rc = bk_err_set(err, BK_ERR_IO, errno, "mount overlayfs");
	return bk_err_hint(err, rc, "it takes CAP_SYS_ADMIN: root, or root of a user namespace with its own mounts, as "
			   "in unshare -Urm");
}

static int make(const struct layer_overlay *o, bool attach, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fs = -1;
	int rc;

	if (bk_strv_len(o->lower) > LAYER_OVERLAY_MAX)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "overlayfs takes %d layers, not %zu; unpack --mode copy takes any number",
				  LAYER_OVERLAY_MAX, bk_strv_len(o->lower));
	if (fchdir(o->layers) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter the folder of layers");
	rc = open_fs(attach, &fs, err);
	for (char *const *l = o->lower; rc == 0 && *l; l++) {
		if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", *l, 0) == 0)
			continue;
		if (errno == EINVAL && l == o->lower)
			return mount_at_once(o, attach, ret_fd, err);
		rc = refused(fs, errno, *l, err);
	}
	if (rc == 0)
		rc = set_fixed(fs, o, err);
	return rc < 0 ? rc : finish(fs, o, ret_fd, err);
}

/*
 * Where overlayfs can make nothing in its work folder it is mounted read-only, and only the kernel's log says why: what
 * comes next would be told that the file system is read-only, when it is full.
 */
static int check_writable(const struct layer_overlay *o, int fd, struct bk_err **err)
{
	bk_autofree char *probe = NULL;
	struct statvfs st;
	int errnum = EROFS;

	if (!o->upper || fstatvfs(fd, &st) < 0 || !(st.f_flag & ST_RDONLY))
		return 0;
	probe = bk_asprintf("%s/probe", o->work);
	if (mkdir(probe, 0700) < 0)
		errnum = errno;
	return bk_err_set(err, BK_ERR_IO, errnum, "overlayfs: make something in its folder '%s'", o->work);
}

/* The child: it may change its folder and namespaces, and leaves the mount or an error in the socket. */
static void run_child(const struct layer_overlay *o, bool attach, int sock)
{
	unsigned char wire[BK_ERR_WIRE_SIZE] = { 0 };
	struct bk_err *err = NULL;
	int fd = -1, rc;

	if (make(o, attach, &fd, &err) == 0 && check_writable(o, fd, &err) == 0) {
		rc = bk_fd_send(sock, &fd, 1, "", 1);
		if (rc == 0)
			_exit(0);
		(void)bk_err_set(&err, BK_ERR_IO, -rc, "hand the mount of overlayfs over");
	}
	(void)bk_err_encode(err, wire);
	(void)bk_fd_write_all(sock, wire, sizeof(wire));
	_exit(1);
}

static int receive(int sock, int *ret_fd, struct bk_err **err)
{
	unsigned char wire[BK_ERR_WIRE_SIZE];
	size_t n_fds = 0;
	int fd = -1;
	ssize_t n = bk_fd_recv(sock, &fd, 1, &n_fds, wire, sizeof(wire));

	if (n == 1 && n_fds == 1) {
		*ret_fd = fd;
		return 0;
	}
	if (n_fds == 1)
		bk_close(&fd);
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, (int)-n, "receive the mount of overlayfs");
	if (n > 0 && (size_t)n < sizeof(wire)) {
		ssize_t more = bk_fd_read_full(sock, wire + n, sizeof(wire) - (size_t)n);

		n += more > 0 ? more : 0;
	}
	if (n == sizeof(wire))
		return bk_err_decode(wire, sizeof(wire), err);
	return bk_err_set(err, BK_ERR_INTERNAL, 0, "the process that mounts overlayfs ended early");
}

int layer_overlay_mount(const struct layer_overlay *o, bool attach, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int ours = -1, theirs = -1;
	int pair[2], status, rc;
	pid_t pid, got;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a pair of sockets");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "fork");
	if (pid == 0) {
		bk_close(&ours);
		run_child(o, attach, theirs);
	}
	bk_close(&theirs);
	rc = receive(ours, ret_fd, err);
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	return rc;
}
