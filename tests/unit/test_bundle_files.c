/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle has beside its rootfs: files of /etc, volumes, and the note of what it was made of. */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "bundle/bundle_files.h"
#include "bundle/bundle_origin.h"

struct fix {
	char base[64];
	int dir;	/* the bundle */
	struct bk_root rootfs;
	struct bk_arena *arena;
	struct bk_buf warnings;
};

static int setup(void **state)
{
	struct fix *f = bk_calloc(1, sizeof(*f));
	struct bk_err *err = NULL;
	bk_autofree char *rootfs = NULL;

	snprintf(f->base, sizeof(f->base), "/tmp/bk-files-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	f->dir = open(f->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->dir >= 0);
	rootfs = bk_asprintf("%s/rootfs", f->base);
	assert_int_equal(mkdir(rootfs, 0755), 0);
	assert_ok(bk_root_open(&f->rootfs, rootfs, &err), &err);
	f->arena = bk_arena_new();
	f->warnings = (struct bk_buf)BK_BUF_INIT(BK_BUF_SMALL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	bk_root_done(&f->rootfs);
	close(f->dir);
	bk_arena_free(f->arena);
	bk_buf_done(&f->warnings);
	(void)bk_file_rmtree(AT_FDCWD, f->base, NULL);
	free(f);
	return 0;
}

static void put(int dirfd, const char *path, const char *text, mode_t mode)
{
	struct bk_err *err = NULL;

	assert_ok(bk_file_write_atomic(dirfd, path, text, strlen(text), mode, false, &err), &err);
}

static void assert_file(int dirfd, const char *path, const char *text)
{
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	assert_ok(bk_file_read(dirfd, path, &got, &err), &err);
	assert_string_equal(bk_buf_str(&got), text);
}

static void note(void *ctx, const char *message)
{
	bk_buf_printf(ctx, "%s\n", message);
}

/* The binds as text: "source destination\n", and what was warned of is in f->warnings. */
static const char *binds_of(struct fix *f, char **volumes, struct bundle_opts *o)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	const struct oci_image_exec exec = { .volumes = volumes };
	struct bk_err *err = NULL;

	o->warn = note;
	o->ctx = &f->warnings;
	assert_ok(bundle_files_make(f->dir, &f->rootfs, &exec, o, f->arena, &err), &err);
	for (size_t i = 0; i < o->n_binds; i++)
		bk_buf_printf(&text, "%s %s\n", o->binds[i].source ? o->binds[i].source : "-", o->binds[i].destination);
	return bk_arena_strdup(f->arena, bk_buf_str(&text));
}

static void test_etc(void **state)
{
	struct fix *f = *state;
	bk_autofree char *resolv = bk_asprintf("%s/mine", f->base);
	struct bundle_opts o = { .resolv_conf = resolv, .hostname = "box" };
	struct bk_err *err = NULL;

	put(f->dir, "mine", "nameserver 127.0.0.1\n", 0600);
	assert_string_equal(binds_of(f, NULL, &o), "resolv.conf /etc/resolv.conf\nhostname /etc/hostname\n");
	assert_file(f->dir, "resolv.conf", "nameserver 127.0.0.1\n");
	assert_file(f->dir, "hostname", "box\n");
	assert_int_equal(faccessat(f->dir, "hosts", F_OK, 0), -1);
	/* of nothing there is nothing, and what is not there can't be copied */
	o = (struct bundle_opts){ 0 };
	assert_string_equal(binds_of(f, NULL, &o), "");
	o.hosts = "/nowhere/hosts";
	assert_err(bundle_files_make(f->dir, &f->rootfs, NULL, &o, f->arena, &err), &err, BK_ERR_NOT_FOUND,
		   "copy '/nowhere/hosts'");
}

static void test_volumes(void **state)
{
	char *volumes[] = { (char *)"/data", (char *)"/new/deep", (char *)"way/in", NULL };
	struct fix *f = *state;
	struct bundle_opts o = { .rootless = true };
	struct stat st;

	assert_int_equal(mkdirat(f->rootfs.fd, "data", 0750), 0);
	put(f->rootfs.fd, "data/seed", "seed", 0640);
	assert_int_equal(symlinkat("seed", f->rootfs.fd, "data/link"), 0);
	assert_int_equal(symlinkat("/data/../data", f->rootfs.fd, "way"), 0);
	assert_string_equal(binds_of(f, volumes, &o),
			    "volumes/0 /data\nvolumes/1 /new/deep\nvolumes/2 /data/in\n");
	/* it begins as what the image has there */
	assert_file(f->dir, "volumes/0/seed", "seed");
	assert_int_equal(fstatat(f->dir, "volumes/0", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(fstatat(f->dir, "volumes/0/seed", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(fstatat(f->dir, "volumes/0/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	/* in the rootfs nothing is made */
	assert_int_equal(faccessat(f->rootfs.fd, "new", F_OK, 0), -1);
	assert_string_equal(bk_buf_str(&f->warnings), "");
}

static void test_volumes_in_memory(void **state)
{
	char *volumes[] = { (char *)"/data", NULL };
	struct fix *f = *state;
	struct bundle_opts o = { .volumes = BUNDLE_VOLUMES_TMPFS };

	assert_string_equal(binds_of(f, volumes, &o), "- /data\n");
	assert_int_equal(faccessat(f->dir, "volumes", F_OK, 0), -1);
	o = (struct bundle_opts){ .volumes = BUNDLE_VOLUMES_NONE };
	assert_string_equal(binds_of(f, volumes, &o), "");
}

static void test_volumes_left_out(void **state)
{
	char *volumes[] = { (char *)"/", (char *)"/proc/x", (char *)"//sys", (char *)"/dev/../dev", (char *)"escape", (char *)"gone/x",
			    (char *)"/mine/", (char *)"/kept", NULL };
	char mine[] = "/mine", type[] = "bind", source[] = "/x";
	const struct oci_mount mount = { .destination = mine, .type = type, .source = source };
	struct fix *f = *state;
	struct bundle_opts o = { .mounts = &mount, .n_mounts = 1, .volumes = BUNDLE_VOLUMES_TMPFS };
	static const char *const warned[] = { "'/' is left out", "'/proc/x' is left out", "'//sys' is left out",
					      "'/dev/../dev' is left out", "'escape' is left out: it is at '/'",
					      "'gone/x' is left out: it is at 'the end of a dangling link'" };

	/* out of the root it leads nowhere but to the root */
	assert_int_equal(symlinkat("../../../..", f->rootfs.fd, "escape"), 0);
	assert_int_equal(symlinkat("/not/there", f->rootfs.fd, "gone"), 0);
	assert_string_equal(binds_of(f, volumes, &o), "- /kept\n");
	for (size_t i = 0; i < BK_ARRAY_SIZE(warned); i++)
		if (!strstr(bk_buf_str(&f->warnings), warned[i]))
			fail_msg("not warned of %s: %s", warned[i], bk_buf_str(&f->warnings));
	assert_null(strstr(bk_buf_str(&f->warnings), "mine"));
}

static void test_too_many(void **state)
{
	char *volumes[BUNDLE_VOLUMES_MAX + 2] = { NULL };
	struct fix *f = *state;
	const struct oci_image_exec exec = { .volumes = volumes };
	struct bundle_opts o = { .volumes = BUNDLE_VOLUMES_TMPFS };
	struct bk_err *err = NULL;

	for (size_t i = 0; i <= BUNDLE_VOLUMES_MAX; i++)
		volumes[i] = (char *)"/v";
	assert_err(bundle_files_make(f->dir, &f->rootfs, &exec, &o, f->arena, &err), &err, BK_ERR_CONFIG,
		   "more than 256 volumes");
}

/* ---- the note ----------------------------------------------------------------------------------- */

static void test_origin(void **state)
{
	char type[] = "application/vnd.oci.image.manifest.v1+json", name[] = "a:1";
	char digest[] = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
	struct oci_descriptor image = { .media_type = type, .digest = digest, .size = 7 };
	struct oci_id_mapping map[] = { { .container_id = 0, .host_id = 100000, .size = 65536 } };
	const struct bundle_origin o = { .name = name, .image = &image, .overlay = true,
					 .ids = { .uids = map, .n_uids = 1, .gids = map, .n_gids = 1 } };
	struct bundle_origin got = { 0 };
	const struct fix *f = *state;
	struct bk_err *err = NULL;

	assert_err(bundle_origin_read(f->dir, f->arena, &got, &err), &err, BK_ERR_NOT_FOUND, "the bundle was made of");
	assert_ok(bundle_origin_write(f->dir, &o, &err), &err);
	assert_ok(bundle_origin_read(f->dir, f->arena, &got, &err), &err);
	assert_string_equal(got.version, "1");
	assert_string_equal(got.name, name);
	assert_string_equal(got.image->digest, digest);
	assert_int_equal(got.image->size, 7);
	assert_true(got.overlay);
	assert_false(got.rootless);
	assert_int_equal(got.ids.n_uids, 1);
	assert_int_equal(got.ids.uids->host_id, 100000);
	assert_int_equal(got.ids.gids->size, 65536);
	put(f->dir, BUNDLE_ORIGIN, "{\"version\":\"2\",\"image\":{\"mediaType\":\"x/y\",\"digest\":\"sha256:00\",\"size\":1}}", 0644);
	assert_err(bundle_origin_read(f->dir, f->arena, &got, &err), &err, BK_ERR_UNSUPPORTED, "version '2'");
	put(f->dir, BUNDLE_ORIGIN, "{\"version\":\"1\"}", 0644);
	assert_err(bundle_origin_read(f->dir, f->arena, &got, &err), &err, BK_ERR_CONFIG, "image");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_etc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volumes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volumes_in_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volumes_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_origin, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
