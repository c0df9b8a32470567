/* SPDX-License-Identifier: Apache-2.0 */
/* The conversion of image configurations: users by the root file system, and conversion.md's table. */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "bundle/bundle_config.h"
#include "bundle/bundle_user.h"
#include "codec/bk_json.h"
#include "oci/oci_runtime_linux.h"
#include "spec/spec_annotations.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "broken\n"
			     "also:broken:x:y:z\n"
			     "1000:x:0:0::/:\n"
			     "app:x:1000:2000:App:/home/app:/bin/sh\n"
			     "noend:x:5:6::relative";
static const char group[] = "root:x:0:\n"
			    "app:x:2000:\n"
			    "disk:x:6:app,other\n"
			    "video:x:44:other,app\n"
			    "apps:x:45:appx\n"
			    "twice:x:6:app\n";

struct fix {
	char base[64];
	struct bk_root root;
	struct bk_arena *arena;
};

static int setup(void **state)
{
	struct fix *f = bk_calloc(1, sizeof(*f));
	struct bk_err *err = NULL;

	snprintf(f->base, sizeof(f->base), "/tmp/bk-bundle-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	assert_ok(bk_root_open(&f->root, f->base, &err), &err);
	f->arena = bk_arena_new();
	assert_int_equal(mkdirat(f->root.fd, "etc", 0755), 0);
	assert_ok(bk_file_write_atomic(f->root.fd, "etc/passwd", passwd, strlen(passwd), 0644,
				       false, &err),
		  &err);
	assert_ok(bk_file_write_atomic(f->root.fd, "etc/group", group, strlen(group), 0644, false,
				       &err),
		  &err);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	bk_root_done(&f->root);
	bk_arena_free(f->arena);
	(void)bk_file_rmtree(AT_FDCWD, f->base, NULL);
	free(f);
	return 0;
}

static void user(const struct fix *f, const char *text, const char *want)
{
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;
	struct bundle_user u;

	assert_ok(bundle_user_resolve(text, &f->root, f->arena, &u, &err), &err);
	bk_buf_printf(&got, "%u:%u", u.uid, u.gid);
	for (size_t i = 0; i < u.n_additional_gids; i++)
		bk_buf_printf(&got, " %u", u.additional_gids[i]);
	if (u.home)
		bk_buf_printf(&got, " %s", u.home);
	assert_string_equal(bk_buf_str(&got), want);
}

static void test_user(void **state)
{
	const struct fix *f = *state;

	user(f, NULL, "0:0 /root");
	user(f, "", "0:0 /root");
	user(f, "app", "1000:2000 2000 6 44 /home/app");
	user(f, "app:disk", "1000:6 /home/app");
	user(f, "app:77", "1000:77 /home/app");
	user(f, "app:", "1000:2000 2000 6 44 /home/app");
	user(f, "1000", "1000:2000 /home/app");
	user(f, "1000:disk", "1000:6 /home/app");
	user(f, "4242", "4242:0");
	user(f, "4242:4343", "4242:4343");
	user(f, "noend", "5:6 6");
	user(f, ":44", "0:44 /root");
	user(f, "4294967294", "4294967294:0");
}

static void test_user_refused(void **state)
{
	static const char *const bad[] = { "nobody",	   "app:nogroup", "4294967295",
					   "4294967296",   "-1",	  "99999999999999999999",
					   "1:4294967296", "+1",	  "broken",
					   "app:-1",	   " app",	  "also" };
	const struct fix *f = *state;
	struct bk_err *err = NULL;
	struct bundle_user u;

	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++)
		assert_err(bundle_user_resolve(bad[i], &f->root, f->arena, &u, &err), &err,
			   BK_ERR_CONFIG, "user '");
	assert_int_equal(unlinkat(f->root.fd, "etc/passwd", 0), 0);
	assert_err(bundle_user_resolve("app", &f->root, f->arena, &u, &err), &err, BK_ERR_NOT_FOUND,
		   "passwd");
	user(f, "0", "0:0");
	assert_int_equal(mkfifoat(f->root.fd, "etc/passwd", 0644), 0);
	assert_err(bundle_user_resolve("app", &f->root, f->arena, &u, &err), &err, BK_ERR_IO,
		   "not a regular file");
	user(f, "7:8", "7:8");
}

