/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image names: [DOMAIN/]PATH[:TAG][@DIGEST], the grammar of the distribution specification.
 *
 * A name is kept as it was typed, so that other tools find it in the store under the same text. Two
 * names mean the same image if their canonical forms are equal: `alpine`, `alpine:latest` and
 * `docker.io/library/alpine:latest` do.
 *
 * Uses / used by: base, digest / store, cmd, bock-build.
 */
#ifndef REF_H
#define REF_H

#include <stdbool.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"

#define REF_MAX 512		/* bytes of a whole name */
#define REF_NAME_MAX 255	/* of domain and path (distribution-spec) */
#define REF_TAG_MAX 128

#define REF_DEFAULT_DOMAIN "docker.io"
#define REF_DEFAULT_TAG "latest"

/* The parts in canonical form; heap strings. */
struct ref {
	char *domain;	/* "docker.io", "localhost:5000" */
	char *path;	/* "library/alpine" */
	char *tag;	/* "latest" where neither tag nor digest was given; NULL beside a digest */
	char *digest;	/* NULL, or "sha256:..." (checked by bk_digest_parse) */
};

#define REF_INIT { 0 }

/* Parses text strictly; -BK_ERR_CONFIG names what is wrong with it. */
int ref_parse(const char *text, struct ref *ret, struct bk_err **err);
void ref_done(struct ref *r);
#define bk_autoref bk_auto(ref_done)

/* "docker.io/library/alpine:latest"; heap. */
char *ref_text(const struct ref *r);

/*
 * Whether text can stand in an image layout as org.opencontainers.image.ref.name: what ref_parse
 * takes, and what other tools write there (image-spec annotations.md: also upper case and '+').
 * -BK_ERR_CONFIG if not.
 */
int ref_check(const char *text, struct bk_err **err);

/* The canonical form of a name that ref_check takes; what ref_parse refuses stays as it is. Heap. */
char *ref_canonical(const char *text);

/* Whether two names mean the same image. */
bool ref_same(const char *a, const char *b);

#endif
