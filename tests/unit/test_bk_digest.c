/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "digest/bk_digest.h"

#define EMPTY256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY512                                                           \
	"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" \
	"47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
#define ABC512                                                             \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

/* FIPS 180-4 and its examples. */
static const struct {
	enum bk_digest_alg alg;
	const char *data;
	const char *text;
} vectors[] = {
	{ BK_DIGEST_SHA256, "", "sha256:" EMPTY256 },
	{ BK_DIGEST_SHA256, "abc",
	  "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ BK_DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ BK_DIGEST_SHA512, "", "sha512:" EMPTY512 },
	{ BK_DIGEST_SHA512, "abc", "sha512:" ABC512 },
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(vectors); i++) {
		char text[BK_DIGEST_TEXT_SIZE];

		bk_digest_of(vectors[i].alg, vectors[i].data, strlen(vectors[i].data), text);
		assert_string_equal(text, vectors[i].text);
	}
}

static void test_running(void **state)
{
	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(vectors); i++) {
		bk_autodigest struct bk_digest *d = bk_digest_new(vectors[i].alg);
		char text[BK_DIGEST_TEXT_SIZE], part[BK_DIGEST_TEXT_SIZE];

		for (size_t j = 0; vectors[i].data[j]; j++) {
			bk_digest_update(d, vectors[i].data + j, 1);
			/* Looking at it changes nothing. */
			bk_digest_text(d, part);
		}
		bk_digest_text(d, text);
		assert_string_equal(text, vectors[i].text);
		bk_digest_text(d, text);
		assert_string_equal(text, vectors[i].text);
	}
	bk_digest_free(NULL);
}

static void test_million(void **state)
{
	bk_autodigest struct bk_digest *d = bk_digest_new(BK_DIGEST_SHA256);
	char text[BK_DIGEST_TEXT_SIZE], block[1000];

	(void)state;
	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 1000; i++)
		bk_digest_update(d, block, sizeof(block));
	bk_digest_text(d, text);
	assert_string_equal(text, "sha256:cdc76e5c9914fb9281a1c7e284d73e67"
				  "f1809a48a497200e046d39ccc7112cd0");
}

static void test_parse(void **state)
{
	const char *text = "sha512:" EMPTY512, *hex = NULL;
	enum bk_digest_alg alg = BK_DIGEST_SHA256;
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(bk_digest_parse(text, &alg, &hex, &err), &err);
	assert_int_equal(alg, BK_DIGEST_SHA512);
	assert_ptr_equal(hex, text + 7);
	assert_string_equal(bk_digest_alg_name(alg), "sha512");
	assert_ok(bk_digest_parse("sha256:" EMPTY256, NULL, NULL, &err), &err);
}

static void test_parse_bad(void **state)
{
	static const struct {
		const char *text;
		enum bk_err_kind kind;
	} bad[] = {
		{ "", BK_ERR_CONFIG },
		{ ":", BK_ERR_CONFIG },
		{ "sha256", BK_ERR_CONFIG },
		{ "sha256:", BK_ERR_CONFIG },
		{ ":" EMPTY256, BK_ERR_CONFIG },
		{ EMPTY256, BK_ERR_CONFIG },
		{ "sha256:../..", BK_ERR_CONFIG },
		{ "sha256:../../../../../../../../../../../../../../../../../../etc/passwd",
		  BK_ERR_CONFIG },
		{ "sha256:/" EMPTY256, BK_ERR_CONFIG },
		{ "../sha256:" EMPTY256, BK_ERR_CONFIG },
		{ "..:" EMPTY256, BK_ERR_CONFIG },
		{ "sha256/../x:" EMPTY256, BK_ERR_CONFIG },
		{ "sha256:" EMPTY256 "0", BK_ERR_CONFIG },
		{ "sha256:" EMPTY256 "\n", BK_ERR_CONFIG },
		{ "sha256:" EMPTY256 "/..", BK_ERR_CONFIG },
		{ "sha256: " EMPTY256, BK_ERR_CONFIG },
		{ "sha256::" EMPTY256, BK_ERR_CONFIG },
		{ "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
		  BK_ERR_CONFIG },
		{ "sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		  BK_ERR_CONFIG },
		{ "SHA256:" EMPTY256, BK_ERR_CONFIG },
		{ "sha256:" EMPTY512, BK_ERR_CONFIG },
		{ "sha512:" EMPTY256, BK_ERR_CONFIG },
		{ "sha256+:" EMPTY256, BK_ERR_CONFIG },
		{ "+sha256:" EMPTY256, BK_ERR_CONFIG },
		{ "sha++256:" EMPTY256, BK_ERR_CONFIG },
		{ "sha25:" EMPTY256, BK_ERR_UNSUPPORTED },
		{ "sha2566:" EMPTY256, BK_ERR_UNSUPPORTED },
		{ "md5:d41d8cd98f00b204e9800998ecf8427e", BK_ERR_UNSUPPORTED },
		{ "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
		  BK_ERR_UNSUPPORTED },
	};
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		enum bk_digest_alg alg = BK_DIGEST_SHA512;
		const char *hex = "untouched";

		assert_err(bk_digest_parse(bad[i].text, &alg, &hex, &err), &err, bad[i].kind,
			   "digest");
		assert_string_equal(hex, "untouched");
		assert_int_equal(alg, BK_DIGEST_SHA512);
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_vectors), cmocka_unit_test(test_running),
	     cmocka_unit_test(test_million), cmocka_unit_test(test_parse),
	     cmocka_unit_test(test_parse_bad))
