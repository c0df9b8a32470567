/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "sys/sys_words.h"

#define UNIFIED_MOUNT "/sys/fs/cgroup"
#define HYBRID_MOUNT  "/sys/fs/cgroup/unified"
#define SELF_CGROUP   "/proc/self/cgroup"

void cgroup_find_at(const char *mount, struct cgroup_host *ret)
{
	struct statfs st;
	bool known = statfs(mount, &st) == 0;
	bool found = known && st.f_type == CGROUP2_SUPER_MAGIC;

	*ret = (struct cgroup_host){
		.kind = found ? CGROUP_UNIFIED : CGROUP_NONE,
		.mount = found ? mount : NULL,
		.errnum = known || errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : errno,
	};
}

void cgroup_find(struct cgroup_host *ret)
{
	cgroup_find_at(UNIFIED_MOUNT, ret);
	if (ret->kind != CGROUP_NONE || ret->errnum)
		return;
	cgroup_find_at(HYBRID_MOUNT, ret);
	if (ret->kind != CGROUP_NONE)
		ret->kind = CGROUP_HYBRID;
}

int cgroup_check_host(const struct cgroup_host *h, struct bk_err **err)
{
	if (h->kind == CGROUP_NONE && h->errnum)
		return bk_err_set(err, BK_ERR_IO, h->errnum, "look for cgroup version 2 on %s and %s",
				  UNIFIED_MOUNT, HYBRID_MOUNT);
	return 0;
}

char *cgroup_in_text(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *path;

		if (*line == '\n')
			line++;
		path = bk_skip_prefix(line, "0::");
		if (path)
			return bk_strndup(path, strcspn(path, "\n"));
	}
	return NULL;
}

int cgroup_of(pid_t pid, char **ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autofree char *file = pid ? bk_asprintf("/proc/%d/cgroup", (int)pid) : bk_strdup(SELF_CGROUP);
	char *path;
	int rc;

	rc = bk_file_read(AT_FDCWD, file, &text, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "find the cgroup of a process");
	path = cgroup_in_text(bk_buf_str(&text));
	if (!path)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "%s has no line of cgroup version 2", file);
	*ret = path;
	return 0;
}

/* As seen from the root of our cgroup namespace, so "/.." in front stands for what is above it. */
static int parent_of_own(char **ret, struct bk_err **err)
{
	bk_autofree char *own = NULL, *clean = NULL;
	int rc = cgroup_of(0, &own, err);

	if (rc < 0)
		return rc;
	clean = bk_path_clean(own);
	*ret = bk_path_dir(clean);
	return 0;
}

static int check_path(const char *path, struct bk_err **err)
{
	unsigned int depth = 0;

	for (const char *p = path; *p; p++)
		depth += *p == '/';
	if (strlen(path) >= CGROUP_PATH_MAX || depth > CGROUP_DEPTH_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.cgroupsPath: more than %d bytes or %d components",
				  CGROUP_PATH_MAX - 1, CGROUP_DEPTH_MAX);
	if (bk_streq(path, "/"))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.cgroupsPath: a container cannot have the root cgroup");
	return 0;
}

int cgroup_path(const struct cgroup_host *h, const char *cgroups_path, const char *id,
		bool rootless, char **ret_path, struct bk_err **err)
{
	bk_autofree char *joined = NULL, *clean = NULL;
	bool unset = !cgroups_path || !cgroups_path[0];
	int rc = cgroup_check_host(h, err);

	if (rc < 0)
		return rc;
	if (h->kind == CGROUP_NONE)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "no cgroup version 2 hierarchy on %s or %s", UNIFIED_MOUNT,
				  HYBRID_MOUNT);
	if (!unset && cgroups_path[0] == '/') {
		joined = bk_strdup(cgroups_path);
	} else if (unset && !rootless) {
		joined = bk_path_join("/", id);
	} else {
		bk_autofree char *parent = NULL, *below = NULL, *rooted = NULL;

		rc = parent_of_own(&parent, err);
		if (rc < 0)
			return rc;
		/* cleaned on its own first: ".." must not climb out of the point that we chose */
		rooted = bk_path_join("/", unset ? id : cgroups_path);
		below = bk_path_clean(rooted);
		joined = bk_asprintf("%s%s", parent, below);
	}
	clean = bk_path_clean(joined);
	rc = check_path(clean, err);
	if (rc < 0)
		return rc;
	*ret_path = bk_steal_ptr(&clean);
	return 0;
}

