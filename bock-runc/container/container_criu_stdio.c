/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "codec/bk_doc.h"
#include "codec/bk_json.h"
#include "container/container_criu.h"

#define LINK_MAX_	4096
#define MOUNTINFO_MAX	((size_t)16 << 20)
#define MEM_MAJOR	1	/* null, zero, ...: criu treats them as files */
#define NULL_MINOR	3
#define NULL_PATH	"/dev/null"

struct list {
	char **names;
};

static const struct bk_doc_field list_fields[] = {
	BK_DOC_STRV_F(struct list, names, "descriptors", BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type list_type = BK_DOC_TYPE(struct list, list_fields);

bool container_criu_is_outside(const char *name)
{
	return bk_skip_prefix(name, "pipe:[") || bk_skip_prefix(name, "file[");
}

/* A process that has ended meanwhile, or a descriptor that it has closed. */
static bool is_gone(int errnum)
{
	return errnum == ENOENT || errnum == ESRCH;
}

/* Which ends of the pipe a process has: 1 to read from, 2 to write to. < 0: it can't be said. */
static int ends_of(pid_t pid, const char *pipe, struct bk_err **err)
{
	bk_autoclosedir DIR *d = NULL;
	struct dirent *e;
	char path[40], link[64];
	int ends = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (!d && !is_gone(errno))
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", path);
	errno = 0;
	for (; d && (e = readdir(d)); errno = 0) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		struct stat st;

		if (n <= 0)
			continue;
		link[n] = '\0';
		/* the link's own mode says what it was opened for */
		if (!bk_streq(link, pipe) ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		ends |= (st.st_mode & 0400 ? 1 : 0) | (st.st_mode & 0200 ? 2 : 0);
	}
	if (d && errno && !is_gone(errno))
		return bk_err_set(err, BK_ERR_IO, errno, "read '%s'", path);
	return ends;
}

static int is_inside(const char *pipe, const pid_t *pids, size_t n, bool *ret, struct bk_err **err)
{
	int ends = 0;

	for (size_t i = 0; i < n && ends != 3; i++) {
		int more = ends_of(pids[i], pipe, err);

		if (more < 0)
			return more;
		ends |= more;
	}
	*ret = ends == 3;
	return 0;
}

/* "mnt_id:\tN" of /proc/PID/fdinfo/FD. 1; 0: it is not there; < 0: it can't be said. */
static int mount_of(pid_t pid, int fd, uint32_t *ret, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc;
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	char path[64], *line, *save = NULL;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	rc = bk_file_read(AT_FDCWD, path, &b, &e);
	if (rc < 0 && !is_gone(bk_err_errno(e))) {
		bk_err_move(err, e);
		return rc;
	}
	bk_err_clear(&e);
	if (rc < 0 || !b.data)
		return 0;
	for (line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *value = bk_skip_prefix(line, "mnt_id:");

		if (value)
			return bk_num_u32(value + strspn(value, "\t "), INT32_MAX, ret, NULL) == 0;
	}
	return 0;
}

/* Whether the process' mount namespace has that mount. */
static int has_mount(pid_t pid, uint32_t id, bool *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(MOUNTINFO_MAX);
	bk_autofree char *start = bk_asprintf("%u ", id);
	char path[40];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	rc = bk_file_read(AT_FDCWD, path, &b, err);
	if (rc < 0)
		return rc;
	*ret = false;
	for (const char *line = bk_buf_str(&b); line && !*ret; line = strchr(line, '\n')) {
		line += *line == '\n';
		*ret = bk_skip_prefix(line, start) != NULL;
	}
	return 0;
}

static int name_of(pid_t pid, int fd, const pid_t *pids, size_t n_pids, struct bk_arena *arena,
		   struct container_criu_stream *ret, struct bk_err **err)
{
	char path[40], link[LINK_MAX_];
	struct stat st;
	bool inside = true;
	uint32_t mount = 0;
	ssize_t n;
	int rc = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0 && errno == ENOENT) {
		ret->name = "";
		return 0;
	}
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read link '%s'", path);
	link[n] = '\0';
	ret->name = bk_arena_strdup(arena, link);
	if (bk_skip_prefix(link, "pipe:[")) {
		rc = is_inside(link, pids, n_pids, &inside, err);
		if (rc == 0 && inside)
			ret->name = "";
		return rc;
	}
	if (stat(path, &st) < 0)
		return is_gone(errno) ? 0 : bk_err_set(err, BK_ERR_IO, errno, "look at '%s'", path);
	if (!(S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && major(st.st_rdev) == MEM_MAJOR)))
		return 0;
	rc = mount_of(pid, fd, &mount, err);
	if (rc > 0)
		rc = has_mount(pid, mount, &inside, err);
	if (rc < 0 || inside)
		return rc;
	ret->name = bk_arena_printf(arena, "file[%x:%lx]", mount, (unsigned long)st.st_ino);
	ret->null = S_ISCHR(st.st_mode) && minor(st.st_rdev) == NULL_MINOR;
	return 0;
}

