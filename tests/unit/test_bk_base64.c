/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "codec/bk_base64.h"

static void test_vectors(void **state)
{
	/* RFC 4648, 10 */
	static const char *const vectors[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(vectors); i++) {
		const char *plain = vectors[i][0], *text = vectors[i][1];
		bk_autofree char *encoded = bk_base64_encode(plain, strlen(plain));
		bk_autofree unsigned char *decoded = NULL;
		struct bk_err *err = NULL;
		size_t len = 99;

		assert_string_equal(encoded, text);
		assert_ok(bk_base64_decode(text, strlen(text), &decoded, &len, &err), &err);
		assert_int_equal(len, strlen(plain));
		assert_memory_equal(decoded, plain, len + 1);
	}
}

static void test_all_bytes(void **state)
{
	unsigned char data[256];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7);
	for (size_t n = 0; n <= sizeof(data); n++) {
		bk_autofree char *text = bk_base64_encode(data, n);
		bk_autofree unsigned char *back = NULL;
		struct bk_err *err = NULL;
		size_t len = 0;

		assert_ok(bk_base64_decode(text, strlen(text), &back, &len, &err), &err);
		assert_int_equal(len, n);
		assert_memory_equal(back, data, n);
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"Z",	 "Zg",	     "Zg=",  "Zg===",	 "=",	     "====",	"Z===",
		"Zm9v=", "Zg==Zg==", "Zm=v", "Zm9v\n",	 " Zm9",     "Zm9-",	"Zm9_",
		"Zm 9v", "Zh==",     "Zm9=", "Zm9v====", "Zm8=Zm8=", "Zm9\xff",
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		unsigned char *data = NULL;
		struct bk_err *err = NULL;
		size_t len = 99;

		assert_err(bk_base64_decode(bad[i], strlen(bad[i]), &data, &len, &err), &err,
			   BK_ERR_CONFIG, "base64");
		assert_null(data);
		assert_int_equal(len, 99);
	}
}

/* A NUL inside is a wrong character, not an end. */
static void test_nul(void **state)
{
	unsigned char *data = NULL;
	struct bk_err *err = NULL;
	size_t len = 0;

	(void)state;
	assert_err(bk_base64_decode("Zm9v\0Zm9", 8, &data, &len, &err), &err, BK_ERR_CONFIG,
		   "offset 4");
}

BK_TEST_MAIN(cmocka_unit_test(test_vectors), cmocka_unit_test(test_all_bytes),
	     cmocka_unit_test(test_bad), cmocka_unit_test(test_nul))
