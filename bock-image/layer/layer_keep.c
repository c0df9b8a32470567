/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_keep_priv.h"

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

/* ---- what is there ------------------------------------------------------------------------------- */

int layer_keep_find_(const struct store *s, const char *key, const char *diff_id, bool *ret, struct bk_err **err)
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

int layer_keep_name_(const struct store *s, const struct store_image *image, const struct layer_opts *opts,
		     struct layer_kept *k, char ***ret_chain, struct bk_err **err)
{
	size_t n = image->manifest.n_layers;

	if (n == 0)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "the image has no layers; unpack --mode copy takes it");
	k->arena = bk_arena_new();
	k->kind = layer_keep_kind(opts);
	*ret_chain = store_layer_chain(image->config.rootfs->diff_ids, n, k->arena);
	make_lists(k, *ret_chain, n);
	return store_layers_open(s, true, &k->layers, err);
}

int layer_keep_found(const struct store *s, const struct store_image *image, const struct layer_opts *opts,
		     struct layer_kept *ret, bool *ret_all, struct bk_err **err)
{
	bk_autolayerkept struct layer_kept k = LAYER_KEPT_INIT;
	bool all = true;
	char **chain;
	int rc = layer_keep_name_(s, image, opts, &k, &chain, err);

	for (size_t i = 0; rc == 0 && all && i < image->manifest.n_layers; i++)
		rc = layer_keep_find_(s, k.keys[i], image->config.rootfs->diff_ids[i], &all, err);
	if (rc < 0)
		return rc;
	if (all) {
		*ret = k;
		k = (struct layer_kept)LAYER_KEPT_INIT;
	}
	*ret_all = all;
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
		all = layer_keep_find_(s, key, image->config.rootfs->diff_ids[i], &all, NULL) == 0 && all;
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
