/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sys_kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"

/* Arguments that every kernel refuses: descriptor -1, sizes of 0, flags that nobody has. */
struct row {
	struct sys_kernel_call call;
	long number;
	long args[5];
	bool rights_first;	/* who may not mount gets EPERM whatever it is asked */
};

static const struct row rows[] = {
	{ { "pidfd_send_signal", "5.1" }, SYS_pidfd_send_signal, { -1, 0, 0, -1 }, false },
	{ { "open_tree", "5.2" }, SYS_open_tree, { -1, 0, -1 }, false },
	{ { "move_mount", "5.2" }, SYS_move_mount, { -1, 0, -1, 0, -1 }, true },
	{ { "fsopen", "5.2" }, SYS_fsopen, { 0, -1 }, true },
	{ { "fsmount", "5.2" }, SYS_fsmount, { -1, -1, -1 }, true },
	{ { "pidfd_open", "5.3" }, SYS_pidfd_open, { -1, -1 }, false },
	{ { "clone3", "5.3" }, SYS_clone3, { 0, 0 }, false },
	{ { "openat2", "5.6" }, SYS_openat2, { -1, 0, 0, 0 }, false },
	{ { "close_range", "5.9" }, SYS_close_range, { 1, 0, 0 }, false },
	{ { "mount_setattr", "5.12" }, SYS_mount_setattr, { -1, 0, -1, 0, 0 }, false },
};

const struct sys_kernel_call *sys_kernel_call(size_t i)
{
	return i < BK_ARRAY_SIZE(rows) ? &rows[i].call : NULL;
}

static int answer(const struct row *r)
{
	if (syscall(r->number, r->args[0], r->args[1], r->args[2], r->args[3], r->args[4]) >= 0)
		return 0;
	return errno;
}

int sys_kernel_refused(size_t i)
{
	int errnum = answer(&rows[i]);

	return errnum == ENOSYS || (errnum == EPERM && !rows[i].rights_first) ? errnum : 0;
}

int sys_kernel_explain(int rc, struct bk_err **err)
{
	bk_autobuf struct bk_buf names = BK_BUF_INIT(BK_BUF_SMALL);
	int errnum = rc < 0 && err ? bk_err_errno(*err) : 0;

	if (errnum != ENOSYS && errnum != EPERM)
		return rc;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		if (sys_kernel_refused(i))
			bk_buf_printf(&names, "%s%s (Linux %s)", names.len ? ", " : "", rows[i].call.name,
				      rows[i].call.since);
	}
	if (!names.len)
		return rc;
	return bk_err_hint(err, rc,
			   "refused here, by the kernel or by a sandbox around bock-runc: %s; it needs Linux 5.14 or "
			   "newer, and a sandbox that lets these through", bk_buf_str(&names));
}
