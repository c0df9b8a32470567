/* SPDX-License-Identifier: Apache-2.0 */
/* What an image may say of its container's security: it takes privilege away, and gives none. */
#include "bk_test.h"

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "bundle/bundle_security.h"

static void note(void *ctx, const char *message)
{
	bk_buf_printf(ctx, "%s\n", message);
}

/* The configuration that begins with CHOWN, KILL and SETUID, after what annotations and labels say of it. */
static void apply(const struct bk_doc_pair *annotations, size_t n, const struct bk_doc_pair *labels, size_t n_labels,
		  const char *caps, bool readonly, const char *warning)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	bk_autobuf struct bk_buf warnings = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autofree char *got = NULL;
	struct oci_capabilities c = { 0 };
	struct oci_process process = { .capabilities = &c };
	struct oci_root root = { 0 };
	struct oci_runtime_config config = { .process = &process, .root = &root };
	const struct bundle_opts o = {
		.annotations = annotations, .n_annotations = n, .warn = note, .ctx = &warnings
	};

	bk_doc_strv_add(a, &c.bounding, "CAP_CHOWN");
	bk_doc_strv_add(a, &c.bounding, "CAP_KILL");
	bk_doc_strv_add(a, &c.bounding, "CAP_SETUID");
	c.effective = c.permitted = c.bounding;
	bundle_security_apply(&o, labels, n_labels, a, &config);
	got = bk_strv_join(c.bounding, " ");
	assert_string_equal(got ? got : "", caps);
	assert_ptr_equal(c.effective, c.bounding);
	assert_ptr_equal(c.permitted, c.bounding);
	assert_null(c.inheritable);
	assert_null(c.ambient);
	assert_int_equal(root.readonly, readonly);
	if (*warning)
		assert_non_null(strstr(bk_buf_str(&warnings), warning));
	else
		assert_string_equal(bk_buf_str(&warnings), "");
}

static void one(const char *key, const char *value, const char *caps, bool readonly, const char *warning)
{
	const struct bk_doc_pair p = { (char *)(uintptr_t)key, (char *)(uintptr_t)value };

	/* An annotation of the manifest and a label say the same. */
	apply(&p, 1, NULL, 0, caps, readonly, warning);
	apply(NULL, 0, &p, 1, caps, readonly, warning);
}

#define ALL "CAP_CHOWN CAP_KILL CAP_SETUID"
#define IO  "io.bock.security."

static void test_one(void **state)
{
	(void)state;
	one("org.example", "x", ALL, false, "");
	one(IO "read-only-rootfs", "true", ALL, true, "");
	one(IO "read-only-rootfs", "1", ALL, true, "");
	one(IO "read-only-rootfs", "false", ALL, false, "");
	one(IO "no-new-privileges", "true", ALL, false, "");
	one(IO "no-new-privileges", "false", ALL, false, "ignored: an image gives itself no privileges");
	one(IO "capabilities.drop", "ALL", "", false, "");
	one(IO "capabilities.drop", "KILL,CAP_SETUID", "CAP_CHOWN", false, "");
	one(IO "capabilities.drop", "", ALL, false, "");
	one(IO "capabilities.drop", "SYS_ADMIN", ALL, false, "");
	one(IO "capabilities.add", "SYS_ADMIN", ALL, false, "capabilities.add=SYS_ADMIN: ignored");
	one(IO "capabilities.add", "CAP_SYS_ADMIN", ALL, false, "capabilities.add=CAP_SYS_ADMIN: ignored");
	one(IO "capabilities.add", "KILL", ALL, false, "");
	one(IO "seccomp", "unconfined", ALL, false, "this version does not know it");
}

static void test_both(void **state)
{
	const struct bk_doc_pair drop[] = { { (char *)IO "capabilities.drop", (char *)"ALL" },
					    { (char *)IO "read-only-rootfs", (char *)"true" } };
	const struct bk_doc_pair add[] = { { (char *)IO "capabilities.add", (char *)"KILL,SYS_PTRACE" },
					   { (char *)IO "read-only-rootfs", (char *)"false" } };

	(void)state;
	/* What was taken is given back, and no more; a label does not undo what the manifest says. */
	apply(drop, 2, add, 2, "CAP_KILL", true, "capabilities.add=SYS_PTRACE: ignored");
	apply(add, 2, drop, 2, "CAP_KILL", true, "capabilities.add=SYS_PTRACE: ignored");
}

BK_TEST_MAIN(cmocka_unit_test(test_one), cmocka_unit_test(test_both))
