/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether signatures of an image meet a requirement of the policy.
 *
 * Uses / used by: bk_sign, trust_payload, trust_policy / registry, cmd.
 */
#ifndef TRUST_VERIFY_H
#define TRUST_VERIFY_H

#include "trust/trust_policy.h"

/* A signature as it was found; nothing of it is believed yet. Memory is an arena's. */
struct trust_signature {
	const char *payload;
	size_t payload_len;
	const char *signature;	/* base64 */
};

/*
 * That one of n signatures is by a key of the requirement (TRUST_SIGSTORE), for that digest, and calls the image what it must be called
 * (ref as for trust_identity_check). *ret_reference (heap; may be NULL): what it calls it. -BK_ERR_PERMISSION says of each why not;
 * a key that can't be read is an error of its own, whichever key would have done.
 */
int trust_verify(const struct trust_requirement *req, const struct ref *ref, const char *digest,
		 const struct trust_signature *signatures, size_t n, char **ret_reference,
		 struct bk_err **err);

#endif
