/* SPDX-License-Identifier: Apache-2.0 */
/* bk_doc and what it stands on: names, pairs, vectors, trees built by hand, keys, UTF-8. */
#include "bk_test.h"

#include <stdbool.h>

#include "base/bk_mem.h"
#include "codec/bk_doc.h"
#include "codec/bk_doc_keys.h"
#include "codec/bk_doc_path.h"
#include "codec/bk_doc_scalar.h"
#include "codec/bk_utf8.h"
#include "oci/oci_media.h"
#include "oci/oci_runtime_linux.h"

static struct bk_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = bk_arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bk_arena_free(arena);
	return 0;
}

static char *text_of(const char *s)
{
	return bk_arena_strdup(arena, s);
}

static void test_names(void **state)
{
	int value = -1;

	(void)state;
	assert_string_equal(bk_doc_name_of(oci_ns_names, OCI_NS_CGROUP), "cgroup");
	assert_null(bk_doc_name_of(oci_ns_names, OCI_NS_MAX_));
	assert_true(bk_doc_name_find(oci_ns_names, "time", &value));
	assert_int_equal(value, OCI_NS_TIME);
	assert_false(bk_doc_name_find(oci_ns_names, "Time", &value));
	assert_int_equal(value, OCI_NS_TIME);
	for (int i = 0; i < OCI_NS_MAX_; i++)
		assert_int_equal(oci_ns_names[i].value, i);
	assert_string_equal(bk_doc_field_find(&oci_linux_type, "devices")->name, "devices");
	assert_null(bk_doc_field_find(&oci_linux_type, "device"));
}

static void test_pairs_and_vectors(void **state)
{
	struct bk_doc_pair *pairs = NULL;
	char **v = NULL;
	char name[16];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		bk_doc_pair_set(arena, &pairs, &n, name, "old");
		bk_doc_strv_add(arena, &v, name);
	}
	bk_doc_pair_set(arena, &pairs, &n, "k42", "new");
	assert_int_equal(n, 100);
	assert_string_equal(bk_doc_pair_get(pairs, n, "k42"), "new");
	assert_string_equal(bk_doc_pair_get(pairs, n, "k99"), "old");
	assert_null(bk_doc_pair_get(pairs, n, "k100"));
	assert_string_equal(v[99], "k99");
	assert_null(v[100]);
}

static void test_store_by_hand(void **state)
{
	struct bk_doc_value members[] = {
		{ .node = BK_DOC_NODE_STRING, .text = text_of("/proc") },
		{ .node = BK_DOC_NODE_STRING, .text = text_of("5"), .plain = true },
	};
	char *keys[] = { text_of("destination"), text_of("type") };
	struct bk_doc_value map = { .node = BK_DOC_NODE_MAP,
				    .items = members,
				    .keys = keys,
				    .n = 2,
				    .path = "mounts[3]",
				    .source = "doc" };
	struct oci_mount mount = { 0 };
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(bk_doc_store(&oci_mount_type, &map, &bk_doc_limits_oci, arena, &mount, &err),
		  &err);
	assert_string_equal(mount.destination, "/proc");
	assert_string_equal(mount.type, "5");

	members[1].node = BK_DOC_NODE_NUMBER;
	assert_err(bk_doc_store(&oci_mount_type, &map, &bk_doc_limits_oci, arena, &mount, &err),
		   &err, BK_ERR_CONFIG, "mounts[3].type: expected a string, found a number");
	members[1] = (struct bk_doc_value){ .node = BK_DOC_NODE_BOOL,
					    .text = text_of("true"),
					    .line = 7,
					    .column = 2,
					    .source = "doc" };
	assert_err(bk_doc_store(&oci_mount_type, &map, &bk_doc_limits_oci, arena, &mount, &err),
		   &err, BK_ERR_CONFIG,
		   "doc:7:2: mounts[3].type: expected a string, found a boolean");
	keys[0] = keys[1];
	members[1].node = BK_DOC_NODE_STRING;
	assert_err(bk_doc_store(&oci_mount_type, &map, &bk_doc_limits_oci, arena, &mount, &err),
		   &err, BK_ERR_CONFIG, "mounts[3].type: duplicate member");
	map.n = 1;
	assert_err(bk_doc_store(&oci_mount_type, &map, &bk_doc_limits_oci, arena, &mount, &err),
		   &err, BK_ERR_CONFIG, "mounts[3].destination: required member is missing");
}

static void test_value_error(void **state)
{
	struct bk_doc_value v = { .path = "a.b", .source = "F", .line = 3, .column = 4 };
	struct bk_err *err = NULL;

	(void)state;
	assert_err(bk_doc_value_error(&v, &err, "no %s", "good"), &err, BK_ERR_CONFIG,
		   "F:3:4: a.b: no good");
	v.line = 0;
	assert_err(bk_doc_value_error(&v, &err, "no"), &err, BK_ERR_CONFIG, "a.b: no");
	v.path = NULL;
	assert_err(bk_doc_value_error(&v, &err, "no"), &err, BK_ERR_CONFIG, "no");
	assert_int_equal(bk_doc_value_error(&v, NULL, "no"), -BK_ERR_CONFIG);
}

