/* SPDX-License-Identifier: Apache-2.0 */
#include "tty/tty_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_clock.h"
#include "base/bk_mem.h"

#define SIGNALS_AT_ONCE 8

/* Not handed on: faults of our own, what we cause ourselves, and what job control stops us with. */
static const int kept_signals[] = { SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,	SIGTRAP, SIGABRT,
				    SIGSYS,  SIGCHLD, SIGPIPE, SIGTTIN, SIGTTOU };

/* One direction: what was read and not yet written. */
struct flow {
	char *data; /* TTY_PROXY_BUFFER bytes */
	size_t from, to;
	bool ended;  /* the reading side */
	bool broken; /* the writing side: what comes is read and thrown away */
};

struct loop {
	struct tty_proxy *p;
	int master, pidfd;
	struct flow in, out;
	bool done; /* the process has ended */
};

enum { SLOT_PID, SLOT_SIGNAL, SLOT_IN, SLOT_OUT, SLOT_MASTER, SLOT_SIDE, SLOT_MAX };

int tty_proxy_begin(struct tty_proxy *p, struct bk_err **err)
{
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < BK_ARRAY_SIZE(kept_signals); i++)
		sigdelset(&set, kept_signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, &p->saved_mask) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "block signals");
	p->blocked = true;
	p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signal_fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a signalfd");
	return 0;
}

void tty_proxy_child(const struct tty_proxy *p)
{
	if (p->blocked)
		(void)sigprocmask(SIG_SETMASK, &p->saved_mask, NULL);
}

static void restore_terminal(struct tty_proxy *p)
{
	if (p->raw)
		(void)tcsetattr(p->in_fd, TCSANOW, &p->saved_termios);
	p->raw = false;
}

void tty_proxy_end(struct tty_proxy *p)
{
	restore_terminal(p);
	bk_close(&p->signal_fd);
	if (p->blocked)
		(void)sigprocmask(SIG_SETMASK, &p->saved_mask, NULL);
	p->blocked = false;
}

/* Raw, but output is still processed: the container's terminal leaves newlines to ours. */
static void set_raw(struct tty_proxy *p)
{
	struct termios t;

	if (!p->raw && tcgetattr(p->in_fd, &p->saved_termios) < 0)
		return;
	t = p->saved_termios;
	cfmakeraw(&t);
	t.c_oflag |= p->saved_termios.c_oflag & OPOST;
	if (tcsetattr(p->in_fd, TCSANOW, &t) == 0)
		p->raw = true;
}

static void copy_size(const struct tty_proxy *p, int master)
{
	struct winsize size;

	if (master < 0)
		return;
	if (ioctl(p->out_fd, TIOCGWINSZ, &size) == 0 || ioctl(p->in_fd, TIOCGWINSZ, &size) == 0)
		(void)ioctl(master, TIOCSWINSZ, &size);
}

static int hand_on(const struct loop *l, struct bk_err **err)
{
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	ssize_t n = read(l->p->signal_fd, info, sizeof(info));

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return bk_err_set(err, BK_ERR_IO, errno, "read the signalfd");
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(info[0]); i++) {
		int signo = (int)info[i].ssi_signo;

		if (signo == SIGWINCH) {
			copy_size(l->p, l->master);
			continue;
		}
		/* whoever stopped us may have used the terminal in between */
		if (signo == SIGCONT && l->p->raw) {
			set_raw(l->p);
			copy_size(l->p, l->master);
		}
		if (pidfd_send_signal(l->pidfd, signo, NULL, 0) < 0 && errno != ESRCH)
			return bk_err_set(err, BK_ERR_IO, errno, "send signal %d to the container",
					  signo);
	}
	return 0;
}

static bool flow_empty(const struct flow *f)
{
	return f->from == f->to;
}

