/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "digest/bk_digest.h"
#include "oci/oci_image.h"
#include "oci/oci_media.h"
#include "store/store_priv.h"

#define LOCK_POLL_MS 20

static const char layout_text[] = "{\"imageLayoutVersion\":\"" STORE_LAYOUT_VERSION "\"}";
static const char index_text[] = "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_INDEX
				 "\",\"manifests\":[]}";

int store_blob_path_(const char *digest, char path[STORE_BLOB_PATH_MAX], struct bk_err **err)
{
	enum bk_digest_alg alg;
	const char *hex;
	int rc = bk_digest_parse(digest, &alg, &hex, err);

	if (rc < 0)
		return rc;
	(void)snprintf(path, STORE_BLOB_PATH_MAX, "blobs/%s/%s", bk_digest_alg_name(alg), hex);
	return 0;
}

int store_flock_(int fd, int operation, int wait_ms)
{
	const struct timespec poll = { .tv_nsec = LOCK_POLL_MS * 1000000L };

	for (;;) {
		if (flock(fd, operation | LOCK_NB) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || wait_ms <= 0)
			return -errno;
		(void)nanosleep(&poll, NULL);
		wait_ms -= LOCK_POLL_MS;
	}
}

int store_writable_(const struct store *s, struct bk_err **err)
{
	if (s->writable)
		return 0;
	return bk_err_set(err, BK_ERR_INTERNAL, 0, "store '%s' was opened for reading only",
			  s->path);
}

static int make_dir(int fd, const char *name, mode_t mode, struct bk_err **err)
{
	if (mkdirat(fd, name, mode) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s'", name);
	return 0;
}

static bool present(int fd, const char *name)
{
	return faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Sets *ret. What can't be looked at may be there, and an index.json holds the names of all images. */
static int look_for(int fd, const char *name, bool *ret, struct bk_err **err)
{
	*ret = present(fd, name);
	if (!*ret && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "look for '%s'", name);
	return 0;
}

static int make_file(int fd, const char *name, const char *text, struct bk_err **err)
{
	return bk_file_write_atomic(fd, name, text, strlen(text), 0644, true, err);
}

/* A folder that holds something else than a store must not be turned into one. */
static int check_empty(int fd, struct bk_err **err)
{
	bk_autoclosedir DIR *dir = NULL;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;

	if (copy < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open the folder");
	dir = fdopendir(copy);
	if (!dir) {
		int errnum = errno;

		bk_close(&copy);
		return bk_err_set(err, BK_ERR_IO, errnum, "read the folder");
	}
	while ((errno = 0, e = readdir(dir)) != NULL)
		if (!bk_streq(e->d_name, ".") && !bk_streq(e->d_name, "..") &&
		    !bk_streq(e->d_name, "lost+found"))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "it is no image store, and not empty: '%s' is in it",
					  e->d_name);
	return errno == 0 ? 0 : bk_err_set(err, BK_ERR_IO, errno, "read the folder");
}

/* What a store consists of; each step may have been done by somebody else meanwhile. */
static int create(int fd, bool repair, struct bk_err **err)
{
	static const char *const dirs[] = { STORE_PRIVATE, STORE_INGEST, STORE_LEASES, "blobs",
					    "blobs/sha256" };
	bool layout, index;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < BK_ARRAY_SIZE(dirs); i++)
		rc = make_dir(fd, dirs[i], dirs[i][0] == '.' ? 0700 : 0755, err);
	if (rc < 0 || repair)
		return rc;
	rc = look_for(fd, "oci-layout", &layout, err);
	if (rc == 0)
		rc = look_for(fd, "index.json", &index, err);
	if (rc < 0)
		return rc;
	/* To gc all blobs of a store with an empty index are garbage. */
	if (layout && !index) {
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "its index.json, which names its images, is gone");
		return bk_err_hint(err, rc, "'bock-image fsck --repair' makes a new one of its images");
	}
	/* Last of all oci-layout, so that what has it is a store. */
	if (!index)
		rc = make_file(fd, "index.json", index_text, err);
	return rc == 0 && !layout ? make_file(fd, "oci-layout", layout_text, err) : rc;
}

