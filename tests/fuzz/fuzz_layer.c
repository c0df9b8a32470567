/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: the input is the blob of one (gzip, zstd or plain), applied to a tree that has something of
 * each kind in it. Whatever it holds, what lies beside the tree stays as it was.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "layer/layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char base[64];

static void forget_base(void)
{
	(void)bk_file_rmtree(AT_FDCWD, base, NULL);
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_layer: %s\n", what);
	abort();
}

/* BASE/outside/victim, and BASE/root with directories, a file, and links out. */
static int make_tree(void)
{
	int fd;

	if (!*base) {
		snprintf(base, sizeof(base), "/tmp/bk-fuzz-layer-XXXXXX");
		must(mkdtemp(base) != NULL, "no folder");
		(void)atexit(forget_base);
	}
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0, "no folder");
	(void)mkdirat(fd, "outside", 0755);
	must(bk_file_write_atomic(fd, "outside/victim", "untouched", 9, 0640, false, NULL) == 0,
	     "victim");
	must(mkdirat(fd, "root", 0755) == 0 && mkdirat(fd, "root/a", 0755) == 0 &&
		     mkdirat(fd, "root/a/b", 0755) == 0 &&
		     symlinkat("../outside", fd, "root/out") == 0 &&
		     symlinkat("a", fd, "root/l") == 0 &&
		     bk_file_write_atomic(fd, "root/a/f", "f", 1, 0644, false, NULL) == 0,
	     "tree");
	return fd;
}

static void check_outside(int fd)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(64);
	struct stat st;

	must(bk_file_read(fd, "outside/victim", &text, NULL) == 0 &&
		     bk_streq(bk_buf_str(&text), "untouched"),
	     "the file outside has changed");
	must(fstatat(fd, "outside/victim", &st, 0) == 0 && (st.st_mode & 07777) == 0640 &&
		     st.st_nlink == 1,
	     "the file outside has other attributes");
	must(fstatat(fd, "outside", &st, 0) == 0 && (st.st_mode & 07777) == 0755 &&
		     st.st_nlink == 2,
	     "the folder outside has other attributes");
	must(fstatat(fd, "root", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode),
	     "the root is no directory any more");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct layer_opts opts = {
		.rootless = true,
		.max_entries = 200,
		.max_size = 4 << 20,
	};
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autoclose int blob = memfd_create("layer", MFD_CLOEXEC);
	bk_autoclose int fd = make_tree();
	struct bk_err *err = NULL;

	must(blob >= 0 && write(blob, data, size) == (ssize_t)size && lseek(blob, 0, SEEK_SET) == 0,
	     "memfd");
	root.fd = openat(fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(root.fd >= 0, "root");
	if (layer_apply(&root, blob, NULL, NULL, &opts, NULL, &err) < 0)
		bk_err_clear(&err);
	must(!err, "an error without a failure");
	check_outside(fd);
	must(bk_file_rmtree(fd, "root", NULL) == 0, "the tree can't be removed");
	return 0;
}
