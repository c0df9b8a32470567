/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_id.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "cgroup/cgroup.h"
#include "codec/bk_json.h"
#include "container/container_probe.h"
#include "sys/sys_words.h"

static const struct bk_doc_field state_fields[] = {
	BK_DOC_STR_F(struct container_state, oci_version, "ociVersion", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct container_state, id, "id", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct container_state, bundle, "bundle", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct container_state, rootfs, "rootfs", 0),
	BK_DOC_STR_F(struct container_state, created, "created", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct container_state, pid, "pid", BK_DOC_I32, 0),
	BK_DOC_NUM_F(struct container_state, pid_inode, "pidInode", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct container_state, pid_start, "pidStart", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct container_state, owner_pid, "ownerPid", BK_DOC_I32, 0),
	BK_DOC_NUM_F(struct container_state, owner_start, "ownerStart", BK_DOC_U64, 0),
	BK_DOC_STR_F(struct container_state, cgroup, "cgroup", 0),
	BK_DOC_NUM_F(struct container_state, cgroup_top, "cgroupTop", BK_DOC_U64, 0),
	BK_DOC_STR_F(struct container_state, unit, "systemdUnit", 0),
	BK_DOC_BOOL_F(struct container_state, unit_user, "systemdUser", 0),
	BK_DOC_NUM_F(struct container_state, unit_pid, "systemdPid", BK_DOC_I32, 0),
	BK_DOC_BOOL_F(struct container_state, restoring, "restoring", 0),
	BK_DOC_STR_F(struct container_state, rdt_group, "rdtGroup", 0),
	BK_DOC_STR_F(struct container_state, rdt_monitor, "rdtMonitor", 0),
	BK_DOC_BOOL_F(struct container_state, rdt_remove, "rdtRemove", 0),
	BK_DOC_BOOL_F(struct container_state, rdt_shared, "rdtShared", 0),
	BK_DOC_NUM_F(struct container_state, mount_ns, "mountNamespace", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct container_state, root_dev, "rootDevice", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct container_state, root_inode, "rootInode", BK_DOC_U64, 0),
	BK_DOC_BOOL_F(struct container_state, shared_pid_ns, "sharedPidNamespace", 0),
	BK_DOC_NUM_F(struct container_state, start_hooks_ms, "startHooksMs", BK_DOC_U64, 0),
	BK_DOC_BOOL_F(struct container_state, no_process, "noProcess", 0),
	BK_DOC_BOOL_F(struct container_state, no_new_keyring, "noNewKeyring", 0),
	BK_DOC_BOOL_F(struct container_state, has_poststart, "hasPoststart", 0),
	BK_DOC_BOOL_F(struct container_state, has_poststop, "hasPoststop", 0),
	BK_DOC_STRMAP_F(struct container_state, annotations, n_annotations, "annotations", 0),
	BK_DOC_END,
};

const struct bk_doc_type container_state_type = BK_DOC_TYPE(struct container_state, state_fields);

int container_root_open(const char *path, bool make, struct container_root *ret, struct bk_err **err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && make) {
		int rc = bk_file_mkdirs(path, 0700, err);

		if (rc < 0)
			return bk_err_wrap(err, rc, "state folder");
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 && (make || errno != ENOENT))
		return bk_err_set(err, BK_ERR_IO, errno, "open state folder '%s'", path);
	ret->path = path;
	ret->fd = fd;
	return 0;
}

int container_check_id(const char *id, struct bk_err **err)
{
	if (bk_streq(id, CONTAINER_CACHE))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  SYS_WORD_ID_FORMAT ": '%s': it is the runtime's own", id);
	return bk_id_check(id, err);
}

void container_root_done(struct container_root *r)
{
	bk_close(&r->fd);
}

void container_done(struct container *c)
{
	bk_close(&c->dirfd);
	if (c->arena)
		bk_arena_free(c->arena);
	c->arena = NULL;
}

int container_wait_ms(const struct container_root *r, int own_ms)
{
	return r->timeout_ms ? r->timeout_ms : own_ms;
}

static int lock_dir(const struct container_root *root, int fd, struct bk_err **err)
{
	const struct timespec pause = { .tv_nsec = 10L * 1000 * 1000 };
	const int limit = container_wait_ms(root, CONTAINER_LOCK_TIMEOUT_MS);

	for (int64_t waited = 0;; waited += 10) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return bk_err_set(err, BK_ERR_IO, errno, "lock the container");
		if (limit >= 0 && waited >= limit)
			return bk_err_set(err, BK_ERR_IO, ETIMEDOUT,
					  "another command has held the container for %d.%03d s", limit / 1000,
					  limit % 1000);
		(void)nanosleep(&pause, NULL);
	}
}

static int not_there(struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_NOT_FOUND, 0, SYS_WORD_NOT_EXIST);
}

