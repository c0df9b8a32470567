/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "store/store_priv.h"

#define COPY_SIZE     ((size_t)256 << 10)
#define TMP_TRIES     64
#define TMP_NAME_SIZE 64

struct store_writer {
	struct store *store;
	struct bk_digest *digest;
	char *expected;	       /* NULL: any */
	int64_t expected_size; /* -1: any */
	int64_t size;
	bool replace;
	int fd;
	char tmp[TMP_NAME_SIZE]; /* "" once it has its name */
};

static int open_tmp(struct store_writer *w, struct bk_err **err)
{
	for (int i = 0; i < TMP_TRIES; i++) {
		uint64_t salt;

		if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
			return bk_err_set(err, BK_ERR_IO, errno, "get a random number");
		(void)snprintf(w->tmp, sizeof(w->tmp), STORE_INGEST "/%016" PRIx64 ".part", salt);
		w->fd = openat(w->store->fd, w->tmp,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (w->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	w->tmp[0] = '\0';
	return bk_err_set(err, BK_ERR_IO, errno, "make a file in '%s/%s'", w->store->path,
			  STORE_INGEST);
}

int store_writer_new(struct store *s, const char *digest, int64_t size, struct store_writer **ret,
		     struct bk_err **err)
{
	bk_autostorewriter struct store_writer *w = NULL;
	enum bk_digest_alg alg = BK_DIGEST_SHA256;
	int rc = store_writable_(s, err);

	if (rc == 0 && digest)
		rc = bk_digest_parse(digest, &alg, NULL, err);
	if (rc < 0)
		return rc;
	if (size < -1 || size > STORE_BLOB_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "a blob of %" PRId64 " bytes", size);
	w = bk_calloc(1, sizeof(*w));
	w->store = s;
	w->fd = -1;
	w->digest = bk_digest_new(alg);
	w->expected = digest ? bk_strdup(digest) : NULL;
	w->expected_size = size;
	rc = open_tmp(w, err);
	if (rc < 0)
		return rc;
	*ret = bk_steal_ptr(&w);
	return 0;
}

int store_writer_write(struct store_writer *w, const void *data, size_t len, struct bk_err **err)
{
	int64_t max = w->expected_size >= 0 ? w->expected_size : STORE_BLOB_MAX;
	int rc;

	if (len > (uint64_t)(max - w->size))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "blob %s is longer than %" PRId64 " bytes",
				  w->expected ? w->expected : "", max);
	bk_digest_update(w->digest, data, len);
	rc = bk_fd_write_all(w->fd, data, len);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "write '%s/%s'", w->store->path, w->tmp);
	w->size += (int64_t)len;
	return 0;
}

static int sync_dir(const struct store *s, const char *path, struct bk_err **err)
{
	const char *slash = strrchr(path, '/');
	bk_autofree char *dir = bk_strndup(path, (size_t)(slash - path));
	bk_autoclose int fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "sync '%s/%s'", s->path, dir);
	return 0;
}

/* What has a blob's name is whole: the content is on the disk before the name is. */
int store_blob_name_(const struct store *s, int fd, const char *tmp, const char *path,
		     struct bk_err **err)
{
	if (fchmod(fd, 0444) < 0 || fsync(fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "sync '%s/%s'", s->path, tmp);
	/* Not every store has it from the beginning: sha256 is what everybody writes. */
	if (mkdirat(s->fd, "blobs/sha512", 0755) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s/blobs/sha512'", s->path);
	if (renameat(s->fd, tmp, s->fd, path) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "rename '%s' to '%s/%s'", tmp, s->path,
				  path);
	return sync_dir(s, path, err);
}

void store_writer_replace(struct store_writer *w)
{
	w->replace = true;
}

int store_writer_commit(struct store_writer *w, char ret_digest[BK_DIGEST_TEXT_SIZE],
			int64_t *ret_size, struct bk_err **err)
{
	char digest[BK_DIGEST_TEXT_SIZE];
	char path[STORE_BLOB_PATH_MAX];
	int rc;

	if (w->expected_size >= 0 && w->size != w->expected_size)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "blob %s has %" PRId64 " bytes instead of %" PRId64,
				  w->expected ? w->expected : "", w->size, w->expected_size);
	bk_digest_text(w->digest, digest);
	if (w->expected && !bk_streq(digest, w->expected))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "blob %s has the digest %s", w->expected,
				  digest);
	rc = store_blob_path_(digest, path, err);
	if (rc < 0)
		return rc;
	if (w->replace || !store_blob_has(w->store, digest, w->size)) {
		rc = store_blob_name_(w->store, w->fd, w->tmp, path, err);
		if (rc < 0)
			return rc;
		w->tmp[0] = '\0';
	}
	if (ret_digest)
		memcpy(ret_digest, digest, BK_DIGEST_TEXT_SIZE);
	if (ret_size)
		*ret_size = w->size;
	return 0;
}

void store_writer_digest(const struct store_writer *w, char ret_digest[BK_DIGEST_TEXT_SIZE])
{
	bk_digest_text(w->digest, ret_digest);
}

void store_writer_free(struct store_writer *w)
{
	if (!w)
		return;
	if (w->tmp[0])
		(void)unlinkat(w->store->fd, w->tmp, 0);
	bk_close(&w->fd);
	bk_digest_free(w->digest);
	free(w->expected);
	free(w);
}

