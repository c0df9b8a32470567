/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of the namespace that a socket (net_nl.h) is in. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <net/if.h>

#include "net/net_nl.h"

struct net_link {
	int index;
	unsigned int flags;	/* IFF_* */
	uint32_t mtu;
	uint32_t master;	/* index of the bridge or the like that it is a port of; 0: none */
	char name[IFNAMSIZ];
};

/* By its name, or an alternative one. -BK_ERR_NOT_FOUND: there is none. */
int net_link_get(struct net_nl *nl, const char *name, struct net_link *ret, struct bk_err **err);
int net_link_get_index(struct net_nl *nl, int index, struct net_link *ret, struct bk_err **err);

/*
 * Moves a device into the network namespace ns_fd, where it gets the index new_index, which must be free there,
 * and the name, which may be a template ("eth%d"). The kernel takes it down, drops its addresses and routes and
 * takes it out of its master; MTU, hardware address, queues and alternative names stay. A name that is taken
 * can fail when the device has been moved already.
 */
int net_link_move(struct net_nl *nl, int index, int ns_fd, int new_index, const char *name,
		  struct bk_err **err);
/* Sets it up. */
int net_link_up(struct net_nl *nl, int index, struct bk_err **err);
/* Makes it a port of another device (a bridge). */
int net_link_set_master(struct net_nl *nl, int index, uint32_t master, struct bk_err **err);

/* Reads an RTM_NEWLINK; false where it is none, or malformed. */
bool net_link_parse(const struct nlmsghdr *n, struct net_link *ret);
/* The request of net_link_move. */
void net_link_move_msg(struct net_nl_msg *m, int index, int ns_fd, int new_index, const char *name);

#endif
