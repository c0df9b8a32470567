/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_str.h"
#include "layer/layer_acl.h"

struct layer_tar {
	struct archive *a;
	struct archive_entry *entry; /* libarchive's */
	struct layer_stream *stream;
	struct bk_err *err; /* of the callback */
	locale_t utf8;	    /* (locale_t)0 where there is none */
	char *path, *link;
	struct layer_xattr *xattrs;
	size_t n_xattrs;
};

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
	struct layer_tar *t = ctx;
	size_t len;

	if (layer_stream_next(t->stream, ret, &len, &t->err) < 0) {
		archive_set_error(a, EIO, "read");
		return -1;
	}
	return (la_ssize_t)len;
}

static int failed(struct layer_tar *t, struct bk_err **err)
{
	const char *text = archive_error_string(t->a);

	if (t->err) {
		struct bk_err *e = bk_steal_ptr(&t->err);
		int rc = -(int)bk_err_kind_of(e);

		bk_err_move(err, e);
		return rc;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "damaged tar: %s", text ? text : "unknown reason");
}

/*
 * Names in pax headers are UTF-8, and libarchive converts them to the locale's encoding, which in "C"
 * is ASCII: names would be lost. So it sees a UTF-8 locale, in this thread, for as long as it works.
 */
static locale_t enter(const struct layer_tar *t)
{
	return t->utf8 ? uselocale(t->utf8) : (locale_t)0;
}

static void leave(locale_t old)
{
	if (old)
		(void)uselocale(old);
}

int layer_tar_new(struct layer_stream *stream, struct layer_tar **ret, struct bk_err **err)
{
	bk_autolayertar struct layer_tar *t = bk_calloc(1, sizeof(*t));
	locale_t old;
	int rc;

	t->stream = stream;
	t->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	t->a = archive_read_new();
	if (!t->a || archive_read_support_format_tar(t->a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(t->a) != ARCHIVE_OK)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "libarchive gives no reader");
	old = enter(t);
	rc = archive_read_open(t->a, t, NULL, on_read, NULL);
	leave(old);
	if (rc != ARCHIVE_OK)
		return failed(t, err);
	*ret = bk_steal_ptr(&t);
	return 0;
}

static void free_xattrs(struct layer_tar *t)
{
	for (size_t i = 0; i < t->n_xattrs; i++) {
		free(t->xattrs[i].name);
		free(t->xattrs[i].value);
	}
	free(t->xattrs);
	t->xattrs = NULL;
	t->n_xattrs = 0;
}

void layer_tar_free(struct layer_tar *t)
{
	if (!t)
		return;
	if (t->a)
		(void)archive_read_free(t->a);
	if (t->utf8)
		freelocale(t->utf8);
	bk_err_clear(&t->err);
	free_xattrs(t);
	free(t->path);
	free(t->link);
	free(t);
}

int layer_tar_clean(const char *name, char **ret, struct bk_err **err)
{
	bk_autofree char *clean = NULL;
	size_t len = strlen(name), n = 0, depth = 0;

	if (len >= BK_ROOT_PATH_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the name '%.64s...' has %zu bytes", name,
				  len);
	clean = bk_malloc(len + 1);
	for (const char *p = name; *p;) {
		size_t part;

		p += strspn(p, "/");
		part = strcspn(p, "/");
		if (part == 2 && p[0] == '.' && p[1] == '.')
			return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' leads upwards", name);
		if (part > 0 && !(part == 1 && p[0] == '.')) {
			if (n > 0)
				clean[n++] = '/';
			memcpy(clean + n, p, part);
			n += part;
			if (++depth > LAYER_DEPTH_MAX)
				return bk_err_set(err, BK_ERR_CONFIG, 0,
						  "'%.64s...' is deeper than %d directories", name,
						  LAYER_DEPTH_MAX);
		}
		p += part;
	}
	clean[n] = '\0';
	*ret = bk_steal_ptr(&clean);
	return 0;
}

/* ---- xattrs ------------------------------------------------------------------------------------- */

/* What would mean something else on another machine, or to the file system that we unpack to. */
static bool xattr_taken(const char *name)
{
	return !bk_skip_prefix(name, "trusted.overlay.") &&
	       !bk_skip_prefix(name, "user.overlay.") && !bk_streq(name, "security.selinux") &&
	       !bk_streq(name, "security.ima") && !bk_streq(name, "security.evm") &&
	       !bk_streq(name, "system.nfs4_acl");
}

static int add_xattr(struct layer_tar *t, const char *name, const void *value, size_t size,
		     struct bk_err **err)
{
	if (t->n_xattrs >= LAYER_XATTRS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' has more than %d attributes",
				  t->path, LAYER_XATTRS_MAX);
	t->xattrs = bk_reallocarray(t->xattrs, t->n_xattrs + 1, sizeof(*t->xattrs));
	t->xattrs[t->n_xattrs++] = (struct layer_xattr){
		.name = bk_strdup(name),
		.value = bk_memdup(size ? value : "", size ? size : 1),
		.size = size,
	};
	return 0;
}

