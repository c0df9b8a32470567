/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of others that a new process is announced on: --pidfd-socket, and the agent of seccomp
 * notifications. They are connected before anything is made, so that nobody being there is an error without
 * side effects. Used for a container's first process and for those that join it.
 *
 *	container_sockets_connect(pidfd_path, listener_path, &s, err);
 *	container_sockets_seccomp(&s, state, metadata, pid, &fd, err);	when the child sent its listener
 *	container_sockets_pidfd(&s, pidfd, CONTAINER_PIDFD_INIT, err);	when the process is there
 *	container_sockets_done(&s);
 */
#ifndef CONTAINER_SOCKETS_H
#define CONTAINER_SOCKETS_H

#include <sys/types.h>

#include "base/bk_err.h"
#include "container/container.h"
#include "oci/oci_state.h"

#define CONTAINER_PEER_TIMEOUT_MS 30000	/* for a peer to accept, and to make room in its socket */
/* What comes with a pidfd, as runc has it. */
#define CONTAINER_PIDFD_INIT "standard"
#define CONTAINER_PIDFD_EXEC "setns"

struct container_sockets {
	int pidfd, seccomp;	/* connected; -1: nobody is to be told */
};

#define CONTAINER_SOCKETS_INIT { .pidfd = -1, .seccomp = -1 }

/* Each path may be NULL. On failure nothing is open. root: whose time-out holds. */
int container_sockets_connect(const struct container_root *root, const char *pidfd_path,
			      const char *listener_path, struct container_sockets *ret, struct bk_err **err);
/* One peer, called what in errors, who neither accepts nor makes room for ever. */
int container_sockets_open(const struct container_root *root, const char *path, const char *what, int *ret_fd,
			   struct bk_err **err);
void container_sockets_done(struct container_sockets *s);

/* Sends the pidfd, with one of the names above; nothing where nobody is to be told. */
int container_sockets_pidfd(struct container_sockets *s, int pidfd, const char *name,
			    struct bk_err **err);

/*
 * Sends the container process state (config-linux.md) with the listener, closes that and the connection:
 * what is left of it belongs to the agent. metadata may be NULL; pid is that of the process with the filter.
 */
int container_sockets_seccomp(struct container_sockets *s, const struct oci_state *state,
			      const char *metadata, pid_t pid, int *listener, struct bk_err **err);

#endif
