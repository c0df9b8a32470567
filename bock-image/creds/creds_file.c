/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers-auth.json(5), Docker's config.json and .dockercfg. Reading goes by tables; writing changes the parsed
 * text, so that what we don't know stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "codec/bk_json_write.h"
#include "creds/creds_priv.h"

struct creds_file {
	struct creds base;
	char *path;
	bool legacy;
};

struct entry {
	char *key;
	char *auth, *username, *password, *identity_token, *registry_token, *email;
};
static const struct bk_doc_field entry_fields[] = {
	BK_DOC_STR_F(struct entry, auth, "auth", 0),
	BK_DOC_STR_F(struct entry, username, "username", 0),
	BK_DOC_STR_F(struct entry, password, "password", 0),
	BK_DOC_STR_F(struct entry, identity_token, "identitytoken", 0),
	BK_DOC_STR_F(struct entry, registry_token, "registrytoken", 0),
	BK_DOC_STR_F(struct entry, email, "email", 0),
	BK_DOC_END,
};
static const struct bk_doc_type entry_type = BK_DOC_TYPE(struct entry, entry_fields);

struct file {
	struct entry *auths;
	size_t n_auths;
	struct bk_doc_pair *helpers;
	size_t n_helpers;
	char *store;
};
static const struct bk_doc_field file_fields[] = {
	BK_DOC_OBJMAP_F(struct file, auths, n_auths, "auths", 0, entry_type),
	BK_DOC_STRMAP_F(struct file, helpers, n_helpers, "credHelpers", 0),
	BK_DOC_STR_F(struct file, store, "credsStore", 0),
	BK_DOC_END,
};
static const struct bk_doc_type file_type = BK_DOC_TYPE(struct file, file_fields);

/* ---- reading ------------------------------------------------------------------------------------ */

static int decode(const char *text, size_t len, const char *what, bool legacy,
		  struct bk_arena *arena, struct file *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf whole = BK_BUF_INIT(CREDS_FILE_MAX + BK_BUF_SMALL);
	int rc;

	if (strspn(text, " \t\r\n") == len) {
		*ret = (struct file){ 0 };
		return 0;
	}
	if (!legacy)
		return bk_json_decode(&file_type, what, text, len, &bk_doc_limits_oci, arena, ret,
				      err);
	bk_buf_adds(&whole, "{\"auths\":");
	bk_buf_add(&whole, text, len);
	bk_buf_adds(&whole, "}");
	rc = bk_json_decode(&file_type, what, bk_buf_str(&whole), whole.len, &bk_doc_limits_oci,
			    arena, ret, err);
	if (whole.data)
		explicit_bzero(whole.data, whole.cap);
	return rc;
}

static int take_entry(const struct entry *e, struct credential *ret, bool *ret_found,
		      struct bk_err **err)
{
	struct credential c = CREDENTIAL_INIT;
	int rc = 0;

	if (e->auth && *e->auth) {
		rc = credential_from_docker_auth(e->auth, &c, err);
	} else if (e->username && e->password) {
		c.username = bk_strdup(e->username);
		c.password = bk_strdup(e->password);
	}
	if (rc < 0) {
		credential_done(&c);
		return bk_err_wrap(err, rc, "auths[\"%s\"]", e->key);
	}
	if (e->identity_token && *e->identity_token)
		c.identity_token = bk_strdup(e->identity_token);
	if (e->registry_token && *e->registry_token)
		c.registry_token = bk_strdup(e->registry_token);
	c.email = e->email ? bk_strdup(e->email) : NULL;
	/* An empty object stands where a helper has the rest. */
	if (!c.username && !c.identity_token && !c.registry_token) {
		credential_done(&c);
		return 0;
	}
	*ret = c;
	*ret_found = true;
	return 0;
}

static const struct entry *find_entry(const struct file *f, const char *key)
{
	for (size_t i = 0; i < f->n_auths; i++) {
		bk_autofree char *k = creds_key(f->auths[i].key);

		if (bk_streq(k, key))
			return &f->auths[i];
	}
	return NULL;
}

