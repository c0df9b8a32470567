/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy (trust_policy.h) applied to images that commands fetch.
 *
 * Uses: trust, registry_signature. Used by: cmd of the helper.
 */
#ifndef CMD_TRUST_H
#define CMD_TRUST_H

#include "registry/registry.h"
#include "store/store.h"
#include "trust/trust_verify.h"

/* An image that somebody wants, and where its signatures are: in a registry, or (r NULL) a store. */
struct cmd_trust_image {
	const struct ref *ref;		/* NULL: it has no name */
	const char *digest;		/* of what the name stands for */
	const char *image_digest;	/* of an index the image that was chosen; NULL, or the same: none */
	struct registry *r;
	const char *repo;
	const struct store *s;
};

/*
 * That the policy takes the image: 0, or -BK_ERR_PERMISSION (UNSUPPORTED: it asks for what can't be checked), which names the file and
 * the scope. A signature of the index, or of the image that was chosen, will do.
 */
int cmd_trust_check(const struct trust_policy *p, const struct trust_rules *rules,
		    const struct cmd_trust_image *image, struct bk_err **err);

/* One requirement; *ret_reference as for trust_verify. */
int cmd_trust_verify(const struct trust_requirement *req, const struct cmd_trust_image *image,
		     char **ret_reference, struct bk_err **err);

#endif
