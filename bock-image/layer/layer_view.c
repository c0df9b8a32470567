/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_str.h"
#include "layer/layer_sink.h"
#include "layer/layer_view_priv.h"

static const struct layer_file implied_dir = { .attrs.mode = S_IFDIR | 0755, .implied = true };

static bool is_dir(const struct view_node *n)
{
	return S_ISDIR(n->file->attrs.mode);
}

static struct view_node *child_of(const struct view_node *dir, const char *name)
{
	return dir->children ? bk_map_get(dir->children, name) : NULL;
}

/* ---- nodes -------------------------------------------------------------------------------------- */

/* The layer has made this, and something below each directory above it. */
static void note_made(const struct layer_view *v, struct view_node *n)
{
	for (; n && n->layer != v->layer; n = n->parent)
		n->layer = v->layer;
}

static struct view_node *put_node(struct layer_view *v, struct view_node *dir, const char *name,
				  const struct layer_file *file)
{
	struct view_node *n = bk_arena_alloc(v->arena, sizeof(*n));

	n->name = bk_arena_strdup(v->arena, name);
	n->parent = dir;
	n->file = file;
	n->depth = dir->depth + 1;
	if (!dir->children)
		dir->children = bk_map_new(NULL);
	(void)bk_map_set(dir->children, n->name, n);
	v->n_nodes++;
	return n;
}

static int add_node(struct layer_view *v, struct view_node *dir, const char *name,
		    const struct layer_file *file, struct view_node **ret, struct bk_err **err)
{
	struct view_node *n;

	if (v->n_nodes >= LAYER_VIEW_NODES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the image has more than %zu names",
				  LAYER_VIEW_NODES_MAX);
	if (dir->depth >= LAYER_VIEW_DEPTH_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "a name is deeper than %d", LAYER_VIEW_DEPTH_MAX);
	n = put_node(v, dir, name, file);
	note_made(v, n);
	*ret = n;
	return 0;
}

/* All that is below the node; the node itself stays in its arena. */
static void drop_children(struct layer_view *v, struct view_node *n)
{
	const char *key;
	void *value;
	size_t it = 0;

	if (!n->children)
		return;
	while (bk_map_next(n->children, &it, &key, &value)) {
		drop_children(v, value);
		v->n_nodes--;
	}
	bk_map_free(n->children);
	n->children = NULL;
}

static void remove_node(struct layer_view *v, struct view_node *n)
{
	drop_children(v, n);
	(void)bk_map_del(n->parent->children, n->name);
	v->n_nodes--;
}

/* Removes from the directory what this layer has not made. Depth is bounded by add_node. */
static void empty_lower(struct layer_view *v, struct view_node *dir)
{
	size_t n = dir->children ? bk_map_len(dir->children) : 0, count = 0, it = 0;
	bk_autofree struct view_node **all = bk_calloc(n + 1, sizeof(struct view_node *));
	const char *key;
	void *value;

	while (count < n && bk_map_next(dir->children, &it, &key, &value))
		all[count++] = value;
	for (size_t i = 0; i < count; i++) {
		if (all[i]->layer != v->layer)
			remove_node(v, all[i]);
		else
			empty_lower(v, all[i]);
	}
}

/* ---- ways --------------------------------------------------------------------------------------- */

struct way {
	struct view_node *at;
	char *todo;		/* heap; what of the way is left begins at p */
	char *p;
	unsigned int links;
};

static int follow(const struct layer_view *v, struct way *w, const struct view_node *link, char *rest,
		  struct bk_err **err)
{
	const char *target = link->file->link;
	char *todo;

	if (++w->links > LAYER_VIEW_LINKS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, ELOOP, "more than %d links on the way",
				  LAYER_VIEW_LINKS_MAX);
	todo = bk_asprintf("%s/%s", target, rest);
	if (*target == '/')
		w->at = v->root;
	free(w->todo);
	w->todo = w->p = todo;
	return 0;
}

