/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.h: what is done with the processes of a cgroup. */
#include "cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_clock.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "base/bk_stuck.h"

#define EVENTS_FILE "cgroup.events"
#define EVENTS_SIZE 256
#define PROCS_SIZE  ((size_t)1 << 20)
#define NAMED_PIDS  8 /* in an error */

/* Whether it was removed since it was opened, as systemd removes an empty one: no file is in there any more. */
static bool is_gone(int dirfd)
{
	return faccessat(dirfd, "cgroup.procs", F_OK, 0) < 0 && errno == ENOENT;
}

int cgroup_kill(int dirfd, struct bk_err **err)
{
	struct bk_err *failure = NULL;
	int rc = bk_file_put(dirfd, "cgroup.kill", "1", &failure);

	if (rc < 0 && is_gone(dirfd)) {
		bk_err_clear(&failure);
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "the cgroup was removed");
	}
	bk_err_move(err, failure);
	return rc;
}

int cgroup_join(int dirfd, pid_t pid, struct bk_err **err)
{
	char text[24];

	snprintf(text, sizeof(text), "%d", (int)pid);
	return bk_file_put(dirfd, "cgroup.procs", text, err);
}

/* "KEY 0" or "KEY 1" in text; a key that is missing reads as 0. */
static bool event_of(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p && bk_skip_prefix(p + strlen(key), " 1");
}

/* text has EVENTS_SIZE bytes. 0 or -errno. */
static int read_events(int fd, char *text)
{
	ssize_t n = pread(fd, text, EVENTS_SIZE - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

int cgroup_events(int dirfd, bool *ret_populated, bool *ret_frozen, struct bk_err **err)
{
	bk_autoclose int fd = openat(dirfd, EVENTS_FILE, O_RDONLY | O_CLOEXEC);
	char text[EVENTS_SIZE];
	int rc;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", EVENTS_FILE);
	rc = read_events(fd, text);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "read '%s'", EVENTS_FILE);
	if (ret_populated)
		*ret_populated = event_of(text, "populated");
	if (ret_frozen)
		*ret_frozen = event_of(text, "frozen");
	return 0;
}

/*
 * The kernel says no oftener than every 10 ms that the file has changed (CGROUP_FILE_NOTIFY_MIN_INTV), and a few
 * processes are frozen, thawed or killed in a fraction of that: so at first we look again by ourselves.
 */
#define QUICK_LOOKS 6
#define QUICK_NAP_NS 30000L /* before the first one; twice that before the next */

static void nap(unsigned int looks)
{
	const struct timespec t = { .tv_nsec = QUICK_NAP_NS << looks };

	(void)nanosleep(&t, NULL);
}

/* Waits until cgroup.events says so; -BK_ERR_IO ETIMEDOUT. */
static int wait_event(int dirfd, const char *key, bool want, int timeout_ms, struct bk_err **err)
{
	bk_autoclose int fd = openat(dirfd, EVENTS_FILE, O_RDONLY | O_CLOEXEC);
	int64_t deadline = timeout_ms < 0 ? -1 : bk_clock_ms() + timeout_ms;
	char text[EVENTS_SIZE];

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", EVENTS_FILE);
	for (unsigned int looks = 0;; looks++) {
		int64_t left = deadline < 0 ? -1 : deadline - bk_clock_ms();
		int rc = read_events(fd, text);

		if (rc < 0)
			return bk_err_set(err, BK_ERR_IO, -rc, "read '%s'", EVENTS_FILE);
		if (event_of(text, key) == want)
			return 0;
		if (deadline >= 0 && left <= 0)
			return bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "wait for '%s %d' in '%s'",
					  key, want, EVENTS_FILE);
		if (looks < QUICK_LOOKS) {
			nap(looks);
			continue;
		}
		/* a change of the file after the last read raises POLLPRI */
		rc = bk_fd_wait(fd, POLLPRI, (int)left);
		if (rc < 0)
			return bk_err_set(err, BK_ERR_IO, -rc, "wait for '%s'", EVENTS_FILE);
	}
}

/* Whether the freezer has stopped it, by what it waits in; where do_freezer_trap() is part of its caller, that. */
static bool is_stopped(const char *who)
{
	return strstr(who, "waits in do_freezer_trap)") || strstr(who, "waits in get_signal)");
}

struct holders {
	pid_t but;	/* not this one; 0: all */
	bool running;	/* not those that are frozen */
};

