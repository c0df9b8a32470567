/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_str.h"
#include "digest/bk_digest.h"
#include "store/store_priv.h"

static char leased_mark; /* its address is every value of the map */

/* ---- one's own ---------------------------------------------------------------------------------- */

static int make_file(struct store *s, struct bk_err **err)
{
	uint64_t salt;
	int rc;

	if (mkdirat(s->fd, STORE_LEASES, 0700) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s/%s'", s->path, STORE_LEASES);
	if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return bk_err_set(err, BK_ERR_IO, errno, "get a random number");
	(void)snprintf(s->leased_name, sizeof(s->leased_name), STORE_LEASES "/%016" PRIx64, salt);
	s->leased = openat(s->fd, s->leased_name,
			   O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->leased < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s/%s'", s->path, s->leased_name);
	rc = store_flock_(s->leased, LOCK_EX, 0);
	if (rc == 0)
		return 0;
	store_lease_drop_(s);
	return bk_err_set(err, BK_ERR_IO, -rc, "lock '%s/%s'", s->path, s->leased_name);
}

void store_lease_drop_(struct store *s)
{
	if (s->leased < 0)
		return;
	(void)unlinkat(s->fd, s->leased_name, 0);
	bk_close(&s->leased);
}

int store_lease_begin(struct store *s, const char *const *digests, size_t n, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_LEASE_MAX);
	int rc = store_writable_(s, err);

	for (size_t i = 0; i < n; i++)
		bk_buf_printf(&text, "%s\n", digests[i]);
	if (rc == 0)
		rc = bk_buf_check(&text, "a lease", err);
	if (rc == 0 && s->leased < 0)
		rc = make_file(s, err);
	if (rc < 0)
		return rc;
	rc = bk_fd_write_all(s->leased, bk_buf_str(&text), text.len);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "write '%s/%s'", s->path, s->leased_name);
	if (flock(s->lease, LOCK_UN) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "unlock '%s/%s'", s->path, STORE_LEASE);
	return 0;
}

int store_lease_end(struct store *s, struct bk_err **err)
{
	int rc = store_flock_(s->lease, LOCK_SH, STORE_LEASE_WAIT_MS);

	return rc == 0 ? 0
		       : bk_err_set(err, BK_ERR_IO, -rc, "wait for the gc that holds '%s/%s'",
				    s->path, STORE_LEASE);
}

/* ---- those of all ------------------------------------------------------------------------------- */

static int mark_lines(const struct store *s, int fd, const char *name, struct bk_map *leased,
		      struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_LEASE_MAX);
	int rc = bk_fd_read_buf(fd, &text, name, err);
	char *line, *rest;

	if (rc < 0)
		return bk_err_wrap(err, rc, "lease '%s/%s/%s'", s->path, STORE_LEASES, name);
	for (line = text.len ? text.data : NULL; line && *line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		if (bk_digest_parse(line, NULL, NULL, NULL) == 0)
			(void)bk_map_set(leased, line, &leased_mark);
	}
	return 0;
}

/* leased NULL: removes what is nobody's; else marks what is somebody's. */
static int look_at(const struct store *s, DIR *dir, const char *name, struct bk_map *leased,
		   struct bk_err **err)
{
	bk_autoclose int fd = openat(dirfd(dir), name,
				     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return errno == ENOENT ? 0
				       : bk_err_set(err, BK_ERR_IO, errno, "open lease '%s/%s/%s'",
						    s->path, STORE_LEASES, name);
	/* Shared, so that two who look do not take each other for its owner. */
	rc = store_flock_(fd, LOCK_SH, 0);
	if (rc < 0 && rc != -EWOULDBLOCK)
		return bk_err_set(err, BK_ERR_IO, -rc, "lock lease '%s/%s/%s'", s->path,
				  STORE_LEASES, name);
	if (leased)
		return rc == 0 ? 0 : mark_lines(s, fd, name, leased, err);
	if (rc == 0 && unlinkat(dirfd(dir), name, 0) < 0 && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "remove lease '%s/%s/%s'", s->path,
				  STORE_LEASES, name);
	return 0;
}

static int each(const struct store *s, struct bk_map *leased, struct bk_err **err)
{
	int fd = openat(s->fd, STORE_LEASES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bk_autoclosedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int rc = 0;

	if (!dir) {
		int saved = errno;

		bk_close(&fd);
		return saved == ENOENT ? 0
				       : bk_err_set(err, BK_ERR_IO, saved, "read '%s/%s'", s->path,
						    STORE_LEASES);
	}
	while (rc == 0 && (errno = 0, e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		rc = look_at(s, dir, e->d_name, leased, err);
	}
	if (rc == 0 && !e && errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read '%s/%s'", s->path, STORE_LEASES);
	return rc;
}

int store_lease_mark(const struct store *s, struct bk_map *leased, struct bk_err **err)
{
	return each(s, leased, err);
}

int store_lease_sweep(const struct store *s, struct bk_err **err)
{
	return each(s, NULL, err);
}
