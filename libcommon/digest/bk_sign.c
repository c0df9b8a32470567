/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/bk_sign.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"

#define RSA_BITS_MIN 2048

struct bk_key {
	EVP_PKEY *pkey;
};

/* What libcrypto is asked of a pass phrase, and what it was told. */
struct pass {
	const char *text;
	bool asked;
};

static int give_pass(char *buf, int size, int writing, void *ctx)
{
	struct pass *p = ctx;
	size_t len = p->text ? strlen(p->text) : 0;

	(void)writing;
	p->asked = true;
	if (!p->text || size < 0 || len > (size_t)size)
		return -1;
	memcpy(buf, p->text, len);
	return (int)len;
}

static const char *reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return text ? text : "libcrypto does not say why";
}

static bool curve_ok(const EVP_PKEY *pkey)
{
	static const char *const curves[] = { "prime256v1", "P-256", "secp384r1",
					      "P-384",	    "secp521r1", "P-521" };
	char name[64];
	size_t len = 0;

	if (EVP_PKEY_get_group_name(pkey, name, sizeof(name), &len) != 1)
		return false;
	for (size_t i = 0; i < BK_ARRAY_SIZE(curves); i++)
		if (bk_streq(name, curves[i]))
			return true;
	return false;
}

static int take(const char *what, EVP_PKEY *pkey, struct bk_key **ret, struct bk_err **err)
{
	int id = EVP_PKEY_get_base_id(pkey);
	struct bk_key *k;

	if (!(id == EVP_PKEY_EC && curve_ok(pkey)) &&
	    !(id == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) >= RSA_BITS_MIN)) {
		EVP_PKEY_free(pkey);
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "'%s': keys are ECDSA of P-256, P-384 or P-521, or RSA of %d bits or more",
				  what, RSA_BITS_MIN);
	}
	k = bk_calloc(1, sizeof(*k));
	k->pkey = pkey;
	*ret = k;
	return 0;
}

static BIO *text_bio(const void *pem, size_t len)
{
	BIO *b = len <= BK_SIGN_PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;

	ERR_clear_error();
	return b;
}

int bk_key_public(const char *what, const void *pem, size_t len, struct bk_key **ret,
		  struct bk_err **err)
{
	struct pass none = { .text = NULL };
	BIO *b = text_bio(pem, len);
	EVP_PKEY *pkey = b ? PEM_read_bio_PUBKEY(b, NULL, give_pass, &none) : NULL;

	BIO_free(b);
	if (!pkey)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is no public key in PEM: %s", what,
				  reason());
	return take(what, pkey, ret, err);
}

int bk_key_private(const char *what, const void *pem, size_t len, const char *pass,
		   struct bk_key **ret, struct bk_err **err)
{
	static const char *const cosign[] = { "BEGIN ENCRYPTED COSIGN PRIVATE KEY",
					      "BEGIN ENCRYPTED SIGSTORE PRIVATE KEY" };
	struct pass p = { .text = pass };
	EVP_PKEY *pkey;
	BIO *b;
	int rc;

	for (size_t i = 0; i < BK_ARRAY_SIZE(cosign); i++) {
		if (!memmem(pem, len, cosign[i], strlen(cosign[i])))
			continue;
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				"'%s' is encrypted as cosign does it, which libcrypto can't read",
				what);
		return bk_err_hint(err, rc, "keep the key as PKCS #8: openssl pkcs8 -topk8");
	}
	b = text_bio(pem, len);
	pkey = b ? PEM_read_bio_PrivateKey(b, NULL, give_pass, &p) : NULL;
	BIO_free(b);
	if (pkey)
		return take(what, pkey, ret, err);
	if (p.asked && !pass) {
		ERR_clear_error();
		return bk_err_set(err, BK_ERR_PERMISSION, 0,
				  "'%s' is encrypted, and there is no pass phrase", what);
	}
	if (p.asked) {
		ERR_clear_error();
		return bk_err_set(err, BK_ERR_PERMISSION, 0,
				  "'%s': the pass phrase does not open it", what);
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is no private key in PEM: %s", what, reason());
}

void bk_key_free(struct bk_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

int bk_sign(const struct bk_key *k, const void *data, size_t len, unsigned char **ret,
	    size_t *ret_len, struct bk_err **err)
{
	bk_autofree unsigned char *out = bk_malloc(BK_SIGN_SIGNATURE_MAX);
	size_t n = BK_SIGN_SIGNATURE_MAX;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
		  EVP_DigestSign(ctx, out, &n, data, len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "sign: %s", reason());
	*ret = bk_steal_ptr(&out);
	*ret_len = n;
	return 0;
}

int bk_sign_verify(const struct bk_key *k, const void *data, size_t len, const void *signature,
		   size_t signature_len, struct bk_err **err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 ?
			 EVP_DigestVerify(ctx, signature, signature_len, data, len) :
			 -1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (ok == 1)
		return 0;
	return bk_err_set(err, BK_ERR_PERMISSION, 0, "the signature is not of this key");
}
