/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_upper.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/bk_fd.h"
#include "base/bk_str.h"
#include "snap/snap_dest.h"
#include "snap/snap_dir.h"

#define COMPARE_SIZE ((size_t)64 << 10)

struct scan {
	const struct bk_root *upper;
	const struct bk_root *lower;
	int64_t whiteout_mtime;
	struct snap_list *list;
	struct bk_err **err;
};

static char *below(const char *dir, const char *name)
{
	return bk_asprintf("%s%s%s", dir, *dir ? "/" : "", name);
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* The marks that overlayfs makes when it has the privilege, and those of a user namespace. */
static int is_opaque(const struct scan *s, const char *path, bool *ret)
{
	static const char *const names[] = { "trusted.overlay.opaque", "user.overlay.opaque" };
	bk_autoclose int fd = -1;
	char value[2];
	int rc = bk_root_openat_nolinks(s->upper, path, O_RDONLY | O_DIRECTORY, 0, &fd, s->err);

	*ret = false;
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < BK_ARRAY_SIZE(names) && !*ret; i++)
		*ret = fgetxattr(fd, names[i], value, sizeof(value)) == 1 && *value == 'y';
	return 0;
}

/* ---- copied up, but not changed -------------------------------------------------------------------- */

static bool same_xattrs(const struct snap_entry *a, const struct snap_entry *b)
{
	if (a->n_xattrs != b->n_xattrs)
		return false;
	for (size_t i = 0; i < a->n_xattrs; i++)
		if (!bk_streq(a->xattrs[i].name, b->xattrs[i].name) ||
		    a->xattrs[i].size != b->xattrs[i].size ||
		    memcmp(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].size) != 0)
			return false;
	return true;
}

/* Attributes as a layer keeps them; a link's text is one. */
static int same_attributes(const struct scan *s, const char *path, const struct snap_entry *now,
			   bool *ret)
{
	snap_autolist struct snap_list *l = snap_list_new();
	struct snap_entry *before = NULL;
	int rc = snap_list_add(l, path, s->lower, path, &before, s->err);

	if (rc == 0)
		*ret = before && before->mode == now->mode && before->uid == now->uid &&
		       before->gid == now->gid && before->rdev == now->rdev &&
		       before->size == now->size && bk_streq0(before->link, now->link) &&
		       same_xattrs(before, now);
	return rc;
}

static int same_content(const struct scan *s, const char *path, bool *ret)
{
	bk_autofree char *a = bk_malloc(COMPARE_SIZE);
	bk_autofree char *b = bk_malloc(COMPARE_SIZE);
	bk_autoclose int upper = -1;
	bk_autoclose int lower = -1;
	int rc = bk_root_openat_nolinks(s->upper, path, O_RDONLY | O_NONBLOCK, 0, &upper, s->err);

	if (rc == 0)
		rc = bk_root_openat_nolinks(s->lower, path, O_RDONLY | O_NONBLOCK, 0, &lower,
					    s->err);
	if (rc < 0)
		return rc;
	for (;;) {
		ssize_t n = bk_fd_read_full(upper, a, COMPARE_SIZE);
		ssize_t m = bk_fd_read_full(lower, b, COMPARE_SIZE);

		if (n < 0 || m < 0)
			return bk_err_set(s->err, BK_ERR_IO, (int)-(n < 0 ? n : m), "read '%s'",
					  path);
		*ret = n == m && memcmp(a, b, (size_t)n) == 0;
		if (!*ret || n == 0)
			return 0;
	}
}

