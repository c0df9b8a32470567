/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_index.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_str.h"
#include "layer/layer_confine.h"
#include "layer/layer_erofs.h"
#include "layer/layer_overlay.h"
#include "layer/layer_stream.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"

#define LOG_MAX	     512	/* of what the kernel says */
#define FS_VALUE_MAX 255	/* bytes of a string that fsconfig(2) takes */

void layer_index_done(struct layer_index *x)
{
	bk_close(&x->layers);
	bk_arena_free(x->arena);
	*x = (struct layer_index)LAYER_INDEX_INIT;
}

/* ---- mounting ------------------------------------------------------------------------------------ */

static int refused(int fs, int errnum, const char *what, struct bk_err **err)
{
	char log[LOG_MAX];
	ssize_t n = fs < 0 ? -1 : read(fs, log, sizeof(log) - 1);
	int rc;

	if (n > 2) {
		log[n] = '\0';
		log[strcspn(log, "\n")] = '\0';
	}
	rc = bk_err_set(err, BK_ERR_IO, errnum, "mount EROFS: %s%s%s", what, n > 2 ? ": " : "", n > 2 ? log + 2 : "");
	return bk_err_hint(err, rc, "it takes Linux 6.12 with CONFIG_EROFS_FS_BACKED_BY_FILE, and a store on a file system "
			   "that it can read from; --mode overlay does without");
}

static int open_fs(int *ret_fs, struct bk_err **err)
{
	int rc;

	if (geteuid() != 0 || !layer_overlay_first_userns())
		return bk_err_hint(err, bk_err_set(err, BK_ERR_PERMISSION, 0, "EROFS can be mounted by root alone, and not in a user "
						   "namespace"),
				   "--mode overlay takes any user");
	*ret_fs = fsopen("erofs", FSOPEN_CLOEXEC);
	if (*ret_fs >= 0)
		return 0;
	if (errno == ENODEV)
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "this kernel has no EROFS");
	else
		rc = bk_err_set(err, BK_ERR_IO, errno, "mount EROFS");
	return bk_err_hint(err, rc, "--mode overlay does without");
}

int layer_index_may(struct bk_err **err)
{
	bk_autoclose int fs = -1;

	return open_fs(&fs, err);
}

/* By the path that mountinfo shows afterwards, but where fsconfig(2) does not take so much. Heap. */
static char *path_of(const struct layer_index *x, const char *name)
{
	char proc[32], dir[PATH_MAX];
	ssize_t n;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", x->layers);
	n = readlink(proc, dir, sizeof(dir));
	if (n < 0 || (size_t)n + 1 + strlen(name) > FS_VALUE_MAX)
		return bk_asprintf("%s/%s", proc, name);
	return bk_asprintf("%.*s/%s", (int)n, dir, name);
}

int layer_index_mount(const struct layer_index *x, int *ret_fd, struct bk_err **err)
{
	bk_autofree char *source = path_of(x, x->source);
	bk_autoclose int fs = -1;
	int rc = open_fs(&fs, err), fd;

	if (rc < 0)
		return rc;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return refused(fs, errno, source, err);
	for (char **d = x->devices; *d; d++) {
		bk_autofree char *device = path_of(x, *d);

		if (fsconfig(fs, FSCONFIG_SET_STRING, "device", device, 0) < 0)
			return refused(fs, errno, device, err);
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return refused(fs, errno, source, err);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	if (fd < 0)
		return refused(fs, errno, source, err);
	*ret_fd = fd;
	return 0;
}

/* ---- making -------------------------------------------------------------------------------------- */

struct job {
	const struct store *store;
	const struct store_image *image;
	const struct layer_index *index;
	size_t layer;
	char *path;	/* below the folder of layers */
};

static int create(const struct job *j, int *ret_fd, struct bk_err **err)
{
	*ret_fd = openat(j->index->layers, j->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *ret_fd < 0 ? bk_err_set(err, BK_ERR_IO, errno, "make '%s'", j->path) : 0;
}

/* Bytes come out as they are; that they are a tar is seen when the index is made. */
static int inflate(struct layer_stream *in, int fd, struct bk_err **err)
{
	for (;;) {
		const void *data;
		size_t len;
		int rc = layer_stream_next(in, &data, &len, err);

		if (rc < 0 || len == 0)
			return rc;
		rc = bk_fd_write_all(fd, data, len);
		if (rc < 0)
			return bk_err_set(err, BK_ERR_IO, -rc, "write the tar");
	}
}

/* In a confined process. */
static int make_tar(void *ctx, const struct layer_opts *opts, struct layer_stats *stats, struct bk_err **err)
{
	const struct job *j = ctx;
	const struct oci_descriptor *d = &j->image->manifest.layers[j->layer];
	const struct layer_stream_opts so = {
		.digest = d->digest,
		.diff_id = j->image->config.rootfs->diff_ids[j->layer],
		.max_size = opts->max_size ? opts->max_size : LAYER_SIZE_MAX,
		.max_ratio = opts->max_ratio ? opts->max_ratio : LAYER_RATIO_MAX,
		.threads = opts->threads,
	};
	bk_autolayerstream struct layer_stream *in = NULL;
	bk_autoclose int blob = -1, fd = -1;
	int rc = 0;

	if (oci_media_kind_of(d->media_type) != OCI_MEDIA_KIND_LAYER)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "layer %s of type '%s'", d->digest, d->media_type);
	rc = create(j, &fd, err);
	if (rc == 0)
		rc = store_blob_open(j->store, d->digest, d->size, &blob, NULL, err);
	if (rc == 0)
		rc = layer_stream_new(blob, &so, &in, err);
	if (rc == 0)
		rc = inflate(in, fd, err);
	if (rc == 0)
		rc = layer_stream_finish(in, stats->diff_id, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "layer %zu (%s)", j->layer + 1, d->digest);
	stats->bytes = layer_stream_bytes(in);
	return 0;
}

static int view_all(const struct job *j, const int *tars, size_t n, const struct layer_opts *opts, int fd,
		    struct layer_stats *stats, struct bk_err **err)
{
	bk_autolayerview struct layer_view *v = layer_view_new_places();
	struct layer_opts plain = *opts;
	int rc = 0;

	/* they were checked when they were inflated */
	plain.max_ratio = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = layer_view_fd(v, tars[i], NULL, j->image->config.rootfs->diff_ids[i], &plain, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "layer %zu", i + 1);
	}
	rc = layer_erofs_write(v, tars, n, fd, opts->warn, opts->ctx, err);
	return rc < 0 ? rc : store_layer_file_digest(fd, BK_DIGEST_SHA256, stats->diff_id, err);
}

