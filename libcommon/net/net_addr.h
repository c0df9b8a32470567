/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of network devices: those that are read from one device can be added to another, in whatever
 * namespace.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <net/if.h>

#include "base/bk_buf.h"
#include "net/net_nl.h"

#define NET_ADDR_BYTES	16		/* of an address: IPv6 */
#define NET_ADDR_MAX	((size_t)16384)	/* addresses kept of one device */

struct net_addr_bytes {
	uint8_t len;	/* 0: none */
	uint8_t v[NET_ADDR_BYTES];
};

struct net_addr {
	uint8_t family;	/* AF_INET or AF_INET6 */
	uint8_t prefix;
	uint8_t scope;	/* RT_SCOPE_* */
	uint8_t proto;	/* IFAPROT_*, 0: none */
	int index;	/* of the device */
	uint32_t flags;	/* IFA_F_* */
	uint32_t metric;	/* of its route; 0: the default */
	bool deprecated;	/* preferred for no time at all */
	struct net_addr_bytes address, local, broadcast;
	char label[IFNAMSIZ];	/* IPv4; "": none */
};

struct net_addrs {
	struct net_addr *v;
	size_t n;
};
void net_addrs_done(struct net_addrs *a);

/* The permanent addresses of global scope, of both families, in the order in which they can be added again. */
int net_addr_read(struct net_nl *nl, int index, struct net_addrs *ret, struct bk_err **err);
/*
 * Adds one to a device whose name is `name`, and was old_name when the address was read: the label of an IPv4
 * address begins with it.
 */
int net_addr_add(struct net_nl *nl, const struct net_addr *a, int index, const char *old_name,
		 const char *name, struct bk_err **err);
/* "10.0.0.1/24" */
const char *net_addr_print(const struct net_addr *a, char *buf, size_t size);

/* Reads an RTM_NEWADDR; false where it is none, or malformed, or of another family. */
bool net_addr_parse(const struct nlmsghdr *n, struct net_addr *ret);
/* Whether it moves with its device (config-linux.md "Network Devices"). */
bool net_addr_moves(const struct net_addr *a);
/* The request of net_addr_add. */
void net_addr_add_msg(struct net_nl_msg *m, const struct net_addr *a, int index, const char *old_name,
		      const char *name);

#endif
