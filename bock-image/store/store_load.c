/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "oci/oci_media.h"
#include "ref/ref.h"
#include "store/store_blob.h"
#include "store/store_gc.h"
#include "store/store_image.h"
#include "store/store_load_priv.h"
#include "store/store_priv.h"

/* containerd and Docker keep the whole name here, and only the tag in ref.name. */
#define CONTAINERD_NAME "io.containerd.image.name"

void store_load_image_add_(struct store_load *l, const struct oci_descriptor *d, char **names)
{
	l->images = bk_arena_grow(l->arena, l->images, l->n_images, sizeof(*l->images));
	store_descriptor_copy_(l->arena, d, &l->images[l->n_images].desc);
	l->images[l->n_images++].names = names;
}

void store_load_adding_(struct store_load *l, const char *digest)
{
	if (!store_blob_has(l->s, digest, -1))
		bk_strv_add(&l->added, digest);
}

/* ref.name as it was typed where it means the same as the whole name; else the whole name. */
static const char *name_of(const struct oci_descriptor *d)
{
	const char *whole = bk_doc_pair_get(d->annotations, d->n_annotations, CONTAINERD_NAME);
	const char *name = store_index_name(d);

	return whole && !(name && ref_same(name, whole)) ? whole : name;
}

int store_load_index_(struct store_load *l, const struct oci_index *index, struct bk_err **err)
{
	if (index->schema_version != 2 || index->layers || index->config)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "index.json is no image index");
	for (size_t i = 0; i < index->n_manifests; i++) {
		const struct oci_descriptor *d = &index->manifests[i];
		const char *name = name_of(d);
		char **names = NULL;
		int rc = store_image_complete(l->s, d, err);

		if (rc < 0)
			return rc;
		if (name)
			bk_doc_strv_add(l->arena, &names, name);
		store_load_image_add_(l, d, names);
	}
	return 0;
}

/* ---- a folder ----------------------------------------------------------------------------------- */

static int open_blob(const struct bk_root *dir, const char *digest, int *ret_fd,
		     struct bk_err **err)
{
	bk_autoclose int fd = -1;
	char path[STORE_BLOB_PATH_MAX];
	struct stat st;
	int rc = store_blob_path_(digest, path, err);

	if (rc == 0)
		rc = bk_root_openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, err);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return bk_err_set(err, BK_ERR_IO, EINVAL, "blob %s is no regular file", digest);
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

static int copy_blob(struct store_load *l, const struct bk_root *dir,
		     const struct oci_descriptor *d, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc;

	if (store_blob_has(l->s, d->digest, d->size))
		return 0;
	rc = open_blob(dir, d->digest, &fd, err);
	if (rc < 0)
		return rc;
	store_load_adding_(l, d->digest);
	return store_blob_add_fd(l->s, fd, d->digest, d->size, NULL, NULL, err);
}

static int copy_tree(struct store_load *l, const struct bk_root *dir,
		     const struct oci_descriptor *d, unsigned int depth, struct bk_err **err);

/* Of an index only what is there: layouts of one platform keep the whole index. */
static int copy_index(struct store_load *l, const struct bk_root *dir,
		      const struct oci_descriptor *d, unsigned int depth, struct bk_err **err)
{
	struct oci_index index;
	int rc = store_manifests_read(l->s, d, l->arena, &index, err);

	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++) {
		struct bk_err *why = NULL;
		bk_autoclose int fd = -1;

		rc = open_blob(dir, index.manifests[i].digest, &fd, &why);
		if (rc == -BK_ERR_NOT_FOUND) {
			bk_err_clear(&why);
			rc = 0;
			continue;
		}
		bk_err_move(err, why);
		if (rc == 0)
			rc = copy_tree(l, dir, &index.manifests[i], depth + 1, err);
	}
	return rc;
}

static int copy_tree(struct store_load *l, const struct bk_root *dir,
		     const struct oci_descriptor *d, unsigned int depth, struct bk_err **err)
{
	enum oci_media_kind kind = oci_media_kind_of(d->media_type);
	struct oci_manifest m;
	int rc;

	if (depth > STORE_NESTING_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "indexes nested deeper than %d",
				  STORE_NESTING_MAX);
	rc = copy_blob(l, dir, d, err);
	if (rc == 0 && kind == OCI_MEDIA_KIND_INDEX)
		return copy_index(l, dir, d, depth, err);
	if (rc < 0 || kind != OCI_MEDIA_KIND_MANIFEST)
		return rc;
	rc = store_manifest_read(l->s, d, l->arena, &m, err);
	if (rc == 0)
		rc = copy_blob(l, dir, m.config, err);
	for (size_t i = 0; rc == 0 && i < m.n_layers; i++)
		rc = copy_blob(l, dir, &m.layers[i], err);
	return rc;
}

static int read_doc(const struct bk_root *dir, const char *name, const struct bk_doc_type *type,
		    struct bk_arena *arena, void *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(bk_doc_limits_oci.max_size);
	int rc = bk_root_read(dir, name, &text, err);

	if (rc < 0)
		return rc;
	return bk_json_decode(type, name, bk_buf_str(&text), text.len, &bk_doc_limits_oci, arena,
			      ret, err);
}