/* The helper that a file names for the key's host, NULL: none. */
static const char *helper_of(const struct file *f, const char *key)
{
	bk_autofree char *host = bk_strndup(key, strcspn(key, "/"));

	for (size_t i = 0; i < f->n_helpers; i++) {
		bk_autofree char *k = creds_key(f->helpers[i].key);

		if (bk_streq(k, key) || bk_streq(k, host))
			return f->helpers[i].value;
	}
	return f->store && *f->store ? f->store : NULL;
}

static int get_by_helper(const struct file *f, const char *key, struct credential *ret,
			 bool *ret_found, struct bk_err **err)
{
	bk_autocreds struct creds *h = NULL;
	const char *name = helper_of(f, key);
	int rc = name ? creds_helper_new(name, &h, err) : 0;

	return rc < 0 || !name ? rc : creds_get(h, key, ret, ret_found, err);
}

static int lookup(const struct file *f, const char *key, struct credential *ret, bool *ret_found,
		  struct bk_err **err)
{
	bk_autofree char *k = bk_strdup(key);
	int rc = get_by_helper(f, key, ret, ret_found, err);

	if (rc < 0 || *ret_found)
		return rc;
	do {
		const struct entry *e = find_entry(f, k);

		rc = e ? take_entry(e, ret, ret_found, err) : 0;
	} while (rc == 0 && !*ret_found && creds_key_parent_(k));
	return rc;
}

int creds_file_get_text_(const char *text, size_t len, const char *what, bool legacy,
			 const char *key, struct credential *ret, bool *ret_found,
			 struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct file f;
	int rc = decode(text, len, what, legacy, arena, &f, err);

	return rc < 0 ? rc : lookup(&f, key, ret, ret_found, err);
}

/* The file's text, "" where there is none. The caller clears it. */
static int read_text(const char *path, struct bk_buf *text, struct bk_err **err)
{
	struct bk_err *why = NULL;
	int rc = bk_file_read(AT_FDCWD, path, text, &why);

	if (rc == 0 || rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return 0;
	}
	bk_err_move(err, why);
	return rc;
}

static void done_text(struct bk_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	bk_buf_done(b);
}

static int file_get(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
		    struct bk_err **err)
{
	const struct creds_file *f = (const struct creds_file *)s;
	struct bk_buf text = BK_BUF_INIT(CREDS_FILE_MAX);
	int rc = read_text(f->path, &text, err);

	if (rc == 0 && text.len > 0)
		rc = creds_file_get_text_(text.data, text.len, f->path, f->legacy, key, ret,
					  ret_found, err);
	done_text(&text);
	return rc;
}

static int file_list(struct creds *s, char ***ret, struct bk_err **err)
{
	const struct creds_file *f = (const struct creds_file *)s;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_buf text = BK_BUF_INIT(CREDS_FILE_MAX);
	struct file doc = { 0 };
	char **keys = NULL;
	int rc = read_text(f->path, &text, err);

	if (rc == 0)
		rc = decode(bk_buf_str(&text), text.len, f->path, f->legacy, arena, &doc, err);
	done_text(&text);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < doc.n_auths; i++)
		bk_strv_push(&keys, creds_key(doc.auths[i].key));
	*ret = keys;
	return 0;
}

/* ---- writing ------------------------------------------------------------------------------------ */

/* The file that is meant: links are followed, so that they stay. Heap. */
static char *target(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : bk_strdup(path);
}

static struct bk_doc_value *member(struct bk_doc_value *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (bk_streq(map->keys[i], key))
			return &map->items[i];
	return NULL;
}

static struct bk_doc_value *add_member(struct bk_arena *arena, struct bk_doc_value *map,
				       const char *key)
{
	struct bk_doc_value *items = bk_arena_alloc(arena, (map->n + 1) * sizeof(*items));
	char **keys = bk_arena_alloc(arena, (map->n + 1) * sizeof(*keys));

	if (map->n > 0) {
		memcpy(items, map->items, map->n * sizeof(*items));
		memcpy(keys, map->keys, map->n * sizeof(*keys));
	}
	keys[map->n] = bk_arena_strdup(arena, key);
	items[map->n].node = BK_DOC_NODE_MAP;
	map->items = items;
	map->keys = keys;
	return &items[map->n++];
}

