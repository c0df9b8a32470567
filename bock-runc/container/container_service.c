/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_service.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/bk_num.h"

/* An environment that was passed on to us unchanged speaks of another process's descriptors. */
static bool is_for_us(const char *listen_pid)
{
	uint64_t pid;

	return listen_pid && bk_num_u64(listen_pid, INT32_MAX, &pid, NULL) == 0 &&
	       pid == (uint64_t)getpid();
}

int container_service_read(struct container_service *ret, struct bk_err **err)
{
	struct container_service s = { .notify = getenv("NOTIFY_SOCKET") };
	const char *fds = getenv("LISTEN_FDS");

	if (s.notify && !*s.notify)
		s.notify = NULL;
	if (fds && *fds && is_for_us(getenv("LISTEN_PID"))) {
		int rc = bk_num_u32(fds, CONTAINER_LISTEN_FDS_MAX, &s.listen_fds, err);

		if (rc < 0)
			return bk_err_wrap(err, rc, "LISTEN_FDS");
		if (s.listen_fds)
			s.listen_names = getenv("LISTEN_FDNAMES");
	}
	*ret = s;
	return 0;
}
