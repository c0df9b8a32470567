/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_layers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_root.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "store/store_layers_priv.h"
#include "store/store_priv.h"

#define MARKER_MAX ((size_t)16 << 10)
#define TMP_TRIES  16

static const struct bk_doc_field layer_fields[] = {
	BK_DOC_STR_F(struct store_layer, chain_id, "chainID", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct store_layer, diff_id, "diffID", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct store_layer, entries, "entries", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct store_layer, bytes, "bytes", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_STR_F(struct store_layer, metadata, "metadata", BK_DOC_REQUIRED),
	BK_DOC_END
};
static const struct bk_doc_type layer_type = BK_DOC_TYPE(struct store_layer, layer_fields);

char **store_layer_chain(char *const *diff_ids, size_t n, struct bk_arena *arena)
{
	char **chain = bk_arena_alloc(arena, (n + 1) * sizeof(*chain));

	for (size_t i = 0; i < n; i++) {
		char id[BK_DIGEST_TEXT_SIZE];
		bk_autofree char *text = NULL;

		if (i == 0) {
			chain[0] = bk_arena_strdup(arena, diff_ids[0]);
			continue;
		}
		text = bk_asprintf("%s %s", chain[i - 1], diff_ids[i]);
		bk_digest_of(BK_DIGEST_SHA256, text, strlen(text), id);
		chain[i] = bk_arena_strdup(arena, id);
	}
	chain[n] = NULL;
	return chain;
}

void store_layer_key(const char *chain_id, enum store_layer_kind kind, char key[STORE_LAYER_KEY_SIZE])
{
	static const char *const ends[] = {
		[STORE_LAYER_ROOT] = "", [STORE_LAYER_NS] = ".ns", [STORE_LAYER_USER] = ".user",
		[STORE_LAYER_TAR] = ".tar", [STORE_LAYER_INDEX] = ".erofs"
	};
	char *colon;

	(void)snprintf(key, STORE_LAYER_KEY_SIZE, "%s%s", chain_id, ends[kind]);
	colon = strchr(key, ':');
	if (colon)
		*colon = '-';
}

static int make_dir(int fd, const char *name, struct bk_err **err)
{
	if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s/%s'", STORE_LAYERS, name);
	return 0;
}

static int make_folders(const struct store *s, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc = store_writable_(s, err);

	if (rc < 0)
		return rc;
	if (mkdirat(s->fd, STORE_LAYERS, 0755) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s/%s'", s->path,
				  STORE_LAYERS);
	fd = openat(s->fd, STORE_LAYERS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", s->path, STORE_LAYERS);
	rc = make_dir(fd, STORE_LAYERS_EMPTY, err);
	return rc < 0 ? rc : make_dir(fd, STORE_LAYERS_USES, err);
}

int store_layers_open(const struct store *s, bool make, int *ret_fd, struct bk_err **err)
{
	int rc = make ? make_folders(s, err) : 0;
	int fd;

	if (rc < 0)
		return rc;
	fd = openat(s->fd, STORE_LAYERS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, errno == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errno,
				  "open '%s/%s'", s->path, STORE_LAYERS);
	*ret_fd = fd;
	return 0;
}

int store_layer_read_(int layers, const char *key, struct bk_arena *arena, struct store_layer *ret,
		      struct bk_err **err)
{
	bk_autofree char *path = bk_asprintf("%s/" STORE_LAYERS_MARKER, key);
	char own[STORE_LAYER_KEY_SIZE];
	size_t len;
	int rc = bk_json_decode_file(&layer_type, layers, path, &bk_doc_limits_oci, arena, ret, err);

	if (rc < 0)
		return rc;
	if (bk_digest_parse(ret->chain_id, NULL, NULL, NULL) < 0 ||
	    bk_digest_parse(ret->diff_id, NULL, NULL, NULL) < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "its marker has an id that is none");
	store_layer_key(ret->chain_id, STORE_LAYER_ROOT, own);
	len = strlen(own);
	if (strncmp(key, own, len) != 0 || (key[len] != '\0' && key[len] != '.'))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "its marker is that of '%s'", own);
	return 0;
}

int store_layer_read(const struct store *s, const char *key, struct bk_arena *arena, bool *ret_there,
		     struct store_layer *ret, struct bk_err **err)
{
	bk_autoclose int layers = -1;
	struct bk_err *why = NULL;
	struct stat st;
	int rc = store_layers_open(s, false, &layers, &why);

	*ret_there = false;
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, why);
		return rc;
	}
	if (fstatat(layers, key, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : bk_err_set(err, BK_ERR_IO, errno,
						    "look for unpacked layer '%s'", key);
	rc = store_layer_read_(layers, key, arena, ret, err);
	if (rc < 0) {
		rc = bk_err_wrap(err, rc, "unpacked layer '%s'", key);
		return bk_err_hint(err, rc, "gc --layers removes it; it is unpacked again when needed");
	}
	*ret_there = true;
	return 0;
}

/* ---- building ------------------------------------------------------------------------------------ */

struct store_layer_build {
	struct store *store;
	int layers;	/* the folder of layers */
	int lock;
	char *key, *tmp, *fs, *work;
	bool made;	/* tmp is there */
};

int store_layers_tmp_(char name[STORE_LAYERS_TMP_SIZE], struct bk_err **err)
{
	uint64_t salt;

	if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return bk_err_set(err, BK_ERR_IO, errno, "get a random number");
	(void)snprintf(name, STORE_LAYERS_TMP_SIZE, STORE_LAYERS_TMP "%016" PRIx64, salt);
	return 0;
}

static int take_lock(struct store_layer_build *b, struct bk_err **err)
{
	bk_autofree char *name = bk_asprintf("%s" STORE_LAYERS_LOCK, b->key);
	int rc;

	b->lock = openat(b->layers, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (b->lock < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", STORE_LAYERS, name);
	rc = store_flock_(b->lock, LOCK_EX, STORE_LAYER_WAIT_MS);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, rc == -EWOULDBLOCK ? EBUSY : -rc,
				  "wait for the process that unpacks layer '%s'", b->key);
	return 0;
}

static int make_tmp(struct store_layer_build *b, struct bk_err **err)
{
	char name[STORE_LAYERS_TMP_SIZE];

	for (int i = 0; i < TMP_TRIES && !b->made; i++) {
		int rc = store_layers_tmp_(name, err);

		if (rc < 0)
			return rc;
		b->made = mkdirat(b->layers, name, 0755) == 0;
		if (!b->made && errno != EEXIST)
			break;
	}
	if (!b->made)
		return bk_err_set(err, BK_ERR_IO, errno, "make a folder in '%s'", STORE_LAYERS);
	b->tmp = bk_strdup(name);
	b->fs = bk_asprintf("%s/" STORE_LAYERS_FS, name);
	b->work = bk_asprintf("%s/work", name);
	if (mkdirat(b->layers, b->fs, 0755) < 0 || mkdirat(b->layers, b->work, 0700) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a folder in '%s/%s'", STORE_LAYERS,
				  name);
	return 0;
}

int store_layer_begin(struct store *s, const char *key, struct store_layer_build **ret,
		      struct bk_err **err)
{
	bk_autolayerbuild struct store_layer_build *b = bk_calloc(1, sizeof(*b));
	struct stat st;
	int rc;

	b->store = s;
	b->layers = b->lock = -1;
	b->key = bk_strdup(key);
	rc = store_layers_open(s, true, &b->layers, err);
	if (rc == 0)
		rc = take_lock(b, err);
	if (rc < 0)
		return rc;
	*ret = NULL;
	if (fstatat(b->layers, key, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	rc = make_tmp(b, err);
	if (rc == 0)
		*ret = bk_steal_ptr(&b);
	return rc;
}

const char *store_layer_build_fs(const struct store_layer_build *b)
{
	return b->fs;
}

const char *store_layer_build_work(const struct store_layer_build *b)
{
	return b->work;
}

static int write_marker(const struct store_layer_build *b, const struct store_layer *l,
			struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(MARKER_MAX);
	bk_autofree char *path = bk_asprintf("%s/" STORE_LAYERS_MARKER, b->tmp);
	int rc = bk_json_encode(&layer_type, l, BK_JSON_PRETTY | BK_JSON_NEWLINE, &text, err);

	return rc < 0 ? rc : bk_file_write_atomic(b->layers, path, text.data, text.len, 0444, true, err);
}

int store_layer_commit(struct store_layer_build *b, struct store_layer *l, struct bk_err **err)
{
	char digest[BK_DIGEST_TEXT_SIZE];
	bk_autoclose int fd = openat(b->layers, b->fs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", STORE_LAYERS, b->fs);
	rc = store_layer_hash(fd, digest, err);
	if (rc == 0)
		rc = bk_file_rmtree(b->layers, b->work, err);
	if (rc < 0)
		return rc;
	/* All of its files at once, before there is a marker that says so. */
	if (syncfs(fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "sync '%s/%s'", STORE_LAYERS, b->fs);
	l->metadata = digest;
	rc = write_marker(b, l, err);
	l->metadata = NULL;
	if (rc < 0)
		return rc;
	if (renameat(b->layers, b->tmp, b->layers, b->key) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "rename '%s' to '%s/%s'", b->tmp,
				  STORE_LAYERS, b->key);
	b->made = false;
	if (fsync(b->layers) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "sync '%s'", STORE_LAYERS);
	return 0;
}

void store_layer_build_free(struct store_layer_build *b)
{
	if (!b)
		return;
	if (b->made)
		(void)bk_root_rmtree_at(b->layers, b->tmp, NULL);
	bk_close(&b->lock);
	bk_close(&b->layers);
	free(b->key);
	free(b->tmp);
	free(b->fs);
	free(b->work);
	free(b);
}
