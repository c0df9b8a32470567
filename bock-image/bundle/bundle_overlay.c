/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_str.h"
#include "bundle/bundle_priv.h"

/*
 * Bytes of options up to which layers are named in one of them, as any runtime and kernel takes it: mount(2) takes 4095,
 * and a runtime may add some. More are named one by one (kernel 6.8, bock-runc).
 */
#define OPTIONS_SHORT 3900

int bundle_path_(int fd, const char *what, char **ret, struct bk_err **err)
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

void bundle_root_mount_(const char *type, const char *source, char *const *options, struct bk_arena *arena,
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

void bundle_overlay_mount_(const char *bundle, bool userxattr, char ***options, struct bk_arena *arena,
			   struct oci_mount *ret)
{
	static const char *const fixed[] = { LAYER_OVERLAY_OPTIONS };

	bk_strv_push(options, bk_asprintf("upperdir=%s/upper", bundle));
	bk_strv_push(options, bk_asprintf("workdir=%s/work", bundle));
	for (size_t i = 0; i < BK_ARRAY_SIZE(fixed); i++)
		bk_strv_add(options, fixed[i]);
	if (userxattr)
		bk_strv_add(options, "userxattr");
	bundle_root_mount_("overlay", "overlay", *options, arena, ret);
}

/* mounts[0]: the layers. */
static int layers_mount(const struct layer_kept *k, const char *bundle, struct bk_arena *arena, struct oci_mount *ret,
			struct bk_err **err)
{
	bk_autostrv char **options = NULL;
	bk_autofree char *layers = NULL;
	int rc = bundle_path_(k->layers, "the store's layers", &layers, err);

	if (rc < 0)
		return rc;
	add_lower(k, layers, &options);
	bundle_overlay_mount_(bundle, k->kind != STORE_LAYER_ROOT, &options, arena, ret);
	return 0;
}

int bundle_overlay_folders_(int dirfd, const char *root, int fd, uint64_t *ret_inode, struct bk_err **err)
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

int bundle_note_use_(struct store *s, const struct store_image *image, char **keys, const char *bundle, uint64_t inode,
		     struct bk_err **err)
{
	const struct store_use u = { .path = (char *)bundle, .inode = inode, .image = image->desc.digest, .layers = keys };

	return store_use_add(s, &u, err);
}

int bundle_write_roots_(int fd, struct oci_runtime_config *config, const struct oci_mount *roots, size_t n,
			struct bk_arena *arena, struct bk_err **err)
{
	struct oci_mount *mounts = bk_arena_alloc(arena, (config->n_mounts + n) * sizeof(*mounts));

	memcpy(mounts, roots, n * sizeof(*mounts));
	memcpy(mounts + n, config->mounts, config->n_mounts * sizeof(*mounts));
	config->mounts = mounts;
	config->n_mounts += n;
	return bundle_config_write(fd, config, err);
}

int bundle_overlay_fill_(struct store *s, const struct store_image *image, const struct layer_kept *k, int fd,
			 const struct bundle_opts *opts, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autofree char *bundle = NULL;
	struct oci_runtime_config config = { 0 };
	struct oci_mount mount = { 0 };
	uint64_t inode = 0;
	int rc = bundle_path_(fd, "the bundle", &bundle, err);

	if (rc == 0)
		rc = layers_mount(k, bundle, arena, &mount, err);
	if (rc == 0)
		rc = bundle_overlay_folders_(k->layers, k->lower[0], fd, &inode, err);
	if (rc == 0)
		rc = bundle_note_use_(s, image, k->keys, bundle, inode, err);
	/* for the names of users; and what can't be mounted here is known now */
	if (rc == 0)
		rc = layer_keep_mount(k, NULL, false, &root.fd, err);
	if (rc == 0)
		rc = bundle_convert_(image, fd, &root, opts, arena, &config, err);
	return rc < 0 ? rc : bundle_write_roots_(fd, &config, &mount, 1, arena, err);
}

int bundle_overlay(struct store *s, const struct store_image *image, const char *path, const struct bundle_opts *opts,
		   const struct layer_opts *layer, bool *ret_done, struct bk_err **err)
{
	bk_autolayerkept struct layer_kept k = LAYER_KEPT_INIT;
	bk_autoclose int fd = -1;
	bool made = false;
	int rc = bundle_config_check(&image->config, opts, err);

	*ret_done = false;
	if (rc == 0)
		rc = layer_keep_found(s, image, layer, &k, ret_done, err);
	if (rc == 0 && !*ret_done)
		return 0;
	if (rc == 0)
		rc = bundle_take_folder_(path, &fd, &made, err);
	if (rc == 0)
		rc = bundle_overlay_fill_(s, image, &k, fd, opts, err);
	if (rc == 0)
		rc = bundle_note_origin_(image, fd, true, layer, err);
	return bundle_leave_folder_(path, fd, made, rc, err);
}
