/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_dest.h"

#include <fcntl.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"

int snap_dest_look(const struct bk_root *view, const char *path, struct stat *ret_st,
		   struct bk_err **err)
{
	struct bk_err *why = NULL;
	int rc;

	memset(ret_st, 0, sizeof(*ret_st));
	if (!*path) {
		ret_st->st_mode = S_IFDIR | 0755;
		return 0;
	}
	if (!view)
		return 0;
	rc = bk_root_lstat(view, path, ret_st, &why);
	if (rc == -BK_ERR_NOT_FOUND || (rc < 0 && bk_err_errno(why) == ENOTDIR)) {
		memset(ret_st, 0, sizeof(*ret_st));
		bk_err_clear(&why);
		return 0;
	}
	bk_err_move(err, why);
	return rc;
}

static int read_link(const struct bk_root *view, const char *path, char **ret, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	char text[BK_ROOT_PATH_MAX];
	ssize_t len;
	int rc = bk_root_openat(view, path, O_PATH | O_NOFOLLOW, 0, &fd, err);

	if (rc < 0)
		return rc;
	len = readlinkat(fd, "", text, sizeof(text));
	if (len < 0 || (size_t)len >= sizeof(text))
		return bk_err_set(err, BK_ERR_IO, len < 0 ? errno : ENAMETOOLONG, "read link '/%s'",
				  path);
	*ret = bk_strndup(text, (size_t)len);
	return 0;
}

struct walk {
	const struct bk_root *view;
	char *done;	/* canonical */
	char *rest;	/* still to go; may hold anything */
	struct stat st; /* what done is */
	unsigned int links;
};

static void replace(char **s, char *owned)
{
	free(*s);
	*s = owned;
}

static int follow(struct walk *w, const char *link, struct bk_err **err)
{
	char *target = NULL;
	int rc;

	if (w->links++ >= SNAP_DEST_LINKS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, ELOOP, "'/%s'", link);
	rc = read_link(w->view, link, &target, err);
	if (rc < 0)
		return rc;
	replace(&w->rest, bk_asprintf("%s/%s", target, w->rest));
	if (*target == '/')
		replace(&w->done, bk_strdup(""));
	free(target);
	w->st = (struct stat){ .st_mode = S_IFDIR };
	return 0;
}

static int step(struct walk *w, const char *name, struct bk_err **err)
{
	bk_autofree char *path = NULL;
	struct stat st;
	char *slash;
	int rc;

	if (bk_streq(name, "."))
		return 0;
	if (bk_streq(name, "..")) {
		slash = strrchr(w->done, '/');
		*(slash ? slash : w->done) = '\0';
		return snap_dest_look(w->view, w->done, &w->st, err);
	}
	if (w->st.st_mode != 0 && !S_ISDIR(w->st.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'/%s' is no directory", w->done);
	path = bk_asprintf("%s%s%s", w->done, *w->done ? "/" : "", name);
	if (w->st.st_mode == 0) { /* below what is not there, nothing is */
		replace(&w->done, bk_steal_ptr(&path));
		return 0;
	}
	rc = snap_dest_look(w->view, path, &st, err);
	if (rc < 0)
		return rc;
	if (S_ISLNK(st.st_mode))
		return follow(w, path, err);
	w->st = st;
	replace(&w->done, bk_steal_ptr(&path));
	return 0;
}

static int walk(struct walk *w, struct bk_err **err)
{
	int rc = 0;

	while (rc == 0) {
		const char *start = w->rest + strspn(w->rest, "/");
		size_t len = strcspn(start, "/");
		bk_autofree char *name = bk_strndup(start, len);

		if (len == 0)
			break;
		if (strlen(w->rest) > BK_ROOT_PATH_MAX || strlen(w->done) + len > BK_ROOT_PATH_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, ENAMETOOLONG, "'/%.64s...'", w->done);
		replace(&w->rest, bk_strdup(start + len));
		rc = step(w, name, err);
	}
	return rc;
}

int snap_dest_resolve(const struct bk_root *view, const char *path, char **ret_path,
		      struct stat *ret_st, struct bk_err **err)
{
	struct walk w = { .view = view, .done = bk_strdup(""), .rest = bk_strdup(path) };
	int rc;

	w.st.st_mode = S_IFDIR;
	rc = walk(&w, err);
	if (rc == 0) {
		*ret_path = bk_steal_ptr(&w.done);
		if (ret_st)
			*ret_st = w.st;
	}
	free(w.done);
	free(w.rest);
	return rc;
}
