/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_str.h"
#include "layer/layer_view_priv.h"

#define PATH_SIZE ((size_t)LAYER_VIEW_DEPTH_MAX * BK_ROOT_PATH_MAX)

struct comparison {
	struct bk_buf path;
	int (*visit)(void *ctx, const struct layer_change *c, struct bk_err **err);
	void *ctx;
};

static bool same_xattrs(const struct layer_attrs *a, const struct layer_attrs *b)
{
	if (a->n_xattrs != b->n_xattrs)
		return false;
	for (size_t i = 0; i < a->n_xattrs; i++) {
		const struct layer_xattr *x = &a->xattrs[i], *y = &b->xattrs[i];

		if (!bk_streq(x->name, y->name) || x->size != y->size ||
		    (x->size > 0 && memcmp(x->value, y->value, x->size) != 0))
			return false;
	}
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? bk_streq(a, b) : a == b;
}

/* What a file of that type is beside its attributes. */
static unsigned int compare_data(const struct layer_file *a, const struct layer_file *b)
{
	return (a->size != b->size ? LAYER_CHANGE_SIZE : 0u) |
	       (a->size != b->size || !same_text(a->sum, b->sum) ? LAYER_CHANGE_CONTENT : 0u) |
	       (!same_text(a->link, b->link) ? LAYER_CHANGE_TARGET : 0u) |
	       (a->rdev != b->rdev ? LAYER_CHANGE_DEVICE : 0u);
}

static unsigned int compare_files(const struct layer_file *a, const struct layer_file *b)
{
	const struct layer_attrs *x = &a->attrs, *y = &b->attrs;
	unsigned int what = 0;

	if (a == b)
		return 0;
	what |= (x->mode & S_IFMT) != (y->mode & S_IFMT) ? LAYER_CHANGE_TYPE : compare_data(a, b);
	/* A symbolic link has no mode that is its own. */
	if (!S_ISLNK(x->mode) && !S_ISLNK(y->mode) && ((x->mode ^ y->mode) & 07777))
		what |= LAYER_CHANGE_MODE;
	if (x->uid != y->uid || x->gid != y->gid)
		what |= LAYER_CHANGE_OWNER;
	if (!a->implied && !b->implied &&
	    (x->mtime.tv_sec != y->mtime.tv_sec || x->mtime.tv_nsec != y->mtime.tv_nsec))
		what |= LAYER_CHANGE_MTIME;
	if (!same_xattrs(x, y))
		what |= LAYER_CHANGE_XATTRS;
	return what;
}

static int by_name(const void *a, const void *b)
{
	const struct view_node *const *x = a;
	const struct view_node *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The children in order; heap. */
static struct view_node **list(const struct view_node *dir, size_t *ret_n)
{
	size_t n = dir && dir->children ? bk_map_len(dir->children) : 0, count = 0, it = 0;
	struct view_node **all = bk_calloc(n + 1, sizeof(struct view_node *));
	const char *key;
	void *value;

	while (count < n && bk_map_next(dir->children, &it, &key, &value))
		all[count++] = value;
	qsort(all, count, sizeof(struct view_node *), by_name);
	*ret_n = count;
	return all;
}

static int compare_children(struct comparison *c, const struct view_node *old, const struct view_node *new,
			    struct bk_err **err);

/* What is at a name; one of the two may be NULL. */
static int compare_nodes(struct comparison *c, const char *name, const struct view_node *old,
			 const struct view_node *new, struct bk_err **err)
{
	struct layer_change change = { .old = old ? old->file : NULL, .new = new ? new->file : NULL };
	const size_t len = c->path.len;
	int rc;

	if (len > 0)
		(void)bk_buf_addc(&c->path, '/');
	(void)bk_buf_adds(&c->path, name);
	rc = bk_buf_check(&c->path, "a path", err);
	if (rc < 0)
		return rc;
	change.path = bk_buf_str(&c->path);
	if (old && new)
		change.what = compare_files(old->file, new->file);
	if (!old || !new || change.what)
		rc = c->visit(c->ctx, &change, err);
	if (rc == 0)
		rc = compare_children(c, old, new, err);
	c->path.len = len;
	if (c->path.data)
		c->path.data[len] = '\0';
	return rc;
}

static int compare_children(struct comparison *c, const struct view_node *old, const struct view_node *new,
			    struct bk_err **err)
{
	size_t n_olds, n_news, i = 0, k = 0;
	bk_autofree struct view_node **olds = list(old, &n_olds);
	bk_autofree struct view_node **news = list(new, &n_news);
	int rc = 0;

	while (rc == 0 && (i < n_olds || k < n_news)) {
		int order = i == n_olds ? 1 : k == n_news ? -1 : strcmp(olds[i]->name, news[k]->name);

		rc = compare_nodes(c, order <= 0 ? olds[i]->name : news[k]->name, order <= 0 ? olds[i] : NULL,
				   order >= 0 ? news[k] : NULL, err);
		i += order <= 0;
		k += order >= 0;
	}
	return rc;
}

int layer_view_compare(const struct layer_view *old, const struct layer_view *new,
		       int (*visit)(void *ctx, const struct layer_change *c, struct bk_err **err),
		       void *ctx, struct bk_err **err)
{
	struct comparison c = { .path = BK_BUF_INIT(PATH_SIZE), .visit = visit, .ctx = ctx };
	int rc = compare_nodes(&c, "", old->root, new->root, err);

	bk_buf_done(&c.path);
	return rc;
}
