/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error value of all Bock code: a kind, an errno, a message and a chain of context.
 *
 * A function that can fail has the form
 *
 *	int f(in..., out *ret_x, struct bk_err **err);
 *
 * and returns 0, or -kind with *err set. The error is set once, where the call failed, with errno
 * given as an argument; each caller may wrap it with what only it knows; only programs print it.
 *
 *	if (mkdirat(fd, name, 0700) < 0)
 *		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s'", name);
 *	...
 *	if (rc < 0)
 *		return bk_err_wrap(err, rc, "create '%s'", id);
 *
 * prints as: create 'web': make directory 'web': File exists
 *
 * `err` may be NULL: then the caller only wants the code. Uses / used by: bk_mem / everything.
 */
#ifndef BK_ERR_H
#define BK_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* What went wrong, for a program to act on. The numbers are part of the wire form (bk_err_send). */
enum bk_err_kind {
	BK_ERR_IO = 1,		/* a system call or a file failed */
	BK_ERR_CONFIG,		/* what the user or a document said is wrong */
	BK_ERR_INTERNAL,	/* our own fault: to be reported */
	BK_ERR_NETWORK,		/* a peer can't be reached or broke off */
	BK_ERR_REGISTRY,	/* a registry answered, and the answer is a failure */
	BK_ERR_UNSUPPORTED,	/* named and well-formed, but not to be had here */
	BK_ERR_NOT_FOUND,	/* no such container, image, blob */
	BK_ERR_PERMISSION,	/* the kernel or a rule forbids it */
	BK_ERR_KIND_MAX_
};

struct bk_err;

/* Longest message of one link of the chain, and longest chain printed; what is over is cut. */
#define BK_ERR_MSG_MAX 1024
/* Most links of one chain; context past it is dropped. */
#define BK_ERR_LINKS_MAX 32
/* bk_err_send writes this many bytes in one write(2): PIPE_BUF, so it is atomic on a pipe. */
#define BK_ERR_WIRE_SIZE 4096

/*
 * Sets *err (which must be NULL or absent) to a new error and returns -kind.
 * errnum is 0 where no errno belongs to it; its text is then left out when printing.
 * EPERM and EACCES given with BK_ERR_IO yield BK_ERR_PERMISSION.
 */
int bk_err_set(struct bk_err **err, enum bk_err_kind kind, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));

/* Puts context in front of *err and returns rc. Without an error (err or *err NULL) returns rc. */
int bk_err_wrap(struct bk_err **err, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

/*
 * Adds the way out: one sentence, printed after the chain in parentheses by programs. A later hint
 * replaces an earlier one. Returns rc.
 */
int bk_err_hint(struct bk_err **err, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

/* Frees *err and sets it to NULL. Accepts NULL and a pointer to NULL. */
void bk_err_clear(struct bk_err **err);

/* Moves src to *err: if *err is set already, src is freed and the first error stays. */
void bk_err_move(struct bk_err **err, struct bk_err *src);

enum bk_err_kind bk_err_kind_of(const struct bk_err *err);	/* BK_ERR_INTERNAL for NULL */
int bk_err_errno(const struct bk_err *err);			/* 0 for NULL */
const char *bk_err_hint_text(const struct bk_err *err);		/* NULL where there is none */
const char *bk_err_kind_name(enum bk_err_kind kind);		/* "io", "config", ... */

/* The chain from the outermost context in: link 0 is the outermost; NULL past the end. */
const char *bk_err_link(const struct bk_err *err, size_t i);

/*
 * Writes "context: context: message: what errno says" into buf (always terminated, cut at size).
 * Returns buf.
 */
const char *bk_err_print(const struct bk_err *err, char *buf, size_t size);

/*
 * Sends err over fd in one write of BK_ERR_WIRE_SIZE bytes; a chain that does not fit loses its
 * middle links. Async-signal-safe; returns 0, or -errno.
 */
int bk_err_send(const struct bk_err *err, int fd);

/*
 * The bytes that bk_err_send writes, for a sender that has no C library; and where in them the errno
 * (an int32_t) stands, for it to fill in. Returns how many are used; those behind are zero.
 */
size_t bk_err_encode(const struct bk_err *err, unsigned char wire[BK_ERR_WIRE_SIZE]);
size_t bk_err_wire_errnum(void);

/* Decodes what bk_err_send wrote. Returns the error's -kind, or -BK_ERR_INTERNAL if malformed. */
int bk_err_decode(const void *wire, size_t len, struct bk_err **err);

/* Reads one error from fd (blocking): -kind with *err set; 0 at end of file before any byte. */
int bk_err_recv(int fd, struct bk_err **err);

#endif