int store_blob_add(struct store *s, const char *media_type, const void *data, size_t len,
		   struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	bk_autostorewriter struct store_writer *w = NULL;
	char digest[BK_DIGEST_TEXT_SIZE];
	int rc;

	rc = store_writer_new(s, NULL, (int64_t)len, &w, err);
	if (rc == 0)
		rc = store_writer_write(w, data, len, err);
	if (rc == 0)
		rc = store_writer_commit(w, digest, NULL, err);
	if (rc < 0)
		return rc;
	*ret = (struct oci_descriptor){
		.media_type = bk_arena_strdup(arena, media_type),
		.digest = bk_arena_strdup(arena, digest),
		.size = (int64_t)len,
	};
	return 0;
}

int store_blob_add_fd(struct store *s, int fd, const char *digest, int64_t size,
		      char ret_digest[BK_DIGEST_TEXT_SIZE], int64_t *ret_size, struct bk_err **err)
{
	bk_autostorewriter struct store_writer *w = NULL;
	bk_autofree char *buf = bk_malloc(COPY_SIZE);
	int rc = store_writer_new(s, digest, size, &w, err);

	while (rc == 0) {
		ssize_t n = bk_fd_read_full(fd, buf, COPY_SIZE);

		if (n < 0)
			return bk_err_set(err, BK_ERR_IO, (int)-n, "read a blob");
		if (n == 0)
			return store_writer_commit(w, ret_digest, ret_size, err);
		rc = store_writer_write(w, buf, (size_t)n, err);
	}
	return rc;
}

int store_blob_open(const struct store *s, const char *digest, int64_t size, int *ret_fd,
		    int64_t *ret_size, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	char path[STORE_BLOB_PATH_MAX];
	struct stat st;
	int rc = store_blob_path_(digest, path, err);

	if (rc < 0)
		return rc;
	/* A FIFO or a link put there by somebody else must neither hold us nor lead us away. */
	fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "blob %s is not in the store", digest);
	if (fd < 0 || fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open blob %s", digest);
	if (!S_ISREG(st.st_mode))
		return bk_err_set(err, BK_ERR_IO, EINVAL, "blob %s is no regular file", digest);
	if (size >= 0 && st.st_size != size)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "blob %s has %" PRId64 " bytes instead of %" PRId64, digest,
				  (int64_t)st.st_size, size);
	if (ret_size)
		*ret_size = st.st_size;
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

bool store_blob_has(const struct store *s, const char *digest, int64_t size)
{
	char path[STORE_BLOB_PATH_MAX];
	struct stat st;

	return store_blob_path_(digest, path, NULL) == 0 &&
	       fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (size < 0 || st.st_size == size);
}

/* Its size is known: the end need not be looked for, which is one call in five of a list of images. */
static int read_known(int fd, size_t size, struct bk_buf *out, const char *digest,
		      struct bk_err **err)
{
	size_t room = 0;
	char *to = size ? bk_buf_room(out, size, &room) : NULL;
	ssize_t n;

	if (room < size)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "no room for blob %s", digest);
	n = size ? bk_fd_read_full(fd, to, size) : 0;
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, (int)-n, "read '%s'", digest);
	bk_buf_extend(out, (size_t)n);
	return 0;
}

int store_blob_read(const struct store *s, const struct oci_descriptor *d, struct bk_buf *out,
		    struct bk_err **err)
{
	bk_autoclose int fd = -1;
	char digest[BK_DIGEST_TEXT_SIZE];
	enum bk_digest_alg alg;
	int rc;

	if (d->size < 0 || (uint64_t)d->size > out->max)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "document %s of %" PRId64 " bytes: at most %zu are read",
				  d->digest, d->size, out->max);
	rc = bk_digest_parse(d->digest, &alg, NULL, err);
	if (rc == 0)
		rc = store_blob_open(s, d->digest, d->size, &fd, NULL, err);
	if (rc == 0)
		rc = read_known(fd, (size_t)d->size, out, d->digest, err);
	if (rc < 0)
		return rc;
	bk_digest_of(alg, out->data ? out->data : "", out->len, digest);
	if (!bk_streq(digest, d->digest))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "blob %s is damaged: its digest is %s",
				  d->digest, digest);
	return 0;
}

int store_blob_each(const struct store *s, enum bk_digest_alg alg,
		    void (*each)(void *ctx, const char *digest, enum bk_digest_alg alg), void *ctx, struct bk_err **err)
{
	bk_autofree char *path = bk_asprintf("blobs/%s", bk_digest_alg_name(alg));
	int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bk_autoclosedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		int saved = errno;

		bk_close(&fd);
		return saved == ENOENT ? 0 : bk_err_set(err, BK_ERR_IO, saved, "read '%s/%s'", s->path, path);
	}
	while ((errno = 0, e = readdir(dir)) != NULL) {
		char digest[sizeof(e->d_name) + 16];

		(void)snprintf(digest, sizeof(digest), "%s:%s", bk_digest_alg_name(alg), e->d_name);
		if (bk_digest_parse(digest, NULL, NULL, NULL) == 0)
			each(ctx, digest, alg);
	}
	return errno == 0 ? 0 : bk_err_set(err, BK_ERR_IO, errno, "read '%s/%s'", s->path, path);
}