static int read_xattrs(struct layer_tar *t, struct bk_err **err)
{
	const char *name;
	const void *value;
	size_t size;
	int rc = 0;

	free_xattrs(t);
	(void)archive_entry_xattr_reset(t->entry);
	while (rc == 0 && archive_entry_xattr_next(t->entry, &name, &value, &size) == ARCHIVE_OK)
		if (name && xattr_taken(name))
			rc = add_xattr(t, name, value, size, err);
	for (int i = 0; rc == 0 && i < 2; i++) {
		bk_autobuf struct bk_buf acl = BK_BUF_INIT(LAYER_ACL_SIZE_MAX);

		if (!layer_acl_encode(t->entry, i == 1, &acl))
			continue;
		rc = bk_buf_check(&acl, "an access control list", err);
		if (rc == 0)
			rc = add_xattr(t, i ? LAYER_ACL_DEFAULT : LAYER_ACL_ACCESS, acl.data,
				       acl.len, err);
	}
	return rc;
}

/* ---- entries ------------------------------------------------------------------------------------ */

static int read_id(const struct layer_tar *t, const char *what, la_int64_t id, unsigned int *ret,
		   struct bk_err **err)
{
	if (id < 0 || id >= UINT32_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s': %s %" PRId64 " is none", t->path,
				  what, (int64_t)id);
	*ret = (unsigned int)id;
	return 0;
}

static int read_attrs(struct layer_tar *t, struct layer_attrs *attrs, struct bk_err **err)
{
	int rc = read_id(t, "user", archive_entry_uid(t->entry), &attrs->uid, err);

	if (rc == 0)
		rc = read_id(t, "group", archive_entry_gid(t->entry), &attrs->gid, err);
	if (rc == 0)
		rc = read_xattrs(t, err);
	if (rc < 0)
		return rc;
	attrs->mode = archive_entry_mode(t->entry);
	attrs->mtime.tv_sec = archive_entry_mtime(t->entry);
	attrs->mtime.tv_nsec = archive_entry_mtime_nsec(t->entry);
	attrs->xattrs = t->xattrs;
	attrs->n_xattrs = t->n_xattrs;
	return 0;
}

/* Names: libarchive gives NULL where it could not convert one, and that must not pass as "". */
static int read_names(struct layer_tar *t, struct layer_entry *e, struct bk_err **err)
{
	const char *path = archive_entry_pathname(t->entry);
	const char *hard = archive_entry_hardlink(t->entry);
	const char *soft = archive_entry_symlink(t->entry);
	int rc;

	free(t->path);
	free(t->link);
	t->path = t->link = NULL;
	if (!path || !*path)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "an entry without a (readable) name");
	rc = layer_tar_clean(path, &t->path, err);
	if (rc < 0)
		return rc;
	e->path = t->path;
	e->is_hardlink = hard != NULL;
	if (hard) {
		rc = layer_tar_clean(hard, &t->link, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "hard link '%s'", path);
	} else if (soft) {
		t->link = bk_strdup(soft);
	}
	e->link = t->link;
	if (S_ISLNK(archive_entry_mode(t->entry)) && !hard && !soft)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "symbolic link '%s' without a (readable) target", path);
	if (soft && strlen(soft) >= BK_ROOT_PATH_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the target of '%s' is too long", path);
	return 0;
}

int layer_tar_next(struct layer_tar *t, struct layer_entry *ret, bool *ret_more,
		   struct bk_err **err)
{
	struct layer_entry e = { 0 };
	locale_t old = enter(t);
	int rc = archive_read_next_header(t->a, &t->entry);

	if (rc == ARCHIVE_EOF && !t->err) {
		leave(old);
		*ret_more = false;
		return 0;
	}
	/* A warning is about something that was skipped or bent: another parser may see another tar. */
	rc = rc == ARCHIVE_OK ? read_names(t, &e, err) : failed(t, err);
	if (rc == 0)
		rc = read_attrs(t, &e.attrs, err);
	leave(old);
	if (rc < 0)
		return rc;
	if (archive_entry_size(t->entry) < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' has a size of %" PRId64, e.path,
				  (int64_t)archive_entry_size(t->entry));
	e.size = (uint64_t)archive_entry_size(t->entry);
	e.rdev = archive_entry_rdev(t->entry);
	*ret = e;
	*ret_more = true;
	return 0;
}

static int write_at(int fd, const void *data, size_t len, uint64_t *at, uint64_t offset)
{
	if (offset != *at && lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	*at = offset + len;
	return bk_fd_write_all(fd, data, len);
}

int layer_tar_content(struct layer_tar *t, int fd, struct bk_err **err)
{
	uint64_t size = (uint64_t)archive_entry_size(t->entry), at = 0;
	const void *data;
	la_int64_t offset;
	size_t len;
	int rc;

	while ((rc = archive_read_data_block(t->a, &data, &len, &offset)) == ARCHIVE_OK) {
		if (len == 0)
			continue;
		if (offset < 0 || (uint64_t)offset > size || len > size - (uint64_t)offset)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is longer than it says",
					  t->path);
		rc = write_at(fd, data, len, &at, (uint64_t)offset);
		if (rc < 0)
			return bk_err_set(err, BK_ERR_IO, -rc, "write '/%s'", t->path);
	}
	if (rc != ARCHIVE_EOF || t->err)
		return failed(t, err);
	/* A hole at the end. */
	if (at < size && ftruncate(fd, (off_t)size) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "extend '/%s'", t->path);
	return 0;
}