/* One component. *ret_end: there is no such directory, and none is to be made. */
static int step(struct layer_view *v, struct way *w, bool make, bool *ret_end, struct bk_err **err)
{
	char *name = w->p, *rest = name + strcspn(name, "/");
	struct view_node *next;
	int rc = 0;

	if (*rest)
		*rest++ = '\0';
	w->p = rest;
	if (*name == '\0' || bk_streq(name, "."))
		return 0;
	if (bk_streq(name, "..")) {
		w->at = w->at->parent ? w->at->parent : w->at;
		return 0;
	}
	next = child_of(w->at, name);
	if (next && S_ISLNK(next->file->attrs.mode))
		return follow(v, w, next, rest, err);
	if (next ? !is_dir(next) : !make) {
		*ret_end = true;
		return make ? bk_err_set(err, BK_ERR_CONFIG, ENOTDIR, "'%s'", name) : 0;
	}
	if (!next)
		rc = add_node(v, w->at, name, &implied_dir, &next, err);
	if (rc == 0)
		w->at = next;
	return rc;
}

/* The directory that path's first len bytes name, links followed; NULL: there is none. make: it and those above it. */
static int walk(struct layer_view *v, const char *path, size_t len, bool make, struct view_node **ret,
		struct bk_err **err)
{
	struct way w = { .at = v->root };
	bool end = false;
	int rc = 0;

	w.todo = w.p = bk_strndup(path, len);
	while (rc == 0 && !end && *w.p)
		rc = step(v, &w, make, &end, err);
	free(w.todo);
	if (rc < 0)
		return bk_err_wrap(err, rc, "'/%.*s'", (int)len, path);
	*ret = end ? NULL : w.at;
	return 0;
}

/* The directory that path is in, and its last component. */
static int walk_parent(struct layer_view *v, const char *path, bool make, struct view_node **ret_dir,
		       const char **ret_name, struct bk_err **err)
{
	const char *slash = strrchr(path, '/');

	*ret_name = slash ? slash + 1 : path;
	return walk(v, path, slash ? (size_t)(slash - path) : 0, make, ret_dir, err);
}

/* ---- files -------------------------------------------------------------------------------------- */

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct layer_xattr *)a)->name, ((const struct layer_xattr *)b)->name);
}

/* What a directory keeps that is there already, as layer_tree has it: attributes that no layer is the source of. */
static bool stays(const struct layer_attrs *now, const char *name)
{
	for (size_t i = 0; i < now->n_xattrs; i++)
		if (bk_streq(now->xattrs[i].name, name))
			return false;
	return !bk_skip_prefix(name, "user.") && !bk_skip_prefix(name, "system.posix_acl_") &&
	       !bk_streq(name, "security.capability");
}

static void copy_xattrs(struct bk_arena *arena, struct layer_attrs *a, const struct layer_file *before)
{
	const struct layer_attrs now = *a;
	const size_t n_before = before ? before->attrs.n_xattrs : 0;

	a->xattrs = NULL;
	a->n_xattrs = 0;
	if (now.n_xattrs + n_before == 0)
		return;
	a->xattrs = bk_arena_alloc(arena, (now.n_xattrs + n_before) * sizeof(*a->xattrs));
	for (size_t i = 0; i < now.n_xattrs; i++) {
		struct layer_xattr *x = &a->xattrs[a->n_xattrs++];

		*x = now.xattrs[i];
		x->name = bk_arena_strdup(arena, x->name);
		x->value = bk_arena_alloc(arena, x->size + 1);
		if (x->size > 0)
			memcpy(x->value, now.xattrs[i].value, x->size);
	}
	for (size_t i = 0; i < n_before; i++)
		if (stays(&now, before->attrs.xattrs[i].name))
			a->xattrs[a->n_xattrs++] = before->attrs.xattrs[i];
	qsort(a->xattrs, a->n_xattrs, sizeof(*a->xattrs), compare_xattrs);
}

/* before: the directory whose place it takes, or NULL. */
static int new_file(struct layer_view *v, const struct layer_entry *e, const struct layer_file *before,
		    struct layer_file **ret, struct bk_err **err)
{
	struct layer_file *f;

