/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content digests (image-spec descriptor.md): "algorithm:hex". sha256 and sha512 through libcrypto.
 */
#ifndef BK_DIGEST_H
#define BK_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"

#define BK_DIGEST_TEXT_SIZE 144	/* "sha512:" and 128 hex digits and NUL, rounded up */

enum bk_digest_alg { BK_DIGEST_SHA256, BK_DIGEST_SHA512 };

/*
 * Keeps libcrypto from reading its configuration, which may have it load libraries: a program that is linked
 * statically must not. Before anything else of this header.
 */
void bk_digest_no_config(void);

struct bk_digest;	/* a running computation */

struct bk_digest *bk_digest_new(enum bk_digest_alg alg) __attribute__((returns_nonnull));
void bk_digest_free(struct bk_digest *d);
void bk_digest_update(struct bk_digest *d, const void *data, size_t len);
/* Writes "sha256:<hex>"; the computation may go on afterwards (a copy is finished). */
void bk_digest_text(const struct bk_digest *d, char text[BK_DIGEST_TEXT_SIZE]);
BK_DEFINE_AUTO(bk_digest, bk_digest_free);
#define bk_autodigest bk_auto(bk_auto_bk_digest_)

/* One buffer. */
void bk_digest_of(enum bk_digest_alg alg, const void *data, size_t len, char text[BK_DIGEST_TEXT_SIZE]);

/*
 * Checks the grammar and that the algorithm is registered with the right length of lower-case hex;
 * only then may it become part of a path (CVE-2024-3727). ret_alg and ret_hex (into text) may be NULL.
 */
int bk_digest_parse(const char *text, enum bk_digest_alg *ret_alg, const char **ret_hex,
		    struct bk_err **err);
const char *bk_digest_alg_name(enum bk_digest_alg alg);

#endif