/* Reads into an empty flow. The end and every error but "not now" end it. */
static void fill(struct flow *f, int fd)
{
	ssize_t n = read(fd, f->data, TTY_PROXY_BUFFER);

	if (n > 0) {
		f->from = 0;
		f->to = (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		f->ended = true;
	}
}

/* A blocked SIGPIPE of ours would end the program when tty_proxy_end() unblocks it. */
static void forget_sigpipe(void)
{
	const struct timespec now = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	(void)sigtimedwait(&set, NULL, &now);
}

static void drain(struct flow *f, int fd)
{
	ssize_t n = write(fd, f->data + f->from, f->to - f->from);

	if (n >= 0) {
		f->from += (size_t)n;
	} else if (errno != EAGAIN && errno != EINTR) {
		if (errno == EPIPE)
			forget_sigpipe();
		f->broken = true;
	}
	if (f->broken)
		f->from = f->to;
}

/*
 * Our input has ended: the container's terminal gets its end-of-file character, once. In a mode
 * that has none (raw), a program reads on for ever, as it would on a terminal that nobody types
 * on.
 */
static void end_input(struct loop *l)
{
	struct termios t;

	if (tcgetattr(l->master, &t) < 0 || !(t.c_lflag & ICANON) ||
	    t.c_cc[VEOF] == _POSIX_VDISABLE)
		return;
	l->in.data[0] = (char)t.c_cc[VEOF];
	l->in.from = 0;
	l->in.to = 1;
}

static void set_polls(const struct loop *l, struct pollfd *polls)
{
	for (int i = 0; i < SLOT_MAX; i++)
		polls[i] = (struct pollfd){ .fd = -1 };
	if (!l->done)
		polls[SLOT_PID] = (struct pollfd){ .fd = l->pidfd, .events = POLLIN };
	polls[SLOT_SIGNAL] = (struct pollfd){ .fd = l->p->signal_fd, .events = POLLIN };
	polls[SLOT_SIDE] = (struct pollfd){ .fd = l->p->side_fd, .events = POLLIN };
	if (l->master < 0)
		return;
	if (!l->done && !l->in.ended && flow_empty(&l->in))
		polls[SLOT_IN] = (struct pollfd){ .fd = l->p->in_fd, .events = POLLIN };
	if (!flow_empty(&l->out))
		polls[SLOT_OUT] = (struct pollfd){ .fd = l->p->out_fd, .events = POLLOUT };
	if (flow_empty(&l->out) && !l->out.ended)
		polls[SLOT_MASTER].events |= POLLIN;
	if (!flow_empty(&l->in) && !l->in.broken)
		polls[SLOT_MASTER].events |= POLLOUT;
	if (polls[SLOT_MASTER].events)
		polls[SLOT_MASTER].fd = l->master;
}

static void copy(struct loop *l, const struct pollfd *polls)
{
	if (polls[SLOT_IN].revents) {
		fill(&l->in, l->p->in_fd);
		if (l->in.ended)
			end_input(l);
	}
	if (polls[SLOT_MASTER].revents & POLLOUT)
		drain(&l->in, l->master);
	if (polls[SLOT_MASTER].revents & ~POLLOUT)
		fill(&l->out, l->master);
	if (polls[SLOT_OUT].revents)
		drain(&l->out, l->p->out_fd);
}

/*
 * After the end: what lies in the terminal goes out. read(2) on the master first waits for the
 * kernel's own copying, so "not now" means that nothing is left.
 */
static void drain_rest(struct loop *l)
{
	int64_t deadline = bk_clock_ms() + TTY_PROXY_DRAIN_MS;

	while (bk_clock_ms() < deadline) {
		struct pollfd out = { .fd = l->p->out_fd, .events = POLLOUT };

		if (flow_empty(&l->out)) {
			if (l->out.ended)
				return;
			fill(&l->out, l->master);
			if (flow_empty(&l->out))
				return;
		}
		if (poll(&out, 1, (int)(deadline - bk_clock_ms())) <= 0)
			return;
		drain(&l->out, l->p->out_fd);
	}
}

static int turn(struct loop *l, struct bk_err **err)
{
	while (!l->done) {
		struct pollfd polls[SLOT_MAX];
		int rc;

		set_polls(l, polls);
		if (poll(polls, SLOT_MAX, -1) < 0) {
			if (errno == EINTR)
				continue;
			return bk_err_set(err, BK_ERR_IO, errno, "wait for the container");
		}
		if (polls[SLOT_SIGNAL].revents) {
			rc = hand_on(l, err);
			if (rc < 0)
				return rc;
		}
		if (polls[SLOT_SIDE].revents)
			l->p->side(l->p->side_arg);
		if (l->master >= 0)
			copy(l, polls);
		if (polls[SLOT_PID].revents)
			l->done = true;
	}
	return 0;
}

int tty_proxy_attach(struct tty_proxy *p, int master_fd, struct bk_err **err)
{
	int flags = fcntl(master_fd, F_GETFL);
	struct termios t;

	if (flags < 0 || fcntl(master_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make the terminal non-blocking");
	if (tcgetattr(master_fd, &t) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read the terminal's settings");
	t.c_oflag &= ~(tcflag_t)ONLCR;
	if (tcsetattr(master_fd, TCSANOW, &t) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "change the terminal's settings");
	copy_size(p, master_fd);
	if (isatty(p->in_fd))
		set_raw(p);
	p->attached = true;
	return 0;
}

static int run_terminal(struct loop *l, struct bk_err **err)
{
	bk_autofree char *in = NULL, *out = NULL;
	bk_autoclose int peer = -1;
	sigset_t set;
	int rc = 0;

	if (!l->p->attached)
		rc = tty_proxy_attach(l->p, l->master, err);
	if (rc < 0)
		return rc;
	/* a reader of our output that goes away does not end the container */
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	/*
	 * While nobody has the other end open, poll would say "hang-up" without pause, although a
	 * process may open /dev/console again. So we have it open ourselves.
	 */
	peer = ioctl(l->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	in = bk_malloc(TTY_PROXY_BUFFER);
	out = bk_malloc(TTY_PROXY_BUFFER);
	l->in.data = in;
	l->out.data = out;
	rc = turn(l, err);
	if (rc == 0)
		drain_rest(l);
	bk_close(&peer);
	restore_terminal(l->p);
	return rc;
}

int tty_proxy_run(struct tty_proxy *p, int master_fd, int pidfd, struct bk_err **err)
{
	struct loop l = { .p = p, .master = master_fd, .pidfd = pidfd };

	return master_fd >= 0 ? run_terminal(&l, err) : turn(&l, err);
}