static void drop_member(struct bk_doc_value *map, size_t i)
{
	memmove(&map->items[i], &map->items[i + 1], (map->n - i - 1) * sizeof(*map->items));
	memmove(&map->keys[i], &map->keys[i + 1], (map->n - i - 1) * sizeof(*map->keys));
	map->n--;
}

static void set_string(struct bk_arena *arena, struct bk_doc_value *map, const char *key,
		       const char *value)
{
	struct bk_doc_value *v = member(map, key);

	if (!v)
		v = add_member(arena, map, key);
	*v = (struct bk_doc_value){ .node = BK_DOC_NODE_STRING,
				    .text = bk_arena_strdup(arena, value) };
}

static void drop(struct bk_doc_value *map, const char *key)
{
	for (size_t i = map->n; i > 0; i--)
		if (bk_streq(map->keys[i - 1], key))
			drop_member(map, i - 1);
}

/* What is done to the file's entries; *ret_changed: it must be written. */
struct change {
	const char *key;	    /* NULL: all */
	const struct credential *c; /* NULL: remove */
};

static void apply(struct bk_arena *arena, struct bk_doc_value *auths, const struct change *ch,
		  bool *ret_changed)
{
	struct bk_doc_value *e = NULL;

	for (size_t i = auths->n; i > 0; i--) {
		bk_autofree char *k = creds_key(auths->keys[i - 1]);

		if (ch->key && !bk_streq(k, ch->key))
			continue;
		if (ch->c && auths->items[i - 1].node == BK_DOC_NODE_MAP) {
			e = &auths->items[i - 1];
			break;
		}
		drop_member(auths, i - 1);
		*ret_changed = true;
	}
	if (!ch->c)
		return;
	if (!e)
		e = add_member(arena, auths, creds_server_(ch->key));
	drop(e, "auth");
	drop(e, "username");
	drop(e, "password");
	drop(e, "identitytoken");
	drop(e, "registrytoken");
	if (ch->c->username) {
		char *auth = credential_to_docker_auth(ch->c);

		set_string(arena, e, "auth", auth);
		creds_forget_(&auth);
	}
	if (ch->c->identity_token)
		set_string(arena, e, "identitytoken", ch->c->identity_token);
	if (ch->c->registry_token)
		set_string(arena, e, "registrytoken", ch->c->registry_token);
	*ret_changed = true;
}

static int write_tree(const char *path, const struct bk_doc_value *root, struct bk_err **err)
{
	struct bk_buf out = BK_BUF_INIT(CREDS_FILE_MAX);
	struct bk_json_writer w = { .out = &out, .indent = "\t" };
	int rc;

	bk_json_write_value(&w, root);
	bk_buf_addc(&out, '\n');
	rc = bk_buf_check(&out, path, err);
	if (rc == 0)
		rc = bk_file_write_atomic(AT_FDCWD, path, out.data, out.len, 0600, true, err);
	done_text(&out);
	return rc;
}

static int parse_tree(const char *path, const struct bk_buf *text, struct bk_arena *arena,
		      struct bk_doc_value *root, struct bk_err **err)
{
	int rc;

	*root = (struct bk_doc_value){ .node = BK_DOC_NODE_MAP };
	if (strspn(bk_buf_str(text), " \t\r\n") == text->len)
		return 0;
	rc = bk_json_parse(path, text->data, text->len, &bk_doc_limits_oci, arena, root, err);
	if (rc == 0 && root->node != BK_DOC_NODE_MAP)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "%s: expected an object", path);
	return rc;
}

