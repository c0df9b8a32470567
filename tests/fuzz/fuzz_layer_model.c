/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whiteouts, opaque directories and what replaces what: the input decides what three layers hold and in which order
 * their entries stand; the tree must be what the model says (tests/unit/layer_model.h).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_num.h"
#include "layer/layer.h"
#include "layer_model.h"

#define LAYERS 3
#define BLOCK  512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char base[64];

static void forget_base(void)
{
	(void)bk_file_rmtree(AT_FDCWD, base, NULL);
}

static void must(bool ok, const char *what, const char *path)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_layer_model: %s: '%s'\n", what, path);
	abort();
}

/* One header of a ustar, with a block behind it where there is content. */
static void add(void *ctx, const char *path, mode_t mode, const char *content)
{
	char block[2 * BLOCK] = "";
	size_t len = S_ISREG(mode) ? strlen(content) : 0;
	size_t whole = len ? sizeof(block) : BLOCK;
	unsigned int sum = 0;

	memcpy(block, path, strlen(path));
	snprintf(block + 100, 8, "%07o", (unsigned int)(mode & 07777));
	snprintf(block + 108, 8, "%07o", 0);
	snprintf(block + 116, 8, "%07o", 0);
	snprintf(block + 124, 12, "%011o", (unsigned int)len);
	snprintf(block + 136, 12, "%011o", 1600000000);
	memset(block + 148, ' ', 8);
	block[156] = S_ISDIR(mode) ? '5' : '0';
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	memcpy(block + BLOCK, content, len);
	must(write(*(int *)ctx, block, whole) == (ssize_t)whole, "write", path);
}

static int look(int root, const char *path)
{
	char text[16] = "";
	struct stat st;
	uint64_t n = 0;
	int fd;

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NOTHING;
	if (S_ISDIR(st.st_mode))
		return DIRECTORY;
	fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	must(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0, "read", path);
	close(fd);
	must(bk_num_u64(text, INT32_MAX, &n, NULL) == 0, "not a number", path);
	return (int)n;
}

static void apply(const struct bk_root *root, const struct layer *l, struct choices *c)
{
	const struct layer_opts opts = { .rootless = true };
	static const char zeros[2 * BLOCK];
	bk_autoclose int blob = memfd_create("layer", MFD_CLOEXEC);
	struct bk_err *err = NULL;
	char text[2 * BK_ERR_MSG_MAX];

	write_layer(l, c, add, &blob);
	must(write(blob, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros) && lseek(blob, 0, SEEK_SET) == 0, "write", "end");
	if (layer_apply(root, blob, NULL, NULL, &opts, NULL, &err) < 0)
		must(false, "refused", bk_err_print(err, text, sizeof(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices choices = { .data = size ? data : (const uint8_t *)"", .len = size };
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autoclose int fd = -1;
	int model[PATHS] = { NOTHING };

	if (!*base) {
		snprintf(base, sizeof(base), "/tmp/bk-fuzz-model-XXXXXX");
		must(mkdtemp(base) != NULL, "no folder", base);
		(void)atexit(forget_base);
	}
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0 && mkdirat(fd, "root", 0755) == 0, "no folder", base);
	root.fd = openat(fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(root.fd >= 0, "no folder", base);
	for (int number = 0; number < LAYERS; number++) {
		struct layer l;

		do
			random_layer(&l, model, &choices, number);
		while (!in_order(model, &l));
		apply(&root, &l, &choices);
		model_apply(model, &l);
		for (int i = 0; i < PATHS; i++) {
			bk_autofree char *path = path_of(i, "");

			must(look(root.fd, path) == model[i], "not as in the model", path);
		}
	}
	must(bk_file_rmtree(fd, "root", NULL) == 0, "the tree can't be removed", base);
	return 0;
}
