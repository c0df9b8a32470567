/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_chain.h"

#include <string.h>

#include "base/bk_buf.h"
#include "snap/snap_upper.h"
#include "store/store_blob.h"

void snap_chain_init(struct snap_chain *c, struct snap_space *space, struct store *store)
{
	*c = (struct snap_chain){
		.space = space, .store = store, .view = BK_ROOT_INIT, .merged_root = BK_ROOT_INIT
	};
}

static void forget_view(struct snap_chain *c)
{
	bk_root_done(&c->view);
	if (c->view_name)
		snap_space_unmount(c->space, c->view_name);
	free(c->view_name);
	c->view_name = NULL;
}

void snap_chain_done(struct snap_chain *c)
{
	snap_chain_drop(c);
	forget_view(c);
	for (size_t i = 0; i < c->n; i++)
		free(c->links[i].name);
	free(c->links);
	free(c->tree);
	*c = (struct snap_chain){ .view = BK_ROOT_INIT, .merged_root = BK_ROOT_INIT };
}

static struct snap_link *grow(struct snap_chain *c)
{
	c->links = bk_reallocarray(c->links, c->n + 1, sizeof(*c->links));
	c->links[c->n] = (struct snap_link){ 0 };
	return &c->links[c->n++];
}

void snap_chain_inherit(struct snap_chain *c, const struct snap_chain *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct snap_link *link = grow(c);

		*link = from->links[i];
		link->name = link->name ? bk_strdup(link->name) : NULL;
	}
}

void snap_chain_image(struct snap_chain *c, const struct store_image *image)
{
	grow(c)->image = image;
}

void snap_chain_layer(struct snap_chain *c, const struct layer_info *layer)
{
	grow(c)->layer = *layer;
}

/* ---- unpacking -------------------------------------------------------------------------------------- */

static int apply(const struct snap_chain *c, const struct snap_link *link,
		 const struct bk_root *root, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int64_t size = 0;
	int rc;

	if (link->image)
		return layer_apply_image(c->store, link->image, root, NULL, NULL, err);
	rc = store_blob_open(c->store, link->layer.digest, link->layer.size, &fd, &size, err);
	if (rc < 0)
		return rc;
	return layer_apply(root, fd, link->layer.digest, link->layer.diff_id, NULL, NULL, err);
}

/* Gives each layer a directory of its own. */
static int unpack_links(struct snap_chain *c, struct bk_err **err)
{
	int rc = 0;

	for (size_t i = 0; i < c->n && rc == 0; i++) {
		struct snap_link *link = &c->links[i];
		bk_autoroot struct bk_root root = BK_ROOT_INIT;
		bk_autofree char *name = NULL;

		if (link->name)
			continue;
		rc = snap_space_mkdir(c->space, "l", &name, err);
		if (rc == 0)
			rc = snap_space_root(c->space, name, &root, err);
		if (rc == 0)
			rc = apply(c, link, &root, err);
		if (rc == 0)
			link->name = bk_steal_ptr(&name);
	}
	return rc;
}

