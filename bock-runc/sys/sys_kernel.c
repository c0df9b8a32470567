/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sys_kernel.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"

/* Arguments that every kernel refuses: descriptor -1, sizes of 0, flags that nobody has. */
struct row {
	struct sys_kernel_call call;
	long number;
	long args[5];
};

static const struct row rows[] = {
	{ { "pidfd_send_signal", "5.1" }, SYS_pidfd_send_signal, { -1, 0, 0, -1 } },
	{ { "open_tree", "5.2" }, SYS_open_tree, { -1, 0, -1 } },
	{ { "move_mount", "5.2" }, SYS_move_mount, { -1, 0, -1, 0, -1 } },
	{ { "fsopen", "5.2" }, SYS_fsopen, { 0, -1 } },
	{ { "fsmount", "5.2" }, SYS_fsmount, { -1, -1, -1 } },
	{ { "pidfd_open", "5.3" }, SYS_pidfd_open, { -1, -1 } },
	{ { "clone3", "5.3" }, SYS_clone3, { 0, 0 } },
	{ { "openat2", "5.6" }, SYS_openat2, { -1, 0, 0, 0 } },
	{ { "close_range", "5.9" }, SYS_close_range, { 1, 0, 0 } },
	{ { "mount_setattr", "5.12" }, SYS_mount_setattr, { -1, 0, -1, 0, 0 } },
};

const struct sys_kernel_call *sys_kernel_call(size_t i)
{
	return i < BK_ARRAY_SIZE(rows) ? &rows[i].call : NULL;
}

bool sys_kernel_has(size_t i)
{
	const struct row *r = &rows[i];

	return syscall(r->number, r->args[0], r->args[1], r->args[2], r->args[3], r->args[4]) >= 0 ||
	       errno != ENOSYS;
}
