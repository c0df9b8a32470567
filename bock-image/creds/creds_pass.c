/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The password store: the tree of docker-credential-pass, docker-credential-helpers/<base64url of the
 * server>/<user name>, and by hand bock/<host> ("user:password" or a password with "user: NAME" below).
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"
#include "codec/bk_base64.h"
#include "creds/creds_priv.h"

#define TREE	   "docker-credential-helpers"
#define OUTPUT_MAX ((size_t)64 << 10)

/* Where its files are; NULL: no home. Heap. */
static char *store_dir(void)
{
	const char *dir = getenv("PASSWORD_STORE_DIR");
	const char *home = getenv("HOME");

	if (dir && *dir)
		return bk_strdup(dir);
	return home && *home ? bk_asprintf("%s/.password-store", home) : NULL;
}

static char *encode(const char *key)
{
	const char *server = creds_server_(key);
	char *text = bk_base64_encode(server, strlen(server));

	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return text;
}

/* The key of an entry's folder, NULL where it is no base64 of ours. */
static char *decode(const char *name)
{
	bk_autofree char *text = bk_strdup(name);
	unsigned char *plain = NULL;
	size_t len;
	char *key = NULL;

	for (char *p = text; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	if (bk_base64_decode(text, strlen(text), &plain, &len, NULL) < 0)
		return NULL;
	if (strlen((char *)plain) == len)
		key = creds_key((char *)plain);
	free(plain);
	return key;
}

static void done_secret(struct bk_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	bk_buf_done(b);
}

static int pass(const char *const *argv, const char *input, struct bk_buf *out, struct bk_err **err)
{
	const struct bk_proc_spec spec = {
		.path = "pass",
		.argv = (char *const *)(uintptr_t)argv,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
	};
	bk_autobuf struct bk_buf said = BK_BUF_INIT(OUTPUT_MAX);
	int status;
	int rc = bk_proc_run(&spec, input, input ? strlen(input) : 0, out, &said,
			     CREDS_HELPER_TIMEOUT_MS, &status, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "pass %s", argv[1]);
	if (status == 0)
		return 0;
	return bk_err_set(err, BK_ERR_IO, 0, "pass %s: status %d: %.*s", argv[1],
			  bk_proc_exit_code(status), (int)strcspn(bk_buf_str(&said), "\n"),
			  bk_buf_str(&said));
}

/* The user of docker-credential-pass's entry for key, NULL: none. Heap. */
static char *find_user(const char *key)
{
	bk_autofree char *root = store_dir();
	bk_autofree char *name = encode(key);
	bk_autofree char *path = root ? bk_asprintf("%s/" TREE "/%s", root, name) : NULL;
	bk_autoclosedir DIR *d = path ? opendir(path) : NULL;
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && bk_has_suffix(e->d_name, ".gpg"))
			return bk_strndup(e->d_name, strlen(e->d_name) - strlen(".gpg"));
	return NULL;
}

static bool has_plain(const char *key)
{
	bk_autofree char *root = store_dir();
	bk_autofree char *path = root ? bk_asprintf("%s/bock/%s.gpg", root, key) : NULL;
	struct stat st;

	return path && stat(path, &st) == 0;
}

static char *first_line(const struct bk_buf *b)
{
	return bk_strndup(bk_buf_str(b), strcspn(bk_buf_str(b), "\r\n"));
}

static int show(const char *entry, struct bk_buf *out, struct bk_err **err)
{
	const char *argv[] = { "pass", "show", entry, NULL };

	return pass(argv, NULL, out, err);
}

