/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's terminal, from its own side: runs in the child, after the mounts and before or
 * after pivot_root. Nothing here goes by a path below the rootfs: the pty is made from the devpts
 * by descriptor, and its other end comes from TIOCGPTPEER, so that a prepared /dev/pts cannot
 * hand out something else (CVE-2025-52565).
 *
 * Calling order: tty_console_open, tty_console_size, tty_console_bind, tty_console_send,
 * tty_console_stdio, and as the last before the user changes tty_stdio_owner.
 */
#ifndef TTY_CONSOLE_H
#define TTY_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bk_err.h"

/*
 * Makes a pty: pts_dirfd is the root of the container's devpts (the descriptor that was mounted
 * or opened with RESOLVE_IN_ROOT; that it is a devpts is checked). Both ends are close-on-exec.
 * *ret_index is its number (its name is "/dev/pts/INDEX").
 */
int tty_console_open(int pts_dirfd, int *ret_master, int *ret_slave, unsigned int *ret_index,
		     struct bk_err **err);

/* Sets the size in characters; 0 x 0 leaves it. */
int tty_console_size(int fd, uint32_t height, uint32_t width, struct bk_err **err);

/*
 * Mounts the slave on "console" in the open /dev directory (made as an empty file where it is
 * missing; a link, directory or socket there is refused).
 */
int tty_console_bind(int dev_dirfd, int slave, struct bk_err **err);

/* Sends the master through a connected unix socket, with `name` as the payload; closes nothing. */
int tty_console_send(int sock, int master, const char *name, struct bk_err **err);

/*
 * The slave as 0, 1 and 2, closed (-1) if above 2. lead: in a new session, whose controlling terminal it
 * becomes; without, that is left to a child (when the leader of a session ends, its terminal hangs up).
 */
int tty_console_stdio(int *slave, bool lead, struct bk_err **err);

/*
 * Makes 0, 1 and 2 belong to the user where they don't: not /dev/null, not what has no owner to
 * change (other file system, unmapped or forbidden is no error). The group stays. 3 fstat, and
 * one fchown for each file that needs it.
 */
int tty_stdio_owner(uid_t uid, struct bk_err **err);

#endif
