/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_str.h"
#include "bundle/bundle_priv.h"
#include "layer/layer_clone.h"
#include "layer/layer_index.h"
#include "layer/layer_keep.h"

/*
 * Bytes of options up to which layers are named in one of them, as any runtime and kernel takes it: mount(2) takes 4095,
 * and a runtime may add some. More are named one by one (kernel 6.8, bock-runc).
 */
#define OPTIONS_SHORT 3900

/* ---- overlay ------------------------------------------------------------------------------------- */

/* The path of an open folder. What overlayfs's options can't hold is refused. */
static int path_of(int fd, const char *what, char **ret, struct bk_err **err)
{
	char proc[32], path[PATH_MAX];
	ssize_t n;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, path, sizeof(path) - 1);
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "find the path of %s", what);
	path[n] = '\0';
	if (path[0] != '/' || strpbrk(path, ",:\\\"\n"))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "the path of %s, '%s', has a comma, colon, backslash, quote or newline, which "
				  "overlayfs's options can't hold; --mode copy takes any", what, path);
	*ret = bk_strdup(path);
	return 0;
}

static void add_lower(const struct layer_kept *k, const char *layers, char ***options)
{
	bk_autostrv char **paths = NULL;
	bk_autofree char *all = NULL;

	/* without "empty": upper is a layer, too */
	for (char **l = k->lower; l[1]; l++)
		bk_strv_push(&paths, bk_asprintf("%s/%s", layers, *l));
	all = bk_strv_join(paths, ":");
	if (strlen(all) <= OPTIONS_SHORT) {
		bk_strv_push(options, bk_asprintf("lowerdir=%s", all));
		return;
	}
	for (char **p = paths; p && *p; p++)
		bk_strv_push(options, bk_asprintf("lowerdir+=%s", *p));
}

/* A file system that is the root. */
static void root_mount(const char *type, const char *source, char *const *options, struct bk_arena *arena,
		       struct oci_mount *ret)
{
	size_t n = bk_strv_len(options);

	*ret = (struct oci_mount){
		.destination = bk_arena_strdup(arena, "/"),
		.type = bk_arena_strdup(arena, type),
		.source = bk_arena_strdup(arena, source),
		.options = bk_arena_alloc(arena, (n + 1) * sizeof(char *)),
	};
	for (size_t i = 0; i < n; i++)
		ret->options[i] = bk_arena_strdup(arena, options[i]);
}

/* An overlayfs over what options name already, with the bundle's folders on top. */
static void overlay_mount(const char *bundle, bool userxattr, char ***options, struct bk_arena *arena, struct oci_mount *ret)
{
	static const char *const fixed[] = { LAYER_OVERLAY_OPTIONS };

	bk_strv_push(options, bk_asprintf("upperdir=%s/upper", bundle));
	bk_strv_push(options, bk_asprintf("workdir=%s/work", bundle));
	for (size_t i = 0; i < BK_ARRAY_SIZE(fixed); i++)
		bk_strv_add(options, fixed[i]);
	if (userxattr)
		bk_strv_add(options, "userxattr");
	root_mount("overlay", "overlay", *options, arena, ret);
}

/* mounts[0]: the layers. */
static int layers_mount(const struct layer_kept *k, const char *bundle, struct bk_arena *arena, struct oci_mount *ret,
			struct bk_err **err)
{
	bk_autostrv char **options = NULL;
	bk_autofree char *layers = NULL;
	int rc = path_of(k->layers, "the store's layers", &layers, err);

	if (rc < 0)
		return rc;
	add_lower(k, layers, &options);
	overlay_mount(bundle, k->kind != STORE_LAYER_ROOT, &options, arena, ret);
	return 0;
}

