/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "spec/spec_load.h"

/* The members of a document that is right; a test replaces one of them. */
struct doc {
	const char *version, *root, *process, *linux_, *more;
};

#define RIGHT                                                    \
	.version = "\"1.3.0\"", .root = "{\"path\":\"rootfs\"}", \
	.process = "{\"cwd\":\"/\",\"args\":[\"x\"]}",           \
	.linux_ = "{\"namespaces\":[{\"type\":\"mount\"}]}", .more = ""

static int check(const struct doc *d, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_runtime_config c = { 0 };
	bk_autofree char *text =
		bk_asprintf("{\"ociVersion\":%s,\"root\":%s,\"process\":%s,\"linux\":%s%s}",
			    d->version, d->root, d->process, d->linux_, d->more);
	int rc = bk_json_decode(&oci_runtime_config_type, "config.json", text, strlen(text),
				&bk_doc_limits_oci, arena, &c, err);

	return rc < 0 ? rc : spec_check(&c, err);
}

static void refused(const struct doc *d, enum bk_err_kind kind, const char *words)
{
	struct bk_err *err = NULL;

	assert_err(check(d, &err), &err, kind, words);
}

#define BAD(words, ...)	  refused(&(struct doc){ RIGHT, __VA_ARGS__ }, BK_ERR_CONFIG, words)
#define PROCESS(text)	  .process = "{\"cwd\":\"/\",\"args\":[\"x\"]," text "}"
#define LINUX(text)	  .linux_ = "{\"namespaces\":[{\"type\":\"mount\"}]," text "}"
#define NAMESPACES(text)  .linux_ = "{\"namespaces\":[{\"type\":\"mount\"}," text "]}"

#pragma GCC diagnostic ignored "-Woverride-init"

/* Gathers errors as "text;". */
static void gather(struct bk_err *e, void *ctx)
{
	char text[BK_ERR_MSG_MAX];

	bk_buf_printf(ctx, "%s;", bk_err_print(e, text, sizeof(text)));
	bk_err_clear(&e);
}

static void each(const char *text, size_t n, const char *const *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf found = BK_BUF_INIT(BK_BUF_SMALL);
	struct oci_runtime_config c = { 0 };
	struct bk_err *err = NULL;

	assert_ok(bk_json_decode(&oci_runtime_config_type, "config.json", text, strlen(text),
				 &bk_doc_limits_oci, arena, &c, &err), &err);
	assert_int_equal(spec_check_each(&c, gather, &found), n);
	for (; *words; words++) {
		if (!strstr(bk_buf_str(&found), *words))
			fail_msg("'%s' is not in: %s", *words, bk_buf_str(&found));
	}
}

static void test_each(void **state)
{
	(void)state;
	each("{\"ociVersion\":\"2.0.0\",\"root\":{\"path\":\"x\"},\"process\":{\"cwd\":\"y\"},"
	     "\"linux\":{\"maskedPaths\":[\"z\"],\"timeOffsets\":{}},\"annotations\":{\"\":\"\"}}",
	     5, (const char *const[]){ "ociVersion: ", "process.cwd: ", "linux.timeOffsets: ",
				       "linux.maskedPaths[0]: ", "annotations: ", NULL });
	/* without what it takes to look further it ends */
	each("{\"ociVersion\":\"2.0.0\",\"annotations\":{\"\":\"\"}}", 2,
	     (const char *const[]){ "ociVersion: ", "root.path: ", NULL });
	each("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"x\"},\"process\":{\"cwd\":\"/\",\"args\":[\"x\"]},"
	     "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
	     0, (const char *const[]){ NULL });
}

static void test_version(void **state)
{
	static const char *const right[] = { "1.0.0", "1.2.1", "1.0.0-rc5", "1.10.0+x" };
	static const char *const wrong[] = { "2.0.0", "0.1.0", "1", "1.",     "1.0",
					     "1..0",  "1.x.0", "",  "v1.0.0", "11.0.0" };
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(right); i++) {
		bk_autofree char *v = bk_asprintf("\"%s\"", right[i]);

		assert_ok(check(&(struct doc){ RIGHT, .version = v }, &err), &err);
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(wrong); i++) {
		bk_autofree char *v = bk_asprintf("\"%s\"", wrong[i]);

		BAD("ociVersion: ", .version = v);
	}
}

static void test_required(void **state)
{
	(void)state;
	BAD("root.path", .root = "{\"path\":\"\"}");
	BAD("root", .root = "null");
	BAD("linux", .linux_ = "null");
	BAD("process.args", .process = "{\"cwd\":\"/\"}");
	BAD("process.args", .process = "{\"cwd\":\"/\",\"args\":[]}");
	BAD("process.cwd", .process = "{\"cwd\":\"x\",\"args\":[\"x\"]}");
}