int container_criu_stdio(pid_t pid, const pid_t *pids, size_t n_pids, struct bk_arena *arena,
			 struct container_criu_stream ret[CONTAINER_CRIU_STDIO], struct bk_err **err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < CONTAINER_CRIU_STDIO; i++) {
		ret[i] = (struct container_criu_stream){ .name = "" };
		rc = name_of(pid, i, pids, n_pids, arena, &ret[i], err);
	}
	return rc;
}

int container_criu_stdio_write(int dir, const struct container_criu_stream s[CONTAINER_CRIU_STDIO],
			       struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CONTAINER_CRIU_FDS_MAX);
	int rc;

	/* a path may be no UTF-8; whoever reads this looks at none */
	for (int i = 0; i < CONTAINER_CRIU_STDIO; i++) {
		(void)bk_buf_addc(&b, i ? ',' : '[');
		bk_json_quote(&b, s[i].name);
	}
	for (int i = 0; i < CONTAINER_CRIU_STDIO; i++) {
		(void)bk_buf_addc(&b, ',');
		bk_json_quote(&b, s[i].null ? NULL_PATH : "");
	}
	(void)bk_buf_addc(&b, ']');
	rc = bk_buf_check(&b, CONTAINER_CRIU_FDS, err);
	if (rc < 0)
		return rc;
	return bk_file_write_atomic(dir, CONTAINER_CRIU_FDS, b.data, b.len, 0600, false, err);
}

/* The document is an array, and tables know these inside of an object only. */

int container_criu_stdio_read(int dir, struct bk_arena *arena,
			      struct container_criu_stream ret[CONTAINER_CRIU_STDIO], struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CONTAINER_CRIU_FDS_MAX);
	bk_autobuf struct bk_buf doc = BK_BUF_INIT(CONTAINER_CRIU_FDS_MAX + 64);
	struct list list = { 0 };
	int rc = bk_file_read(dir, CONTAINER_CRIU_FDS, &b, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "the images");
	bk_buf_printf(&doc, "{\"descriptors\":%s}", bk_buf_str(&b));
	rc = bk_buf_check(&doc, CONTAINER_CRIU_FDS, err);
	if (rc == 0)
		rc = bk_json_decode(&list_type, CONTAINER_CRIU_FDS, bk_buf_str(&doc), doc.len,
				    &bk_doc_limits_oci, arena, &list, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0, n = bk_strv_len(list.names); i < CONTAINER_CRIU_STDIO; i++) {
		ret[i].name = i < n ? list.names[i] : "";
		ret[i].null = i + CONTAINER_CRIU_STDIO < n &&
			      bk_streq(list.names[i + CONTAINER_CRIU_STDIO], NULL_PATH);
	}
	return 0;
}