static int in_use(struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_EXISTS);
}

/*
 * A delete may have removed the folder that we made, and another create have made it again, before we opened it:
 * then there are two of us, and whose the file is, his is the id.
 */
static int take(int fd, int *ret_config, struct bk_err **err)
{
	int config = openat(fd, CONTAINER_CONFIG_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (config < 0 && errno == EEXIST)
		return in_use(err);
	if (config < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s'", CONTAINER_CONFIG_FILE);
	*ret_config = config;
	return 0;
}

/* 1: made and locked; 0: it was removed before we had the lock. */
static int try_reserve(const struct container_root *root, const char *id, int *ret_fd, int *ret_config,
		       struct bk_err **err)
{
	bk_autoclose int fd = -1;
	struct stat st;
	int rc;

	if (mkdirat(root->fd, id, 0700) < 0) {
		if (errno == EEXIST)
			return in_use(err);
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s/%s'", root->path, id);
	}
	fd = openat(root->fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	rc = fd < 0 ? bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", root->path, id) : lock_dir(root, fd, err);
	if (rc == 0 && fstat(fd, &st) < 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "stat '%s/%s'", root->path, id);
	/* a `delete --force` that came between takes a folder without a state for a dead create's */
	if (rc == 0 && st.st_nlink == 0)
		return 0;
	if (rc == 0)
		rc = take(fd, ret_config, err);
	if (rc < 0) {
		/* if it is another's by now it is not empty, or its maker begins again */
		(void)unlinkat(root->fd, id, AT_REMOVEDIR);
		return rc;
	}
	*ret_fd = bk_steal_fd(&fd);
	return 1;
}

int container_reserve(const struct container_root *root, const char *id, struct container *ret,
		      int *ret_config, struct bk_err **err)
{
	struct container c = { .root = root, .id = id, .dirfd = -1 };
	int rc = 0;

	for (int tries = 0; rc == 0; tries++) {
		if (tries == CONTAINER_RESERVE_TRIES)
			return bk_err_set(err, BK_ERR_IO, EBUSY, "'%s/%s' is deleted again and again",
					  root->path, id);
		rc = try_reserve(root, id, &c.dirfd, ret_config, err);
	}
	if (rc < 0)
		return rc;
	c.locked = true;
	c.arena = bk_arena_new();
	*ret = c;
	return 0;
}

static int read_state(struct container *c, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CONTAINER_STATE_MAX);
	struct bk_err *e = NULL;
	int rc = bk_file_read(c->dirfd, CONTAINER_STATE_FILE, &b, &e);

	c->has_state = rc == 0;
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&e);
		return 0;
	}
	if (rc == 0)
		rc = bk_json_decode(&container_state_type, CONTAINER_STATE_FILE, bk_buf_str(&b), b.len,
				    &bk_doc_limits_oci, c->arena, &c->state, &e);
	if (rc < 0)
		bk_err_move(err, e);
	return rc;
}

int container_open(const struct container_root *root, const char *id, bool lock,
		   struct container *ret, struct bk_err **err)
{
	bk_autocontainer struct container c = { .root = root, .id = id, .dirfd = -1 };
	struct stat st;
	int rc;

	rc = container_check_id(id, err);
	if (rc < 0)
		return rc;
	if (root->fd < 0)
		return not_there(err);
	c.dirfd = openat(root->fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.dirfd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return not_there(err);
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", root->path, id);
	}
	if (lock) {
		rc = lock_dir(root, c.dirfd, err);
		if (rc < 0)
			return rc;
		c.locked = true;
		/* whoever had the lock may have deleted the container */
		if (fstat(c.dirfd, &st) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "stat '%s/%s'", root->path, id);
		if (st.st_nlink == 0)
			return not_there(err);
	}
	c.arena = bk_arena_new();
	rc = read_state(&c, err);
	if (rc < 0)
		return rc;
	*ret = c;
	c.dirfd = -1;
	c.arena = NULL;
	return 0;
}