static void describe_holders(const struct holders *which, const pid_t *pids, size_t n, struct bk_buf *names)
{
	size_t named = 0;

	for (size_t i = 0; i < n; i++) {
		bk_autofree char *who = bk_stuck_describe(pids[i]);

		if (pids[i] == which->but || (which->running && is_stopped(who)))
			continue;
		if (named++ == NAMED_PIDS) {
			bk_buf_printf(names, ", ...");
			return;
		}
		bk_buf_printf(names, "%s%s", named > 1 ? ", " : "", who);
	}
}

/* "held by process 12 (...), process 34 (...)" as context of an error. */
static int name_holders(int dirfd, const struct holders *which, int rc, struct bk_err **err)
{
	bk_autobuf struct bk_buf names = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autofree pid_t *pids = NULL;
	size_t n = 0;

	if (cgroup_procs(dirfd, true, &pids, &n, NULL) < 0)
		return rc;
	describe_holders(which, pids, n, &names);
	return names.len ? bk_err_wrap(err, rc, "held by %s", bk_buf_str(&names)) : rc;
}

int cgroup_name_holders(int dirfd, pid_t but, int rc, struct bk_err **err)
{
	return name_holders(dirfd, &(struct holders){ .but = but }, rc, err);
}

int cgroup_wait_empty(int dirfd, int timeout_ms, struct bk_err **err)
{
	struct bk_err *failure = NULL;
	int rc = wait_event(dirfd, "populated", false, timeout_ms, &failure);

	if (rc < 0 && is_gone(dirfd)) {
		bk_err_clear(&failure);
		return 0;
	}
	if (rc < 0 && bk_err_errno(failure) == ETIMEDOUT) {
		rc = cgroup_name_holders(dirfd, 0, rc, &failure);
		rc = bk_err_hint(&failure, rc, "what it waits in must let go of it first (a disk, a server, a debugger): "
				 "'delete --force' can be repeated, see --timeout");
	}
	bk_err_move(err, failure);
	return rc;
}

static int set_frozen(int dirfd, bool frozen, int timeout_ms, struct bk_err **err)
{
	int rc = bk_file_put(dirfd, "cgroup.freeze", frozen ? "1" : "0", err);

	if (rc < 0)
		return rc;
	return wait_event(dirfd, "frozen", frozen, timeout_ms, err);
}

int cgroup_freeze(int dirfd, int timeout_ms, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = set_frozen(dirfd, true, timeout_ms, &e);

	if (rc == 0)
		return 0;
	if (bk_err_errno(e) == ETIMEDOUT) {
		rc = name_holders(dirfd, &(struct holders){ .running = true }, rc, &e);
		rc = bk_err_hint(&e, rc, "what it waits in must let go of it first (a disk, a server, a debugger), and the others "
				 "go on until then: 'pause' can be repeated, see --timeout");
	}
	(void)bk_file_put(dirfd, "cgroup.freeze", "0", NULL);
	bk_err_move(err, e);
	return rc;
}

