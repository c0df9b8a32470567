/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/bk_digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/bk_mem.h"

struct bk_digest {
	enum bk_digest_alg alg;
	EVP_MD_CTX *ctx;
};

static const struct {
	const char *name;
	size_t hex; /* digits */
	const EVP_MD *(*md)(void);
} algs[] = {
	[BK_DIGEST_SHA256] = { "sha256", 64, EVP_sha256 },
	[BK_DIGEST_SHA512] = { "sha512", 128, EVP_sha512 },
};

/* libcrypto fails at a digest only for want of memory, or of itself: there is no going on. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

void bk_digest_no_config(void)
{
	must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL));
}

struct bk_digest *bk_digest_new(enum bk_digest_alg alg)
{
	struct bk_digest *d = bk_calloc(1, sizeof(*d));

	d->alg = alg;
	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, algs[alg].md(), NULL));
	return d;
}

void bk_digest_free(struct bk_digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void bk_digest_update(struct bk_digest *d, const void *data, size_t len)
{
	must(EVP_DigestUpdate(d->ctx, data, len));
}

static void print(enum bk_digest_alg alg, const unsigned char *sum, unsigned int len, char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = strlen(algs[alg].name);

	memcpy(text, algs[alg].name, n);
	text[n++] = ':';
	for (unsigned int i = 0; i < len; i++) {
		text[n++] = hex[sum[i] >> 4];
		text[n++] = hex[sum[i] & 15];
	}
	text[n] = '\0';
}

void bk_digest_text(const struct bk_digest *d, char text[BK_DIGEST_TEXT_SIZE])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len;
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	must(copy != NULL);
	must(EVP_MD_CTX_copy_ex(copy, d->ctx));
	must(EVP_DigestFinal_ex(copy, sum, &len));
	EVP_MD_CTX_free(copy);
	print(d->alg, sum, len, text);
}

void bk_digest_of(enum bk_digest_alg alg, const void *data, size_t len,
		  char text[BK_DIGEST_TEXT_SIZE])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n;

	must(EVP_Digest(data, len, sum, &n, algs[alg].md(), NULL));
	print(alg, sum, n, text);
}

const char *bk_digest_alg_name(enum bk_digest_alg alg)
{
	return algs[alg].name;
}

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* algorithm ::= component (separator component)*, of [a-z0-9]+ and [+._-]. */
static bool algorithm_ok(const char *text, size_t len)
{
	bool in_component = false;

	for (size_t i = 0; i < len; i++) {
		if (is_lower_or_digit(text[i]))
			in_component = true;
		else if (in_component && text[i] != '\0' && strchr("+._-", text[i]))
			in_component = false;
		else
			return false;
	}
	return in_component;
}

int bk_digest_parse(const char *text, enum bk_digest_alg *ret_alg, const char **ret_hex,
		    struct bk_err **err)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	const char *hex;
	size_t alg;

	if (!algorithm_ok(text, len))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%.160s' is not a digest", text);
	for (alg = 0; alg < BK_ARRAY_SIZE(algs); alg++)
		if (strlen(algs[alg].name) == len && memcmp(algs[alg].name, text, len) == 0)
			break;
	if (alg == BK_ARRAY_SIZE(algs))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "digest '%.160s': unknown algorithm '%.*s'", text,
				  (int)(len < 32 ? len : 32), text);
	hex = colon + 1;
	if (strspn(hex, "0123456789abcdef") != algs[alg].hex || hex[algs[alg].hex] != '\0')
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "digest '%.160s': %s needs %zu lower-case hexadecimal digits",
				  text, algs[alg].name, algs[alg].hex);
	if (ret_alg)
		*ret_alg = (enum bk_digest_alg)alg;
	if (ret_hex)
		*ret_hex = hex;
	return 0;
}