static int change_locked(const struct creds_file *f, const char *path, const struct change *ch,
			 bool *ret_changed, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_buf text = BK_BUF_INIT(CREDS_FILE_MAX);
	struct bk_doc_value root, *auths;
	int rc = read_text(path, &text, err);

	if (rc == 0)
		rc = parse_tree(path, &text, arena, &root, err);
	done_text(&text);
	if (rc < 0)
		return rc;
	auths = f->legacy ? &root : member(&root, "auths");
	if (!auths && !ch->c)
		return 0;
	if (!auths)
		auths = add_member(arena, &root, "auths");
	if (auths->node == BK_DOC_NODE_NULL)
		*auths = (struct bk_doc_value){ .node = BK_DOC_NODE_MAP };
	if (auths->node != BK_DOC_NODE_MAP)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: auths: expected an object", path);
	apply(arena, auths, ch, ret_changed);
	return *ret_changed ? write_tree(path, &root, err) : 0;
}

/* Under the lock of a file beside it: rename(2) takes the file itself away from under a lock. */
static int change(const struct creds_file *f, const struct change *ch, bool *ret_changed,
		  struct bk_err **err)
{
	bk_autofree char *path = target(f->path);
	bk_autofree char *dir = bk_path_dir(path);
	bk_autofree char *lock = bk_asprintf("%s.lock", path);
	bk_autoclose int fd = -1;
	struct stat st;
	int rc;

	if (!ch->c && stat(path, &st) < 0 && errno == ENOENT)
		return 0;
	rc = bk_file_mkdirs(dir, 0700, err);
	if (rc < 0)
		return rc;
	fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "lock '%s'", lock);
	return change_locked(f, path, ch, ret_changed, err);
}

/* The helper that the file names, for a key that is to be written; NULL: the file itself. */
static int writer_of(const struct creds_file *f, const char *key, struct creds **ret,
		     struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_buf text = BK_BUF_INIT(CREDS_FILE_MAX);
	struct file doc = { 0 };
	const char *name;
	int rc = read_text(f->path, &text, err);

	if (rc == 0)
		rc = decode(bk_buf_str(&text), text.len, f->path, f->legacy, arena, &doc, err);
	done_text(&text);
	name = rc == 0 ? helper_of(&doc, key) : NULL;
	return name ? creds_helper_new(name, ret, err) : rc;
}

static int file_store(struct creds *s, const char *key, const struct credential *c,
		      struct bk_err **err)
{
	const struct creds_file *f = (const struct creds_file *)s;
	const struct change ch = { .key = key, .c = c };
	bk_autocreds struct creds *helper = NULL;
	bool changed = false;
	int rc = writer_of(f, key, &helper, err);

	if (rc < 0)
		return rc;
	return helper ? creds_store(helper, key, c, err) : change(f, &ch, &changed, err);
}

static int file_erase(struct creds *s, const char *key, bool *ret_found, struct bk_err **err)
{
	const struct creds_file *f = (const struct creds_file *)s;
	const struct change ch = { .key = key };
	bk_autocreds struct creds *helper = NULL;
	bool changed = false, there = false;
	int rc = writer_of(f, key, &helper, err);

	if (rc == 0 && helper)
		rc = creds_erase(helper, key, &there, err);
	if (rc == 0)
		rc = change(f, &ch, &changed, err);
	if (rc == 0)
		*ret_found = changed || there;
	return rc;
}

static int file_clear(struct creds *s, struct bk_err **err)
{
	const struct change ch = { .key = NULL };
	bool changed = false;

	return change((const struct creds_file *)s, &ch, &changed, err);
}

static void file_release(struct creds *s)
{
	struct creds_file *f = (struct creds_file *)s;

	free(f->path);
	free(f);
}

static const struct creds_ops file_ops = {
	.name = "file",
	.get = file_get,
	.store = file_store,
	.erase = file_erase,
	.list = file_list,
	.clear = file_clear,
	.release = file_release,
};

struct creds *creds_file_new(const char *path, bool legacy)
{
	struct creds_file *f = bk_calloc(1, sizeof(*f));

	f->base.ops = &file_ops;
	f->path = bk_strdup(path);
	f->legacy = legacy;
	return &f->base;
}
