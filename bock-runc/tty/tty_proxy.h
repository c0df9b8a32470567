/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The foreground of `run` and `exec`: hands signals on to the container's process, and where it
 * has a terminal, copies between that and ours.
 *
 *	tty_proxy_begin(&p, err);		before the clone: no signal gets lost
 *	...	child: tty_proxy_child(&p);
 *	tty_proxy_attach(&p, master_fd, err);	with a terminal: before the program starts
 *	tty_proxy_run(&p, master_fd, pidfd, err);	until the process ends; it is not reaped
 *	tty_proxy_end(&p);			on every path; terminal and signals are as before
 *
 * Without a terminal that is sigprocmask, signalfd, poll and, at the end, sigprocmask and close.
 *
 * Handed on: every signal that can be caught, but not those that a fault raises (SIGSEGV, ...),
 * SIGCHLD, SIGPIPE, SIGTTIN and SIGTTOU (job control stops us); SIGWINCH becomes the terminal's
 * new size.
 *
 * Our terminal is made raw, with output processing left on; the container's has ONLCR taken off,
 * so that a line ends with one CR. Input that ends (a pipe, a file) becomes the terminal's
 * end-of-file character. What is not yet written when the process ends is written first, for at
 * most TTY_PROXY_DRAIN_MS.
 */
#ifndef TTY_PROXY_H
#define TTY_PROXY_H

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "base/bk_err.h"

#define TTY_PROXY_BUFFER 4096		/* bytes held in each direction */
#define TTY_PROXY_DRAIN_MS 2000

struct tty_proxy {
	int in_fd, out_fd;	/* our side: 0 and 1 */
	int signal_fd;
	bool blocked;		/* signals are */
	bool attached;		/* tty_proxy_attach has been here */
	sigset_t saved_mask;
	bool raw;		/* in_fd is, and saved_termios is how it was */
	struct termios saved_termios;
	int side_fd;			/* the caller's, to be served on the side; -1: none */
	void (*side)(void *arg);	/* called when it is readable */
	void *side_arg;
};

#define TTY_PROXY_INIT { .in_fd = 0, .out_fd = 1, .signal_fd = -1, .side_fd = -1 }

/* Blocks the signals that are handed on and opens the signalfd. */
int tty_proxy_begin(struct tty_proxy *p, struct bk_err **err);

/* In the child: the signal mask as it was before begin. */
void tty_proxy_child(const struct tty_proxy *p);

/*
 * Before the container's program starts, so that what it first finds is what it keeps: the
 * container's terminal gets our size and loses ONLCR, ours becomes raw. master_fd becomes
 * non-blocking. Run does it where it was left out.
 */
int tty_proxy_attach(struct tty_proxy *p, int master_fd, struct bk_err **err);

/*
 * Returns 0 when the process of pidfd has ended. master_fd (-1: no terminal) stays the caller's
 * and becomes non-blocking.
 */
int tty_proxy_run(struct tty_proxy *p, int master_fd, int pidfd, struct bk_err **err);

/* Restores terminal and signals; can be called at any time, more than once. */
void tty_proxy_end(struct tty_proxy *p);

#endif