	if (bk_arena_used(v->arena) > LAYER_VIEW_MEMORY_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the attributes of the image's files have more than %zu bytes",
				  LAYER_VIEW_MEMORY_MAX);
	f = bk_arena_alloc(v->arena, sizeof(*f));
	f->attrs = e->attrs;
	copy_xattrs(v->arena, &f->attrs, before);
	*ret = f;
	return 0;
}

/* What is at path makes room for it. */
static int put(struct layer_view *v, const char *path, const struct layer_file *file, struct bk_err **err)
{
	struct view_node *dir, *n;
	const char *name;
	int rc = walk_parent(v, path, true, &dir, &name, err);

	if (rc < 0)
		return rc;
	n = child_of(dir, name);
	if (n)
		remove_node(v, n);
	rc = add_node(v, dir, name, file, &n, err);
	return rc < 0 ? bk_err_wrap(err, rc, "'/%s'", path) : 0;
}

static int view_dir(void *ctx, const struct layer_entry *e, struct bk_err **err)
{
	struct layer_view *v = ctx;
	struct view_node *dir, *n = v->root;
	struct layer_file *f = NULL;
	const char *name;
	int rc = 0;

	if (*e->path) {
		rc = walk_parent(v, e->path, true, &dir, &name, err);
		n = rc == 0 ? child_of(dir, name) : NULL;
	}
	if (rc == 0)
		rc = new_file(v, e, n && is_dir(n) ? n->file : NULL, &f, err);
	if (rc < 0)
		return rc;
	if (!n || !is_dir(n))
		return put(v, e->path, f, err);
	n->file = f;
	note_made(v, n);
	return 0;
}

static int view_file(void *ctx, struct layer_tar *tar, const struct layer_entry *e, struct bk_err **err)
{
	struct layer_view *v = ctx;
	struct layer_file *f = NULL;
	int rc = new_file(v, e, NULL, &f, err);

	if (rc == 0 && v->places) {
		struct layer_piece *pieces;

		layer_tar_pieces(tar, v->arena, &pieces, &f->n_pieces);
		f->pieces = pieces;
		f->layer = v->layer;
		f->size = e->size;
	} else if (rc == 0 && e->size > 0) {
		layer_autosum struct layer_sum sum;
		char text[BK_DIGEST_TEXT_SIZE];

		layer_sum_init(&sum);
		f->size = e->size;
		rc = layer_tar_sum(tar, &sum, err);
		if (rc < 0)
			return rc;
		layer_sum_end(&sum, text);
		f->sum = bk_arena_strdup(v->arena, text);
	}
	return rc < 0 ? rc : put(v, e->path, f, err);
}

static int view_symlink(void *ctx, const struct layer_entry *e, struct bk_err **err)
{
	struct layer_view *v = ctx;
	struct layer_file *f = NULL;
	int rc;

	if (*e->link == '\0')
		return bk_err_set(err, BK_ERR_CONFIG, 0, "symbolic link '/%s' has no target", e->path);
	rc = new_file(v, e, NULL, &f, err);
	if (rc < 0)
		return rc;
	f->link = bk_arena_strdup(v->arena, e->link);
	return put(v, e->path, f, err);
}

static int view_node(void *ctx, const struct layer_entry *e, struct bk_err **err)
{
	struct layer_view *v = ctx;
	struct layer_file *f = NULL;
	int rc = new_file(v, e, NULL, &f, err);

	if (rc < 0)
		return rc;
	f->rdev = S_ISFIFO(e->attrs.mode) ? 0 : e->rdev;
	return put(v, e->path, f, err);
}

