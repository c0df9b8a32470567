/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/trust_verify.h"

#include <fcntl.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_base64.h"
#include "trust/trust_payload.h"

#define KEYS_MAX 100 /* of one requirement */

struct keys {
	struct bk_key *k[KEYS_MAX];
	size_t n;
};

static void keys_done(struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		bk_key_free(keys->k[i]);
}
#define autokeys bk_auto(keys_done)

static int add_path(struct keys *keys, const char *path, struct bk_err **err)
{
	bk_autobuf struct bk_buf pem = BK_BUF_INIT(BK_SIGN_PEM_MAX);
	int rc = bk_file_read(AT_FDCWD, path, &pem, err);

	if (rc == 0)
		rc = bk_key_public(path, bk_buf_str(&pem), pem.len, &keys->k[keys->n], err);
	if (rc == 0)
		keys->n++;
	return rc;
}

static int add_data(struct keys *keys, const char *text, struct bk_err **err)
{
	bk_autofree unsigned char *pem = NULL;
	size_t len;
	int rc = bk_base64_decode(text, strlen(text), &pem, &len, err);

	if (rc == 0)
		rc = bk_key_public("keyData", pem, len, &keys->k[keys->n], err);
	if (rc == 0)
		keys->n++;
	return rc;
}

static int load_keys(const struct trust_requirement *req, struct keys *keys, struct bk_err **err)
{
	int rc = 0;

	for (char **p = req->key_paths; rc == 0 && p && *p; p++)
		rc = keys->n < KEYS_MAX ? add_path(keys, *p, err) :
					  bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d keys", KEYS_MAX);
	for (char **d = req->key_datas; rc == 0 && d && *d; d++)
		rc = keys->n < KEYS_MAX ? add_data(keys, *d, err) :
					  bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d keys", KEYS_MAX);
	return rc < 0 ? bk_err_wrap(err, rc, "key of the policy") : 0;
}

static int by_any_key(const struct keys *keys, const struct trust_signature *s, struct bk_err **err)
{
	bk_autofree unsigned char *der = NULL;
	size_t len;
	int rc = bk_base64_decode(s->signature, strlen(s->signature), &der, &len, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < keys->n; i++)
		if (bk_sign_verify(keys->k[i], s->payload, s->payload_len, der, len, NULL) == 0)
			return 0;
	return bk_err_set(err, BK_ERR_PERMISSION, 0, "it is by none of the keys");
}

/* One signature: first whose it is, then what it says. */
static int check(const struct trust_requirement *req, const struct keys *keys, const struct ref *ref,
		 const char *digest, const struct trust_signature *s, char **ret_reference,
		 struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct trust_payload p;
	int rc = by_any_key(keys, s, err);

	if (rc == 0)
		rc = trust_payload_parse(s->payload, s->payload_len, arena, &p, err);
	if (rc == 0 && !bk_streq(p.digest, digest))
		rc = bk_err_set(err, BK_ERR_PERMISSION, 0, "it is for the image %s", p.digest);
	if (rc == 0)
		rc = trust_identity_check(&req->identity, ref, p.reference, err);
	if (rc == 0 && ret_reference)
		*ret_reference = bk_strdup(p.reference);
	return rc;
}

int trust_verify(const struct trust_requirement *req, const struct ref *ref, const char *digest,
		 const struct trust_signature *signatures, size_t n, char **ret_reference,
		 struct bk_err **err)
{
	bk_autobuf struct bk_buf said = BK_BUF_INIT(BK_BUF_SMALL);
	autokeys struct keys keys = { .n = 0 };
	int rc = load_keys(req, &keys, err);

	if (rc < 0)
		return rc;
	if (keys.n == 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "there is no key to verify with");
	for (size_t i = 0; i < n; i++) {
		struct bk_err *why = NULL;
		char text[BK_ERR_MSG_MAX];

		if (check(req, &keys, ref, digest, &signatures[i], ret_reference, &why) == 0)
			return 0;
		bk_buf_printf(&said, "%s%s", i ? "; " : "", bk_err_print(why, text, sizeof(text)));
		bk_err_clear(&why);
	}
	if (n == 0)
		return bk_err_set(err, BK_ERR_PERMISSION, 0, "image %s has no signature", digest);
	return bk_err_set(err, BK_ERR_PERMISSION, 0, "image %s: of its signatures (%zu) none will do: %.600s",
			  digest, n, bk_buf_str(&said));
}
