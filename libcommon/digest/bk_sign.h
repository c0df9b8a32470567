/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of SHA-256 digests by keys in PEM, through libcrypto: ECDSA over the curves P-256, P-384 and P-521, and RSA
 * (PKCS #1 v1.5) of 2048 bits and more.
 *
 * Uses / used by: bk_digest, libcrypto / trust, cmd of bock-image.
 */
#ifndef BK_SIGN_H
#define BK_SIGN_H

#include <stddef.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"

#define BK_SIGN_PEM_MAX ((size_t)64 << 10)	/* bytes of a key's file */
#define BK_SIGN_SIGNATURE_MAX ((size_t)2048)	/* bytes of a signature */

struct bk_key;

/* The public key (SubjectPublicKeyInfo) of a PEM text; `what` names it in errors, which are -BK_ERR_CONFIG or UNSUPPORTED. */
int bk_key_public(const char *what, const void *pem, size_t len, struct bk_key **ret,
		  struct bk_err **err);
/*
 * The private key of a PEM text: PKCS #8, encrypted or not, or the older forms. pass: NULL if there is none; then an encrypted
 * one is -BK_ERR_PERMISSION, and so it is with a wrong one. cosign's own form of encrypted keys is refused by name.
 */
int bk_key_private(const char *what, const void *pem, size_t len, const char *pass,
		   struct bk_key **ret, struct bk_err **err);
void bk_key_free(struct bk_key *k);
BK_DEFINE_AUTO(bk_key, bk_key_free);
#define bk_autokey bk_auto(bk_auto_bk_key_)

/* Signs data; *ret is heap, of *ret_len bytes (ECDSA: DER). */
int bk_sign(const struct bk_key *k, const void *data, size_t len, unsigned char **ret,
	    size_t *ret_len, struct bk_err **err);
/* 0 if the signature of data is one of k's, -BK_ERR_PERMISSION if not. */
int bk_sign_verify(const struct bk_key *k, const void *data, size_t len, const void *signature,
		   size_t signature_len, struct bk_err **err);

#endif
