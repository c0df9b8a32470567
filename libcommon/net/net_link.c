/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net_link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

bool net_link_parse(const struct nlmsghdr *n, struct net_link *ret)
{
	const struct nlattr *tb[IFLA_MASTER + 1];
	const struct ifinfomsg *ifi;
	struct net_link l = { 0 };
	const void *p;

	if (n->nlmsg_type != RTM_NEWLINK || !net_nl_attrs(n, sizeof(*ifi), tb, IFLA_MASTER))
		return false;
	ifi = NLMSG_DATA(n);
	if (ifi->ifi_index <= 0 || !net_nl_string(tb[IFLA_IFNAME], l.name, sizeof(l.name)))
		return false;
	l.index = ifi->ifi_index;
	l.flags = ifi->ifi_flags;
	p = net_nl_fixed(tb[IFLA_MTU], sizeof(l.mtu));
	if (p)
		memcpy(&l.mtu, p, sizeof(l.mtu));
	p = net_nl_fixed(tb[IFLA_MASTER], sizeof(l.master));
	if (p)
		memcpy(&l.master, p, sizeof(l.master));
	*ret = l;
	return true;
}

static int take_link(const struct nlmsghdr *n, void *data, struct bk_err **err)
{
	if (n->nlmsg_type == RTM_NEWLINK && !net_link_parse(n, data))
		return bk_err_set(err, BK_ERR_INTERNAL, 0,
				  "the kernel's description of a device is malformed");
	return 0;
}

static int get(struct net_nl *nl, struct net_nl_msg *m, struct net_link *ret, struct bk_err **err)
{
	struct net_link l = { 0 };
	int rc = net_nl_do(nl, m, take_link, &l, err);

	if (rc < 0)
		return rc;
	if (!l.index)
		return bk_err_set(err, BK_ERR_INTERNAL, 0,
				  "the kernel does not describe the device");
	*ret = l;
	return 0;
}

int net_link_get(struct net_nl *nl, const char *name, struct net_link *ret, struct bk_err **err)
{
	struct net_nl_msg m;

	(void)net_nl_start(&m, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	net_nl_put_str(&m, IFLA_IFNAME, name);
	return get(nl, &m, ret, err);
}

int net_link_get_index(struct net_nl *nl, int index, struct net_link *ret, struct bk_err **err)
{
	struct net_nl_msg m;
	struct ifinfomsg *ifi = net_nl_start(&m, RTM_GETLINK, 0, sizeof(*ifi));

	ifi->ifi_index = index;
	return get(nl, &m, ret, err);
}

void net_link_move_msg(struct net_nl_msg *m, int index, int ns_fd, int new_index, const char *name)
{
	struct ifinfomsg *ifi = net_nl_start(m, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = index;
	net_nl_put_u32(m, IFLA_NET_NS_FD, (uint32_t)ns_fd);
	/* so that the device is known there whatever name a template yields (kernel 5.13) */
	net_nl_put_u32(m, IFLA_NEW_IFINDEX, (uint32_t)new_index);
	net_nl_put_str(m, IFLA_IFNAME, name);
}

int net_link_move(struct net_nl *nl, int index, int ns_fd, int new_index, const char *name,
		  struct bk_err **err)
{
	struct net_nl_msg m;

	net_link_move_msg(&m, index, ns_fd, new_index, name);
	return net_nl_do(nl, &m, NULL, NULL, err);
}

int net_link_up(struct net_nl *nl, int index, struct bk_err **err)
{
	struct net_nl_msg m;
	struct ifinfomsg *ifi = net_nl_start(&m, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = index;
	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return net_nl_do(nl, &m, NULL, NULL, err);
}

int net_link_set_master(struct net_nl *nl, int index, uint32_t master, struct bk_err **err)
{
	struct net_nl_msg m;
	struct ifinfomsg *ifi = net_nl_start(&m, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = index;
	net_nl_put_u32(&m, IFLA_MASTER, master);
	return net_nl_do(nl, &m, NULL, NULL, err);
}