static void test_process(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(check(&(struct doc){ RIGHT, PROCESS("\"user\":{\"uid\":4294967294,\"gid\":0,"
						      "\"umask\":511},\"oomScoreAdj\":-1000") },
			&err),
		  &err);
	BAD("process.user: 4294967295", PROCESS("\"user\":{\"uid\":4294967295,\"gid\":0}"));
	BAD("process.user: 4294967295", PROCESS("\"user\":{\"uid\":0,\"gid\":4294967295}"));
	BAD("process.user.umask", PROCESS("\"user\":{\"uid\":0,\"gid\":0,\"umask\":512}"));
	BAD("process.user.additionalGids[1]: 4294967295",
	    PROCESS("\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[1,4294967295]}"));
	BAD("process.env[1]: invalid environment variable: missing '='",
	    PROCESS("\"env\":[\"A=\",\"B\"]"));
	BAD("process.env[0]: invalid environment variable: name cannot be empty",
	    PROCESS("\"env\":[\"=B\"]"));
	BAD("process.oomScoreAdj", PROCESS("\"oomScoreAdj\":1001"));
	BAD("process.oomScoreAdj", PROCESS("\"oomScoreAdj\":-1001"));
}

static void test_namespaces(void **state)
{
	(void)state;
	refused(&(struct doc){ RIGHT, .linux_ = "{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"user\"}]}" },
		BK_ERR_UNSUPPORTED, "a user namespace without a mount namespace");
	refused(&(struct doc){ RIGHT, .linux_ = "{\"rootfsPropagation\":\"slave\"}" },
		BK_ERR_UNSUPPORTED, "linux.rootfsPropagation: without a mount namespace");
	BAD("linux.namespaces[2].type: 'pid' is there twice",
	    NAMESPACES("{\"type\":\"pid\"},{\"type\":\"pid\"}"));
	BAD("linux.namespaces[1].path: 'x' is not absolute",
	    NAMESPACES("{\"type\":\"pid\",\"path\":\"x\"}"));
	BAD("linux.namespaces[1].type", NAMESPACES("{\"type\":\"nosuch\"}"));
	BAD("linux.uidMappings: needs a user namespace",
	    LINUX("\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]"));
	BAD("a new user namespace needs uidMappings", NAMESPACES("{\"type\":\"user\"}"));
	BAD("linux.timeOffsets", LINUX("\"timeOffsets\":{\"boottime\":{\"secs\":1}}"));
	BAD("hostname: unable to set hostname without a private UTS",
	    .more = ",\"hostname\":\"x\"");
	BAD("domainname", .more = ",\"domainname\":\"x\"");
}

#define NET_DEVICES(text)                                                                          \
	.linux_ = "{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\"}],\"netDevices\":{" text \
		  "}}"

static void test_net_devices(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(check(&(struct doc){ RIGHT, NET_DEVICES("\"a\":{\"name\":\"b\"},\"b\":{\"name\":\"a\"},"
							   "\"c\":{\"name\":\"x%d\"},"
							   "\"d\":{\"name\":\"x%d\"},\"e\":{},"
							   "\"f\":{\"name\":\"\"}") },
			&err),
		  &err);
	BAD("linux.netDevices: needs a network namespace", LINUX("\"netDevices\":{\"a\":{}}"));
	BAD("linux.netDevices: 'a/b' is not a name", NET_DEVICES("\"a/b\":{}"));
	BAD("linux.netDevices: 'b c' is not a name", NET_DEVICES("\"a\":{\"name\":\"b c\"}"));
	BAD("stands only in one '%d'", NET_DEVICES("\"a\":{\"name\":\"b%\"}"));
	BAD("linux.netDevices: b.name: 'x' is that of 'a', too",
	    NET_DEVICES("\"a\":{\"name\":\"x\"},\"b\":{\"name\":\"x\"}"));
	BAD("linux.netDevices: x.name: 'x' is that of 'a', too",
	    NET_DEVICES("\"a\":{\"name\":\"x\"},\"x\":{}"));
	BAD("linux.netDevices: a: 'lo' is the loopback device", NET_DEVICES("\"a\":{\"name\":\"lo\"}"));
}

static void test_paths(void **state)
{
	(void)state;
	BAD("linux.maskedPaths[1]: 'x'", LINUX("\"maskedPaths\":[\"/a\",\"x\"]"));
	BAD("linux.readonlyPaths[0]: ''", LINUX("\"readonlyPaths\":[\"\"]"));
	BAD("annotations", .more = ",\"annotations\":{\"\":\"x\"}");
}

/* What `bock-runc spec` writes passes, and comes back from its own text the same. */
static void test_default(void **state)
{
	(void)state;
	for (int rootless = 0; rootless < 2; rootless++) {
		bk_autoarena struct bk_arena *arena = bk_arena_new();
		bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
		struct oci_runtime_config *made = spec_default(arena, rootless, 1000, 1001),
					  read = { 0 };
		struct bk_err *err = NULL;

		assert_ok(spec_check(made, &err), &err);
		assert_ok(bk_json_encode(&oci_runtime_config_type, made, 0, &b, &err), &err);
		assert_ok(bk_json_decode(&oci_runtime_config_type, "x", bk_buf_str(&b), b.len,
					 &bk_doc_limits_oci, arena, &read, &err),
			  &err);
		assert_ok(spec_check(&read, &err), &err);
		assert_int_equal(spec_ns_is_new(&read, OCI_NS_USER), rootless);
		assert_int_equal(spec_ns_is_new(&read, OCI_NS_NETWORK), !rootless);
		assert_null(spec_ns(&read, OCI_NS_TIME));
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_each), cmocka_unit_test(test_version), cmocka_unit_test(test_required),
	     cmocka_unit_test(test_process), cmocka_unit_test(test_namespaces),
	     cmocka_unit_test(test_net_devices),
	     cmocka_unit_test(test_paths),
	     cmocka_unit_test(test_default))
