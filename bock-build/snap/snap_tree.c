/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_tree.h"

#include <string.h>

#include "base/bk_map.h"
#include "base/bk_str.h"
#include "snap/snap_dir.h"

#define DEPTH_MAX 1024 /* directories below each other */

struct note {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	ino_t ino;
	struct timespec ctime;
	bool seen;
};

struct snap_tree {
	struct bk_arena *arena;
	struct bk_map *notes; /* struct note by path */
};

void snap_tree_free(struct snap_tree *t)
{
	if (!t)
		return;
	bk_map_free(t->notes);
	bk_arena_free(t->arena);
	free(t);
}

/* Calls visit for each path, a directory after what it holds; *ret_n counts what visit said. */
typedef int (*visit_fn)(void *ctx, const char *path, const struct stat *st, size_t below, size_t *n,
			struct bk_err **err);

static int walk(const struct bk_root *root, const char *path, unsigned int depth, visit_fn visit,
		void *ctx, size_t *n, struct bk_err **err)
{
	bk_autostrv char **names = NULL;
	int rc;

	if (depth > DEPTH_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "directories deeper than %d levels",
				  DEPTH_MAX);
	rc = snap_dir_names(root, path, &names, err);
	for (size_t i = 0; rc == 0 && names && names[i]; i++) {
		bk_autofree char *name = bk_asprintf("%s%s%s", path, *path ? "/" : "", names[i]);
		size_t below = 0;
		struct stat st;

		rc = bk_root_lstat(root, name, &st, err);
		if (rc == 0 && S_ISDIR(st.st_mode))
			rc = walk(root, name, depth + 1, visit, ctx, &below, err);
		if (rc == 0)
			rc = visit(ctx, name, &st, below, n, err);
		*n += below;
	}
	return rc;
}

static int note_path(void *ctx, const char *path, const struct stat *st, size_t below, size_t *n,
		     struct bk_err **err)
{
	struct snap_tree *t = ctx;
	struct note *note = bk_arena_alloc(t->arena, sizeof(*note));

	(void)below;
	(void)n;
	if (bk_map_len(t->notes) >= SNAP_ENTRIES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %zu files in one tree",
				  SNAP_ENTRIES_MAX);
	*note = (struct note){ .mode = st->st_mode,
			       .uid = st->st_uid,
			       .gid = st->st_gid,
			       .ino = st->st_ino,
			       .ctime = st->st_ctim };
	bk_map_set(t->notes, path, note);
	return 0;
}

int snap_tree_note(const struct bk_root *root, struct snap_tree **ret, struct bk_err **err)
{
	snap_autotree struct snap_tree *t = bk_calloc(1, sizeof(*t));
	size_t n = 0;
	int rc;

	t->arena = bk_arena_new();
	t->notes = bk_map_new(NULL);
	rc = walk(root, "", 0, note_path, t, &n, err);
	if (rc == 0)
		*ret = bk_steal_ptr(&t);
	return rc;
}

struct compare {
	const struct snap_tree *before;
	const struct bk_root *root;
	struct snap_list *list;
};

/* A directory's ctime changes with its names: only what it holds and its attributes count. */
static bool is_same(const struct note *note, const struct stat *st)
{
	if (note->mode != st->st_mode || note->uid != st->st_uid || note->gid != st->st_gid)
		return false;
	return S_ISDIR(st->st_mode) ||
	       (note->ino == st->st_ino && note->ctime.tv_sec == st->st_ctim.tv_sec &&
		note->ctime.tv_nsec == st->st_ctim.tv_nsec);
}

static int compare_path(void *ctx, const char *path, const struct stat *st, size_t below, size_t *n,
			struct bk_err **err)
{
	struct compare *c = ctx;
	struct note *note = bk_map_get(c->before->notes, path);

	if (note)
		note->seen = true;
	if (note && below == 0 && is_same(note, st))
		return 0;
	(*n)++;
	return snap_list_add(c->list, path, c->root, path, NULL, err);
}

/* Of what is gone, only the uppermost is said. */
static bool parent_is_gone(const struct snap_tree *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	bk_autofree char *parent = slash ? bk_strndup(path, (size_t)(slash - path)) : NULL;
	const struct note *note = parent ? bk_map_get(t->notes, parent) : NULL;

	return note && !note->seen;
}

static bool parent_is_directory(const struct bk_root *root, const char *path)
{
	const char *slash = strrchr(path, '/');
	bk_autofree char *parent = slash ? bk_strndup(path, (size_t)(slash - path)) : NULL;
	struct stat st;

	return !parent || (bk_root_lstat(root, parent, &st, NULL) == 0 && S_ISDIR(st.st_mode));
}

/* With the directories above it, as overlayfs has them. */
static int add_whiteout(const struct bk_root *root, const char *path, int64_t mtime,
			struct snap_list *l, struct bk_err **err)
{
	bk_autofree char *above = bk_strdup(path);
	int rc = snap_list_add_whiteout(l, path, mtime, err);
	char *slash;

	while (rc == 0 && (slash = strrchr(above, '/'))) {
		*slash = '\0';
		rc = snap_list_add(l, above, root, above, NULL, err);
	}
	return rc;
}

int snap_tree_list(const struct snap_tree *before, const struct bk_root *root,
		   int64_t whiteout_mtime, struct snap_list *l, struct bk_err **err)
{
	struct compare c = { .before = before, .root = root, .list = l };
	const char *path = NULL;
	void *value = NULL;
	size_t it = 0;
	size_t n = 0;
	int rc;

	while (bk_map_next(before->notes, &it, &path, &value))
		((struct note *)value)->seen = false;
	rc = walk(root, "", 0, compare_path, &c, &n, err);
	it = 0;
	while (rc == 0 && bk_map_next(before->notes, &it, &path, &value)) {
		const struct note *note = value;

		if (!note->seen && !parent_is_gone(before, path) && parent_is_directory(root, path))
			rc = add_whiteout(root, path, whiteout_mtime, l, err);
	}
	return rc;
}
