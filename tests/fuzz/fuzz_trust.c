/* SPDX-License-Identifier: Apache-2.0 */
/* policy.json and what holds for an image by it; the text that a signature signs. */
#include <stdint.h>

#include "base/bk_str.h"
#include "trust/trust_payload.h"
#include "trust/trust_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "alpine", "a.example.com:80/foo/x:1", "localhost/a/b" };
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autotrustpolicy struct trust_policy *p = NULL;
	struct trust_payload payload;

	if (trust_payload_parse((const char *)data, size, arena, &payload, NULL) == 0) {
		const struct trust_identity id = { .kind = TRUST_REPO_DIGEST_OR_EXACT };
		bk_autoref struct ref ref = REF_INIT;

		if (ref_parse(names[1], &ref, NULL) == 0)
			(void)trust_identity_check(&id, &ref, payload.reference, NULL);
	}
	if (trust_policy_parse("policy", (const char *)data, size, &p, NULL) < 0)
		return 0;
	for (size_t i = 0; i < BK_ARRAY_SIZE(names); i++) {
		bk_autoref struct ref ref = REF_INIT;
		struct trust_rules rules;

		if (ref_parse(names[i], &ref, NULL) < 0)
			continue;
		trust_policy_find(p, &ref, &rules);
		for (size_t k = 0; k < rules.n; k++)
			if (rules.list[k].kind == TRUST_SIGSTORE)
				(void)trust_identity_check(&rules.list[k].identity, &ref, "foo:1", NULL);
		trust_policy_find_path(p, "oci", "/var/lib/a", &rules);
	}
	return 0;
}
