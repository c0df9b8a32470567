/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of docker-credential-helpers: a word as argument, the rest on standard input and output. */
#include <stdlib.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"
#include "codec/bk_doc.h"
#include "codec/bk_json.h"
#include "creds/creds_priv.h"

#define OUTPUT_MAX ((size_t)256 << 10)
#define TOKEN_USER "<token>" /* the secret is an identity token then */

struct creds_helper {
	struct creds base;
	char *program;
};

struct answer {
	char *server, *username, *secret;
};
static const struct bk_doc_field answer_fields[] = {
	BK_DOC_STR_F(struct answer, server, "ServerURL", 0),
	BK_DOC_STR_F(struct answer, username, "Username", 0),
	BK_DOC_STR_F(struct answer, secret, "Secret", 0),
	BK_DOC_END,
};
static const struct bk_doc_type answer_type = BK_DOC_TYPE(struct answer, answer_fields);

/* What helpers say, on standard output, where there is nothing. */
static bool says_none(const char *out)
{
	return strstr(out, "credentials not found") || strstr(out, "no credentials") ||
	       strstr(out, "not found in native keychain");
}

/* Runs `program verb`; *ret_none: it has no such credentials. out is cleared by the caller. */
static int run(const struct creds_helper *h, const char *verb, const char *input, struct bk_buf *out,
	       bool *ret_none, struct bk_err **err)
{
	const char *argv[] = { h->program, verb, NULL };
	struct bk_proc_spec spec = {
		.path = h->program,
		.argv = (char *const *)(uintptr_t)argv,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
	};
	int status;
	int rc = bk_proc_run(&spec, input, strlen(input), out, NULL, CREDS_HELPER_TIMEOUT_MS,
			     &status, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "%s %s", h->program, verb);
	*ret_none = false;
	if (status == 0)
		return 0;
	if (says_none(bk_buf_str(out))) {
		*ret_none = true;
		return 0;
	}
	/* A failed get has no secret in what it says, only the reason. */
	return bk_err_set(err, BK_ERR_IO, 0, "%s %s: status %d: %.*s", h->program, verb,
			  bk_proc_exit_code(status), (int)strcspn(bk_buf_str(out), "\n"),
			  bk_streq(verb, "store") ? "" : bk_buf_str(out));
}

static void done_secret(struct bk_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	bk_buf_done(b);
}

static int get_one(const struct creds_helper *h, const char *key, struct credential *ret,
		   bool *ret_found, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_buf out = BK_BUF_INIT(OUTPUT_MAX);
	struct answer a;
	bool none = false;
	int rc = run(h, "get", creds_server_(key), &out, &none, err);

	if (rc == 0 && !none) {
		rc = bk_json_decode(&answer_type, h->program, bk_buf_str(&out), out.len,
				    &bk_doc_limits_oci, arena, &a, err);
		if (rc == 0 && a.secret && bk_streq0(a.username, TOKEN_USER))
			ret->identity_token = bk_strdup(a.secret);
		else if (rc == 0 && a.secret) {
			ret->username = bk_strdup(a.username ? a.username : "");
			ret->password = bk_strdup(a.secret);
		}
		if (rc == 0 && a.secret) {
			explicit_bzero(a.secret, strlen(a.secret));
			*ret_found = true;
		}
	}
	done_secret(&out);
	return rc;
}

static int helper_get(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
		      struct bk_err **err)
{
	bk_autofree char *k = bk_strdup(key);
	int rc;

	do {
		rc = get_one((const struct creds_helper *)s, k, ret, ret_found, err);
	} while (rc == 0 && !*ret_found && creds_key_parent_(k));
	return rc;
}

static int helper_store(struct creds *s, const char *key, const struct credential *c,
			struct bk_err **err)
{
	const struct answer a = {
		.server = (char *)(uintptr_t)creds_server_(key),
		.username = c->identity_token ? (char *)(uintptr_t)TOKEN_USER : c->username,
		.secret = c->identity_token ? c->identity_token : c->password,
	};
	struct bk_buf in = BK_BUF_INIT(OUTPUT_MAX);
	struct bk_buf out = BK_BUF_INIT(OUTPUT_MAX);
	bool none;
	int rc = bk_json_encode(&answer_type, &a, 0, &in, err);

	if (rc == 0)
		rc = run((const struct creds_helper *)s, "store", bk_buf_str(&in), &out, &none,
			 err);
	done_secret(&in);
	done_secret(&out);
	return rc;
}

static int helper_erase(struct creds *s, const char *key, bool *ret_found, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(OUTPUT_MAX);
	struct credential c = CREDENTIAL_INIT;
	bool none = true, found = false;
	int rc;

	/* Many helpers succeed at erasing nothing. */
	rc = get_one((const struct creds_helper *)s, key, &c, &found, err);
	credential_done(&c);
	if (rc == 0 && found)
		rc = run((const struct creds_helper *)s, "erase", creds_server_(key), &out, &none,
			 err);
	if (rc == 0)
		*ret_found = found && !none;
	return rc;
}


static int helper_list(struct creds *s, char ***ret, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(OUTPUT_MAX);
	const struct creds_helper *h = (const struct creds_helper *)s;
	struct bk_doc_value v;
	char **keys = NULL;
	bool none;
	int rc = run(h, "list", "", &out, &none, err);

	if (rc < 0)
		return rc;
	if (!none && out.len > 0) {
		rc = bk_json_parse(h->program, bk_buf_str(&out), out.len, &bk_doc_limits_oci, arena,
				   &v, err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; v.node == BK_DOC_NODE_MAP && i < v.n; i++)
			bk_strv_push(&keys, creds_key(v.keys[i]));
	}
	*ret = keys;
	return 0;
}

static int helper_clear(struct creds *s, struct bk_err **err)
{
	bk_autostrv char **keys = NULL;
	bool found;
	int rc = helper_list(s, &keys, err);

	for (char **k = keys; rc == 0 && k && *k; k++)
		rc = helper_erase(s, *k, &found, err);
	return rc;
}

static void helper_release(struct creds *s)
{
	struct creds_helper *h = (struct creds_helper *)s;

	free(h->program);
	free(h);
}

static const struct creds_ops helper_ops = {
	.name = "credential helper",
	.get = helper_get,
	.store = helper_store,
	.erase = helper_erase,
	.list = helper_list,
	.clear = helper_clear,
	.release = helper_release,
};

int creds_helper_new(const char *suffix, struct creds **ret, struct bk_err **err)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	struct creds_helper *h;

	if (!bk_str_all_of(suffix, set) || strlen(suffix) > 64)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%.64s' is no name of a credential helper",
				  suffix);
	h = bk_calloc(1, sizeof(*h));
	h->base.ops = &helper_ops;
	h->program = bk_asprintf("docker-credential-%s", suffix);
	*ret = &h->base;
	return 0;
}