/* A configuration of an image, from its JSON. */
static void parse(const struct fix *f, const char *text, struct oci_image_config *ret)
{
	struct bk_err *err = NULL;

	assert_ok(bk_json_decode(&oci_image_config_type, "test", text, strlen(text),
				 &bk_doc_limits_oci, f->arena, ret, &err),
		  &err);
}

static char *joined(const struct fix *f, char *const *v)
{
	bk_autofree char *text = bk_strv_join(v, "|");

	return bk_arena_strdup(f->arena, text);
}

#define IMAGE(exec)                                     \
	"{\"architecture\":\"amd64\",\"os\":\"linux\"," \
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}," exec "}"

static void test_process(void **state)
{
	const struct fix *f = *state;
	struct oci_image_config image;
	struct oci_runtime_config c;
	struct bundle_opts opts = { 0 };
	struct bk_err *err = NULL;
	char *args[] = { (char *)"x", NULL };
	char *env[] = { (char *)"A=2", (char *)"N=1", NULL };

	parse(f,
	      IMAGE("\"config\":{\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\",\"d\"],\"Env\":[\"A=1\",\"HOME=/h\"],"
		    "\"WorkingDir\":\"/w\",\"User\":\"app\"}"),
	      &image);
	assert_ok(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err);
	assert_string_equal(joined(f, c.process->args), "/e|c|d");
	assert_string_equal(
		joined(f, c.process->env),
		"A=1|HOME=/h|PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	assert_string_equal(c.process->cwd, "/w");
	assert_int_equal(c.process->user->uid, 1000);
	assert_int_equal(c.process->user->n_additional_gids, 3);
	assert_true(c.process->no_new_privileges);
	assert_false(c.process->terminal);
	assert_null(c.process->capabilities->ambient);
	assert_int_equal(bk_strv_len(c.process->capabilities->bounding), 14);
	opts.cmd = args;
	opts.env = env;
	opts.user = "5:6";
	opts.cwd = "/o";
	opts.tty = true;
	assert_ok(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err);
	assert_string_equal(joined(f, c.process->args), "/e|x");
	assert_string_equal(
		joined(f, c.process->env),
		"A=2|HOME=/h|N=1|PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|TERM=xterm");
	assert_int_equal(c.process->user->uid, 5);
	assert_string_equal(c.process->cwd, "/o");
	opts.cmd = NULL;
	opts.args = args;
	assert_ok(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err);
	assert_string_equal(joined(f, c.process->args), "x");
}

static void test_refused(void **state)
{
	const struct fix *f = *state;
	struct oci_image_config image;
	struct oci_runtime_config c;
	struct bundle_opts opts = { 0 };
	struct bk_err *err = NULL;

	parse(f, IMAGE("\"config\":null"), &image);
	assert_err(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err,
		   BK_ERR_CONFIG, "neither an entrypoint nor a command");
	opts.allow_no_args = true;
	assert_ok(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err);
	assert_string_equal(joined(f, c.process->args), "/bin/sh");
	opts.cwd = "relative";
	assert_err(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err,
		   BK_ERR_CONFIG, "not absolute");
	image.os = bk_arena_strdup(f->arena, "windows");
	assert_err(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err,
		   BK_ERR_UNSUPPORTED, "windows");
}

static void test_annotations(void **state)
{
	const struct fix *f = *state;
	const struct bundle_opts opts = { .allow_no_args = true };
	struct oci_image_config image;
	struct oci_runtime_config c;
	struct bk_err *err = NULL;

	parse(f,
	      IMAGE("\"author\":\"me\",\"created\":\"2026-01-02T03:04:05Z\",\"os.version\":\"1\","
		    "\"os.features\":[\"x\",\"y\"],\"config\":{\"StopSignal\":\"SIGINT\","
		    "\"ExposedPorts\":{\"80/tcp\":{},\"53\":{}},"
		    "\"Labels\":{\"k\":\"v\",\"run.oci.hooks.stdout\":\"/x\",\"org.criu.config\":\"/x\","
		    "\"org.systemd.property.X\":\"1\",\"org.opencontainers.image.author\":\"label\"}}"),
	      &image);
	assert_ok(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err);
#define HAS(key, value) \
	assert_string_equal(bk_doc_pair_get(c.annotations, c.n_annotations, key), value)
	HAS("org.opencontainers.image.os", "linux");
	HAS("org.opencontainers.image.architecture", "amd64");
	HAS("org.opencontainers.image.os.version", "1");
	HAS("org.opencontainers.image.os.features", "x,y");
	HAS("org.opencontainers.image.created", "2026-01-02T03:04:05Z");
	HAS("org.opencontainers.image.stopSignal", "SIGINT");
	HAS("org.opencontainers.image.exposedPorts", "80/tcp,53");
	HAS("org.opencontainers.image.author", "label");
	HAS("k", "v");
	assert_int_equal(c.n_annotations, 9);
}

/* No annotation that bock-runc knows comes from a label of an image: not by its name, nor by a longer one. */
static void test_labels_of_runtimes(void **state)
{
	const struct fix *f = *state;
	const struct bundle_opts opts = { .allow_no_args = true };
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_DOC);
	const char *sep = "";
	struct oci_image_config image;
	struct oci_runtime_config c;
	struct bk_err *err = NULL;

	for (int i = 0; i < SPEC_ANNOTATION_MAX_; i++) {
		bk_buf_printf(&text, "%s\"%s\":\"/x\",\"%sX\":\"/x\"", sep, spec_annotations[i].name,
			      spec_annotations[i].name);
		sep = ",";
	}
	bk_buf_adds(&text, ",\"krun.variant\":\"1\",\"io.katacontainers.config.x\":\"1\",\"dev.gvisor.flag.x\":\"1\"");
	bk_autofree char *json = bk_asprintf("{\"architecture\":\"amd64\",\"os\":\"linux\","
					     "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
					     "\"config\":{\"Labels\":{%s,\"k\":\"v\"}}}", bk_buf_str(&text));
	parse(f, json, &image);
	assert_int_equal(image.config->n_labels, 2 * SPEC_ANNOTATION_MAX_ + 4);
	assert_ok(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err);
	for (int i = 0; i < SPEC_ANNOTATION_MAX_; i++) {
		for (size_t k = 0; k < c.n_annotations; k++)
			assert_null(strstr(c.annotations[k].key, spec_annotations[i].name));
	}
	HAS("k", "v");
	assert_int_equal(c.n_annotations, 3); /* with os and architecture */
}

