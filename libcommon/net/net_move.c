/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net_move.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_ifname.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "net/net_addr.h"
#include "net/net_link.h"

/* Indexes that are tried for a device: a namespace that has so many in a row has no use for one more. */
#define INDEX_TRIES 4096

struct device {
	const struct net_move *m;
	struct net_link link; /* as it was */
	struct net_addrs addrs;
	int index; /* there */
	bool moved;
};

struct move {
	struct net_nl here, there;
	int here_fd, there_fd; /* the namespaces; there_fd -1: not there yet */
	struct device *v;
	size_t n;
};

static void move_done(struct move *mv)
{
	for (size_t i = 0; i < mv->n; i++)
		net_addrs_done(&mv->v[i].addrs);
	free(mv->v);
	net_nl_done(&mv->here);
	net_nl_done(&mv->there);
	bk_close(&mv->here_fd);
}

/* What the device is to be called there. */
static const char *name_there(const struct device *d)
{
	return d->m->name ? d->m->name : d->link.name;
}

/* A socket stays where it was opened: one is opened there, and the thread comes back. */
static int open_there(struct move *mv, int ns_fd, struct bk_err **err)
{
	struct stat here, there;
	int rc;

	if (fstat(mv->here_fd, &here) < 0 || fstat(ns_fd, &there) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of a network namespace");
	if (here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the devices are in that network namespace already");
	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter the network namespace");
	rc = net_nl_open(&mv->there, err);
	if (setns(mv->here_fd, CLONE_NEWNET) < 0 && rc == 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "come back to our own network namespace");
	mv->there_fd = ns_fd;
	return rc;
}

static int open_both(struct move *mv, int ns_fd, struct bk_err **err)
{
	int rc = net_nl_open(&mv->here, err);

	if (rc < 0 || ns_fd < 0)
		return rc;
	mv->here_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (mv->here_fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open our own network namespace");
	return open_there(mv, ns_fd, err);
}

/* ---- checks ------------------------------------------------------------------------------------------- */

/* 1: a device there has the name, 0: none. */
static int name_is_taken(struct move *mv, const char *name, struct bk_err **err)
{
	struct bk_err *e = NULL;
	struct net_link l;
	int rc = net_link_get(&mv->there, name, &l, &e);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&e);
		return 0;
	}
	bk_err_move(err, e);
	return rc < 0 ? rc : 1;
}

static int check_twice(const struct move *mv, size_t i, struct bk_err **err)
{
	const struct device *d = &mv->v[i];

	for (size_t k = 0; k < i; k++) {
		if (mv->v[k].link.index == d->link.index)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "it is the same device as '%s'",
					  mv->v[k].m->device);
		if (!bk_ifname_is_template(name_there(d)) &&
		    bk_streq(name_there(&mv->v[k]), name_there(d)))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "'%s' has the same name '%s' there", mv->v[k].m->device,
					  name_there(d));
	}
	return 0;
}

static int find_here(struct move *mv, struct device *d, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = net_link_get(&mv->here, d->m->device, &d->link, &e);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&e);
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "it does not exist");
	}
	bk_err_move(err, e);
	return rc;
}

static int check_one(struct move *mv, size_t i, struct bk_err **err)
{
	struct device *d = &mv->v[i];
	int rc = bk_ifname_check(d->m->device, err);

	if (rc == 0 && d->m->name)
		rc = bk_ifname_check_new(d->m->name, err);
	if (rc == 0)
		rc = find_here(mv, d, err);
	if (rc < 0)
		return rc;
	if (d->link.flags & IFF_LOOPBACK)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "a loopback device can't be moved");
	rc = check_twice(mv, i, err);
	if (rc < 0 || mv->there_fd < 0 || bk_ifname_is_template(name_there(d)))
		return rc;
	rc = name_is_taken(mv, name_there(d), err);
	return rc <= 0 ? rc
		       : bk_err_set(err, BK_ERR_CONFIG, 0,
				    "a device '%s' is in the network namespace already",
				    name_there(d));
}

static int prepare(struct move *mv, int ns_fd, const struct net_move *moves, size_t n,
		   struct bk_err **err)
{
	int rc;

	if (n > NET_MOVE_MAX)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "%zu devices are more than %zu", n,
				  NET_MOVE_MAX);
	rc = open_both(mv, ns_fd, err);
	if (rc < 0)
		return rc;
	mv->v = bk_calloc(n + 1, sizeof(*mv->v));
	mv->n = n;
	for (size_t i = 0; i < n; i++) {
		mv->v[i].m = &moves[i];
		rc = check_one(mv, i, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "network device '%s'", moves[i].device);
	}
	return 0;
}