int store_load_layout_(struct store_load *l, const struct bk_root *dir, struct bk_err **err)
{
	struct oci_layout layout;
	struct oci_index index;
	int rc = read_doc(dir, "oci-layout", &oci_layout_type, l->arena, &layout, err);

	if (rc == -BK_ERR_NOT_FOUND)
		return bk_err_wrap(err, rc, "not an OCI image layout");
	if (rc == 0 && !bk_streq(layout.version, STORE_LAYOUT_VERSION))
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "image layout version '%s'",
				layout.version);
	if (rc == 0)
		rc = read_doc(dir, "index.json", &oci_index_type, l->arena, &index, err);
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
		rc = copy_tree(l, dir, &index.manifests[i], 0, err);
	return rc < 0 ? rc : store_load_index_(l, &index, err);
}

/* ---- names -------------------------------------------------------------------------------------- */

static int too_many(const struct store_load *l, struct bk_err **err)
{
	int rc;

	if (l->n_images == 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "there is no image in it");
	if (l->opts->name)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "it holds %zu images: one name is not enough", l->n_images);
	rc = bk_err_set(err, BK_ERR_CONFIG, 0, "the image in it has no name");
	return bk_err_hint(err, rc, "give it one by --name");
}

/* The names to be given; each image must get one. */
static int collect_names(struct store_load *l, struct store_naming **ret, size_t *ret_n,
			 struct bk_err **err)
{
	size_t n = 0;

	*ret = NULL;
	if (l->n_images == 0 || (l->opts->name && l->n_images > 1))
		return too_many(l, err);
	for (size_t i = 0; i < l->n_images; i++) {
		const struct store_load_image *image = &l->images[i];
		char *only[2] = { NULL, NULL };
		char **names = image->names;

		if (l->opts->name) {
			only[0] = bk_arena_strdup(l->arena, l->opts->name);
			names = only;
		}
		if (!names)
			return too_many(l, err);
		for (; *names; names++) {
			*ret = bk_arena_grow(l->arena, *ret, n, sizeof(**ret));
			(*ret)[n++] = (struct store_naming){ .name = *names, .desc = &image->desc };
		}
	}
	*ret_n = n;
	return 0;
}

/* Names of the archive's own must not mean something else to us than to who wrote it. */
static void strip_names(struct store_load *l)
{
	for (size_t i = 0; i < l->n_images; i++) {
		struct oci_descriptor *d = &l->images[i].desc;
		size_t kept = 0;

		for (size_t k = 0; k < d->n_annotations; k++)
			if (!bk_streq(d->annotations[k].key, CONTAINERD_NAME) &&
			    !bk_streq(d->annotations[k].key, OCI_ANNOTATION_REF_NAME))
				d->annotations[kept++] = d->annotations[k];
		d->n_annotations = kept;
	}
}

static int give_names(struct store_load *l, struct bk_err **err)
{
	struct store_naming *names;
	size_t n = 0;
	int rc = collect_names(l, &names, &n, err);

	if (rc < 0)
		return rc;
	strip_names(l);
	for (size_t i = 0; rc == 0 && l->opts->check && i < l->n_images; i++)
		rc = l->opts->check(l->opts->check_ctx, l->transport, l->path, l->s, &l->images[i].desc, err);
	if (rc < 0)
		return rc;
	rc = store_names_set(l->s, names, n, l->opts->replace || l->opts->name, err);
	if (rc < 0)
		return bk_err_hint(err, rc, "--replace takes names over, --name gives another");
	for (size_t i = 0; i < n && l->opts->loaded; i++)
		l->opts->loaded(l->opts->ctx, names[i].name, names[i].desc->digest);
	return 0;
}

/* ---- all of it ---------------------------------------------------------------------------------- */

/* Of what was opened, not of the name that it was opened by, which may be another file's by now. */
static int note_path(struct store_load *l, int fd, struct bk_err **err)
{
	char proc[64], real[PATH_MAX];
	ssize_t n;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, real, sizeof(real));
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "find its path by %s", proc);
	if ((size_t)n == sizeof(real))
		return bk_err_set(err, BK_ERR_IO, ENAMETOOLONG, "find its path by %s", proc);
	real[n] = '\0';
	/* of a pipe it is "pipe:[1]" */
	if (real[0] == '/')
		l->path = bk_arena_strdup(l->arena, real);
	return 0;
}

static int load_from(struct store_load *l, const char *path, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	struct stat st;
	int rc;

	if (bk_streq(path, "-"))
		return store_load_tar_(l, STDIN_FILENO, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return bk_err_set(err, errno == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errno,
				  "open it");
	rc = l->opts->check ? note_path(l, fd, err) : 0;
	if (rc < 0)
		return rc;
	if (S_ISDIR(st.st_mode)) {
		bk_autoroot struct bk_root dir = BK_ROOT_INIT;

		bk_root_from_fd(&dir, bk_steal_fd(&fd));
		l->transport = "oci";
		rc = store_load_layout_(l, &dir, err);
	} else {
		rc = store_load_tar_(l, fd, err);
	}
	return rc;
}

int store_load(struct store *s, const char *path, const struct store_load_opts *opts,
	       struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct store_load l = { .s = s, .opts = opts, .arena = arena };
	int rc = opts->name ? ref_check(opts->name, err) : 0;

	if (rc == 0)
		rc = load_from(&l, path, err);
	if (rc == 0)
		rc = give_names(&l, err);
	if (rc < 0)
		store_gc_discard(s, l.added);
	bk_strv_free(l.added);
	return rc < 0 ? bk_err_wrap(err, rc, "load '%s'", path) : 0;
}
