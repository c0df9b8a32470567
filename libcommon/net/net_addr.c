/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net_addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

#define FOREVER	   0xffffffffU /* a lifetime in struct ifa_cacheinfo */
#define DUMP_TRIES 5
#define IFA_PROTO_ 11 /* kernel 5.18; older headers don't have it, and older kernels pass over it */
/* what whoever adds an address may ask for; the others are the kernel's to set */
#define FLAGS_KEPT                                                                      \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | \
	 IFA_F_MCAUTOJOIN)

void net_addrs_done(struct net_addrs *a)
{
	free(a->v);
	*a = (struct net_addrs){ 0 };
}

static uint8_t bytes_of(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

/* Absent, or with the family's length. */
static bool take_bytes(const struct nlattr *a, uint8_t family, struct net_addr_bytes *ret)
{
	const void *p;

	if (!a)
		return true;
	p = net_nl_fixed(a, bytes_of(family));
	if (!p)
		return false;
	ret->len = bytes_of(family);
	memcpy(ret->v, p, ret->len);
	return true;
}

static void take_u32(const struct nlattr *a, uint32_t *ret)
{
	const void *p = net_nl_fixed(a, sizeof(*ret));

	if (p)
		memcpy(ret, p, sizeof(*ret));
}

bool net_addr_parse(const struct nlmsghdr *n, struct net_addr *ret)
{
	const struct nlattr *tb[IFA_PROTO_ + 1];
	const struct ifaddrmsg *ifa;
	struct net_addr a = { 0 };
	const uint8_t *proto;
	const void *cache;

	if (n->nlmsg_type != RTM_NEWADDR || !net_nl_attrs(n, sizeof(*ifa), tb, IFA_PROTO_))
		return false;
	ifa = NLMSG_DATA(n);
	if ((ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6) || ifa->ifa_index == 0 ||
	    ifa->ifa_index > INT32_MAX || ifa->ifa_prefixlen > 8 * bytes_of(ifa->ifa_family))
		return false;
	a.family = ifa->ifa_family;
	a.prefix = ifa->ifa_prefixlen;
	a.scope = ifa->ifa_scope;
	a.index = (int)ifa->ifa_index;
	a.flags = ifa->ifa_flags;
	if (!take_bytes(tb[IFA_ADDRESS], a.family, &a.address) ||
	    !take_bytes(tb[IFA_LOCAL], a.family, &a.local) ||
	    !take_bytes(tb[IFA_BROADCAST], a.family, &a.broadcast) ||
	    (!a.address.len && !a.local.len))
		return false;
	if (tb[IFA_LABEL] && !net_nl_string(tb[IFA_LABEL], a.label, sizeof(a.label)))
		return false;
	take_u32(tb[IFA_FLAGS], &a.flags);
	take_u32(tb[IFA_RT_PRIORITY], &a.metric);
	proto = net_nl_fixed(tb[IFA_PROTO_], sizeof(*proto));
	if (proto)
		a.proto = *proto;
	cache = net_nl_fixed(tb[IFA_CACHEINFO], sizeof(struct ifa_cacheinfo));
	if (cache) {
		struct ifa_cacheinfo ci;

		memcpy(&ci, cache, sizeof(ci));
		a.deprecated = ci.ifa_prefered == 0;
	}
	*ret = a;
	return true;
}

bool net_addr_moves(const struct net_addr *a)
{
	return (a->flags & IFA_F_PERMANENT) && a->scope == RT_SCOPE_UNIVERSE;
}

struct reading {
	struct net_addrs addrs;
	int index;
};

static int take_addr(const struct nlmsghdr *n, void *data, struct bk_err **err)
{
	struct reading *r = data;
	struct net_addr a;

	if (n->nlmsg_type != RTM_NEWADDR || !net_addr_parse(n, &a) || a.index != r->index ||
	    !net_addr_moves(&a))
		return 0;
	if (r->addrs.n == NET_ADDR_MAX)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "it has more than %zu addresses",
				  NET_ADDR_MAX);
	/* capacities are powers of two */
	if ((r->addrs.n & (r->addrs.n - 1)) == 0)
		r->addrs.v = bk_reallocarray(r->addrs.v, r->addrs.n ? 2 * r->addrs.n : 1,
					     sizeof(*r->addrs.v));
	r->addrs.v[r->addrs.n++] = a;
	return 0;
}

