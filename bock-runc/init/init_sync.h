/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runtime's process and its child say to each other while a container is made: single-byte
 * messages over a SOCK_SEQPACKET pair, a descriptor with some, and an error as its wire form.
 */
#ifndef INIT_SYNC_H
#define INIT_SYNC_H

#include <stdint.h>
#include <sys/types.h>

#include "base/bk_err.h"

enum init_sync {
	SYNC_TIMEOUT = 'T',	/* never sent: of init_sync_recv, where the socket has a time-out (SO_RCVTIMEO) */
	/* from the child */
	SYNC_PID = 'P',		/* the intermediate process made the child: its pidfd comes along */
	SYNC_HOOKS = 'H',	/* run the runtime's hooks now */
	SYNC_CONSOLE = 'C',	/* the pty's master comes along */
	SYNC_SECCOMP = 'S',	/* the listener of a filter that notifies comes along */
	SYNC_CAPS = 'c',	/* not all capabilities could be had: worth a warning */
	SYNC_READY = 'R',	/* created */
	/* from the runtime */
	SYNC_CGROUP = 'c',	/* the child is in its cgroup */
	SYNC_MAPS = 'm',	/* id maps are written */
	SYNC_TREE = 't',	/* the next mount with mapped ids comes along */
	SYNC_SOURCE = 's',	/* the source of the next bind mount comes along; none: it could not be opened */
	SYNC_HOOKS_DONE = 'h',
	SYNC_GO = 'g',		/* the state is saved; go on (create: to wait for start) */
};

/* One message, but for an error, which has its own form. */
struct init_sync_msg {
	int32_t letter;	/* no padding: nothing of our stack goes out */
	int32_t pid;
};

/* Makes the pair: [0] stays with the runtime, [1] goes to the child. */
int init_sync_pair(int ret_fds[2], struct bk_err **err);

/* Sends one message, with pid and fd for SYNC_PID, fd for SYNC_CONSOLE (else -1). */
int init_sync_send(int sock, enum init_sync msg, pid_t pid, int fd, struct bk_err **err);

/*
 * Receives one message. Returns its letter (> 0), 0 when the peer is gone, or -kind: an error that
 * the peer sent, or our own; SYNC_TIMEOUT where the socket has a time-out. ret_pid and ret_fd may be NULL where no descriptor is expected.
 */
int init_sync_recv(int sock, pid_t *ret_pid, int *ret_fd, struct bk_err **err);

#endif
