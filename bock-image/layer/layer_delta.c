/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_delta.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_map.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "codec/bk_tar.h"
#include "digest/bk_digest.h"

#define WHITEOUT  ".wh."
#define COPY_SIZE ((size_t)128 << 10)

/* What was at a path. */
struct node {
	const char *link;	/* NULL: none */
	const char *content;	/* digest of a regular file's; NULL: none */
	struct layer_attrs attrs;
	dev_t rdev;
	bool hardlink;
	bool any_time;		/* a directory whose time nobody said */
	bool seen;		/* it is in the other tree, too, */
	bool now_dir;		/* as a directory */
	bool met, opaque;	/* an upper directory has the name; and it hides what is below */
};

/* What the layer has of a path. */
struct change {
	bool wanted;		/* the entry itself */
	bool written;
	struct layer_attrs *attrs;	/* of a file with several names, for the entries of the others */
	char **hidden;		/* names that are gone from this directory, in order */
	size_t n_hidden;
};

struct link {
	const char *path, *first;
};

struct layer_delta {
	const struct layer_walk_opts *opts;
	struct bk_arena *arena;		/* owns all below but maps */
	struct bk_map *old;		/* path -> struct node */
	struct bk_map *changes;		/* path -> struct change */
	struct link *links;		/* hard links of the tree that is */
	size_t n_links;
	struct timespec since;
	char *copy;			/* COPY_SIZE */
};

struct writer {
	struct layer_delta *d;
	int (*sink)(void *ctx, const void *data, size_t len, struct bk_err **err);
	void *ctx;
	size_t done;			/* changes that were met */
};

struct layer_delta *layer_delta_new(const struct layer_walk_opts *opts)
{
	struct layer_delta *d = bk_calloc(1, sizeof(*d));

	d->opts = opts;
	d->arena = bk_arena_new();
	d->old = bk_map_new(NULL);
	d->changes = bk_map_new(NULL);
	d->copy = bk_malloc(COPY_SIZE);
	return d;
}

void layer_delta_free(struct layer_delta *d)
{
	if (!d)
		return;
	bk_map_free(d->old);
	bk_map_free(d->changes);
	bk_arena_free(d->arena);
	free(d->copy);
	free(d);
}

static int changed_meanwhile(const char *path, struct bk_err **err)
{
	return bk_err_hint(err, bk_err_set(err, BK_ERR_IO, 0, "'/%s' was changed while it was read", path),
			   "stop what writes to it, and try again");
}

/* Hands the size bytes of a file to a function. */
static int read_content(struct layer_delta *d, const struct layer_entry *e, int fd,
			int (*take)(void *ctx, const void *data, size_t len, struct bk_err **err), void *ctx,
			struct bk_err **err)
{
	for (uint64_t left = e->size; left > 0;) {
		size_t want = left < COPY_SIZE ? (size_t)left : COPY_SIZE;
		ssize_t got = bk_fd_read_full(fd, d->copy, want);
		int rc;

		if (got < 0)
			return bk_err_set(err, BK_ERR_IO, (int)-got, "read '/%s'", e->path);
		if ((size_t)got < want)
			return changed_meanwhile(e->path, err);
		rc = take(ctx, d->copy, want, err);
		if (rc < 0)
			return rc;
		left -= want;
	}
	return 0;
}

static int hash(void *ctx, const void *data, size_t len, struct bk_err **err)
{
	(void)err;
	bk_digest_update(ctx, data, len);
	return 0;
}

static int content_digest(struct layer_delta *d, const struct layer_entry *e, int fd,
			  char text[BK_DIGEST_TEXT_SIZE], struct bk_err **err)
{
	bk_autodigest struct bk_digest *digest = bk_digest_new(BK_DIGEST_SHA256);
	int rc = read_content(d, e, fd, hash, digest, err);

	if (rc == 0)
		bk_digest_text(digest, text);
	return rc;
}

/* ---- what was ------------------------------------------------------------------------------------ */

static void keep_attrs(struct bk_arena *arena, const struct layer_attrs *from, struct layer_attrs *to)
{
	*to = *from;
	to->xattrs = bk_arena_alloc(arena, (from->n_xattrs + 1) * sizeof(*to->xattrs));
	for (size_t i = 0; i < from->n_xattrs; i++) {
		const struct layer_xattr *x = &from->xattrs[i];

		to->xattrs[i] = (struct layer_xattr){
			.name = bk_arena_strdup(arena, x->name),
			.value = bk_arena_alloc(arena, x->size + 1),
			.size = x->size,
		};
		memcpy(to->xattrs[i].value, x->value, x->size);
	}
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec >= b->tv_nsec);
}