/* The kernel lists IPv6 addresses from the newest, and IPv4 ones from the oldest. */
static void put_in_order(struct net_addrs *a)
{
	size_t first = 0, last = a->n;

	while (first < last && a->v[first].family != AF_INET6)
		first++;
	while (last > first && a->v[last - 1].family != AF_INET6)
		last--;
	for (; first + 1 < last; first++, last--) {
		struct net_addr t = a->v[first];

		a->v[first] = a->v[last - 1];
		a->v[last - 1] = t;
	}
}

int net_addr_read(struct net_nl *nl, int index, struct net_addrs *ret, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = 0;

	for (int i = 0; i < DUMP_TRIES; i++) {
		struct reading r = { .index = index };
		struct net_nl_msg m;

		bk_err_clear(&e);
		(void)net_nl_start(&m, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
		rc = net_nl_do(nl, &m, take_addr, &r, &e);
		if (rc == 0) {
			put_in_order(&r.addrs);
			*ret = r.addrs;
			return 0;
		}
		net_addrs_done(&r.addrs);
		if (bk_err_errno(e) != EINTR)
			break;
	}
	bk_err_move(err, e);
	return bk_err_wrap(err, rc, "read addresses");
}

static void put_bytes(struct net_nl_msg *m, uint16_t type, const struct net_addr_bytes *b)
{
	if (b->len)
		net_nl_put(m, type, b->v, b->len);
}

/* "eth0:web" of eth0 becomes "data0:web" of data0; what can't, gets the kernel's default, the name. */
static void put_label(struct net_nl_msg *m, const char *label, const char *old_name,
		      const char *name)
{
	const char *rest = bk_skip_prefix(label, old_name);
	bk_autofree char *text = NULL;

	if (!*label || !rest)
		return;
	text = bk_asprintf("%s%s", name, rest);
	if (strlen(text) < IFNAMSIZ)
		net_nl_put_str(m, IFA_LABEL, text);
}

void net_addr_add_msg(struct net_nl_msg *m, const struct net_addr *a, int index,
		      const char *old_name, const char *name)
{
	struct ifaddrmsg *ifa = net_nl_start(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
					     sizeof(*ifa));

	ifa->ifa_family = a->family;
	ifa->ifa_prefixlen = a->prefix;
	ifa->ifa_scope = a->scope;
	ifa->ifa_index = (uint32_t)index;
	ifa->ifa_flags = (uint8_t)(a->flags & FLAGS_KEPT);
	net_nl_put_u32(m, IFA_FLAGS, a->flags & FLAGS_KEPT);
	put_bytes(m, IFA_ADDRESS, &a->address);
	put_bytes(m, IFA_LOCAL, &a->local);
	put_bytes(m, IFA_BROADCAST, &a->broadcast);
	put_label(m, a->label, old_name, name);
	if (a->metric)
		net_nl_put_u32(m, IFA_RT_PRIORITY, a->metric);
	if (a->proto)
		net_nl_put(m, IFA_PROTO_, &a->proto, sizeof(a->proto));
	if (a->deprecated) {
		const struct ifa_cacheinfo ci = { .ifa_prefered = 0, .ifa_valid = FOREVER };

		net_nl_put(m, IFA_CACHEINFO, &ci, sizeof(ci));
	}
}

int net_addr_add(struct net_nl *nl, const struct net_addr *a, int index, const char *old_name,
		 const char *name, struct bk_err **err)
{
	char text[INET6_ADDRSTRLEN + 8];
	struct net_nl_msg m;
	int rc;

	net_addr_add_msg(&m, a, index, old_name, name);
	rc = net_nl_do(nl, &m, NULL, NULL, err);
	return rc < 0 ? bk_err_wrap(err, rc, "add address '%s'",
				    net_addr_print(a, text, sizeof(text)))
		      : 0;
}

const char *net_addr_print(const struct net_addr *a, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	const struct net_addr_bytes *b = a->local.len ? &a->local : &a->address;

	snprintf(buf, size, "%s/%u", inet_ntop(a->family, b->v, text, sizeof(text)), a->prefix);
	return buf;
}