/* In a confined process. */
static int make_index(void *ctx, const struct layer_opts *opts, struct layer_stats *stats, struct bk_err **err)
{
	const struct job *j = ctx;
	size_t n = j->image->manifest.n_layers;
	bk_autofree int *tars = bk_calloc(n + 1, sizeof(*tars));
	bk_autoclose int fd = -1;
	size_t opened = 0;
	int rc = create(j, &fd, err);

	while (rc == 0 && opened < n) {
		tars[opened] = openat(j->index->layers, j->index->devices[opened], O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (tars[opened] < 0)
			rc = bk_err_set(err, BK_ERR_IO, errno, "open '%s'", j->index->devices[opened]);
		else
			opened++;
	}
	if (rc == 0)
		rc = view_all(j, tars, n, opts, fd, stats, err);
	while (opened > 0)
		bk_close(&tars[--opened]);
	return rc;
}

/* One that is kept: made, unless it is there. */
static int keep(struct store *s, struct job *j, const char *key, const char *chain_id, const struct layer_opts *opts,
		int (*make)(void *ctx, const struct layer_opts *opts, struct layer_stats *stats, struct bk_err **err),
		struct layer_stats *sum, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autolayerbuild struct store_layer_build *b = NULL;
	bk_autofree char *path = NULL;
	struct layer_stats stats = { 0 };
	struct store_layer l;
	bool there;
	int rc = store_layer_read(s, key, arena, &there, &l, err);

	if (rc == 0 && !there)
		rc = store_layer_begin(s, key, &b, err);
	if (rc < 0 || !b)
		return rc;
	path = bk_asprintf("%s/" STORE_LAYER_FILE, store_layer_build_fs(b));
	j->path = path;
	if (opts->confine == LAYER_CONFINE_NONE)
		rc = make(j, opts, &stats, err);
	else
		rc = layer_confined_run(j->index->layers, store_fd(s), opts, make, j, &stats, err);
	if (rc < 0)
		return rc;
	l = (struct store_layer){
		.chain_id = (char *)(uintptr_t)chain_id,
		.diff_id = stats.diff_id,
		.entries = stats.entries,
		.bytes = stats.bytes,
	};
	sum->entries += stats.entries;
	sum->bytes += stats.bytes;
	return store_layer_commit(b, &l, err);
}

static void make_lists(struct layer_index *x, char *const *chain, size_t n)
{
	char key[STORE_LAYER_KEY_SIZE];

	x->keys = bk_arena_alloc(x->arena, (n + 2) * sizeof(*x->keys));
	x->devices = bk_arena_alloc(x->arena, (n + 1) * sizeof(*x->devices));
	for (size_t i = 0; i < n; i++) {
		store_layer_key(chain[i], STORE_LAYER_TAR, key);
		x->keys[i] = bk_arena_strdup(x->arena, key);
		x->devices[i] = bk_arena_printf(x->arena, "%s/fs/" STORE_LAYER_FILE, key);
	}
	store_layer_key(chain[n - 1], STORE_LAYER_INDEX, key);
	x->keys[n] = bk_arena_strdup(x->arena, key);
	x->source = bk_arena_printf(x->arena, "%s/fs/" STORE_LAYER_FILE, key);
	x->devices[n] = x->keys[n + 1] = NULL;
}

int layer_index_image(struct store *s, const struct store_image *image, const struct layer_opts *opts,
		      struct layer_index *ret, struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autolayerindex struct layer_index x = LAYER_INDEX_INIT;
	struct job j = { .store = s, .image = image, .index = &x };
	size_t n = image->manifest.n_layers;
	struct layer_stats sum = { 0 };
	char **chain;
	int rc;

	x.arena = bk_arena_new();
	if (n == 0 || n > LAYER_EROFS_LAYERS_MAX)
		return bk_err_hint(err, bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "an index has 1 to %d layers, and the image has %zu",
						   LAYER_EROFS_LAYERS_MAX, n),
				   "unpack --mode copy takes any number");
	chain = store_layer_chain(image->config.rootfs->diff_ids, n, x.arena);
	make_lists(&x, chain, n);
	rc = store_layers_open(s, true, &x.layers, err);
	for (; rc == 0 && j.layer < n; j.layer++)
		rc = keep(s, &j, x.keys[j.layer], chain[j.layer], opts, make_tar, &sum, err);
	if (rc == 0)
		rc = keep(s, &j, x.keys[n], chain[n - 1], opts, make_index, &sum, err);
	if (rc < 0)
		return rc;
	*ret = x;
	x = (struct layer_index)LAYER_INDEX_INIT;
	if (ret_stats)
		*ret_stats = sum;
	return 0;
}