static int get_one(const char *key, struct credential *ret, bool *ret_found, struct bk_err **err)
{
	bk_autofree char *user = find_user(key);
	bk_autofree char *entry = NULL;
	bk_autofree char *name = encode(key);
	struct bk_buf out = BK_BUF_INIT(OUTPUT_MAX);
	const char *line;
	int rc;

	if (!user && !has_plain(key))
		return 0;
	entry = user ? bk_asprintf(TREE "/%s/%s", name, user) : bk_asprintf("bock/%s", key);
	rc = show(entry, &out, err);
	if (rc == 0) {
		char *secret = first_line(&out);

		line = user ? NULL : strstr(bk_buf_str(&out), "\nuser: ");
		if (user && bk_streq(user, "<token>")) {
			ret->identity_token = secret;
		} else if (user || line) {
			ret->username = user ? bk_steal_ptr(&user) :
					       bk_strndup(line + 7, strcspn(line + 7, "\r\n"));
			ret->password = secret;
		} else if (strchr(secret, ':')) {
			ret->username = bk_strndup(secret, strcspn(secret, ":"));
			ret->password = bk_strdup(strchr(secret, ':') + 1);
			creds_forget_(&secret);
		} else {
			creds_forget_(&secret);
			rc = bk_err_set(err, BK_ERR_CONFIG, 0,
					"pass entry '%s': neither USER:PASSWORD nor a line 'user: NAME'",
					entry);
		}
		*ret_found = rc == 0;
	}
	done_secret(&out);
	return rc;
}

static int pass_get(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
		    struct bk_err **err)
{
	bk_autofree char *k = bk_strdup(key);
	int rc;

	(void)s;
	do {
		rc = get_one(k, ret, ret_found, err);
	} while (rc == 0 && !*ret_found && creds_key_parent_(k));
	return rc;
}

static int pass_erase(struct creds *s, const char *key, bool *ret_found, struct bk_err **err)
{
	bk_autofree char *user = find_user(key);
	bk_autofree char *name = encode(key);
	bk_autofree char *entry = NULL;
	bk_autobuf struct bk_buf out = BK_BUF_INIT(OUTPUT_MAX);
	int rc;

	(void)s;
	*ret_found = user || has_plain(key);
	if (!*ret_found)
		return 0;
	entry = user ? bk_asprintf(TREE "/%s", name) : bk_asprintf("bock/%s", key);
	const char *argv[] = { "pass", "rm", "-rf", entry, NULL };

	rc = pass(argv, NULL, &out, err);
	return rc;
}

static int pass_store(struct creds *s, const char *key, const struct credential *c,
		      struct bk_err **err)
{
	bk_autofree char *name = encode(key);
	const char *user = c->identity_token ? "<token>" : c->username;
	bk_autofree char *entry = NULL;
	bk_autobuf struct bk_buf out = BK_BUF_INIT(OUTPUT_MAX);
	char *text;
	bool found;
	int rc;

	if (!user || !*user || strchr(user, '/'))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "pass keeps no user name that is empty or has a '/'");
	rc = pass_erase(s, key, &found, err);
	if (rc < 0)
		return rc;
	entry = bk_asprintf(TREE "/%s/%s", name, user);
	text = bk_asprintf("%s\n", c->identity_token ? c->identity_token : c->password);
	const char *argv[] = { "pass", "insert", "-f", "-m", entry, NULL };

	rc = pass(argv, text, &out, err);
	creds_forget_(&text);
	return rc;
}

static int pass_list(struct creds *s, char ***ret, struct bk_err **err)
{
	bk_autofree char *root = store_dir();
	bk_autofree char *path = root ? bk_asprintf("%s/" TREE, root) : NULL;
	bk_autoclosedir DIR *d = path ? opendir(path) : NULL;
	const struct dirent *e;
	char **keys = NULL;

	(void)s;
	(void)err;
	while (d && (e = readdir(d))) {
		char *key = e->d_name[0] == '.' ? NULL : decode(e->d_name);

		if (key)
			bk_strv_push(&keys, key);
	}
	*ret = keys;
	return 0;
}

static int pass_clear(struct creds *s, struct bk_err **err)
{
	bk_autostrv char **keys = NULL;
	bool found;
	int rc = pass_list(s, &keys, err);

	for (char **k = keys; rc == 0 && k && *k; k++)
		rc = pass_erase(s, *k, &found, err);
	return rc;
}

static void pass_release(struct creds *s)
{
	free(s);
}

static const struct creds_ops pass_ops = {
	.name = "pass",
	.get = pass_get,
	.store = pass_store,
	.erase = pass_erase,
	.list = pass_list,
	.clear = pass_clear,
	.release = pass_release,
};

struct creds *creds_pass_new(void)
{
	struct creds *s = bk_calloc(1, sizeof(*s));

	s->ops = &pass_ops;
	return s;
}
