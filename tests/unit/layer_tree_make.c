/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies each of the archives named to a new tree, DIR/0, DIR/1, ..., and prints "ok" or "bad REASON" of each. For
 * tests/helpers/tar-trees, which holds the trees against what GNU tar and bsdtar make.
 *
 *	layer_tree_make DIR ARCHIVE...
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_err.h"
#include "layer/layer.h"

#define SIZE_MAX_MADE ((uint64_t)64 << 20)

static int make_tree(int dir, int number, const char *archive, struct bk_err **err)
{
	const struct layer_opts opts = { .max_size = SIZE_MAX_MADE, .max_file = SIZE_MAX_MADE, .threads = 1 };
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autoclose int fd = open(archive, O_RDONLY | O_CLOEXEC);
	char name[16];

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", archive);
	(void)snprintf(name, sizeof(name), "%d", number);
	if (mkdirat(dir, name, 0755) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s'", name);
	root.fd = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root.fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", name);
	return layer_apply(&root, fd, NULL, NULL, &opts, NULL, err);
}

int main(int argc, char **argv)
{
	bk_autoclose int dir = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (dir < 0) {
		fprintf(stderr, "usage: layer_tree_make DIR ARCHIVE...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		struct bk_err *err = NULL;
		char text[BK_ERR_MSG_MAX];

		if (make_tree(dir, i - 2, argv[i], &err) < 0)
			printf("bad %s\n", bk_err_print(err, text, sizeof(text)));
		else
			printf("ok\n");
		bk_err_clear(&err);
	}
	return 0;
}
