/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_part.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "store/store_priv.h"

#define READ_SIZE ((size_t)256 << 10)
#define NAME_SIZE 224

struct store_part {
	struct store *store;
	char *expected;
	enum bk_digest_alg alg;
	struct bk_digest *digest; /* of the first `hashed` bytes */
	int64_t hashed;
	int64_t size;
	size_t n;	       /* segments */
	int64_t *there;	       /* bytes of each */
	int fd, map;	       /* map -1: one segment only, which needs none */
	bool committed;
	char path[NAME_SIZE], map_path[NAME_SIZE];
};

static int64_t segment_size(const struct store_part *p, size_t i)
{
	int64_t left = p->size - (int64_t)i * STORE_PART_SEGMENT;

	return left < STORE_PART_SEGMENT ? left : STORE_PART_SEGMENT;
}

static bool whole(const struct store_part *p, size_t i)
{
	return p->there[i] == segment_size(p, i);
}

bool store_part_has(const struct store_part *p, int64_t offset)
{
	return whole(p, (size_t)(offset / STORE_PART_SEGMENT));
}

int64_t store_part_bytes(const struct store_part *p)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		sum += p->there[i];
	return sum;
}

static int open_file(const struct store_part *p, const char *path, int *ret, struct bk_err **err)
{
	int fd = openat(p->store->fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", p->store->path, path);
	*ret = fd;
	if (fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "look at '%s/%s'", p->store->path, path);
	if (!S_ISREG(st.st_mode))
		return bk_err_set(err, BK_ERR_IO, EINVAL, "'%s/%s' is no regular file",
				  p->store->path, path);
	return 0;
}

int store_part_restart(struct store_part *p, struct bk_err **err)
{
	bk_digest_free(p->digest);
	p->digest = bk_digest_new(p->alg);
	p->hashed = 0;
	memset(p->there, 0, p->n * sizeof(*p->there));
	if ((p->map >= 0 && ftruncate(p->map, 0) < 0) || ftruncate(p->fd, 0) < 0 ||
	    ftruncate(p->fd, p->size) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "empty '%s/%s'", p->store->path, p->path);
	return 0;
}

/* What an earlier run left: the map says, if the file has the right size. */
static int resume(struct store_part *p, struct bk_err **err)
{
	bk_autofree char *map = bk_calloc(p->n, 1);
	struct stat st;

	if (p->map < 0 || fstat(p->fd, &st) < 0 || st.st_size != p->size)
		return store_part_restart(p, err);
	if (pread(p->map, map, p->n, 0) < 0)
		return store_part_restart(p, err);
	for (size_t i = 0; i < p->n; i++)
		if (map[i] == '+')
			p->there[i] = segment_size(p, i);
	return 0;
}

/* The file that we locked may have become a blob, or have gone, before we had the lock. */
static int lock(const struct store_part *p, bool *ret_ours, struct bk_err **err)
{
	struct stat here, there;

	if (flock(p->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return 0;
		return bk_err_set(err, BK_ERR_IO, errno, "lock '%s/%s'", p->store->path, p->path);
	}
	if (fstat(p->fd, &here) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "look at '%s/%s'", p->store->path, p->path);
	if (fstatat(p->store->fd, p->path, &there, AT_SYMLINK_NOFOLLOW) < 0)
		/* What can't be looked at must not be waited for. */
		return errno == ENOENT ? 0 :
					 bk_err_set(err, BK_ERR_IO, errno, "look for '%s/%s'",
						    p->store->path, p->path);
	*ret_ours = here.st_ino == there.st_ino && here.st_dev == there.st_dev;
	return 0;
}

int store_part_open(struct store *s, const char *digest, int64_t size, struct store_part **ret,
		    struct bk_err **err)
{
	bk_autostorepart struct store_part *p = NULL;
	const char *hex;
	enum bk_digest_alg alg;
	bool ours = false;
	int rc = store_writable_(s, err);

	if (rc == 0)
		rc = bk_digest_parse(digest, &alg, &hex, err);
	if (rc < 0)
		return rc;
	if (size < 0 || size > STORE_BLOB_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "blob %s of %" PRId64 " bytes", digest,
				  size);
	p = bk_calloc(1, sizeof(*p));
	p->store = s;
	p->committed = true; /* until it is locked it is not ours to remove */
	p->fd = p->map = -1;
	p->expected = bk_strdup(digest);
	p->alg = alg;
	p->digest = bk_digest_new(alg);
	p->size = size;
	p->n = (size_t)((size + STORE_PART_SEGMENT - 1) / STORE_PART_SEGMENT);
	p->there = bk_calloc(p->n ? p->n : 1, sizeof(*p->there));
	(void)snprintf(p->path, sizeof(p->path), STORE_INGEST "/%s-%s.part",
		       bk_digest_alg_name(alg), hex);
	(void)snprintf(p->map_path, sizeof(p->map_path), STORE_INGEST "/%s-%s.map.part",
		       bk_digest_alg_name(alg), hex);
	rc = open_file(p, p->path, &p->fd, err);
	if (rc < 0)
		return rc;
	rc = lock(p, &ours, err);
	if (rc < 0 || !ours) {
		if (rc == 0)
			*ret = NULL;
		return rc;
	}
	p->committed = false;
	if (p->n > 1)
		rc = open_file(p, p->map_path, &p->map, err);
	if (rc == 0)
		rc = resume(p, err);
	if (rc < 0)
		return rc;
	*ret = bk_steal_ptr(&p);
	return 0;
}

/* The digest goes on over what is there from the front. */
static int hash_on(struct store_part *p, struct bk_err **err)
{
	bk_autofree char *buf = NULL;

	for (;;) {
		size_t i = (size_t)(p->hashed / STORE_PART_SEGMENT);
		int64_t end;
		ssize_t n;

		if (i >= p->n || !whole(p, i))
			return 0;
		end = (int64_t)i * STORE_PART_SEGMENT + segment_size(p, i);
		if (p->hashed == end)
			return 0;
		if (!buf)
			buf = bk_malloc(READ_SIZE);
		n = pread(p->fd, buf,
			  (uint64_t)(end - p->hashed) < READ_SIZE ? (size_t)(end - p->hashed) :
								    READ_SIZE,
			  p->hashed);
		if (n <= 0)
			return bk_err_set(err, BK_ERR_IO, n < 0 ? errno : EIO, "read '%s/%s'",
					  p->store->path, p->path);
		bk_digest_update(p->digest, buf, (size_t)n);
		p->hashed += n;
	}
}

/* Notes that `len` bytes more of segment i are there; a whole one is in the map. */
static int note(struct store_part *p, size_t i, int64_t len, struct bk_err **err)
{
	p->there[i] += len;
	if (p->map >= 0 && whole(p, i) && pwrite(p->map, "+", 1, (off_t)i) != 1)
		return bk_err_set(err, BK_ERR_IO, errno, "write '%s/%s'", p->store->path,
				  p->map_path);
	return 0;
}

int store_part_write(struct store_part *p, int64_t offset, const void *data, size_t len,
		     struct bk_err **err)
{
	const char *s = data;
	int rc = 0;

	if (offset < 0 || (int64_t)len > p->size - offset)
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "blob %s is longer than %" PRId64 " bytes",
				  p->expected, p->size);
	while (rc == 0 && len > 0) {
		size_t i = (size_t)(offset / STORE_PART_SEGMENT);
		int64_t room = (int64_t)(i + 1) * STORE_PART_SEGMENT - offset;
		size_t part = (int64_t)len < room ? len : (size_t)room;
		ssize_t n = pwrite(p->fd, s, part, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return bk_err_set(err, BK_ERR_IO, errno, "write '%s/%s'", p->store->path,
					  p->path);
		if (offset == p->hashed) {
			bk_digest_update(p->digest, s, (size_t)n);
			p->hashed += n;
		}
		s += n;
		offset += n;
		len -= (size_t)n;
		rc = note(p, i, n, err);
		if (rc == 0 && whole(p, i))
			rc = hash_on(p, err);
	}
	return rc;
}

int store_part_commit(struct store_part *p, struct bk_err **err)
{
	char digest[BK_DIGEST_TEXT_SIZE];
	char path[STORE_BLOB_PATH_MAX];
	int rc = hash_on(p, err);

	if (rc == 0)
		rc = store_blob_path_(p->expected, path, err);
	if (rc < 0)
		return rc;
	if (p->hashed != p->size)
		return bk_err_set(err, BK_ERR_INTERNAL, 0,
				  "blob %s: %" PRId64 " of %" PRId64 " bytes are there",
				  p->expected, p->hashed, p->size);
	bk_digest_text(p->digest, digest);
	if (!bk_streq(digest, p->expected)) {
		rc = store_part_restart(p, err);
		return rc < 0 ? rc :
				bk_err_set(err, BK_ERR_REGISTRY, 0, "blob %s has the digest %s",
					   p->expected, digest);
	}
	rc = store_blob_name_(p->store, p->fd, p->path, path, err);
	if (rc < 0)
		return rc;
	p->committed = true;
	if (p->map >= 0)
		(void)unlinkat(p->store->fd, p->map_path, 0);
	return 0;
}

/* Whether another run could go on with it. */
static bool worth_keeping(const struct store_part *p)
{
	for (size_t i = 0; p->map >= 0 && i < p->n; i++)
		if (whole(p, i))
			return true;
	return false;
}

void store_part_free(struct store_part *p)
{
	if (!p)
		return;
	if (!p->committed && p->fd >= 0 && !worth_keeping(p)) {
		(void)unlinkat(p->store->fd, p->path, 0);
		if (p->map >= 0)
			(void)unlinkat(p->store->fd, p->map_path, 0);
	}
	bk_close(&p->fd);
	bk_close(&p->map);
	bk_digest_free(p->digest);
	free(p->there);
	free(p->expected);
	free(p);
}