static int note_old(void *ctx, const struct layer_entry *e, int fd, struct bk_err **err)
{
	struct layer_delta *d = ctx;
	struct node *n = bk_arena_alloc(d->arena, sizeof(*n));
	char text[BK_DIGEST_TEXT_SIZE];
	int rc;

	n->link = e->link ? bk_arena_strdup(d->arena, e->link) : NULL;
	n->hardlink = e->is_hardlink;
	n->rdev = e->rdev;
	keep_attrs(d->arena, &e->attrs, &n->attrs);
	n->any_time = S_ISDIR(e->attrs.mode) && is_later(&e->attrs.mtime, &d->since);
	if (fd >= 0) {
		rc = content_digest(d, e, fd, text, err);
		if (rc < 0)
			return rc;
		n->content = bk_arena_strdup(d->arena, text);
	}
	(void)bk_map_set(d->old, e->path, n);
	return 0;
}

int layer_delta_old(struct layer_delta *d, const struct bk_root *root, const struct timespec *since, struct bk_err **err)
{
	struct layer_walk_opts opts = *d->opts;

	opts.warn = NULL;
	opts.upper = LAYER_WALK_NO_UPPER;
	d->since = *since;
	return layer_walk(root, &opts, note_old, d, err);
}

/* ---- what is ------------------------------------------------------------------------------------- */

static bool same_attrs(const struct node *n, const struct layer_attrs *b)
{
	const struct layer_attrs *a = &n->attrs;

	if (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid || a->n_xattrs != b->n_xattrs)
		return false;
	if (!n->any_time && (a->mtime.tv_sec != b->mtime.tv_sec || a->mtime.tv_nsec != b->mtime.tv_nsec))
		return false;
	for (size_t i = 0; i < a->n_xattrs; i++)
		if (!bk_streq(a->xattrs[i].name, b->xattrs[i].name) || a->xattrs[i].size != b->xattrs[i].size ||
		    memcmp(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].size) != 0)
			return false;
	return true;
}

static int is_same(struct layer_delta *d, const struct node *n, const struct layer_entry *e, int fd, bool *ret,
		   struct bk_err **err)
{
	char text[BK_DIGEST_TEXT_SIZE];
	int rc;

	*ret = false;
	if (n->hardlink != e->is_hardlink || !bk_streq0(n->link, e->link))
		return 0;
	/* of hard links the first name tells all */
	*ret = e->is_hardlink || (n->rdev == e->rdev && same_attrs(n, &e->attrs));
	if (!*ret || fd < 0)
		return 0;
	rc = content_digest(d, e, fd, text, err);
	if (rc == 0)
		*ret = bk_streq0(n->content, text);
	return rc;
}

static struct change *change_of(struct layer_delta *d, const char *path)
{
	struct change *c = bk_map_get(d->changes, path);

	if (!c) {
		c = bk_arena_alloc(d->arena, sizeof(*c));
		(void)bk_map_set(d->changes, path, c);
	}
	return c;
}

static char *parent_of(const char *path)
{
	const char *base = bk_path_base(path);

	return bk_strndup(path, base > path ? (size_t)(base - path) - 1 : 0);
}

/* The entry, and the directories above it but the root: who unpacks a layer by itself must know what they are. */
static void want(struct layer_delta *d, const char *path)
{
	bk_autofree char *at = bk_strdup(path);

	for (;;) {
		struct change *c = change_of(d, at);
		char *up;

		if (c->wanted)
			return;
		c->wanted = true;
		up = parent_of(at);
		free(at);
		at = up;
		if (*at == '\0')
			return;
	}
}