/* The nearest cgroup above that is told to freeze, which freezes those below too; heap string, NULL: there is none. */
static char *frozen_above(int dirfd)
{
	bk_autoclose int fd = openat(dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (unsigned int i = 0; fd >= 0 && i < CGROUP_DEPTH_MAX; i++) {
		bk_autoclose int file = openat(fd, "cgroup.freeze", O_RDONLY | O_CLOEXEC);
		char word = '0', path[PATH_MAX];
		ssize_t len;
		int up;

		if (file < 0) /* the root has none */
			return NULL;
		if (read(file, &word, 1) == 1 && word == '1') {
			bk_autofree char *link = bk_asprintf("/proc/self/fd/%d", fd);

			len = readlink(link, path, sizeof(path));
			return len > 0 ? bk_strndup(path, (size_t)len) : NULL;
		}
		up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		bk_close(&fd);
		fd = up;
	}
	return NULL;
}

int cgroup_thaw(int dirfd, int timeout_ms, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = set_frozen(dirfd, false, timeout_ms, &e);
	bk_autofree char *above = NULL;

	if (rc < 0 && bk_err_errno(e) == ETIMEDOUT) {
		rc = cgroup_name_holders(dirfd, 0, rc, &e);
		above = frozen_above(dirfd);
	}
	if (above)
		rc = bk_err_hint(&e, rc, "'%s' is frozen, and all below it: who has frozen it must let it go on, or write 0 to its "
				 "cgroup.freeze", above);
	bk_err_move(err, e);
	return rc;
}

int cgroup_is_frozen(const struct cgroup_host *h, const char *path, bool *ret, struct bk_err **err)
{
	bk_autofree char *file = NULL;
	bk_autoclose int fd = -1;
	char word = '0';

	if (h->kind != CGROUP_NONE) {
		file = bk_asprintf("%s%s/cgroup.freeze", h->mount, path);
		fd = open(file, O_RDONLY | O_CLOEXEC);
		/* ENODEV: it was removed when the file was open already */
		if ((fd < 0 && errno != ENOENT) || (fd >= 0 && read(fd, &word, 1) < 0 && errno != ENODEV))
			return bk_err_set(err, BK_ERR_IO, errno, "read '%s'", file);
	}
	*ret = word == '1';
	return cgroup_check_host(h, err);
}

struct pid_list {
	pid_t *pids;
	size_t n, cap;
};

static int add_pids(int dirfd, struct pid_list *list, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(PROCS_SIZE);
	bk_autostrv char **lines = NULL;
	struct bk_err *failure = NULL;
	int rc;

	rc = bk_file_read(dirfd, "cgroup.procs", &text, &failure);
	if (rc < 0) {
		/* a threaded cgroup: its processes are in the list of the domain above */
		if (bk_err_errno(failure) == EOPNOTSUPP) {
			bk_err_clear(&failure);
			return 0;
		}
		bk_err_move(err, failure);
		return rc;
	}
	lines = bk_strv_split(bk_buf_str(&text), "\n");
	for (char **line = lines; line && *line; line++) {
		uint32_t pid;

		rc = bk_num_u32(*line, INT32_MAX, &pid, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "read 'cgroup.procs'");
		if (list->n == CGROUP_PIDS_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d processes",
					  CGROUP_PIDS_MAX);
		if (list->n == list->cap) {
			list->cap = list->cap ? 2 * list->cap : 16;
			list->pids = bk_reallocarray(list->pids, list->cap, sizeof(*list->pids));
		}
		list->pids[list->n++] = (pid_t)pid;
	}
	return 0;
}

static int add_child(int dirfd, const char *name, unsigned int depth, struct pid_list *list,
		     struct bk_err **err);

static int add_tree(int dirfd, bool below, unsigned int depth, struct pid_list *list,
		    struct bk_err **err)
{
	bk_autoclosedir DIR *dir = NULL;
	struct dirent *e;
	int fd, rc;

	rc = add_pids(dirfd, list, err);
	if (rc < 0 || !below || depth == CGROUP_DEPTH_MAX)
		return rc;
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open a cgroup");
	dir = fdopendir(fd);
	if (!dir) {
		rc = bk_err_set(err, BK_ERR_IO, errno, "list a cgroup");
		bk_close(&fd);
		return rc;
	}
	while (errno = 0, (e = readdir(dir)) != NULL) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		rc = add_child(fd, e->d_name, depth + 1, list, err);
		if (rc < 0)
			return rc;
	}
	/* one that was removed in between has nobody in it */
	if (errno && errno != ENOENT && errno != ENODEV)
		return bk_err_set(err, BK_ERR_IO, errno, "list a cgroup");
	return 0;
}

static int add_child(int dirfd, const char *name, unsigned int depth, struct pid_list *list,
		     struct bk_err **err)
{
	bk_autoclose int child = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* removed in between */
	return child < 0 ? 0 : add_tree(child, true, depth, list, err);
}

int cgroup_procs(int dirfd, bool below, pid_t **ret_pids, size_t *ret_n, struct bk_err **err)
{
	struct pid_list list = { 0 };
	int rc = add_tree(dirfd, below, 0, &list, err);

	if (rc < 0) {
		free(list.pids);
		return rc;
	}
	*ret_pids = list.pids;
	*ret_n = list.n;
	return 0;
}

/* Removes the cgroups below dirfd, deepest first, as far as it goes. */
static void remove_children(int dirfd, unsigned int depth)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!dir) {
		bk_close(&fd);
		return;
	}
	while ((e = readdir(dir))) {
		bk_autoclose int child = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		if (unlinkat(fd, e->d_name, AT_REMOVEDIR) == 0 || depth == CGROUP_DEPTH_MAX)
			continue;
		child = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child < 0)
			continue;
		remove_children(child, depth + 1);
		(void)unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
}

/* How long to wait again where the kernel says that it is empty and keeps it all the same. */
#define BUSY_NAP_MS 5

