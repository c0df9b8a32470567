/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "spec/spec_annotations.h"

#define T(s) ((char *)(uintptr_t)(s))

static const char *value_of(const char *key, const char *value)
{
	struct bk_doc_pair pairs[] = { { .key = T("other"), .value = T("x") },
				       { .key = T(key), .value = T(value) } };
	const struct oci_runtime_config c = { .annotations = pairs, .n_annotations = 2 };

	return spec_annotation(&c, SPEC_KEEP_GROUPS);
}

static bool is_on(const char *value)
{
	struct bk_doc_pair pair = { .key = T("run.oci.keep_original_groups"), .value = T(value) };
	const struct oci_runtime_config c = { .annotations = &pair, .n_annotations = 1 };

	return spec_annotation_on(&c, SPEC_KEEP_GROUPS);
}

static void test_value(void **state)
{
	const struct oci_runtime_config none = { 0 };

	(void)state;
	assert_string_equal(value_of("run.oci.keep_original_groups", "1"), "1");
	assert_null(value_of("run.oci.keep_original_groups", ""));
	assert_null(value_of("run.oci.keep_original_group", "1"));
	assert_null(spec_annotation(&none, SPEC_KEEP_GROUPS));
	assert_false(spec_annotation_on(&none, SPEC_KEEP_GROUPS));
}

static void test_on(void **state)
{
	(void)state;
	assert_true(is_on("1"));
	assert_true(is_on("true"));
	assert_false(is_on("0"));
	assert_false(is_on("false"));
	assert_false(is_on(""));
}

/* Each row is there, once, and begins with what bock-image leaves out of labels (test_bundle.c). */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPEC_ANNOTATION_MAX_; i++) {
		assert_non_null(spec_annotations[i].name);
		assert_non_null(spec_annotations[i].what);
		assert_true(strncmp(spec_annotations[i].name, "run.oci.", strlen("run.oci.")) == 0 ||
			    strcmp(spec_annotations[i].name, "org.systemd.property.") == 0 ||
			    strcmp(spec_annotations[i].name, "org.criu.config") == 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(spec_annotations[i].name, spec_annotations[j].name);
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_value), cmocka_unit_test(test_on), cmocka_unit_test(test_table))
