/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "trust/trust_policy.h"

static bool same_repo(const struct ref *a, const struct ref *b)
{
	return bk_streq(a->domain, b->domain) && bk_streq(a->path, b->path);
}

static bool same(const struct ref *a, const struct ref *b)
{
	return same_repo(a, b) && bk_streq0(a->tag, b->tag) && bk_streq0(a->digest, b->digest);
}

/* Whether a name says more than a repository: ref_parse gives one that doesn't the tag "latest". */
static bool is_exact(const char *text)
{
	const char *slash = strrchr(text, '/');

	return strpbrk(slash ? slash : text, "@:") != NULL;
}

/* Where the image's name begins with the prefix, that becomes another one (containers-policy.json, "remapIdentity"). */
static int remap(const struct trust_identity *id, const struct ref *ref, struct ref *ret,
		 struct bk_err **err)
{
	bk_autofree char *text = ref_text(ref);
	const char *rest = bk_skip_prefix(text, id->reference);
	bk_autofree char *mapped = NULL;

	if (rest && *rest != '\0' && !strchr("/:@", *rest))
		rest = NULL;
	/* "host" is no prefix of "host:5000/...": there the ':' begins a port. */
	if (rest && *rest == ':' && !strchr(id->reference, '/'))
		rest = NULL;
	mapped = rest ? bk_asprintf("%s%s", id->signed_prefix, rest) : bk_strdup(text);
	return ref_parse(mapped, ret, err);
}

static bool match(const struct trust_identity *id, const struct ref *ref, const struct ref *said,
		  bool exact)
{
	bk_autoref struct ref other = REF_INIT;

	switch (id->kind) {
	case TRUST_REPOSITORY:
		return same_repo(ref, said);
	case TRUST_EXACT:
		return exact && !ref->digest && same(ref, said);
	case TRUST_EXACT_REFERENCE:
		return ref_parse(id->reference, &other, NULL) == 0 && exact && same(&other, said);
	case TRUST_EXACT_REPOSITORY:
		return ref_parse(id->reference, &other, NULL) == 0 && same_repo(&other, said);
	case TRUST_REMAP:
		if (remap(id, ref, &other, NULL) < 0)
			return false;
		return other.digest ? same_repo(&other, said) : exact && same(&other, said);
	case TRUST_REPO_DIGEST_OR_EXACT:
		break;
	}
	return ref->digest ? same_repo(ref, said) : exact && same(ref, said);
}

int trust_identity_check(const struct trust_identity *id, const struct ref *ref,
			 const char *reference, struct bk_err **err)
{
	bool named = id->kind == TRUST_EXACT_REFERENCE || id->kind == TRUST_EXACT_REPOSITORY;
	bk_autoref struct ref said = REF_INIT;
	bk_autofree char *text = NULL;
	int rc = ref_parse(reference, &said, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "what the signature calls the image");
	if (!ref && !named)
		return bk_err_set(err, BK_ERR_PERMISSION, 0,
				  "the image has no name that could be compared with the signature's");
	if (match(id, ref, &said, is_exact(reference)))
		return 0;
	text = named ? bk_strdup(id->reference) : ref_text(ref);
	return bk_err_set(err, BK_ERR_PERMISSION, 0, "the signature is for '%.200s', not for '%.200s'",
			  reference, text);
}
