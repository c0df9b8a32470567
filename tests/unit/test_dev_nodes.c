/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "dev/dev_nodes.h"

#define DEFAULTS 6

static const struct oci_device null_dev = { .type = (char *)"c",
					    .path = (char *)"/dev/null",
					    .major = 1,
					    .minor = 3,
					    .has_file_mode = true,
					    .file_mode = 0600,
					    .has_uid = true,
					    .uid = 7 };

static void test_defaults(void **state)
{
	static const char *const want[DEFAULTS] = {
		"device '/dev/null' c 1:3 0666 0:0",	"device '/dev/zero' c 1:5 0666 0:0",
		"device '/dev/full' c 1:7 0666 0:0",	"device '/dev/random' c 1:8 0666 0:0",
		"device '/dev/urandom' c 1:9 0666 0:0", "device '/dev/tty' c 5:0 0666 0:0",
	};
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct dev_node *nodes;
	size_t n;

	(void)state;
	assert_ok(dev_nodes_compile(NULL, 0, arena, &nodes, &n, &err), &err);
	assert_int_equal(n, DEFAULTS);
	for (size_t i = 0; i < n; i++) {
		bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);

		dev_nodes_print(&nodes[i], &b);
		assert_string_equal(bk_buf_str(&b), want[i]);
	}
}

static void test_replaces_a_default(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_device d = null_dev;
	struct bk_err *err = NULL;
	struct dev_node *nodes;
	size_t n;

	(void)state;
	d.path = (char *)"/dev/./sub/..//null";
	assert_ok(dev_nodes_compile(&d, 1, arena, &nodes, &n, &err), &err);
	assert_int_equal(n, DEFAULTS);
	assert_true(nodes[0].mode == (S_IFCHR | 0600) && nodes[0].uid == 7);
	assert_string_equal(nodes[0].path, "/dev/null");
}

static void refused(struct oci_device d, const char *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct dev_node *nodes;
	size_t n;

	assert_err(dev_nodes_compile(&d, 1, arena, &nodes, &n, &err), &err, BK_ERR_CONFIG, words);
}

static void test_refused(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_device two[2] = { null_dev, null_dev };
	struct bk_err *err = NULL;
	struct dev_node *nodes;
	size_t n;

	(void)state;
	refused((struct oci_device){ .type = (char *)"", .path = (char *)"/x" },
		"linux.devices[0].type: ''");
	refused((struct oci_device){ .type = (char *)"cc", .path = (char *)"/x" }, "'cc'");
	refused((struct oci_device){ .type = (char *)"c", .path = (char *)"x" }, "is not absolute");
	refused((struct oci_device){ .type = (char *)"c", .path = (char *)"/x", .major = -1 },
		"-1:0 is no device number");
	refused((struct oci_device){ .type = (char *)"b", .path = (char *)"/x", .major = 0x1000 },
		"is no device number");
	refused((struct oci_device){ .type = (char *)"b", .path = (char *)"/x", .minor = 0x100000 },
		"is no device number");
	assert_err(dev_nodes_compile(two, 2, arena, &nodes, &n, &err), &err, BK_ERR_CONFIG,
		   "linux.devices[1].path: '/dev/null' is there twice");
}

/* ---- below a root ------------------------------------------------------------------------------ */

static char dir[] = "/tmp/bock-dev-XXXXXX"; /* machine-path-ok */

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	if (bk_file_rmtree(AT_FDCWD, dir, NULL) < 0)
		return -1;
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	return 0;
}

static void test_make(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_device d[2] = { null_dev, { .type = (char *)"p", .path = (char *)"/a/b/pipe" } };
	bk_autofree char *pipe = bk_asprintf("%s/a/b/pipe", dir);
	bk_autofree char *null_path = bk_asprintf("%s/dev/null", dir);
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	mode_t mask = umask(0);
	struct bk_err *err = NULL;
	struct dev_node *nodes;
	struct stat st;
	size_t n;

	(void)state;
	if (geteuid() != 0)
		skip_because("mknod(2) needs root, and this is uid %u", geteuid());
	assert_ok(bk_root_open(&root, dir, &err), &err);
	assert_ok(dev_nodes_compile(d, 2, arena, &nodes, &n, &err), &err);
	assert_ok(dev_nodes_make(nodes, n, false, &root, &err), &err);
	(void)umask(mask);
	assert_int_equal(stat(null_path, &st), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) && st.st_uid == 7 &&
		    (st.st_mode & 07777) == 0600);
	assert_int_equal(lstat(pipe, &st), 0);
	assert_true(S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0666);
	/* what is there and the same is left; what is another is refused */
	assert_ok(dev_nodes_make(nodes, n, false, &root, &err), &err);
	assert_int_equal(unlink(null_path), 0);
	assert_int_equal(symlink("/etc/passwd", null_path), 0);
	assert_err(dev_nodes_make(nodes, n, false, &root, &err), &err, BK_ERR_IO,
		   "'/dev/null' is there and is another device");
}

static void test_links(void **state)
{
	bk_autofree char *dev = bk_asprintf("%s/dev", dir);
	bk_autofree char *fd = bk_asprintf("%s/dev/fd", dir);
	bk_autofree char *ptmx = bk_asprintf("%s/dev/ptmx", dir);
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct bk_err *err = NULL;
	char text[64] = "";

	(void)state;
	assert_int_equal(mkdir(dev, 0755), 0);
	assert_int_equal(symlink("/kept", fd), 0);
	assert_int_equal(symlink("/replaced", ptmx), 0);
	assert_ok(bk_root_open(&root, dir, &err), &err);
	assert_ok(dev_nodes_links(&root, &err), &err);
	assert_int_equal(readlink(fd, text, sizeof(text) - 1), 5);
	assert_int_equal(readlink(ptmx, text, sizeof(text) - 1), 8);
	assert_string_equal(text, "pts/ptmx");
	assert_ok(dev_nodes_links(&root, &err), &err);
}

BK_TEST_MAIN(cmocka_unit_test(test_defaults), cmocka_unit_test(test_replaces_a_default),
	     cmocka_unit_test(test_refused),
	     cmocka_unit_test_setup_teardown(test_make, make_dir, remove_dir),
	     cmocka_unit_test_setup_teardown(test_links, make_dir, remove_dir))