/* The cgroup is busy: waits for its processes, removes what is below, tries again. */
static int remove_busy(const struct cgroup_host *h, const char *path, const char *full,
		       int timeout_ms, struct bk_err **err)
{
	int64_t deadline = bk_clock_ms() + timeout_ms;
	bk_autoclose int fd = -1;
	int rc = cgroup_open(h, path, &fd, err);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(err);
		return 0;
	}
	for (bool first = true; rc == 0; first = false) {
		int64_t left = deadline - bk_clock_ms();
		int errnum;

		rc = cgroup_wait_empty(fd, timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0, err);
		if (rc < 0)
			break;
		remove_children(fd, 0);
		if (rmdir(full) == 0 || errno == ENOENT)
			return 0;
		errnum = errno;
		if (errnum != EBUSY || (timeout_ms >= 0 && left <= 0))
			return bk_err_set(err, BK_ERR_IO, errnum, "remove cgroup '%s'", path);
		if (!first)
			(void)poll(NULL, 0, BUSY_NAP_MS);
	}
	return bk_err_wrap(err, rc, "remove cgroup '%s'", path);
}

int cgroup_remove(const struct cgroup_host *h, const char *path, size_t top_len, int timeout_ms,
		  struct bk_err **err)
{
	bk_autofree char *full = NULL;
	size_t keep;

	if (h->kind == CGROUP_NONE)
		return cgroup_check_host(h, err);
	full = bk_asprintf("%s%s", h->mount, path);
	if (rmdir(full) < 0 && errno != ENOENT) {
		int rc;

		if (errno != EBUSY)
			return bk_err_set(err, BK_ERR_IO, errno, "remove cgroup '%s'", path);
		rc = remove_busy(h, path, full, timeout_ms, err);
		if (rc < 0)
			return rc;
	}
	keep = top_len ? strlen(h->mount) + top_len : strlen(full);
	while (strlen(full) > keep) {
		*strrchr(full, '/') = '\0';
		if (rmdir(full) == 0 || errno == ENOENT)
			continue;
		if (errno == EBUSY || errno == EACCES || errno == EPERM)
			break; /* another container's */
		return bk_err_set(err, BK_ERR_IO, errno, "remove cgroup '%s'", full + strlen(h->mount));
	}
	return 0;
}

int cgroup_check_name(const char *name, struct bk_err **err)
{
	if (!*name || *name == '.' || strpbrk(name, "/\n") || strlen(name) > NAME_MAX ||
	    bk_skip_prefix(name, "cgroup."))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' can't be the name of a cgroup", name);
	return 0;
}

int cgroup_delegate(int dirfd, uid_t uid, gid_t gid, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autostrv char **names = NULL;
	int rc;

	rc = bk_file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", &text, err);
	if (rc == -BK_ERR_NOT_FOUND) { /* config-linux.md says what it stands for then */
		if (err)
			bk_err_clear(err);
		bk_buf_adds(&text, "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n");
		rc = 0;
	}
	if (rc < 0)
		return rc;
	if (fchown(dirfd, uid, gid) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "give the cgroup to user %u", uid);
	names = bk_strv_split(bk_buf_str(&text), "\n");
	for (char **name = names; name && *name; name++) {
		/*
		 * the list names what this kernel can have; a cgroup has what its controllers
		 * bring
		 */
		if (strchr(*name, '/') ||
		    fchownat(dirfd, *name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
			continue;
		return bk_err_set(err, BK_ERR_IO, errno, "give '%s' of the cgroup to user %u",
				  *name, uid);
	}
	return 0;
}

int cgroup_enable_all(int dirfd, struct bk_err **err)
{
	bk_autobuf struct bk_buf have = BK_BUF_INIT(BK_BUF_SMALL), text = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autostrv char **names = NULL;
	int rc = bk_file_read(dirfd, "cgroup.controllers", &have, err);

	if (rc < 0)
		return rc;
	names = bk_strv_split(bk_buf_str(&have), " \n");
	for (char **name = names; name && *name; name++)
		bk_buf_printf(&text, "%s+%s", text.len ? " " : "", *name);
	return text.len ? bk_file_put(dirfd, "cgroup.subtree_control", bk_buf_str(&text), err) : 0;
}

int cgroup_delegate_below(int dirfd, const char *name, pid_t pid, uid_t owner, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc;

	/* a cgroup that was there before, and is empty, may have had one of this name */
	if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make cgroup '%s'", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open cgroup '%s'", name);
	rc = cgroup_join(fd, pid, err);
	if (rc == 0)
		rc = cgroup_enable_all(dirfd, err);
	/* now that the files of the controllers are there */
	if (rc == 0 && owner)
		rc = cgroup_delegate(fd, owner, (gid_t)-1, err);
	return rc;
}