static int note_new(void *ctx, const struct layer_entry *e, int fd, struct bk_err **err)
{
	struct layer_delta *d = ctx;
	struct node *n = bk_map_get(d->old, e->path);
	bool same = false;
	int rc = 0;

	if (bk_skip_prefix(bk_path_base(e->path), WHITEOUT))
		return bk_err_hint(err, bk_err_set(err, BK_ERR_CONFIG, 0, "'/%s' can't be in a layer: names that begin "
						   "with '" WHITEOUT "' stand for files that are gone", e->path),
				   "rename or remove it");
	if (e->is_hardlink) {
		d->links = bk_arena_grow(d->arena, d->links, d->n_links, sizeof(*d->links));
		d->links[d->n_links++] = (struct link){ bk_arena_strdup(d->arena, e->path),
							bk_arena_strdup(d->arena, e->link) };
	}
	if (n) {
		n->seen = true;
		n->now_dir = S_ISDIR(e->attrs.mode) && !e->is_hardlink;
		rc = is_same(d, n, e, fd, &same, err);
	}
	if (rc == 0 && !same)
		want(d, e->path);
	return rc;
}

static int note_upper(void *ctx, const struct layer_entry *e, int fd, struct bk_err **err)
{
	struct layer_delta *d = ctx;
	struct node *n = bk_map_get(d->old, e->path);

	if (n) {
		n->met = true;
		/* of the root, overlayfs itself does not ask */
		n->opaque = e->opaque && *e->path;
	}
	return e->gone ? 0 : note_new(ctx, e, fd, err);
}

static bool is_wanted(const struct layer_delta *d, const char *path)
{
	const struct change *c = bk_map_get(d->changes, path);

	return c && c->wanted;
}

/* All names of a file, if one of them is in the layer. */
static void want_links(struct layer_delta *d)
{
	for (size_t i = 0; i < d->n_links; i++)
		if (is_wanted(d, d->links[i].path))
			want(d, d->links[i].first);
	for (size_t i = 0; i < d->n_links; i++)
		if (is_wanted(d, d->links[i].first)) {
			want(d, d->links[i].path);
			change_of(d, d->links[i].first)->attrs = bk_arena_alloc(d->arena, sizeof(struct layer_attrs));
		}
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What an upper directory neither has nor hides is as it was. */
static void keep_lower(struct layer_delta *d)
{
	const char **paths = bk_arena_alloc(d->arena, (bk_map_len(d->old) + 1) * sizeof(*paths));
	size_t it = 0, n_paths = 0;
	void *value;

	while (bk_map_next(d->old, &it, &paths[n_paths], &value))
		n_paths++;
	/* a directory before what is in it */
	if (n_paths > 1)
		qsort(paths, n_paths, sizeof(*paths), compare_texts);
	for (size_t i = 0; i < n_paths; i++) {
		bk_autofree char *dir = parent_of(paths[i]);
		struct node *n = bk_map_get(d->old, paths[i]), *up = bk_map_get(d->old, dir);

		if (!up || !up->seen || !up->now_dir || up->opaque) {
			/* below what hides everything, nothing comes back */
			n->opaque = true;
		} else if (!n->met) {
			n->seen = true;
			n->now_dir = S_ISDIR(n->attrs.mode) && !n->hardlink;
		}
	}
}

/* What is below a directory that is gone, or is no directory any more, goes with it. */
static void want_whiteouts(struct layer_delta *d)
{
	const char **gone = NULL;
	const char *path;
	size_t it = 0, n_gone = 0;
	void *value;

	while (bk_map_next(d->old, &it, &path, &value)) {
		bk_autofree char *dir = parent_of(path);
		const struct node *n = value, *up = bk_map_get(d->old, dir);

		if (n->seen || !up || !up->seen || !up->now_dir)
			continue;
		gone = bk_arena_grow(d->arena, gone, n_gone, sizeof(*gone));
		gone[n_gone++] = path;
	}
	if (n_gone > 1)
		qsort(gone, n_gone, sizeof(*gone), compare_texts);
	for (size_t i = 0; i < n_gone; i++) {
		bk_autofree char *dir = parent_of(gone[i]);
		struct change *c = change_of(d, dir);

		if (*dir)
			want(d, dir);
		c->hidden = bk_arena_grow(d->arena, c->hidden, c->n_hidden, sizeof(*c->hidden));
		c->hidden[c->n_hidden++] = bk_arena_strdup(d->arena, bk_path_base(gone[i]));
	}
}

int layer_delta_compare(struct layer_delta *d, const struct bk_root *root, bool *ret_changed, struct bk_err **err)
{
	int rc = layer_walk(root, d->opts, d->opts->upper ? note_upper : note_new, d, err);

	if (rc < 0)
		return rc;
	if (d->opts->upper)
		keep_lower(d);
	want_links(d);
	want_whiteouts(d);
	*ret_changed = bk_map_len(d->changes) > 0;
	return 0;
}

/* ---- the layer ----------------------------------------------------------------------------------- */

static int put_header(const struct writer *w, const struct bk_tar_entry *e, struct bk_err **err)
{
	bk_autobuf struct bk_buf head = BK_BUF_INIT(BK_TAR_PAX_MAX + 4 * (size_t)BK_TAR_BLOCK);
	int rc = bk_tar_header(e, &head, err);

	return rc < 0 ? bk_err_wrap(err, rc, "'/%s'", e->path) : w->sink(w->ctx, head.data, head.len, err);
}

static int put_entry(struct writer *w, const struct layer_entry *e, const struct layer_attrs *attrs, int fd,
		     struct bk_err **err)
{
	static const char zeros[BK_TAR_BLOCK];
	size_t n = attrs->n_xattrs;
	bk_autofree struct bk_tar_xattr *xattrs = bk_calloc(n + 1, sizeof(*xattrs));
	const struct bk_tar_entry entry = {
		.path = *e->path ? e->path : ".",
		.link = e->link,
		.hardlink = e->is_hardlink,
		.mode = attrs->mode,
		.uid = attrs->uid,
		.gid = attrs->gid,
		.mtime = attrs->mtime.tv_sec,
		.mtime_nsec = (uint32_t)attrs->mtime.tv_nsec,
		.size = e->size,
		.rdev = e->rdev,
		.xattrs = xattrs,
		.n_xattrs = n,
	};
	size_t padding = bk_tar_padding(e->size);
	int rc;

	for (size_t i = 0; i < n; i++)
		xattrs[i] = (struct bk_tar_xattr){ attrs->xattrs[i].name, attrs->xattrs[i].value,
						   attrs->xattrs[i].size };
	rc = put_header(w, &entry, err);
	if (rc == 0 && fd >= 0)
		rc = read_content(w->d, e, fd, w->sink, w->ctx, err);
	if (rc == 0 && fd >= 0 && padding > 0)
		rc = w->sink(w->ctx, zeros, padding, err);
	return rc;
}

static int put_whiteouts(const struct writer *w, const char *dir, const struct change *c, struct bk_err **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->n_hidden; i++) {
		bk_autofree char *path = bk_asprintf("%s%s" WHITEOUT "%s", dir, *dir ? "/" : "", c->hidden[i]);
		const struct bk_tar_entry e = { .path = path, .mode = S_IFREG };

		rc = put_header(w, &e, err);
	}
	return rc;
}