int net_move_check(int ns_fd, const struct net_move *moves, size_t n, struct bk_err **err)
{
	bk_auto(move_done) struct move mv = { .here_fd = -1, .there_fd = -1 };

	return prepare(&mv, ns_fd, moves, n, err);
}

/* ---- moving ------------------------------------------------------------------------------------------- */

/*
 * An index that is free there, the device's own if it is. The kernel would choose one, too, but not say which,
 * and by its name a device can't be found that has got it from a template.
 */
static int free_index(struct move *mv, int first, int *ret, struct bk_err **err)
{
	for (int i = 0; i < INDEX_TRIES && first <= INT32_MAX - i; i++) {
		struct bk_err *e = NULL;
		struct net_link l;
		int rc = net_link_get_index(&mv->there, first + i, &l, &e);

		if (rc == -BK_ERR_NOT_FOUND) {
			bk_err_clear(&e);
			*ret = first + i;
			return 0;
		}
		bk_err_move(err, e);
		if (rc < 0)
			return rc;
	}
	return bk_err_set(err, BK_ERR_IO, ENOSPC, "find an index for the device");
}

static int add_all(struct net_nl *nl, const struct device *d, int index, const char *name,
		   struct bk_err **err)
{
	for (size_t i = 0; i < d->addrs.n; i++) {
		int rc = net_addr_add(nl, &d->addrs.v[i], index, d->link.name, name, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The move can fail when it has been done, at the name: whether it was is seen by what is here. */
static bool still_here(struct move *mv, const struct device *d)
{
	struct net_link l;

	return net_link_get_index(&mv->here, d->link.index, &l, NULL) == 0;
}

static int move_one(struct move *mv, struct device *d, struct bk_err **err)
{
	struct net_link now;
	int rc = net_addr_read(&mv->here, d->link.index, &d->addrs, err);

	if (rc == 0)
		rc = free_index(mv, d->link.index, &d->index, err);
	if (rc < 0)
		return rc;
	rc = net_link_move(&mv->here, d->link.index, mv->there_fd, d->index, name_there(d), err);
	d->moved = rc == 0 || !still_here(mv, d);
	if (rc < 0)
		return bk_err_wrap(err, rc, "move");
	rc = net_link_get_index(&mv->there, d->index, &now, err);
	if (rc == 0)
		rc = add_all(&mv->there, d, d->index, now.name, err);
	if (rc == 0) {
		rc = net_link_up(&mv->there, d->index, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "set up");
	}
	return rc;
}

static int move_back(struct move *mv, const struct device *d, struct bk_err **err)
{
	int rc = net_link_move(&mv->there, d->index, mv->here_fd, d->link.index, d->link.name, err);

	if (rc == 0)
		rc = add_all(&mv->here, d, d->link.index, d->link.name, err);
	if (rc == 0 && d->link.master)
		rc = net_link_set_master(&mv->here, d->link.index, d->link.master, err);
	if (rc == 0 && d->link.flags & IFF_UP)
		rc = net_link_up(&mv->here, d->link.index, err);
	return rc;
}

/* Hints of the first that stays there, or comes back without all that it had. */
static int undo(struct move *mv, int failure, struct bk_err **err)
{
	for (size_t i = mv->n; i-- > 0;) {
		char text[BK_ERR_MSG_MAX / 2];
		struct bk_err *e = NULL;

		if (!mv->v[i].moved || move_back(mv, &mv->v[i], &e) == 0)
			continue;
		failure = bk_err_hint(err, failure, "'%s' could not be moved back as it was: %s",
				      mv->v[i].link.name, bk_err_print(e, text, sizeof(text)));
		bk_err_clear(&e);
	}
	return failure;
}

static int move_some(struct move *mv, bool templates, struct bk_err **err)
{
	for (size_t i = 0; i < mv->n; i++) {
		struct device *d = &mv->v[i];
		int rc;

		if (bk_ifname_is_template(name_there(d)) != templates)
			continue;
		rc = move_one(mv, d, err);
		if (rc < 0)
			return undo(mv, bk_err_wrap(err, rc, "network device '%s'", d->m->device),
				    err);
	}
	return 0;
}

int net_move(int ns_fd, const struct net_move *moves, size_t n, struct bk_err **err)
{
	bk_auto(move_done) struct move mv = { .here_fd = -1, .there_fd = -1 };
	int rc = prepare(&mv, ns_fd, moves, n, err);

	/* templates last, or the kernel could give them a name that another is to have */
	if (rc == 0)
		rc = move_some(&mv, false, err);
	if (rc == 0)
		rc = move_some(&mv, true, err);
	return rc;
}