static bool has_namespace(const struct oci_linux *l, enum oci_ns type)
{
	for (size_t i = 0; i < l->n_namespaces; i++)
		if (l->namespaces[i].type == (int)type)
			return true;
	return false;
}

static void test_rootless(void **state)
{
	const struct fix *f = *state;
	struct bundle_opts opts = { .allow_no_args = true, .user = "app" };
	struct oci_image_config image;
	struct oci_runtime_config c;
	struct bk_err *err = NULL;

	parse(f, IMAGE("\"config\":null"), &image);
	assert_ok(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err);
	assert_false(has_namespace(c.linux_, OCI_NS_USER));
	assert_true(has_namespace(c.linux_, OCI_NS_NETWORK));
	assert_int_equal(c.linux_->n_uid_mappings, 0);
	opts.rootless = true;
	assert_err(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err,
		   BK_ERR_UNSUPPORTED, "has root only");
	opts.user = NULL;
	assert_ok(bundle_config_make(&image, &opts, &f->root, f->arena, &c, &err), &err);
	assert_true(has_namespace(c.linux_, OCI_NS_USER));
	assert_false(has_namespace(c.linux_, OCI_NS_NETWORK));
	assert_int_equal(c.linux_->uid_mappings[0].host_id, geteuid());
	assert_int_equal(c.process->user->n_additional_gids, 0);
	assert_null(c.linux_->resources);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
BK_TEST_MAIN(T(test_user), T(test_user_refused), T(test_process), T(test_refused),
	     T(test_annotations), T(test_labels_of_runtimes), T(test_rootless))
