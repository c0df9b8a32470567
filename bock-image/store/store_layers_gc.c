/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacked layers: which are needed, and whether they are what their markers say. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_map.h"
#include "base/bk_root.h"
#include "base/bk_str.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_layers_priv.h"

static char needed; /* its address is every value of the map */

/* ---- what is needed ------------------------------------------------------------------------------ */

static void need_chain(const struct oci_image_config *config, struct bk_map *need, struct bk_arena *arena)
{
	char *const *ids = config->rootfs ? config->rootfs->diff_ids : NULL;
	char **chain = ids ? store_layer_chain(ids, bk_strv_len(ids), arena) : NULL;

	for (; chain && *chain; chain++) {
		for (int kind = STORE_LAYER_ROOT; kind <= STORE_LAYER_INDEX; kind++) {
			char key[STORE_LAYER_KEY_SIZE];

			store_layer_key(*chain, (enum store_layer_kind)kind, key);
			(void)bk_map_set(need, key, &needed);
		}
	}
}

static int need_image(const struct store *s, const struct oci_descriptor *d, unsigned int depth,
		      struct bk_map *need, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	enum oci_media_kind kind = oci_media_kind_of(d->media_type);
	int rc = 0;

	if (!store_blob_has(s, d->digest, -1))
		return 0;
	if (kind == OCI_MEDIA_KIND_MANIFEST) {
		struct oci_image_config config;
		struct oci_manifest m;

		rc = store_manifest_read(s, d, arena, &m, err);
		if (rc < 0 || oci_media_kind_of(m.config->media_type) != OCI_MEDIA_KIND_CONFIG)
			return rc;
		rc = store_config_read(s, m.config, arena, &config, err);
		if (rc == 0)
			need_chain(&config, need, arena);
	} else if (kind == OCI_MEDIA_KIND_INDEX && depth <= STORE_NESTING_MAX) {
		struct oci_index index;

		rc = store_manifests_read(s, d, arena, &index, err);
		for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
			rc = need_image(s, &index.manifests[i], depth + 1, need, err);
	}
	return rc;
}

static int need_images(const struct store *s, struct bk_map *need, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_index index;
	int rc = store_index_read(s, arena, &index, err);

	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
		rc = need_image(s, &index.manifests[i], 0, need, err);
	return rc;
}