/*
 * Of two that create the same store, the second waits: the lock is taken before anything else is
 * written. A folder with our own one in it is a store whose making was cut short.
 */
static int create_locked(int fd, bool repair, struct bk_err **err)
{
	bk_autoclose int lock = -1;
	int rc;

	if (!present(fd, "oci-layout") && !present(fd, STORE_PRIVATE)) {
		struct bk_err *e = NULL;

		rc = check_empty(fd, &e);
		/* what was seen may be another's beginning, who makes our own folder before anything else */
		if (rc < 0 && !present(fd, STORE_PRIVATE)) {
			bk_err_move(err, e);
			return rc;
		}
		bk_err_clear(&e);
	}
	rc = make_dir(fd, STORE_PRIVATE, 0700, err);
	if (rc < 0)
		return rc;
	lock = openat(fd, STORE_INDEX_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", STORE_INDEX_LOCK);
	rc = store_flock_(lock, LOCK_EX, STORE_LEASE_WAIT_MS);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "lock '%s'", STORE_INDEX_LOCK);
	return create(fd, repair, err);
}

static int check_layout(int fd, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_layout layout;
	int rc = bk_json_decode_file(&oci_layout_type, fd, "oci-layout", &bk_doc_limits_oci, arena,
				     &layout, err);

	if (rc < 0)
		return rc;
	if (!bk_streq(layout.version, STORE_LAYOUT_VERSION))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "image layout version '%s'",
				  layout.version);
	return 0;
}

/* Readers take it too, so that gc leaves them what they read; where they can't, they do without. */
static int take_lease(struct store *s, struct bk_err **err)
{
	bk_autoclose int fd =
		openat(s->fd, STORE_LEASE,
		       (s->writable ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;

	if (fd < 0) {
		if (!s->writable)
			return 0;
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", STORE_LEASE);
	}
	rc = store_flock_(fd, LOCK_SH, STORE_LEASE_WAIT_MS);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "wait for the gc that holds '%s'",
				  STORE_LEASE);
	s->lease = bk_steal_fd(&fd);
	return 0;
}

static int open_store(struct store *s, unsigned int flags, struct bk_err **err)
{
	int rc;

	if (flags & STORE_CREATE) {
		rc = bk_file_mkdirs(s->path, 0700, err);
		if (rc < 0)
			return rc;
	}
	s->fd = open(s->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0)
		return bk_err_set(err, errno == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errno,
				  "open it");
	s->writable = flags & (STORE_CREATE | STORE_WRITE | STORE_REPAIR);
	rc = flags & STORE_CREATE ? create_locked(s->fd, false, err) : 0;
	if (rc == 0)
		rc = check_layout(s->fd, err);
	/* What another tool has made lacks our folder. */
	if (rc == 0 && s->writable && !(flags & STORE_CREATE))
		rc = create_locked(s->fd, flags & STORE_REPAIR, err);
	return rc < 0 ? rc : take_lease(s, err);
}

int store_open(const char *path, unsigned int flags, struct store **ret, struct bk_err **err)
{
	bk_autostore struct store *s = bk_calloc(1, sizeof(*s));
	int rc;

	s->path = bk_strdup(path);
	s->fd = s->lease = s->leased = -1;
	rc = open_store(s, flags, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "image store '%s'", path);
	*ret = bk_steal_ptr(&s);
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_lease_drop_(s);
	bk_close(&s->lease);
	bk_close(&s->fd);
	free(s->path);
	free(s);
}

const char *store_path(const struct store *s)
{
	return s->path;
}

int store_fd(const struct store *s)
{
	return s->fd;
}

int store_default_path(char **ret, struct bk_err **err)
{
	const char *root = getenv("BOCK_IMAGE_ROOT");
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (root && *root)
		*ret = bk_strdup(root);
	else if (geteuid() == 0)
		*ret = bk_strdup("/var/lib/bock/images");
	else if (data && *data == '/')
		*ret = bk_path_join(data, "bock/images");
	else if (home && *home == '/')
		*ret = bk_path_join(home, ".local/share/bock/images");
	else
		return bk_err_set(
			err, BK_ERR_CONFIG, 0,
			"no place for the image store: neither XDG_DATA_HOME nor HOME is set");
	return 0;
}
