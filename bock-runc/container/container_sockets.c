/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_sockets.h"

#include <errno.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_fd.h"
#include "codec/bk_json.h"

int container_sockets_open(const struct container_root *root, const char *path, const char *what, int *ret_fd,
			   struct bk_err **err)
{
	int ms = container_wait_ms(root, CONTAINER_PEER_TIMEOUT_MS);
	int rc = bk_fd_unix_connect_within(path, ms < 0 ? 0 : ms, ret_fd, err);

	if (rc < 0 && err && bk_err_errno(*err) == ETIMEDOUT)
		rc = bk_err_hint(err, rc, "whoever listens there accepts nobody, and its queue is full: see --timeout");
	return rc < 0 ? bk_err_wrap(err, rc, "%s", what) : 0;
}

int container_sockets_connect(const struct container_root *root, const char *pidfd_path,
			      const char *listener_path, struct container_sockets *ret, struct bk_err **err)
{
	struct container_sockets s = CONTAINER_SOCKETS_INIT;
	int rc = 0;

	if (pidfd_path)
		rc = container_sockets_open(root, pidfd_path, "pidfd socket", &s.pidfd, err);
	if (rc == 0 && listener_path)
		rc = container_sockets_open(root, listener_path, "linux.seccomp.listenerPath", &s.seccomp, err);
	if (rc < 0) {
		container_sockets_done(&s);
		return rc;
	}
	*ret = s;
	return 0;
}

void container_sockets_done(struct container_sockets *s)
{
	bk_close(&s->pidfd);
	bk_close(&s->seccomp);
}

int container_sockets_pidfd(struct container_sockets *s, int pidfd, const char *name,
			    struct bk_err **err)
{
	int rc;

	if (s->pidfd < 0)
		return 0;
	rc = bk_fd_send(s->pidfd, &pidfd, 1, name, strlen(name));
	bk_close(&s->pidfd);
	return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc, "pidfd socket: send the pidfd") : 0;
}

int container_sockets_seccomp(struct container_sockets *s, const struct oci_state *state,
			      const char *metadata, pid_t pid, int *listener, struct bk_err **err)
{
	bk_autobuf struct bk_buf json = BK_BUF_INIT(BK_BUF_DOC);
	bk_autoclose int sock = bk_steal_fd(&s->seccomp);
	bk_autoclose int fd = bk_steal_fd(listener);
	char *names[] = { (char *)OCI_SECCOMP_FD_NAME, NULL };
	struct oci_process_state p = {
		.oci_version = state->oci_version,
		.fds = names,
		.pid = pid,
		.metadata = (char *)metadata,
		.state = (struct oci_state *)state,
	};
	int rc;

	if (sock < 0 || fd < 0)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "a seccomp listener that nobody asked for");
	rc = bk_json_encode(&oci_process_state_type, &p, 0, &json, err);
	if (rc == 0)
		rc = bk_buf_check(&json, "the container process state", err);
	if (rc < 0)
		return rc;
	rc = bk_fd_send(sock, &fd, 1, json.data, json.len);
	return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc,
				   "linux.seccomp.listenerPath: send the listener") : 0;
}