/* A path that is too long loses its front, never its end. */
static void test_long_paths(void **state)
{
	struct bk_doc_frame frames[128] = { 0 };
	char buf[BK_DOC_PATH_MAX];
	char key[300];

	(void)state;
	memset(key, 'k', sizeof(key));
	for (size_t i = 0; i < 128; i++)
		frames[i] = (struct bk_doc_frame){ .kind = BK_DOC_FRAME_TREE_MAP,
						   .key = key,
						   .key_len = sizeof(key) };
	frames[127] = (struct bk_doc_frame){ .kind = BK_DOC_FRAME_TREE_SEQ, .n = 5 };
	bk_doc_path_print(NULL, frames, 128, buf);
	assert_true(strlen(buf) < BK_DOC_PATH_MAX);
	assert_memory_equal(buf, "...", 3);
	assert_string_equal(buf + strlen(buf) - 7, "k...[4]");
}

static void test_excerpt(void **state)
{
	char buf[BK_DOC_EXCERPT];
	char text[200];

	(void)state;
	assert_string_equal(bk_doc_excerpt("a\x1b[0m\n\x7f\xc3\xa9", 9, buf), "a?[0m??\xc3\xa9");
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '\xa9' : '\xc3';
	bk_doc_excerpt(text + 1, sizeof(text) - 1, buf);
	assert_string_equal(buf + strlen(buf) - 3, "...");
	assert_true(strlen(buf) < sizeof(buf));
}

static void test_keys(void **state)
{
	struct bk_doc_keys keys = { 0 };
	char *name;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		name = bk_arena_printf(arena, "a rather long name of a member %d", i);
		assert_true(bk_doc_keys_add(&keys, 1, name, strlen(name)));
		assert_true(bk_doc_keys_add(&keys, 2, name, strlen(name)));
		assert_false(bk_doc_keys_add(&keys, 1, name, strlen(name)));
	}
	assert_true(bk_doc_keys_add(&keys, 1, "", 0));
	assert_false(bk_doc_keys_add(&keys, 1, "x", 0));
	bk_doc_keys_done(&keys);
	assert_true(bk_doc_keys_add(&keys, 1, "", 0));
	bk_doc_keys_done(&keys);
}

static void test_utf8(void **state)
{
	static const char good[] = "abcdefgh\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
				   "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf z";
	static const char *const bad[] = { "\x80",
					   "\xc0\xaf",
					   "\xc1\xbf",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xed\xbf\xbf",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xff",
					   "\xc3",
					   "\xe2\x82",
					   "\xf0\x9f\x98",
					   "\xe2\x82\x41" };

	(void)state;
	assert_int_equal(bk_utf8_check(good, sizeof(good) - 1), sizeof(good) - 1);
	assert_int_equal(bk_utf8_check("", 0), 0);
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		char text[32];

		snprintf(text, sizeof(text), "0123456789%s", bad[i]);
		assert_int_equal(bk_utf8_check(text, strlen(text)), 10);
	}
}

static void test_media_types(void **state)
{
	(void)state;
	assert_int_equal(oci_media_kind_of(OCI_MEDIA_DOCKER_INDEX), OCI_MEDIA_KIND_INDEX);
	assert_int_equal(oci_media_kind_of(OCI_MEDIA_CONFIG), OCI_MEDIA_KIND_CONFIG);
	assert_int_equal(oci_media_kind_of("text/plain"), OCI_MEDIA_KIND_UNKNOWN);
	assert_int_equal(oci_media_kind_of(NULL), OCI_MEDIA_KIND_UNKNOWN);
	assert_int_equal(oci_media_compression_of(OCI_MEDIA_LAYER_ZSTD), OCI_MEDIA_ZSTD);
	assert_int_equal(oci_media_compression_of(OCI_MEDIA_DOCKER_LAYER_GZIP), OCI_MEDIA_GZIP);
	assert_int_equal(oci_media_compression_of(OCI_MEDIA_LAYER), OCI_MEDIA_PLAIN);
	assert_int_equal(
		oci_media_kind_of("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
		OCI_MEDIA_KIND_LAYER);
	assert_true(oci_media_is_foreign("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"));
	assert_true(oci_media_is_foreign("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
	assert_false(oci_media_is_foreign(OCI_MEDIA_DOCKER_LAYER_GZIP));
	assert_false(oci_media_is_foreign(NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

BK_TEST_MAIN(TEST(test_names), TEST(test_pairs_and_vectors), TEST(test_store_by_hand),
	     TEST(test_value_error), TEST(test_long_paths), TEST(test_excerpt), TEST(test_keys),
	     TEST(test_utf8), TEST(test_media_types))