/* The folders of a bundle whose root is mounted; upper's root is the image's. */
static int make_folders(int dirfd, const char *root, int fd, uint64_t *ret_inode, struct bk_err **err)
{
	bk_autoclose int top = openat(dirfd, root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bk_autoclose int upper = -1;
	struct stat st;
	int rc;

	if (top < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", root);
	if (mkdirat(fd, "rootfs", 0755) < 0 || mkdirat(fd, "work", 0700) < 0 || mkdirat(fd, "upper", 0755) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a directory");
	upper = openat(fd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0 || fstat(upper, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open 'upper'");
	rc = layer_keep_dress(top, upper, err);
	if (rc == 0)
		*ret_inode = st.st_ino;
	return rc;
}

static int note_use(struct store *s, const struct store_image *image, char **keys, const char *bundle, uint64_t inode,
		    struct bk_err **err)
{
	const struct store_use u = { .path = (char *)bundle, .inode = inode, .image = image->desc.digest, .layers = keys };

	return store_use_add(s, &u, err);
}

static int write_config(int fd, struct oci_runtime_config *config, const struct oci_mount *roots, size_t n,
			struct bk_arena *arena, struct bk_err **err)
{
	struct oci_mount *mounts = bk_arena_alloc(arena, (config->n_mounts + n) * sizeof(*mounts));

	memcpy(mounts, roots, n * sizeof(*mounts));
	memcpy(mounts + n, config->mounts, config->n_mounts * sizeof(*mounts));
	config->mounts = mounts;
	config->n_mounts += n;
	return bundle_config_write(fd, config, err);
}

static int fill_overlay(struct store *s, const struct store_image *image, const struct layer_kept *k, int fd,
			const struct bundle_opts *opts, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autofree char *bundle = NULL;
	struct oci_runtime_config config = { 0 };
	struct oci_mount mount = { 0 };
	uint64_t inode = 0;
	int rc = path_of(fd, "the bundle", &bundle, err);

	if (rc == 0)
		rc = layers_mount(k, bundle, arena, &mount, err);
	if (rc == 0)
		rc = make_folders(k->layers, k->lower[0], fd, &inode, err);
	if (rc == 0)
		rc = note_use(s, image, k->keys, bundle, inode, err);
	/* for the names of users; and what can't be mounted here is known now */
	if (rc == 0)
		rc = layer_keep_mount(k, NULL, false, &root.fd, err);
	if (rc == 0)
		rc = bundle_convert_(image, fd, &root, opts, arena, &config, err);
	return rc < 0 ? rc : write_config(fd, &config, &mount, 1, arena, err);
}

/* ---- erofs --------------------------------------------------------------------------------------- */

/* mounts[0]: the index; mounts[1]: an overlayfs over it. */
static void index_mounts(const struct layer_index *x, const char *layers, const char *bundle, struct bk_arena *arena,
			 struct oci_mount ret[2])
{
	bk_autofree char *source = bk_asprintf("%s/%s", layers, x->source);
	bk_autostrv char **index = NULL;
	bk_autostrv char **over = NULL;

	bk_strv_add(&index, "ro");
	bk_strv_add(&index, "nodev");
	for (char **d = x->devices; *d; d++)
		bk_strv_push(&index, bk_asprintf("device=%s/%s", layers, *d));
	root_mount("erofs", source, index, arena, &ret[0]);
	bk_strv_push(&over, bk_asprintf("lowerdir=%s/rootfs", bundle));
	overlay_mount(bundle, false, &over, arena, &ret[1]);
}

static int fill_erofs(struct store *s, const struct store_image *image, const struct layer_index *x, int fd,
		      const struct bundle_opts *opts, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autofree char *bundle = NULL, *layers = NULL;
	struct oci_runtime_config config = { 0 };
	struct oci_mount mounts[2] = { 0 };
	uint64_t inode = 0;
	int rc = path_of(fd, "the bundle", &bundle, err);

	if (rc == 0)
		rc = path_of(x->layers, "the store's layers", &layers, err);
	/* what can't be mounted here is known now */
	if (rc == 0)
		rc = layer_index_mount(x, &root.fd, err);
	if (rc == 0)
		rc = make_folders(root.fd, ".", fd, &inode, err);
	if (rc == 0)
		rc = note_use(s, image, x->keys, bundle, inode, err);
	if (rc == 0)
		rc = bundle_convert_(image, fd, &root, opts, arena, &config, err);
	if (rc < 0)
		return rc;
	index_mounts(x, layers, bundle, arena, mounts);
	return write_config(fd, &config, mounts, BK_ARRAY_SIZE(mounts), arena, err);
}

static int index_and_fill(struct store *s, const struct store_image *image, int fd, const struct bundle_opts *opts,
			  const struct layer_opts *layer, struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autolayerindex struct layer_index x = LAYER_INDEX_INIT;
	bk_autofree char *unused = NULL;
	int rc = layer_index_may(err);

	if (rc == 0 && layer->rootless)
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "--rootless: the files of an EROFS have the owners of the image; --mode "
				"overlay and copy give them to the caller");
	if (rc == 0)
		rc = path_of(fd, "the bundle", &unused, err);
	if (rc == 0)
		rc = layer_index_image(s, image, layer, &x, ret_stats, err);
	return rc < 0 ? rc : fill_erofs(s, image, &x, fd, opts, err);
}

/* ---- reflink ------------------------------------------------------------------------------------- */

static int fill_clone(const struct store_image *image, const struct layer_kept *k, int fd, bool may_copy,
		      const struct bundle_opts *opts, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct oci_runtime_config config;
	int rc;

	if (mkdirat(fd, "rootfs", 0755) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory 'rootfs'");
	root.fd = openat(fd, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root.fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open 'rootfs'");
	rc = layer_clone(k, &root, may_copy, err);
	if (rc == 0)
		rc = bundle_convert_(image, fd, &root, opts, arena, &config, err);
	return rc < 0 ? rc : bundle_config_write(fd, &config, err);
}

/* ---- all ----------------------------------------------------------------------------------------- */

/* Before any layer is unpacked for nothing: whether blocks can be shared with the folder fd. */
static int probe(const struct store *s, int fd, struct bk_err **err)
{
	bk_autoclose int layers = -1;
	int rc = store_layers_open(s, true, &layers, err);

	return rc < 0 ? rc : layer_clone_probe(layers, fd, err);
}

static int fill(struct store *s, const struct store_image *image, int fd, enum bundle_mode mode,
		const struct bundle_opts *opts, const struct layer_opts *layer, struct layer_stats *ret_stats,
		struct bk_err **err)
{
	bk_autolayerkept struct layer_kept k = LAYER_KEPT_INIT;
	bk_autofree char *unused = NULL;
	bool share = mode == BUNDLE_REFLINK;
	int rc = 0;

	if (mode == BUNDLE_OVERLAY)
		rc = path_of(fd, "the bundle", &unused, err);
	if (mode == BUNDLE_REFLINK)
		rc = probe(s, fd, err);
	if (mode == BUNDLE_AUTO)
		share = probe(s, fd, NULL) == 0;
	/* copies of kept layers take their place twice: only of those that are there already */
	if (mode == BUNDLE_AUTO && !share && !layer_keep_has(s, image, layer))
		return bundle_fill_(s, image, fd, opts, layer, ret_stats, err);
	if (rc == 0)
		rc = layer_keep_image(s, image, layer, &k, ret_stats, err);
	if (rc < 0)
		return rc;
	return mode == BUNDLE_OVERLAY ? fill_overlay(s, image, &k, fd, opts, err)
				      : fill_clone(image, &k, fd, mode == BUNDLE_AUTO, opts, err);
}

int bundle_unpack_mode(struct store *s, const struct store_image *image, const char *path,
		       enum bundle_mode mode, const struct bundle_opts *opts, const struct layer_opts *layer,
		       struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	bool made = false;
	int rc;

	if (mode == BUNDLE_COPY)
		return bundle_unpack(s, image, path, opts, layer, ret_stats, err);
	if (opts->ids.n_uids > 0)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "--uid-map: kept layers have the owners of the image; --mode copy maps them");
	rc = bundle_config_check(&image->config, opts, err);
	if (rc == 0)
		rc = bundle_take_folder_(path, &fd, &made, err);
	if (rc == 0) {
		rc = mode == BUNDLE_EROFS ? index_and_fill(s, image, fd, opts, layer, ret_stats, err)
					  : fill(s, image, fd, mode, opts, layer, ret_stats, err);
		if (rc == 0)
			rc = bundle_note_origin_(image, fd, mode == BUNDLE_OVERLAY || mode == BUNDLE_EROFS, layer,
						 err);
		if (rc < 0)
			(void)bk_root_empty_dir(fd, NULL);
	}
	if (rc < 0 && made)
		(void)rmdir(path);
	return rc < 0 ? bk_err_wrap(err, rc, "bundle '%s'", path) : 0;
}