/* Applies what is missing to the one directory that there is without overlayfs. */
static int unpack_tree(struct snap_chain *c, struct bk_err **err)
{
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	int rc = 0;

	if (!c->tree)
		rc = snap_space_mkdir(c->space, "t", &c->tree, err);
	if (rc == 0)
		rc = snap_space_root(c->space, c->tree, &root, err);
	for (; rc == 0 && c->in_tree < c->n; c->in_tree++) {
		rc = apply(c, &c->links[c->in_tree], &root, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int unpack(struct snap_chain *c, struct bk_err **err)
{
	int rc = snap_space_enter(c->space, err);

	if (rc < 0)
		return rc;
	return c->space->overlay ? unpack_links(c, err) : unpack_tree(c, err);
}

/* "l3:l2:l1:l0": overlayfs wants the uppermost first, and two at least where there is no upper one. */
static int lower_names(struct snap_chain *c, struct bk_buf *out, struct bk_err **err)
{
	bk_autofree char *empty = NULL;
	int rc = snap_space_mkdir(c->space, "e", &empty, err);

	for (size_t i = c->n; i > 0; i--)
		bk_buf_printf(out, "%s:", c->links[i - 1].name);
	if (rc == 0)
		bk_buf_adds(out, empty);
	return rc < 0 ? rc : bk_buf_check(out, "the list of layers", err);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static int mount_view(struct snap_chain *c, struct bk_err **err)
{
	bk_autobuf struct bk_buf lower = BK_BUF_INIT(BK_BUF_SMALL);
	int rc = snap_space_mkdir(c->space, "v", &c->view_name, err);

	if (rc == 0)
		rc = lower_names(c, &lower, err);
	if (rc == 0)
		rc = snap_space_overlay(c->space, c->view_name, bk_buf_str(&lower), NULL, NULL,
					err);
	return rc < 0 ? rc : snap_space_root(c->space, c->view_name, &c->view, err);
}

int snap_chain_view(struct snap_chain *c, const struct bk_root **ret, struct bk_err **err)
{
	int rc;

	*ret = NULL;
	if (c->n == 0)
		return 0;
	if (c->view.fd < 0 || c->viewed != c->n) {
		forget_view(c);
		rc = unpack(c, err);
		if (rc == 0)
			rc = c->space->overlay ? mount_view(c, err)
					       : snap_space_root(c->space, c->tree, &c->view, err);
		if (rc < 0) {
			forget_view(c);
			return rc;
		}
		c->viewed = c->n;
	}
	*ret = &c->view;
	return 0;
}

/* ---- RUN steps -------------------------------------------------------------------------------------- */

static int begin_overlay(struct snap_chain *c, struct bk_err **err)
{
	bk_autobuf struct bk_buf lower = BK_BUF_INIT(BK_BUF_SMALL);
	int rc = snap_space_mkdir(c->space, "l", &c->upper, err);

	if (rc == 0)
		rc = snap_space_mkdir(c->space, "w", &c->work, err);
	if (rc == 0)
		rc = snap_space_mkdir(c->space, "m", &c->merged, err);
	if (rc == 0)
		rc = lower_names(c, &lower, err);
	if (rc == 0)
		rc = snap_space_overlay(c->space, c->merged, bk_buf_str(&lower), c->upper, c->work,
					err);
	return rc < 0 ? rc : snap_space_root(c->space, c->merged, &c->merged_root, err);
}

static int begin_tree(struct snap_chain *c, struct bk_err **err)
{
	int rc = snap_space_root(c->space, c->tree, &c->merged_root, err);

	c->merged = bk_strdup(c->tree);
	return rc < 0 ? rc : snap_tree_note(&c->merged_root, &c->before, err);
}

int snap_chain_begin(struct snap_chain *c, char **ret_path, const struct bk_root **ret_root,
		     struct bk_err **err)
{
	int rc = unpack(c, err);

	if (rc == 0)
		rc = c->space->overlay ? begin_overlay(c, err) : begin_tree(c, err);
	if (rc < 0) {
		snap_chain_drop(c);
		return rc;
	}
	*ret_path = snap_space_path(c->space, c->merged);
	*ret_root = &c->merged_root;
	return 0;
}

static int list_upper(struct snap_chain *c, int64_t whiteout_mtime, struct snap_list *l,
		      struct bk_err **err)
{
	const struct bk_root *lower = NULL;
	int rc = snap_chain_view(c, &lower, err);

	/* from here on, merged_root is the upper directory, from which the list is read */
	bk_root_done(&c->merged_root);
	snap_space_unmount(c->space, c->merged);
	if (rc == 0)
		rc = snap_space_root(c->space, c->upper, &c->merged_root, err);
	return rc < 0 ? rc : snap_upper_list(&c->merged_root, lower, whiteout_mtime, l, err);
}

int snap_chain_end(struct snap_chain *c, int64_t whiteout_mtime, struct snap_list *l,
		   struct bk_err **err)
{
	if (c->before)
		return snap_tree_list(c->before, &c->merged_root, whiteout_mtime, l, err);
	return list_upper(c, whiteout_mtime, l, err);
}

void snap_chain_keep(struct snap_chain *c, const struct layer_info *layer)
{
	struct snap_link *link = grow(c);

	link->layer = *layer;
	link->name = bk_steal_ptr(&c->upper);
	if (c->before)
		c->in_tree = c->n;
	snap_chain_drop(c);
}

void snap_chain_drop(struct snap_chain *c)
{
	bk_root_done(&c->merged_root);
	if (c->merged && !c->before)
		snap_space_unmount(c->space, c->merged);
	free(c->upper);
	free(c->work);
	free(c->merged);
	snap_tree_free(c->before);
	c->upper = c->work = c->merged = NULL;
	c->before = NULL;
}
