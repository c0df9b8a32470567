/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "registry/registry_referrers.h"

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

/* distribution-spec, "Referrers Tag Schema": at most 32 characters of the algorithm, 64 of the digits. */
static void test_digest_tag(void **state)
{
	char tag[REGISTRY_DIGEST_TAG_SIZE];

	(void)state;
	registry_digest_tag("sha256:" HEX, "", tag);
	assert_string_equal(tag, "sha256-" HEX);
	registry_digest_tag("sha256:" HEX, ".sig", tag);
	assert_string_equal(tag, "sha256-" HEX ".sig");
	registry_digest_tag("sha512:" HEX HEX, "", tag);
	assert_string_equal(tag, "sha512-" HEX);
}

BK_TEST_MAIN(cmocka_unit_test(test_digest_tag))
