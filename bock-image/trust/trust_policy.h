/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers-policy.json(5): which images are taken, by where they come from. The most exact scope that a policy has for an
 * image decides, by a list of requirements, all of which must be met.
 *
 * The document is strict, as with containers/image: a member that is not known makes it invalid, since a misspelt one would make
 * the policy a weaker one; and a scope that no image of its transport can have. What is known and can't be checked here (signedBy: GPG; fulcio, pki, rekor…) is valid, and refuses
 * the images that it is for.
 *
 * Uses / used by: codec, digest, ref / registry, cmd.
 */
#ifndef TRUST_POLICY_H
#define TRUST_POLICY_H

#include "base/bk_auto.h"
#include "base/bk_err.h"
#include "digest/bk_sign.h"
#include "ref/ref.h"

#define TRUST_POLICY_MAX ((size_t)1 << 20)	/* bytes of a file */

enum trust_kind { TRUST_ACCEPT, TRUST_REJECT, TRUST_SIGSTORE, TRUST_UNSUPPORTED };

enum trust_identity_kind {
	TRUST_REPO_DIGEST_OR_EXACT,	/* the default */
	TRUST_EXACT, TRUST_REPOSITORY, TRUST_EXACT_REFERENCE, TRUST_EXACT_REPOSITORY, TRUST_REMAP,
};

/* What a signature must call the image. */
struct trust_identity {
	enum trust_identity_kind kind;
	const char *reference;		/* EXACT_REFERENCE, EXACT_REPOSITORY; the prefix of REMAP */
	const char *signed_prefix;	/* REMAP */
};

/* Strings are the policy's. */
struct trust_requirement {
	enum trust_kind kind;
	const char *what;		/* UNSUPPORTED: what can't be checked */
	char **key_paths;		/* SIGSTORE: strv, or … */
	char **key_datas;		/* … strv of base64 */
	struct trust_identity identity;
};

/* The requirements that hold for an image. */
struct trust_rules {
	const struct trust_requirement *list;
	size_t n;
	const char *scope;	/* where they stand: "docker 'example.com'", "default" */
};

struct trust_policy;

/*
 * Reads path, or if it is NULL the user's (~/.config/containers/policy.json), else the system's (/etc/containers/policy.json).
 * *ret NULL: path is NULL and neither is there.
 */
int trust_policy_load(const char *path, struct trust_policy **ret, struct bk_err **err);
/* The same from text. `source` names it in errors. */
int trust_policy_parse(const char *source, const char *text, size_t len, struct trust_policy **ret,
		       struct bk_err **err);
void trust_policy_free(struct trust_policy *p);
BK_DEFINE_AUTO(trust_policy, trust_policy_free);
#define bk_autotrustpolicy bk_auto(bk_auto_trust_policy_)

/* The file that it was read from. */
const char *trust_policy_source(const struct trust_policy *p);
/* What holds for an image of a registry: scopes are its whole name, its repository, what that is in, the registry, "*.domain". */
void trust_policy_find(const struct trust_policy *p, const struct ref *ref, struct trust_rules *ret);
/* What holds for one of another transport ("oci", "oci-archive"): scopes are the absolute path and the folders it is in; NULL: none. */
void trust_policy_find_path(const struct trust_policy *p, const char *transport, const char *path,
			    struct trust_rules *ret);

/*
 * Whether a signature that calls the image `reference` is one for ref (NULL: an image without a name, for which only
 * exactReference and exactRepository can be met). -BK_ERR_PERMISSION if not.
 */
int trust_identity_check(const struct trust_identity *id, const struct ref *ref, const char *reference,
			 struct bk_err **err);

#endif