static char *full_path(const struct cgroup_host *h, const char *path)
{
	return bk_asprintf("%s%s", h->mount, path);
}

int cgroup_open(const struct cgroup_host *h, const char *path, int *ret_dirfd, struct bk_err **err)
{
	bk_autofree char *full = NULL;
	int fd, rc = cgroup_check_host(h, err);

	if (rc < 0)
		return rc;
	if (h->kind == CGROUP_NONE)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "no cgroup version 2 hierarchy");
	full = full_path(h, path);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, errno == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errno,
				  "open cgroup '%s'", path);
	*ret_dirfd = fd;
	return 0;
}

/* Removes path up to its first top_len bytes, as far as it goes; full is the path from "/". */
static void remove_parents(char *full, size_t mount_len, size_t top_len)
{
	while (strlen(full) > mount_len + top_len) {
		*strrchr(full, '/') = '\0';
		if (strlen(full) < mount_len + top_len || rmdir(full) < 0)
			break;
	}
}

/* Makes what is missing of full, from the left; *ret_top_len as cgroup_make gives it. */
static int make_all(char *full, size_t mount_len, size_t *ret_top_len, bool *ret_made_last,
		    struct bk_err **err)
{
	size_t top_len = 0;

	for (char *p = full + mount_len + 1;; p++) {
		char end = *p;
		int errnum = 0;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (mkdir(full, 0755) < 0)
			errnum = errno;
		else if (top_len == 0)
			top_len = (size_t)(p - full) - mount_len;
		if (errnum && errnum != EEXIST) {
			int rc = bk_err_set(err, BK_ERR_IO, errnum, "make cgroup '%s'",
					    full + mount_len);

			if (top_len)
				remove_parents(full, mount_len, top_len);
			return rc;
		}
		*p = end;
		if (end == '\0') {
			*ret_made_last = errnum == 0;
			break;
		}
	}
	*ret_top_len = top_len;
	return 0;
}

static int check_existing(int dirfd, struct bk_err **err)
{
	bool populated, frozen;
	int rc = cgroup_events(dirfd, &populated, &frozen, err);

	if (rc < 0)
		return rc;
	if (populated) {
		bk_autofree pid_t *pids = NULL;
		size_t n = 0;

		rc = cgroup_procs(dirfd, true, &pids, &n, err);
		if (rc < 0)
			return rc;
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  SYS_WORD_CGROUP_NOT_EMPTY ": %zu process(es) found", n);
	}
	if (frozen)
		return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_CGROUP_FROZEN);
	return 0;
}

int cgroup_make(const struct cgroup_host *h, const char *path, int *ret_dirfd, size_t *ret_top_len,
		struct bk_err **err)
{
	bk_autofree char *full = NULL;
	bk_autoclose int fd = -1;
	size_t mount_len, top_len = 0;
	bool made;
	int rc = cgroup_check_host(h, err);

	if (rc < 0)
		return rc;
	if (h->kind == CGROUP_NONE)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "no cgroup version 2 hierarchy");
	full = full_path(h, path);
	mount_len = strlen(h->mount);
	/* most of the time only the last component is missing */
	made = mkdir(full, 0755) == 0;
	if (made) {
		top_len = strlen(path);
	} else if (errno == ENOENT) {
		rc = make_all(full, mount_len, &top_len, &made, err);
		if (rc < 0)
			return rc;
	} else if (errno != EEXIST) {
		return bk_err_set(err, BK_ERR_IO, errno, "make cgroup '%s'", path);
	}
	rc = cgroup_open(h, path, &fd, err);
	if (rc == 0 && !made)
		rc = bk_err_wrap(err, check_existing(fd, err), "cgroup '%s'", path);
	if (rc < 0) {
		if (made && rmdir(full) == 0)
			remove_parents(full, mount_len, top_len);
		return rc;
	}
	*ret_dirfd = bk_steal_fd(&fd);
	*ret_top_len = top_len;
	return 0;
}