/* The last entry of the list is path's, and before is what the lower layers have there. */
static int drop_if_same(const struct scan *s, const char *path, const struct stat *now,
			const struct stat *before)
{
	bool same = false;
	int rc;

	if ((now->st_mode & S_IFMT) != (before->st_mode & S_IFMT) ||
	    now->st_mtim.tv_sec != before->st_mtim.tv_sec ||
	    now->st_mtim.tv_nsec != before->st_mtim.tv_nsec || now->st_nlink != before->st_nlink)
		return 0;
	rc = same_attributes(s, path, &s->list->items[s->list->n - 1], &same);
	if (rc == 0 && same && S_ISREG(now->st_mode))
		rc = same_content(s, path, &same);
	if (rc == 0 && same)
		s->list->n--;
	return rc;
}

/* ---- the walk --------------------------------------------------------------------------------------- */

static int scan_dir(const struct scan *s, const char *path, bool opaque, unsigned int depth);

/* One whiteout for each name that only the lower layers have in an opaque directory. */
static int hide_rest(const struct scan *s, const char *path, char *const *upper_names)
{
	bk_autostrv char **names = NULL;
	int rc = snap_dir_names(s->lower, path, &names, s->err);

	for (size_t i = 0; rc == 0 && names && names[i]; i++) {
		bk_autofree char *hidden = below(path, names[i]);

		if (!bk_strv_has(upper_names, names[i]))
			rc = snap_list_add_whiteout(s->list, hidden, s->whiteout_mtime, s->err);
	}
	return rc;
}

static int scan_subdir(const struct scan *s, const char *path, const struct stat *before,
		       bool opaque, unsigned int depth)
{
	bool merged = S_ISDIR(before->st_mode);
	bool marked = false;
	bool same = false;
	size_t others = s->list->n;
	struct snap_entry *e = NULL;
	int rc = is_opaque(s, path, &marked);

	if (rc == 0)
		rc = scan_dir(s, path, merged && (opaque || marked), depth + 1);
	if (rc < 0)
		return rc;
	others = s->list->n - others;
	rc = snap_list_add(s->list, path, s->upper, path, &e, s->err);
	if (rc == 0 && merged && others == 0) {
		rc = same_attributes(s, path, e, &same);
		if (rc == 0 && same)
			s->list->n--;
	}
	return rc;
}

static int scan_name(const struct scan *s, const char *path, bool opaque, unsigned int depth)
{
	struct snap_entry *e = NULL;
	struct stat before;
	struct stat now;
	int rc = bk_root_lstat(s->upper, path, &now, s->err);

	if (rc == 0)
		rc = snap_dest_look(s->lower, path, &before, s->err);
	if (rc < 0)
		return rc;
	if (is_whiteout(&now))
		return before.st_mode == 0
			       ? 0
			       : snap_list_add_whiteout(s->list, path, s->whiteout_mtime, s->err);
	if (S_ISDIR(now.st_mode))
		return scan_subdir(s, path, &before, opaque, depth);
	rc = snap_list_add(s->list, path, s->upper, path, &e, s->err);
	return rc < 0 || !e || before.st_mode == 0 ? rc : drop_if_same(s, path, &now, &before);
}

static int scan_dir(const struct scan *s, const char *path, bool opaque, unsigned int depth)
{
	bk_autostrv char **names = NULL;
	int rc;

	if (depth > SNAP_UPPER_DEPTH_MAX)
		return bk_err_set(s->err, BK_ERR_CONFIG, 0, "directories deeper than %d levels",
				  SNAP_UPPER_DEPTH_MAX);
	rc = snap_dir_names(s->upper, path, &names, s->err);
	for (size_t i = 0; rc == 0 && names && names[i]; i++) {
		bk_autofree char *name = below(path, names[i]);

		rc = scan_name(s, name, opaque, depth);
	}
	return rc == 0 && opaque ? hide_rest(s, path, names) : rc;
}

int snap_upper_list(const struct bk_root *upper, const struct bk_root *lower,
		    int64_t whiteout_mtime, struct snap_list *l, struct bk_err **err)
{
	const struct scan s = { .upper = upper,
				.lower = lower,
				.whiteout_mtime = whiteout_mtime,
				.list = l,
				.err = err };

	return scan_dir(&s, "", false, 0);
}
