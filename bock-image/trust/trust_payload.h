/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosign's "simple signing": what is signed is a small JSON document that names an image's digest and what it is called. It is
 * the layer of a signature's manifest, and the signature (base64) an annotation of that layer.
 *
 * Uses / used by: codec / trust_policy, registry, cmd.
 */
#ifndef TRUST_PAYLOAD_H
#define TRUST_PAYLOAD_H

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "base/bk_mem.h"

#define TRUST_PAYLOAD_MEDIA "application/vnd.dev.cosign.simplesigning.v1+json"
#define TRUST_SIGNATURE_KEY "dev.cosignproject.cosign/signature"
#define TRUST_ARTIFACT_TYPE "application/vnd.dev.cosign.artifact.sig.v1+json"
#define TRUST_TAG_SUFFIX ".sig"
#define TRUST_PAYLOAD_MAX ((size_t)64 << 10)	/* bytes */
#define TRUST_SIGNATURES_MAX 100		/* of one image that are looked at */

/* Strings are the arena's. */
struct trust_payload {
	char *digest;		/* of the manifest or index */
	char *reference;	/* what it is called */
};

/* Appends the document, as cosign writes it. */
void trust_payload_print(struct bk_buf *out, const char *digest, const char *reference);
/*
 * Reads one, after its signature was found good. Strict, as containers/image is: unknown members but those of `optional`, other
 * types and a digest that is none are -BK_ERR_CONFIG.
 */
int trust_payload_parse(const char *text, size_t len, struct bk_arena *arena,
			struct trust_payload *ret, struct bk_err **err);

#endif
