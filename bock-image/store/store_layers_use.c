/* SPDX-License-Identifier: Apache-2.0 */
/* Who needs unpacked layers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "store/store_layers_priv.h"

#define USE_MAX	      ((size_t)256 << 10)
#define MOUNTINFO_MAX ((size_t)16 << 20)
#define ID_SIZE	      33
#define FIRST_USERNS  4026531837u /* PROC_USER_INIT_INO of linux/proc_ns.h, the same on every machine */

static const struct bk_doc_field use_fields[] = {
	BK_DOC_STR_F(struct store_use, path, "path", BK_DOC_REQUIRED),
	BK_DOC_BOOL_F(struct store_use, mount, "mount", 0),
	BK_DOC_NUM_F(struct store_use, inode, "inode", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_STR_F(struct store_use, boot, "boot", 0),
	BK_DOC_NUM_F(struct store_use, mount_id, "mountID", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct store_use, count, "count", BK_DOC_U64, 0),
	BK_DOC_STR_F(struct store_use, image, "image", 0),
	BK_DOC_STR_F(struct store_use, name, "name", 0),
	BK_DOC_STRV_F(struct store_use, layers, "layers", BK_DOC_ALWAYS),
	BK_DOC_END
};
static const struct bk_doc_type use_type = BK_DOC_TYPE(struct store_use, use_fields);

/* One file a path and kind, and of mounts a namespace. */
static char *use_file(const struct store_use *u)
{
	bk_autofree char *text = bk_asprintf("%s %" PRIu64 " %s", u->mount ? "mount" : "bundle",
					     u->mount ? u->inode : 0, u->path);
	char id[BK_DIGEST_TEXT_SIZE];

	bk_digest_of(BK_DIGEST_SHA256, text, strlen(text), id);
	return bk_asprintf(STORE_LAYERS_USES "/%.*s", ID_SIZE - 1, strchr(id, ':') + 1);
}

int store_use_add(struct store *s, const struct store_use *u, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(USE_MAX);
	bk_autofree char *path = use_file(u);
	bk_autoclose int layers = -1;
	int rc = store_layers_open(s, true, &layers, err);

	if (rc == 0)
		rc = bk_json_encode(&use_type, u, BK_JSON_PRETTY | BK_JSON_NEWLINE, &text, err);
	if (rc == 0)
		rc = bk_buf_check(&text, "the note of what a bundle needs", err);
	/* before the bundle, and no sooner on the disk: neither is synced, which would take longer than all the rest */
	return rc < 0 ? rc : bk_file_write_atomic(layers, path, text.data, text.len, 0644, false, err);
}

/* The mount namespace of this process. */
static int own_namespace(uint64_t *ret, struct bk_err **err)
{
	struct stat st;

	if (stat("/proc/self/ns/mnt", &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '/proc/self/ns/mnt'");
	*ret = st.st_ino;
	return 0;
}

static int own_boot(struct bk_buf *id, struct bk_err **err)
{
	int rc = bk_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, err);

	if (rc == 0 && id->len > 0 && id->data[id->len - 1] == '\n')
		id->data[--id->len] = '\0';
	return rc;
}

int store_use_here(struct store_use *u, struct bk_arena *arena, struct bk_err **err)
{
	bk_autobuf struct bk_buf boot = BK_BUF_INIT(BK_BUF_SMALL);
	int rc = own_namespace(&u->inode, err);

	if (rc == 0)
		rc = own_boot(&boot, err);
	if (rc == 0)
		u->boot = bk_arena_strdup(arena, bk_buf_str(&boot));
	return rc;
}

int store_use_del(struct store *s, const char *path, struct bk_err **err)
{
	struct store_use u = { .path = (char *)path, .mount = true };
	bk_autofree char *file = NULL;
	bk_autoclose int layers = -1;
	int rc = own_namespace(&u.inode, err);

	if (rc == 0)
		rc = store_layers_open(s, true, &layers, err);
	if (rc < 0)
		return rc;
	file = use_file(&u);
	if (unlinkat(layers, file, 0) < 0 && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "remove '%s/%s'", STORE_LAYERS, file);
	return 0;
}

static int list_dir(int layers, DIR **ret, struct bk_err **err)
{
	int fd = openat(layers, STORE_LAYERS_USES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret = fd < 0 ? NULL : fdopendir(fd);
	if (*ret || errno == ENOENT)
		return 0;
	bk_close(&fd);
	return bk_err_set(err, BK_ERR_IO, errno, "read '%s/" STORE_LAYERS_USES "'", STORE_LAYERS);
}

int store_use_read_(int dirfd, const char *name, struct bk_arena *arena, struct store_use *ret,
		    struct bk_err **err)
{
	return bk_json_decode_file(&use_type, dirfd, name, &bk_doc_limits_oci, arena, ret, err);
}

int store_use_list(const struct store *s, struct bk_arena *arena, struct store_use **ret, size_t *ret_n,
		   struct bk_err **err)
{
	bk_autoclosedir DIR *dir = NULL;
	bk_autoclose int layers = -1;
	struct store_use *uses = NULL;
	const struct dirent *e;
	size_t n = 0;
	int rc;

	*ret_n = 0;
	*ret = NULL;
	if (faccessat(s->fd, STORE_LAYERS, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	rc = store_layers_open(s, false, &layers, err);
	if (rc == 0)
		rc = list_dir(layers, &dir, err);
	while (rc == 0 && dir && (errno = 0, e = readdir(dir)) != NULL) {
		/* a file that is being written has another name */
		if (strlen(e->d_name) != ID_SIZE - 1)
			continue;
		uses = bk_arena_grow(arena, uses, n, sizeof(*uses));
		rc = store_use_read_(dirfd(dir), e->d_name, arena, &uses[n], err);
		if (rc < 0)
			return bk_err_hint(err, bk_err_wrap(err, rc, "'%s/" STORE_LAYERS_USES "'", STORE_LAYERS),
					   "what it said a bundle needs is not known: unpack the bundles again, then "
					   "remove this file");
		n++;
	}
	/* with a part of them gc would remove what the rest needs */
	if (rc == 0 && dir && errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read '%s/" STORE_LAYERS_USES "'", STORE_LAYERS);
	if (rc < 0)
		return rc;
	*ret = uses;
	*ret_n = n;
	return 0;
}

enum seen {
	SEEN_NOTHING,
	SEEN_PART,	/* its id at another place, or another mount at its place */
	SEEN_ALL,
};

/* What mountinfo says of it; places have blanks and the like in octal there. */
static enum seen see(const struct store_use *u)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(MOUNTINFO_MAX);
	bk_autobuf struct bk_buf place = BK_BUF_INIT(USE_MAX);
	bk_autofree char *id = bk_asprintf("%" PRIu64 " ", u->mount_id);
	enum seen seen = SEEN_NOTHING;
	char *next;

	if (bk_file_read(AT_FDCWD, "/proc/self/mountinfo", &text, NULL) < 0)
		return SEEN_PART;
	bk_buf_addc(&place, ' ');
	for (const char *p = u->path; *p; p++) {
		if (strchr(" \t\n\\", *p))
			bk_buf_printf(&place, "\\%03o", (unsigned int)(unsigned char)*p);
		else
			bk_buf_addc(&place, *p);
	}
	bk_buf_addc(&place, ' ');
	for (char *line = (char *)bk_buf_str(&text); line && *line; line = next) {
		bool same_id, same_place;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		same_id = bk_skip_prefix(line, id) != NULL;
		same_place = strstr(line, bk_buf_str(&place)) != NULL;
		if (same_id && same_place)
			return SEEN_ALL;
		if (same_id || same_place)
			seen = SEEN_PART;
	}
	return seen;
}

/* In the first user namespace root sees all, but kernel threads and what has capabilities that he lacks. */
static bool is_first_root(void)
{
	struct stat st;

	return geteuid() == 0 && stat("/proc/self/ns/user", &st) == 0 && st.st_ino == FIRST_USERNS;
}

/*
 * Whether a process is in that mount namespace. One of the caller's own that can't be looked at, being in a user namespace
 * beside or above this one, may be; other users' have other mounts.
 */
static bool namespace_lives(uint64_t inode)
{
	bk_autoclosedir DIR *proc = opendir("/proc");
	bool sees_all = is_first_root();
	const struct dirent *e;

	while (proc && (errno = 0, e = readdir(proc)) != NULL) {
		bk_autofree char *path = NULL;
		struct stat st;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		path = bk_asprintf("/proc/%s/ns/mnt", e->d_name);
		if (stat(path, &st) == 0) {
			if (st.st_ino == inode)
				return true;
		} else if (!sees_all && (errno == EACCES || errno == EPERM) &&
			   fstatat(dirfd(proc), e->d_name, &st, 0) == 0 && st.st_uid == geteuid()) {
			return true;
		}
	}
	return !proc || errno != 0;
}

/* Whether it was made since the machine's boot; *ret_here: in this namespace. */
static bool is_of_now(const struct store_use *u, bool *ret_here)
{
	bk_autobuf struct bk_buf boot = BK_BUF_INIT(BK_BUF_SMALL);
	uint64_t own = 0;

	*ret_here = false;
	if (own_boot(&boot, NULL) < 0 || own_namespace(&own, NULL) < 0)
		return true;
	*ret_here = own == u->inode;
	return !u->boot || bk_streq(u->boot, bk_buf_str(&boot));
}

bool store_use_is_mounted(const struct store_use *u)
{
	bool here;

	return u->mount && is_of_now(u, &here) && here && see(u) == SEEN_ALL;
}

static bool mount_is_live(const struct store_use *u)
{
	bool here;

	if (!is_of_now(u, &here))
		return false;
	return here ? see(u) != SEEN_NOTHING : namespace_lives(u->inode);
}

bool store_use_is_live(const struct store_use *u)
{
	bk_autofree char *upper = NULL;
	struct stat st;

	if (u->mount)
		return mount_is_live(u);
	upper = bk_asprintf("%s/upper", u->path);
	if (lstat(upper, &st) < 0)
		return errno != ENOENT && errno != ENOTDIR;
	return st.st_ino == u->inode;
}
