/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_str.h"

#define XATTR_MAX ((size_t)64 << 10) /* bytes of one, and of all names: the kernel's bound */

void layer_kept_done(struct layer_kept *k)
{
	bk_close(&k->layers);
	bk_arena_free(k->arena);
	*k = (struct layer_kept)LAYER_KEPT_INIT;
}

enum store_layer_kind layer_keep_kind(const struct layer_opts *opts)
{
	if (opts->rootless || geteuid() != 0)
		return STORE_LAYER_USER;
	return layer_overlay_first_userns() ? STORE_LAYER_ROOT : STORE_LAYER_NS;
}

/* ---- the root of an upper layer ------------------------------------------------------------------ */

static int copy_xattrs(int from, int to, struct bk_err **err)
{
	bk_autofree char *names = bk_malloc(XATTR_MAX);
	bk_autofree char *value = bk_malloc(XATTR_MAX);
	ssize_t len = flistxattr(from, names, XATTR_MAX);

	for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		ssize_t size;

		if (bk_skip_prefix(name, "trusted.") || bk_skip_prefix(name, "user.overlay.") ||
		    bk_streq(name, "security.selinux"))
			continue;
		size = fgetxattr(from, name, value, XATTR_MAX);
		if (size < 0 || fsetxattr(to, name, value, (size_t)size, 0) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "copy the attribute '%s' of the root", name);
	}
	if (len < 0 && errno != EOPNOTSUPP)
		return bk_err_set(err, BK_ERR_IO, errno, "list the attributes of the root");
	return 0;
}

