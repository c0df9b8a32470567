/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the kernel's rtnetlink over libmnl: build one, do it (and wait for its acknowledgement), or
 * dump (and look at each answer). A socket stays in the network namespace in which it was opened.
 *
 *	struct net_nl_msg m;
 *	struct ifinfomsg *ifi = net_nl_start(&m, RTM_NEWLINK, 0, sizeof(*ifi));
 *
 *	ifi->ifi_index = 5;
 *	net_nl_put(&m, IFLA_IFNAME, "eth1", 5);
 *	rc = net_nl_do(&nl, &m, NULL, NULL, err);
 *
 * What the kernel sends is not trusted to be well-formed: every length is checked against the bytes that
 * were received. Errors carry the kernel's errno and, where it gave one, its own words (extended ack).
 */
#ifndef NET_NL_H
#define NET_NL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"

#define NET_NL_MSG_MAX	((size_t)1024)		/* bytes of a request */
#define NET_NL_RECV_MAX ((size_t)64 << 10)	/* bytes of one datagram of answers */
#define NET_NL_TIMEOUT_MS 30000			/* for the kernel to answer */

struct mnl_socket;

struct net_nl {
	struct mnl_socket *sock; /* NULL: not open */
	unsigned int portid;
	unsigned int seq;
};

struct net_nl_msg {
	_Alignas(8) char bytes[NET_NL_MSG_MAX];
	bool overflow;	/* an attribute did not fit: net_nl_do refuses it */
};

/* Opens a socket in the network namespace of the calling thread. */
int net_nl_open(struct net_nl *ret, struct bk_err **err);
void net_nl_done(struct net_nl *nl);
#define bk_autonl bk_auto(net_nl_done)

/* Begins a request with NLM_F_REQUEST and flags; returns its zeroed header of the family, of `size` bytes. */
void *net_nl_start(struct net_nl_msg *m, uint16_t type, uint16_t flags, size_t size);
/* Adds an attribute. */
void net_nl_put(struct net_nl_msg *m, uint16_t type, const void *data, size_t len);
void net_nl_put_u32(struct net_nl_msg *m, uint16_t type, uint32_t value);
void net_nl_put_str(struct net_nl_msg *m, uint16_t type, const char *s);
/* Bytes of it so far. */
size_t net_nl_len(const struct net_nl_msg *m);

/*
 * Sees one message of an answer: n->nlmsg_len bytes can be read at n. Returns 0, or -kind to end it.
 */
typedef int (*net_nl_fn)(const struct nlmsghdr *n, void *data, struct bk_err **err);

/*
 * Sends it, hands the messages that answer it to fn (NULL: none is of interest), and returns when the kernel
 * says that it is done. An error of the kernel is -BK_ERR_IO (-BK_ERR_NOT_FOUND for ENODEV) with its errno;
 * EINTR is a dump that changed under way, to be made again.
 */
int net_nl_do(struct net_nl *nl, struct net_nl_msg *m, net_nl_fn fn, void *data, struct bk_err **err);

/* What follows works on bytes alone. */

/*
 * Walks over one datagram (4-aligned) of answers to the request seq of portid, as net_nl_do does;
 * *ret_done: that was the end of the answers.
 */
int net_nl_walk(const void *bytes, size_t len, unsigned int seq, unsigned int portid, net_nl_fn fn,
		void *data, bool *ret_done, struct bk_err **err);

/*
 * The attributes of a message behind the family's header of `header` bytes: tb[type] for types <= max, the last
 * one of each; NULL where there is none. False where a length does not fit.
 */
bool net_nl_attrs(const struct nlmsghdr *n, size_t header, const struct nlattr **tb, unsigned int max);
/* The payload of an attribute if it is there with just this length, else NULL. */
const void *net_nl_fixed(const struct nlattr *a, size_t len);
/* A string attribute, NUL-terminated and shorter than size: copied to buf. False: absent, or not so. */
bool net_nl_string(const struct nlattr *a, char *buf, size_t size);

#endif