static int view_link(void *ctx, const struct layer_entry *e, struct bk_err **err)
{
	struct layer_view *v = ctx;
	struct view_node *from_dir, *dir, *from, *there;
	const char *from_name = NULL, *name = NULL;
	int rc = walk_parent(v, e->link, false, &from_dir, &from_name, err);

	if (rc == 0)
		rc = walk_parent(v, e->path, true, &dir, &name, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "hard link '/%s'", e->path);
	from = from_dir ? child_of(from_dir, from_name) : NULL;
	there = child_of(dir, name);
	if (from && is_dir(from))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "hard link '/%s' to the directory '/%s'", e->path,
				  e->link);
	if (from && there && there->file == from->file) {
		note_made(v, there);
		return 0;
	}
	/* What it replaces may be what the target is in. */
	for (const struct view_node *n = from; n && there; n = n->parent)
		if (n == there)
			from = NULL;
	if (!from)
		return bk_err_set(err, BK_ERR_CONFIG, ENOENT, "hard link '/%s' to '/%s'", e->path, e->link);
	return put(v, e->path, from->file, err);
}

static int view_whiteout(void *ctx, const char *path, struct bk_err **err)
{
	struct layer_view *v = ctx;
	struct view_node *dir, *n;
	const char *name;
	int rc = walk_parent(v, path, false, &dir, &name, err);

	n = rc == 0 && dir ? child_of(dir, name) : NULL;
	if (n && n->layer != v->layer)
		remove_node(v, n);
	else if (n)
		empty_lower(v, n);
	return rc;
}

static int view_opaque(void *ctx, const char *path, struct bk_err **err)
{
	struct layer_view *v = ctx;
	struct view_node *dir;
	int rc = walk(v, path, strlen(path), false, &dir, err);

	if (rc == 0 && dir)
		empty_lower(v, dir);
	return rc;
}

/* Attributes are set at once here: nothing is written into directories that could change their time. */
static int view_finish(void *ctx, struct bk_err **err)
{
	(void)ctx;
	(void)err;
	return 0;
}

static const struct layer_sink view_sink = {
	.dir = view_dir,
	.file = view_file,
	.symlink = view_symlink,
	.link = view_link,
	.node = view_node,
	.whiteout = view_whiteout,
	.opaque = view_opaque,
	.finish = view_finish,
};

/* ---- views -------------------------------------------------------------------------------------- */

struct layer_view *layer_view_new(void)
{
	struct layer_view *v = bk_calloc(1, sizeof(*v));

	v->arena = bk_arena_new();
	v->root = bk_arena_alloc(v->arena, sizeof(*v->root));
	v->root->name = "";
	v->root->file = &implied_dir;
	return v;
}

struct layer_view *layer_view_new_places(void)
{
	struct layer_view *v = layer_view_new();

	v->places = true;
	return v;
}

static void copy_children(struct layer_view *v, struct view_node *to, const struct view_node *from)
{
	const char *name;
	void *value;
	size_t it = 0;

	while (from->children && bk_map_next(from->children, &it, &name, &value)) {
		const struct view_node *child = value;
		struct view_node *n = put_node(v, to, name, child->file);

		n->layer = child->layer;
		copy_children(v, n, child);
	}
}

struct layer_view *layer_view_copy(const struct layer_view *v)
{
	struct layer_view *copy = layer_view_new();

	copy->layer = v->layer;
	copy->root->file = v->root->file;
	copy->root->layer = v->root->layer;
	copy_children(copy, copy->root, v->root);
	return copy;
}

void layer_view_free(struct layer_view *v)
{
	if (!v)
		return;
	drop_children(v, v->root);
	bk_arena_free(v->arena);
	free(v);
}

int layer_view_fd(struct layer_view *v, int fd, const char *digest, const char *diff_id,
		  const struct layer_opts *opts, struct bk_err **err)
{
	struct layer_stats stats;

	v->layer++;
	return layer_sink_fd(&view_sink, v, fd, digest, diff_id, opts, &stats, err);
}

int layer_view_image(struct layer_view *v, const struct store *s, const struct store_image *image, size_t i,
		     const struct layer_opts *opts, struct bk_err **err)
{
	struct layer_stats stats;

	v->layer++;
	return layer_sink_image(&view_sink, v, s, image, i, opts, &stats, err);
}
