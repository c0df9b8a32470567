/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"

int container_source_push(int sync, enum init_sync letter, int fd, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = init_sync_send(sync, letter, 0, fd, &e);

	if (rc == 0)
		return 0;
	if (bk_err_errno(e) == EPIPE || bk_err_errno(e) == ECONNRESET) {
		bk_err_clear(&e);
		return 0;
	}
	bk_err_move(err, e);
	return rc;
}

int container_source_send(const struct mount_op *op, pid_t first, int sync, struct bk_err **err)
{
	bool follow = !(op->f.extra & (MOUNT_SRC_NOFOLLOW | MOUNT_COPY_SYMLINK));
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
				.resolve = RESOLVE_IN_ROOT };
	bk_autoclose int root = -1;
	bk_autoclose int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)first);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		fd = (int)syscall(SYS_openat2, root, op->source, &how, sizeof(how));
	return container_source_push(sync, SYNC_SOURCE, fd, err);
}