static int write_entry(void *ctx, const struct layer_entry *e, int fd, struct bk_err **err)
{
	struct writer *w = ctx;
	struct change *c = bk_map_get(w->d->changes, e->path);
	const struct change *first = c && e->is_hardlink ? bk_map_get(w->d->changes, e->link) : NULL;
	int rc = 0;

	if (!c)
		return 0;
	if ((e->is_hardlink && (!first || !first->written)) || (c->n_hidden > 0 && !S_ISDIR(e->attrs.mode)))
		return changed_meanwhile(e->path, err);
	if (c->attrs && !e->is_hardlink)
		keep_attrs(w->d->arena, &e->attrs, c->attrs);
	/* other unpackers give a hard link's attributes to the file */
	if (c->wanted)
		rc = put_entry(w, e, first && first->attrs ? first->attrs : &e->attrs, fd, err);
	c->written = c->wanted;
	w->done++;
	return rc < 0 ? rc : put_whiteouts(w, e->path, c, err);
}

int layer_delta_write(struct layer_delta *d, const struct bk_root *root,
		     int (*sink)(void *ctx, const void *data, size_t len, struct bk_err **err), void *ctx,
		     struct bk_err **err)
{
	static const char end[BK_TAR_END];
	struct layer_walk_opts opts = *d->opts;
	struct writer w = { .d = d, .sink = sink, .ctx = ctx };
	int rc;

	/* what there is to say was said when it was compared */
	opts.warn = NULL;
	rc = layer_walk(root, &opts, write_entry, &w, err);
	if (rc == 0 && w.done != bk_map_len(d->changes))
		rc = changed_meanwhile("", err);
	return rc < 0 ? rc : sink(ctx, end, sizeof(end), err);
}