int layer_keep_dress(int from, int to, struct bk_err **err)
{
	struct timespec times[2];
	struct stat st, own;
	int rc;

	if (fstat(from, &st) < 0 || fstat(to, &own) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat the root");
	if ((st.st_uid != own.st_uid || st.st_gid != own.st_gid) && fchown(to, st.st_uid, st.st_gid) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the owner of the root");
	if (fchmod(to, st.st_mode & 07777) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the mode of the root");
	rc = copy_xattrs(from, to, err);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (rc == 0 && futimens(to, times) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the time of the root");
	return rc;
}

/* ---- one layer ----------------------------------------------------------------------------------- */

static int open_dir(int layers, const char *path, int flags, int *ret_fd, struct bk_err **err)
{
	*ret_fd = openat(layers, path, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? bk_err_set(err, BK_ERR_IO, errno, "open '%s'", path) : 0;
}

/* What is below the layer i of the image: strv, the topmost first. */
static char **lower_of(char *const *keys, size_t i)
{
	char **lower = NULL;

	while (i-- > 0)
		bk_strv_push(&lower, bk_asprintf("%s/fs", keys[i]));
	return lower;
}

/* The tree that layer i is written to: an empty directory, or an overlayfs with it on top of those below. */
static int open_tree_of(const struct layer_kept *k, size_t i, const struct store_layer_build *b, int *ret_fd,
			struct bk_err **err)
{
	bk_autostrv char **lower = lower_of(k->keys, i);
	const struct layer_overlay o = {
		.layers = k->layers,
		.lower = lower,
		.upper = store_layer_build_fs(b),
		.work = store_layer_build_work(b),
		.userxattr = k->kind != STORE_LAYER_ROOT,
	};
	bk_autoclose int below = -1, upper = -1;
	int rc;

	if (i == 0)
		return open_dir(k->layers, o.upper, O_PATH, ret_fd, err);
	/* overlayfs shows the root of the topmost layer as the root */
	rc = open_dir(k->layers, lower[0], O_RDONLY, &below, err);
	if (rc == 0)
		rc = open_dir(k->layers, o.upper, O_RDONLY, &upper, err);
	if (rc == 0)
		rc = layer_keep_dress(below, upper, err);
	return rc < 0 ? rc : layer_overlay_mount(&o, false, ret_fd, err);
}

static int build(struct store *s, const struct store_image *image, size_t i, const struct layer_opts *opts,
		 const char *chain_id, struct layer_kept *k, struct layer_stats *sum, struct bk_err **err)
{
	bk_autolayerbuild struct store_layer_build *b = NULL;
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct layer_stats stats = { 0 };
	struct store_layer l;
	int rc = store_layer_begin(s, k->keys[i], &b, err);

	if (rc < 0 || !b)
		return rc;
	rc = open_tree_of(k, i, b, &root.fd, err);
	if (rc == 0)
		rc = layer_apply_one(s, image, i, &root, opts, &stats, err);
	/* the mount ends before its work folder goes */
	bk_root_done(&root);
	if (rc < 0)
		return rc;
	l = (struct store_layer){
		.chain_id = (char *)chain_id,
		.diff_id = image->config.rootfs->diff_ids[i],
		.entries = stats.entries,
		.bytes = stats.bytes,
	};
	rc = store_layer_commit(b, &l, err);
	if (rc < 0)
		return rc;
	k->unpacked++;
	sum->entries += stats.entries;
	sum->whiteouts += stats.whiteouts;
	sum->bytes += stats.bytes;
	return 0;
}

/* Whether the layer is there already, as the marker says. */
static int find(const struct store *s, const char *key, const char *diff_id, bool *ret, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct store_layer l;
	int rc = store_layer_read(s, key, arena, ret, &l, err);

	if (rc == 0 && *ret && !bk_streq(l.diff_id, diff_id))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "unpacked layer '%s' is one of %s, not of %s", key,
				l.diff_id, diff_id);
	return rc;
}

static void make_lists(struct layer_kept *k, char *const *chain, size_t n)
{
	k->keys = bk_arena_alloc(k->arena, (n + 1) * sizeof(*k->keys));
	k->lower = bk_arena_alloc(k->arena, (n + 2) * sizeof(*k->lower));
	for (size_t i = 0; i < n; i++) {
		char key[STORE_LAYER_KEY_SIZE];

		store_layer_key(chain[i], k->kind, key);
		k->keys[i] = bk_arena_strdup(k->arena, key);
		k->lower[n - 1 - i] = bk_arena_printf(k->arena, "%s/fs", key);
	}
	k->keys[n] = NULL;
	k->lower[n] = bk_arena_strdup(k->arena, LAYER_OVERLAY_EMPTY);
	k->lower[n + 1] = NULL;
}

int layer_keep_image(struct store *s, const struct store_image *image, const struct layer_opts *opts,
		     struct layer_kept *ret, struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autolayerkept struct layer_kept k = LAYER_KEPT_INIT;
	struct layer_opts kept_opts = *opts;
	size_t n = image->manifest.n_layers;
	struct layer_stats sum = { 0 };
	char **chain;
	int rc;

	kept_opts.overlay = true;
	k.arena = bk_arena_new();
	k.kind = layer_keep_kind(opts);
	if (n == 0)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "the image has no layers; unpack --mode copy takes it");
	chain = store_layer_chain(image->config.rootfs->diff_ids, n, k.arena);
	make_lists(&k, chain, n);
	rc = store_layers_open(s, true, &k.layers, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		bool there;

		rc = find(s, k.keys[i], image->config.rootfs->diff_ids[i], &there, err);
		if (rc == 0 && !there)
			rc = build(s, image, i, &kept_opts, chain[i], &k, &sum, err);
	}
	if (rc < 0)
		return rc;
	*ret = k;
	k = (struct layer_kept)LAYER_KEPT_INIT;
	if (ret_stats)
		*ret_stats = sum;
	return 0;
}

bool layer_keep_has(const struct store *s, const struct store_image *image, const struct layer_opts *opts)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	enum store_layer_kind kind = layer_keep_kind(opts);
	size_t n = image->manifest.n_layers;
	char **chain = store_layer_chain(image->config.rootfs->diff_ids, n, arena);
	bool all = n > 0;

	for (size_t i = 0; all && i < n; i++) {
		char key[STORE_LAYER_KEY_SIZE];

		store_layer_key(chain[i], kind, key);
		all = find(s, key, image->config.rootfs->diff_ids[i], &all, NULL) == 0 && all;
	}
	return all;
}

int layer_keep_mount(const struct layer_kept *k, const char *source, bool attach, int *ret_fd,
		     struct bk_err **err)
{
	const struct layer_overlay o = {
		.layers = k->layers,
		.lower = k->lower,
		.source = source,
		.userxattr = k->kind != STORE_LAYER_ROOT,
	};

	return layer_overlay_mount(&o, attach, ret_fd, err);
}