int container_peek(const struct container_root *root, const char *id, struct bk_arena *arena,
		   struct container *ret, uid_t *ret_uid, struct bk_err **err)
{
	struct container c = { .root = root, .id = id, .dirfd = -1, .has_state = true };
	bk_autofree char *path = bk_path_join(id, CONTAINER_STATE_FILE);
	bk_autofree char *text = NULL;
	bk_autoclose int fd = openat(root->fd, path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t len;
	int rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return not_there(err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", root->path, path);
	if (st.st_size > (off_t)CONTAINER_STATE_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s/%s' is too large", root->path, path);
	/* it is replaced as a whole, never written to: the size holds */
	text = bk_malloc((size_t)st.st_size);
	len = bk_fd_read_full(fd, text, (size_t)st.st_size);
	if (len < 0)
		return bk_err_set(err, BK_ERR_IO, (int)-len, "read '%s/%s'", root->path, path);
	rc = bk_json_decode(&container_state_type, path, text, (size_t)len, &bk_doc_limits_oci, arena,
			    &c.state, err);
	if (rc < 0)
		return rc;
	*ret = c;
	*ret_uid = st.st_uid;
	return 0;
}

void container_unlock(struct container *c)
{
	(void)flock(c->dirfd, LOCK_UN);
	c->locked = false;
}

int container_relock(struct container *c, struct bk_err **err)
{
	struct stat st;
	int rc = lock_dir(c->root, c->dirfd, err);

	if (rc < 0)
		return rc;
	c->locked = true;
	if (fstat(c->dirfd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '%s/%s'", c->root->path, c->id);
	return st.st_nlink == 0 ? not_there(err) : 0;
}

int container_save(struct container *c, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CONTAINER_STATE_MAX);
	int rc = bk_json_encode(&container_state_type, &c->state, BK_JSON_NEWLINE, &b, err);

	if (rc == 0)
		rc = bk_buf_check(&b, "the state", err);
	if (rc == 0)
		rc = bk_file_write_atomic(c->dirfd, CONTAINER_STATE_FILE, b.data, b.len, 0600, false,
					  err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "save the state in '%s'", c->root->path);
	c->has_state = true;
	return 0;
}

int container_forget(struct container *c, struct bk_err **err)
{
	/*
	 * The usual content goes by name; only the socket of a container that was never started and what a killed
	 * writer left need a walk.
	 */
	(void)unlinkat(c->dirfd, CONTAINER_STATE_FILE, 0);
	(void)unlinkat(c->dirfd, CONTAINER_CONFIG_FILE, 0);
	if (unlinkat(c->root->fd, c->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return bk_file_rmtree(c->root->fd, c->id, err);
}

const char *container_status_name(enum oci_status status)
{
	return bk_doc_name_of(oci_status_names, (int)status);
}

/*
 * What can't be found out is an error, not "it has stopped": a caller that takes a container for dead because
 * there was no descriptor left would start another.
 */
static int cant_say(int errnum, pid_t pid, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_IO, errnum, "find out whether process %d lives", (int)pid);
}

/* A pidfd of the first process, -1: it is not there any more. */
static int open_first(const struct container_state *s, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = pidfd_open(s->pid, 0);
	int alive;

	/* EINVAL: a number that no process can have, or, like ENOENT since Linux 6.15, that of a thread by now */
	if (fd < 0 && errno != ESRCH && errno != EINVAL && errno != ENOENT)
		return cant_say(errno, s->pid, err);
	/* the descriptor first, then the check: afterwards the pid can't be another's any more */
	alive = fd < 0	       ? 0 :
		s->pid_inode ? container_probe_pidfd(fd, s->pid_inode) :
				 container_probe_alive(s->pid, s->pid_start);
	if (alive < 0)
		return cant_say(-alive, s->pid, err);
	*ret_fd = alive ? bk_steal_fd(&fd) : -1;
	return 0;
}

/* *ret_fd: a pidfd of it, if that is what names it, for first_still_alive(). */
static int first_alive(const struct container_state *s, bool *ret, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int alive, rc;

	if (s->pid_inode) {
		rc = open_first(s, &fd, err);
		*ret = rc == 0 && fd >= 0;
		*ret_fd = bk_steal_fd(&fd);
		return rc;
	}
	alive = container_probe_alive(s->pid, s->pid_start);
	*ret = alive > 0;
	return alive < 0 ? cant_say(-alive, s->pid, err) : 0;
}

static int first_still_alive(const struct container_state *s, int pidfd, bool *ret, struct bk_err **err)
{
	int alive = pidfd >= 0 ? container_probe_pidfd(pidfd, s->pid_inode) :
				 container_probe_alive(s->pid, s->pid_start);

	*ret = alive > 0;
	return alive < 0 ? cant_say(-alive, s->pid, err) : 0;
}

static int owner_alive(const struct container *c, bool *ret, struct bk_err **err)
{
	const struct container_state *s = &c->state;
	/* who makes it holds the lock until the end, so it has come if the lock is ours */
	int alive = c->locked ? 0 : container_probe_alive(s->owner_pid, s->owner_start);

	*ret = alive > 0;
	return alive < 0 ? cant_say(-alive, s->owner_pid, err) : 0;
}

/* Until it is started, its first process listens there. */
static int waits_for_start(const struct container *c, bool *ret, struct bk_err **err)
{
	bk_autofree char *path = c->dirfd >= 0 ? bk_strdup(CONTAINER_SOCKET) :
						 bk_path_join(c->id, CONTAINER_SOCKET);

	*ret = faccessat(c->dirfd >= 0 ? c->dirfd : c->root->fd, path, F_OK, 0) == 0;
	if (!*ret && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "look for '%s'", path);
	return 0;
}

static int is_paused(const struct container *c, bool *ret, struct bk_err **err)
{
	struct cgroup_host host;

	*ret = false;
	if (!c->state.cgroup)
		return 0;
	if (!c->host)
		cgroup_find(&host);
	return cgroup_is_frozen(c->host ? c->host : &host, c->state.cgroup, ret, err);
}

/* Of one whose first process lives. */
static int status_alive(const struct container *c, enum oci_status *ret, struct bk_err **err)
{
	bool paused, waits = false, creating = false;
	int rc = is_paused(c, &paused, err);

	if (rc == 0 && !paused)
		rc = waits_for_start(c, &waits, err);
	if (rc == 0 && waits)
		rc = owner_alive(c, &creating, err);
	*ret = paused ? OCI_PAUSED : !waits ? OCI_RUNNING : creating ? OCI_CREATING : OCI_CREATED;
	return rc;
}

/*
 * The state was read before its maker had a process for it, and since then the maker has ended: dead, or done?
 * Nobody writes any more, so a second look says.
 */
static int status_anew(const struct container *c, enum oci_status *ret, pid_t *ret_pid, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct container now;
	uid_t uid;
	int rc = container_peek(c->root, c->id, arena, &now, &uid, err);

	now.host = c->host;
	return rc < 0 || now.state.pid == 0 ? rc : container_status(&now, ret, ret_pid, err);
}

int container_status(const struct container *c, enum oci_status *ret, pid_t *ret_pid,
		     struct bk_err **err)
{
	const struct container_state *s = &c->state;
	bk_autoclose int pidfd = -1;
	bool alive = false;
	int rc;

	if (ret_pid)
		*ret_pid = 0;
	if (!c->has_state)
		return not_there(err);
	/* pid is criu's, which is no container's process yet; it may outlive the runtime for a moment */
	if (s->restoring) {
		rc = owner_alive(c, &alive, err);
		if (rc == 0 && !alive)
			rc = first_alive(s, &alive, &pidfd, err);
		*ret = alive ? OCI_CREATING : OCI_STOPPED;
		return rc;
	}
	if (s->pid == 0) {
		rc = owner_alive(c, &alive, err);
		*ret = alive ? OCI_CREATING : OCI_STOPPED;
		return rc < 0 || alive || c->locked ? rc : status_anew(c, ret, ret_pid, err);
	}
	rc = first_alive(s, &alive, &pidfd, err);
	*ret = OCI_STOPPED;
	if (rc < 0 || !alive)
		return rc;
	rc = status_alive(c, ret, err);
	/*
	 * "running" is what is left when neither its socket nor a frozen cgroup is there, and a delete takes both away, once
	 * it has killed the process: without the lock one that was never started would be said to run, or a paused one.
	 */
	if (rc == 0 && *ret == OCI_RUNNING && !c->locked)
		rc = first_still_alive(s, pidfd, &alive, err);
	if (!alive)
		*ret = OCI_STOPPED;
	if (ret_pid && alive)
		*ret_pid = s->pid;
	return rc;
}

int container_describe(const struct container *c, struct oci_state *ret, struct bk_err **err)
{
	const struct container_state *s = &c->state;
	enum oci_status status;
	pid_t pid;
	int rc = container_status(c, &status, &pid, err);

	if (rc < 0)
		return rc;
	*ret = (struct oci_state){
		.oci_version = s->oci_version,
		.id = s->id,
		.status = (int)status,
		.pid = pid,
		.bundle = s->bundle,
		.rootfs = s->rootfs,
		.created = s->created,
		.annotations = s->annotations,
		.n_annotations = s->n_annotations,
		.owner = (char *)"",
	};
	return 0;
}

int container_pidfd(const struct container *c, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc = 0;

	if (!c->has_state)
		return not_there(err);
	if (c->state.pid > 0)
		rc = open_first(&c->state, &fd, err);
	if (rc == 0 && fd < 0)
		rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0, SYS_WORD_NOT_RUNNING);
	if (rc < 0)
		return rc;
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int container_ids(const struct container_root *root, char ***ret, struct bk_err **err)
{
	bk_autostrv char **ids = NULL;
	bk_autoclosedir DIR *d = NULL;
	struct dirent *e;
	int fd;

	if (root->fd < 0) {
		*ret = NULL;
		return 0;
	}
	fd = openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return bk_err_set(err, BK_ERR_IO, errno, "read '%s'", root->path);
	while ((e = readdir(d))) {
		if (container_check_id(e->d_name, NULL) < 0)
			continue;
		bk_strv_add(&ids, e->d_name);
	}
	if (ids)
		qsort(ids, bk_strv_len(ids), sizeof(*ids), by_name);
	*ret = bk_steal_ptr(&ids);
	return 0;
}
