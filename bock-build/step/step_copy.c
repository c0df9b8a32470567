/* SPDX-License-Identifier: Apache-2.0 */
#include "step/step_copy.h"

#include <fcntl.h>
#include <string.h>

#include "base/bk_map.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "snap/snap_dest.h"
#include "snap/snap_dir.h"
#include "step/step_glob.h"
#include "step/step_mode.h"

struct job {
	const struct step_copy *c;
	struct snap_list *list;
	struct bk_map *dirs; /* destination directories that are in the list */
	struct bk_err **err;
};

/* Below the source's root, as the tree sees it: no leading '/', no ".", no "..". "" is the root. */
static char *clean(const char *path)
{
	bk_autofree char *absolute = bk_asprintf("/%s", path);
	bk_autofree char *cleaned = bk_path_clean(absolute);

	return bk_strdup(cleaned + 1);
}

static char *below(const char *dir, const char *name)
{
	return bk_asprintf("%s%s%s", dir, *dir && *name ? "/" : "", name);
}

static bool is_left_out(const struct step_copy *c, const char *source)
{
	if (!*source)
		return false;
	for (char *const *pattern = c->exclude; pattern && *pattern; pattern++) {
		bk_autofree char *cleaned = clean(*pattern);

		if (step_glob_match(cleaned, source))
			return true;
	}
	return c->ignore && step_ignore_has(c->ignore, source);
}

static void own(const struct step_copy *c, struct snap_entry *e)
{
	if (c->has_owner) {
		e->uid = c->uid;
		e->gid = c->gid;
	} else if (!c->keep_owner) {
		e->uid = 0;
		e->gid = 0;
	}
}

static int change_mode(const struct step_copy *c, struct snap_entry *e, struct bk_err **err)
{
	mode_t mode = 0;
	int rc;

	if (!c->chmod || S_ISLNK(e->mode))
		return 0;
	rc = step_mode_apply(c->chmod, e->mode, &mode, err);
	if (rc == 0)
		e->mode = (e->mode & (mode_t)S_IFMT) | mode;
	return rc;
}

/* ---- directories of the destination ----------------------------------------------------------------- */

/* Puts a directory and those above it in the list: as they are, or made. path is canonical. */
static int ensure_dir(const struct job *j, const char *path)
{
	bk_autofree char *above = NULL;
	struct snap_entry *e = NULL;
	struct stat st;
	const char *slash;
	int rc;

	if (!*path || bk_map_has(j->dirs, path))
		return 0;
	slash = strrchr(path, '/');
	above = slash ? bk_strndup(path, (size_t)(slash - path)) : bk_strdup("");
	rc = ensure_dir(j, above);
	if (rc == 0)
		rc = snap_dest_look(j->c->view, path, &st, j->err);
	if (rc < 0)
		return rc;
	bk_map_set(j->dirs, path, NULL);
	if (S_ISDIR(st.st_mode))
		return snap_list_add(j->list, path, j->c->view, path, NULL, j->err);
	if (st.st_mode != 0)
		return bk_err_set(j->err, BK_ERR_CONFIG, 0, "'/%s' is no directory", path);
	rc = snap_list_add_dir(j->list, path, j->c->mtime, &e, j->err);
	if (rc == 0)
		own(j->c, e);
	return rc;
}

/* A directory of the source that becomes one of the destination, unless it is there. */
static int put_dir(const struct job *j, const char *source, const char *dest)
{
	struct snap_entry *e = NULL;
	struct stat st;
	int rc = snap_dest_look(j->c->view, dest, &st, j->err);

	if (rc < 0)
		return rc;
	if (st.st_mode != 0 || bk_map_has(j->dirs, dest))
		return ensure_dir(j, dest);
	bk_map_set(j->dirs, dest, NULL);
	rc = snap_list_add(j->list, dest, j->c->from, source, &e, j->err);
	if (rc < 0)
		return rc;
	own(j->c, e);
	return change_mode(j->c, e, j->err);
}

/* ---- the source ------------------------------------------------------------------------------------- */

static int put_file(const struct job *j, const char *source, const char *dest)
{
	struct snap_entry *e = NULL;
	struct stat st;
	int rc = snap_dest_look(j->c->view, dest, &st, j->err);

	if (rc < 0)
		return rc;
	if (S_ISDIR(st.st_mode) || bk_map_has(j->dirs, dest))
		return bk_err_set(j->err, BK_ERR_CONFIG, 0,
				  "'/%s' is a directory; '%s' can't replace it", dest, source);
	rc = snap_list_add(j->list, dest, j->c->from, source, &e, j->err);
	if (rc < 0 || !e)
		return rc;
	own(j->c, e);
	return change_mode(j->c, e, j->err);
}

/*
 * Where a directory goes that is to be called dest: if a link to a directory is there, to where the
 * link points (a tree copied onto a root whose /bin is a link to usr/bin).
 */
static int directory_at(const struct job *j, const char *dest, char **ret)
{
	struct stat st;
	int rc = snap_dest_look(j->c->view, dest, &st, j->err);

	if (rc < 0)
		return rc;
	if (S_ISLNK(st.st_mode))
		return snap_dest_resolve(j->c->view, dest, ret, NULL, j->err);
	*ret = bk_strdup(dest);
	return 0;
}

static int put_tree(const struct job *j, const char *source, const char *dest, unsigned int depth);

