/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: whole reads and writes, SCM_RIGHTS, ranges. EINTR is retried everywhere. */
#ifndef BK_FD_H
#define BK_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"

/* Writes all of it; 0 or -errno. */
int bk_fd_write_all(int fd, const void *data, size_t len);
/* Reads until len bytes or end of file; the count, or -errno. */
ssize_t bk_fd_read_full(int fd, void *data, size_t len);
/* Reads to the end into b (its maximum is the limit); `what` names it in the error. */
int bk_fd_read_buf(int fd, struct bk_buf *b, const char *what, struct bk_err **err);
/* Sends n fds (1..8) with len >= 1 bytes over a unix socket; 0 or -errno. */
int bk_fd_send(int sock, const int *fds, size_t n, const void *data, size_t len);
/* Receives at most n fds (cloexec; *ret_n of them) and up to len bytes; count of bytes or -errno. */
ssize_t bk_fd_recv(int sock, int *ret_fds, size_t n, size_t *ret_n, void *data, size_t len);
/* Marks every fd >= first as close-on-exec (close_range(2), kernel 5.11); 0 or -errno. */
int bk_fd_cloexec_from(unsigned int first);
/* Closes every fd >= first; 0 or -errno. */
int bk_fd_close_from(unsigned int first);
/*
 * Connects a SOCK_STREAM unix socket to path. Paths longer than sun_path are reached through
 * /proc/self/fd of their directory.
 */
int bk_fd_unix_connect(const char *path, int *ret_fd, struct bk_err **err);
/*
 * The same, waiting at most timeout_ms (above 0) for a peer that is slow to accept (ETIMEDOUT), and at most
 * so long in each later send (EAGAIN).
 */
int bk_fd_unix_connect_within(const char *path, int timeout_ms, int *ret_fd, struct bk_err **err);
/* Waits for `events` on fd at most timeout_ms (-1: for ever): 1 ready, 0 time-out, -errno. */
int bk_fd_wait(int fd, short events, int timeout_ms);
/* Makes fds 0, 1, 2 open (on /dev/null) if a caller closed them; first thing in each main. */
int bk_fd_fix_stdio(void);

#endif
