/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <string.h>

#include "base/bk_str.h"
#include "trust/trust_payload.h"

#define DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define IMAGE "\"image\":{\"docker-manifest-digest\":\"" DIGEST "\"}"
#define IDENTITY "\"identity\":{\"docker-reference\":\"example.com/a\"}"
#define TYPE "\"type\":\"cosign container image signature\""
#define CRITICAL "\"critical\":{" IDENTITY "," IMAGE "," TYPE "}"

static int parse(const char *text, struct bk_arena *arena, struct trust_payload *ret)
{
	return trust_payload_parse(text, strlen(text), arena, ret, NULL);
}

static void test_print(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TRUST_PAYLOAD_MAX);
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct trust_payload p;

	(void)state;
	trust_payload_print(&b, DIGEST, "example.com/a");
	/* cosign's own bytes: members sorted, no spaces, "optional" null. */
	assert_string_equal(bk_buf_str(&b), "{" CRITICAL ",\"optional\":null}");
	assert_int_equal(parse(bk_buf_str(&b), arena, &p), 0);
	assert_string_equal(p.digest, DIGEST);
	assert_string_equal(p.reference, "example.com/a");
}

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "{" CRITICAL ",\"optional\":{\"creator\":\"x\",\"timestamp\":1}}", true },
		{ "{" CRITICAL "}", true },
		{ " {\"optional\" : {}, " CRITICAL " } ", true },
		{ "", false },
		{ "[]", false },
		{ "{\"optional\":null}", false },
		{ "{" CRITICAL ",\"optional\":[]}", false },
		{ "{" CRITICAL ",\"optional\":1}", false },
		{ "{" CRITICAL ",\"more\":1}", false },
		{ "{" CRITICAL "," CRITICAL "}", false },
		{ "{" CRITICAL "} x", false },
		{ "{\"critical\":{" IDENTITY "," IMAGE "}}", false },
		{ "{\"critical\":{" IDENTITY "," TYPE "}}", false },
		{ "{\"critical\":{" IMAGE "," TYPE "}}", false },
		{ "{\"critical\":{" IDENTITY "," IMAGE "," TYPE ",\"x\":1}}", false },
		{ "{\"critical\":{" IDENTITY "," IMAGE ",\"type\":\"atomic container signature\"}}", false },
		{ "{\"critical\":{" IDENTITY "," TYPE
		  ",\"image\":{\"docker-manifest-digest\":\"sha256:../../x\"}}}",
		  false },
		{ "{\"critical\":{" IDENTITY "," TYPE ",\"image\":{\"docker-manifest-digest\":1}}}", false },
		{ "{\"critical\":{" IMAGE "," TYPE ",\"identity\":{\"docker-reference\":null}}}", false },
		{ "{\"critical\":{" IMAGE "," TYPE ",\"identity\":{\"docker-reference\":\"a\",\"x\":\"b\"}}}",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autoarena struct bk_arena *arena = bk_arena_new();
		struct trust_payload p;

		if ((parse(rows[i].text, arena, &p) == 0) != rows[i].good)
			fail_msg("row %zu: %s", i, rows[i].text);
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_print), cmocka_unit_test(test_forms))