static int put_any(const struct job *j, const char *source, const char *dest, unsigned int depth)
{
	bk_autofree char *dir = NULL;
	struct stat st;
	bool left_out = is_left_out(j->c, source);
	int rc;

	/* an exception may bring back what is below */
	if (left_out && !(j->c->ignore && j->c->ignore->exceptions))
		return 0;
	rc = bk_root_lstat(j->c->from, source, &st, j->err);
	if (rc < 0)
		return rc;
	if (!S_ISDIR(st.st_mode))
		return left_out ? 0 : put_file(j, source, dest);
	rc = directory_at(j, dest, &dir);
	if (rc == 0 && !left_out)
		rc = put_dir(j, source, dir);
	return rc < 0 ? rc : put_tree(j, source, dir, depth + 1);
}

/* The content of a directory. */
static int put_tree(const struct job *j, const char *source, const char *dest, unsigned int depth)
{
	bk_autostrv char **names = NULL;
	int rc;

	if (depth > STEP_COPY_DEPTH_MAX)
		return bk_err_set(j->err, BK_ERR_CONFIG, 0, "directories deeper than %d levels",
				  STEP_COPY_DEPTH_MAX);
	rc = snap_dir_names(j->c->from, source, &names, j->err);
	for (size_t i = 0; rc == 0 && names && names[i]; i++) {
		bk_autofree char *from = below(source, names[i]);
		bk_autofree char *to = below(dest, names[i]);

		/* what only an exception brings back gets its directories here */
		if (!is_left_out(j->c, from))
			rc = ensure_dir(j, dest);
		if (rc == 0)
			rc = put_any(j, from, to, depth);
	}
	return rc;
}

/* One source that is there; `to` is the resolved destination, dir whether it is a directory. */
static int put_source(const struct job *j, const char *source, const char *to, bool dir)
{
	bk_autofree char *real = NULL;
	bk_autofree char *dest = NULL;
	struct stat st;
	int rc = snap_dest_resolve(j->c->from, source, &real, &st, j->err);

	if (rc < 0)
		return rc;
	if (st.st_mode == 0)
		return bk_err_set(j->err, BK_ERR_NOT_FOUND, 0, "'%s' is not there", source);
	if (is_left_out(j->c, source) && !S_ISDIR(st.st_mode))
		return bk_err_set(j->err, BK_ERR_NOT_FOUND, 0, "'%s' is ignored", source);
	if (S_ISDIR(st.st_mode) && !j->c->parents) {
		rc = ensure_dir(j, to);
		return rc < 0 ? rc : put_tree(j, real, to, 0);
	}
	dest = dir ? below(to, j->c->parents ? source : bk_path_base(source)) : bk_strdup(to);
	if (strchr(dest, '/')) {
		bk_autofree char *above = bk_path_dir(dest);

		rc = ensure_dir(j, above);
	}
	if (rc == 0 && S_ISDIR(st.st_mode))
		return put_any(j, real, dest, 0);
	return rc < 0 ? rc : put_file(j, real, dest);
}

/* A pattern becomes what it matches; anything else is cleaned. */
static int find_source(const struct step_copy *c, const char *item, char ***all, struct bk_err **err)
{
	bk_autofree char *source = clean(item);
	bk_autostrv char **found = NULL;
	size_t n = 0;
	int rc;

	if (!step_glob_is_pattern(source)) {
		bk_strv_add(all, source);
		return 0;
	}
	rc = step_glob_find(c->from, source, &found, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; found && found[i]; i++) {
		if (is_left_out(c, found[i]))
			continue;
		bk_strv_add(all, found[i]);
		n++;
	}
	return n ? 0 : bk_err_set(err, BK_ERR_NOT_FOUND, 0, "nothing is like '%s'", item);
}

static int find_sources(const struct step_copy *c, char ***ret, struct bk_err **err)
{
	bk_autostrv char **all = NULL;
	int rc = 0;

	for (char *const *item = c->sources; rc == 0 && item && *item; item++)
		rc = find_source(c, *item, &all, err);
	if (rc == 0)
		*ret = bk_steal_ptr(&all);
	return rc;
}

static bool names_directory(const char *to)
{
	const char *base = bk_path_base(to);

	return !*base || bk_streq(base, ".") || bk_streq(base, "..");
}

int step_copy_list(const struct step_copy *c, struct snap_list *l, struct bk_err **err)
{
	bk_automap struct bk_map *dirs = bk_map_new(NULL);
	bk_autofree char *wanted = bk_path_join(c->workdir, c->to);
	bk_autofree char *to = NULL;
	bk_autostrv char **sources = NULL;
	const struct job j = { .c = c, .list = l, .dirs = dirs, .err = err };
	struct stat st;
	bool dir;
	int rc = find_sources(c, &sources, err);

	if (rc == 0)
		rc = snap_dest_resolve(c->view, wanted, &to, &st, err);
	if (rc < 0)
		return rc;
	dir = names_directory(c->to) || S_ISDIR(st.st_mode) || bk_strv_len(c->sources) > 1 ||
	      bk_strv_len(sources) > 1 || c->parents;
	if (dir && st.st_mode != 0 && !S_ISDIR(st.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'/%s' is no directory", to);
	if (dir)
		rc = ensure_dir(&j, to);
	for (size_t i = 0; rc == 0 && sources && sources[i]; i++) {
		rc = put_source(&j, sources[i], to, dir);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "copy '%s' to '%s'", sources[i], c->to);
	}
	return rc;
}