static int need_uses(const struct store *s, struct bk_map *need, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct store_use *uses;
	size_t n;
	int rc = store_use_list(s, arena, &uses, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		for (char **key = uses[i].layers; key && *key && store_use_is_live(&uses[i]); key++)
			(void)bk_map_set(need, *key, &needed);
	return rc;
}

/* ---- what goes ----------------------------------------------------------------------------------- */

static bool is_key(const char *name)
{
	const char *dash = strchr(name, '-');

	return dash && !bk_has_suffix(name, STORE_LAYERS_LOCK) && !bk_skip_prefix(name, STORE_LAYERS_TMP) &&
	       (bk_skip_prefix(name, "sha256-") || bk_skip_prefix(name, "sha512-"));
}

/* First it loses its name, so that what is half removed is never taken for a layer. */
static int remove_layer(int layers, const char *key, struct bk_err **err)
{
	char tmp[STORE_LAYERS_TMP_SIZE];
	int rc = store_layers_tmp_(tmp, err);

	if (rc < 0)
		return rc;
	if (renameat(layers, key, layers, tmp) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "rename unpacked layer '%s'", key);
	rc = bk_root_rmtree_at(layers, tmp, err);
	return rc < 0 ? bk_err_wrap(err, rc, "remove unpacked layer '%s'", key) : 0;
}

static int sweep_name(int layers, const char *name, const struct bk_map *need, struct store_layers_sweep *w,
		      struct bk_err **err)
{
	if (is_key(name)) {
		if (!need || bk_map_has(need, name)) {
			w->kept++;
			return 0;
		}
		w->removed++;
		return w->dry_run ? 0 : remove_layer(layers, name, err);
	}
	if (w->dry_run)
		return 0;
	if (bk_skip_prefix(name, STORE_LAYERS_TMP))
		return bk_root_rmtree_at(layers, name, err);
	if (bk_has_suffix(name, STORE_LAYERS_LOCK))
		(void)unlinkat(layers, name, 0);
	return 0;
}

/* Names first: what is removed while a folder is read may be seen or not. */
static int sweep(int layers, const struct bk_map *need, struct store_layers_sweep *w, struct bk_err **err)
{
	bk_autostrv char **names = NULL;
	int copy = openat(layers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	int rc = 0;

	if (!dir) {
		int errnum = errno;

		bk_close(&copy);
		return bk_err_set(err, BK_ERR_IO, errnum, "read '%s'", STORE_LAYERS);
	}
	while ((errno = 0, e = readdir(dir)) != NULL)
		bk_strv_add(&names, e->d_name);
	if (errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read '%s'", STORE_LAYERS);
	for (char **name = names; rc == 0 && name && *name; name++)
		rc = sweep_name(layers, *name, need, w, err);
	return rc;
}

/* Notes of bundles and mounts that are gone. */
static void sweep_uses(int layers)
{
	bk_autoclose int fd =
		openat(layers, STORE_LAYERS_USES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bk_autoclosedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir)
		return;
	(void)bk_steal_fd(&fd);
	while ((e = readdir(dir)) != NULL) {
		bk_autoarena struct bk_arena *arena = bk_arena_new();
		struct store_use u;

		if (bk_streq(e->d_name, ".") || bk_streq(e->d_name, ".."))
			continue;
		if (store_use_read_(dirfd(dir), e->d_name, arena, &u, NULL) == 0 && !store_use_is_live(&u))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
		else if (bk_has_suffix(e->d_name, ".tmp"))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
}

/* Places of mounts that are gone. An other namespace's mount would end with its place: those in use are left. */
static void sweep_mounts(const struct store *s)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoclose int fd = openat(s->fd, STORE_MOUNTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bk_autoclosedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	struct store_use *uses;
	size_t n;

	if (!dir)
		return;
	(void)bk_steal_fd(&fd);
	if (store_use_list(s, arena, &uses, &n, NULL) < 0)
		return;
	while ((e = readdir(dir)) != NULL) {
		bool used = e->d_name[0] == '.';

		for (size_t i = 0; i < n && !used; i++)
			used = uses[i].mount && bk_has_suffix(uses[i].path, e->d_name);
		if (!used)
			(void)unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
	}
}

int store_layers_gc_(const struct store *s, struct store_layers_sweep *w, struct bk_err **err)
{
	bk_automap struct bk_map *need = bk_map_new(NULL);
	bk_autoclose int layers = -1;
	struct bk_err *why = NULL;
	bool known;
	int rc = store_layers_open(s, false, &layers, &why);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, why);
		return rc;
	}
	rc = need_uses(s, need, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "find which unpacked layers are in use");
	/* of a store with a damaged configuration nobody can tell: all of them stay, and fsck says why */
	known = w->all || need_images(s, need, NULL) == 0;
	rc = sweep(layers, known ? need : NULL, w, err);
	if (rc == 0 && !w->dry_run) {
		sweep_uses(layers);
		sweep_mounts(s);
	}
	return rc;
}

/* ---- fsck ---------------------------------------------------------------------------------------- */

/* A tar or an index: its content, too, is known. */
static int check_file(int fs, const char *diff_id, struct bk_err **err)
{
	bk_autoclose int fd = openat(fs, STORE_LAYER_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char digest[BK_DIGEST_TEXT_SIZE];
	enum bk_digest_alg alg;
	int rc = bk_digest_parse(diff_id, &alg, NULL, err);

	if (rc < 0)
		return rc;
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open its file '" STORE_LAYER_FILE "'");
	rc = store_layer_file_digest(fd, alg, digest, err);
	if (rc == 0 && !bk_streq(digest, diff_id))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "its file '" STORE_LAYER_FILE "' was changed: it has the digest %s instead of "
				"%s", digest, diff_id);
	return rc;
}

static int check_layer(int layers, const char *key, bool quick, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *path = bk_asprintf("%s/" STORE_LAYERS_FS, key);
	char digest[BK_DIGEST_TEXT_SIZE];
	bk_autoclose int fd = -1;
	struct store_layer l;
	int rc = store_layer_read_(layers, key, arena, &l, err);

	if (rc < 0)
		return rc;
	fd = openat(layers, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open its tree");
	if (quick)
		return 0;
	rc = store_layer_hash(fd, digest, err);
	if (rc == 0 && !bk_streq(digest, l.metadata))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "its tree was changed: its metadata has the digest %s "
				"instead of %s", digest, l.metadata);
	if (rc == 0 && (bk_has_suffix(key, ".tar") || bk_has_suffix(key, ".erofs")))
		rc = check_file(fd, l.diff_id, err);
	return rc;
}

/* Takes the error over. */
static void tell_err(void (*tell)(void *ctx, const char *what), void *ctx, const char *what, const char *key,
		     struct bk_err *why)
{
	char text[BK_ERR_MSG_MAX];
	bk_autofree char *all = bk_asprintf("%s '%s': %s", what, key, bk_err_print(why, text, sizeof(text)));

	tell(ctx, all);
	bk_err_clear(&why);
}

static int check_uses(const struct store *s, int layers, void (*tell)(void *ctx, const char *what), void *ctx,
		      struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct store_use *uses;
	size_t n;
	int rc = store_use_list(s, arena, &uses, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!store_use_is_live(&uses[i]))
			continue;
		for (char **key = uses[i].layers; key && *key; key++) {
			bk_autofree char *text = NULL;

			if (faccessat(layers, *key, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
				continue;
			text = bk_asprintf("%s '%s' needs the unpacked layer '%s', which is gone",
					   uses[i].mount ? "the mount" : "the bundle", uses[i].path, *key);
			tell(ctx, text);
		}
	}
	return rc;
}

int store_layers_fsck_(const struct store *s, bool quick, void (*tell)(void *ctx, const char *what), void *ctx,
		       uint64_t *ret_layers, struct bk_err **err)
{
	bk_autoclosedir DIR *dir = NULL;
	bk_autoclose int layers = -1;
	struct bk_err *why = NULL;
	const struct dirent *e;
	int rc = store_layers_open(s, false, &layers, &why), copy;

	*ret_layers = 0;
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, why);
		return rc;
	}
	copy = openat(layers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		int errnum = errno;

		bk_close(&copy);
		return bk_err_set(err, BK_ERR_IO, errnum, "read '%s'", STORE_LAYERS);
	}
	while ((errno = 0, e = readdir(dir)) != NULL) {
		if (!is_key(e->d_name))
			continue;
		++*ret_layers;
		if (check_layer(layers, e->d_name, quick, &why) < 0) {
			tell_err(tell, ctx, "unpacked layer", e->d_name, why);
			why = NULL;
		}
	}
	if (errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read '%s'", STORE_LAYERS);
	return check_uses(s, layers, tell, ctx, err);
}
