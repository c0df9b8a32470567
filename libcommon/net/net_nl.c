/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net_nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"

#define EXT_ACK_MAX 256 /* bytes of the kernel's words that are shown */

static int no_socket(struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_IO, errno, "open a netlink socket");
}

int net_nl_open(struct net_nl *ret, struct bk_err **err)
{
	struct net_nl nl = { .sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC) };
	int on = 1;

	if (!nl.sock)
		return no_socket(err);
	if (mnl_socket_bind(nl.sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int rc = no_socket(err);

		net_nl_done(&nl);
		return rc;
	}
	/* words beside the errno, and the answer without our own request in it */
	(void)mnl_socket_setsockopt(nl.sock, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(nl.sock, NETLINK_CAP_ACK, &on, sizeof(on));
	nl.portid = mnl_socket_get_portid(nl.sock);
	*ret = nl;
	return 0;
}

void net_nl_done(struct net_nl *nl)
{
	if (nl->sock)
		(void)mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

/* ---- building ----------------------------------------------------------------------------------------- */

static struct nlmsghdr *header_of(struct net_nl_msg *m)
{
	return (struct nlmsghdr *)(void *)m->bytes;
}

void *net_nl_start(struct net_nl_msg *m, uint16_t type, uint16_t flags, size_t size)
{
	struct nlmsghdr *n;

	*m = (struct net_nl_msg){ 0 }; /* what pads attributes is sent, too */
	n = mnl_nlmsg_put_header(m->bytes);
	n->nlmsg_type = type;
	n->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(n, size);
}

void net_nl_put(struct net_nl_msg *m, uint16_t type, const void *data, size_t len)
{
	if (len > NET_NL_MSG_MAX ||
	    !mnl_attr_put_check(header_of(m), NET_NL_MSG_MAX, type, len, data))
		m->overflow = true;
}

void net_nl_put_u32(struct net_nl_msg *m, uint16_t type, uint32_t value)
{
	net_nl_put(m, type, &value, sizeof(value));
}

void net_nl_put_str(struct net_nl_msg *m, uint16_t type, const char *s)
{
	net_nl_put(m, type, s, strlen(s) + 1);
}

size_t net_nl_len(const struct net_nl_msg *m)
{
	return ((const struct nlmsghdr *)(const void *)m->bytes)->nlmsg_len;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

static int malformed(struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_INTERNAL, 0, "the kernel's netlink answer is malformed");
}

static void forget_attrs(const struct nlattr **tb, unsigned int max)
{
	for (unsigned int i = 0; i <= max; i++)
		tb[i] = NULL;
}

/* Attributes in len bytes at p. libmnl's own loop would trust the length rounded up to 4. */
static bool parse_attrs(const char *p, size_t len, const struct nlattr **tb, unsigned int max)
{
	while (len >= sizeof(struct nlattr)) {
		const struct nlattr *a = (const struct nlattr *)(const void *)p;
		size_t step;

		if (!mnl_attr_ok(a, (int)len))
			return false;
		if (mnl_attr_get_type(a) <= max)
			tb[mnl_attr_get_type(a)] = a;
		step = MNL_ALIGN(mnl_attr_get_len(a));
		if (step >= len)
			break;
		p += step;
		len -= step;
	}
	return true;
}

bool net_nl_attrs(const struct nlmsghdr *n, size_t header, const struct nlattr **tb,
		  unsigned int max)
{
	size_t skip = MNL_NLMSG_HDRLEN + MNL_ALIGN(header);

	forget_attrs(tb, max);
	if (n->nlmsg_len < MNL_NLMSG_HDRLEN + header || n->nlmsg_len > NET_NL_RECV_MAX)
		return false;
	if (n->nlmsg_len <= skip)
		return true;
	return parse_attrs((const char *)n + skip, n->nlmsg_len - skip, tb, max);
}

const void *net_nl_fixed(const struct nlattr *a, size_t len)
{
	return a && mnl_attr_get_payload_len(a) == len ? mnl_attr_get_payload(a) : NULL;
}

bool net_nl_string(const struct nlattr *a, char *buf, size_t size)
{
	size_t len;

	if (!a)
		return false;
	len = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	if (len == mnl_attr_get_payload_len(a) || len >= size)
		return false;
	memcpy(buf, mnl_attr_get_payload(a), len + 1);
	return true;
}

/* The kernel's words for an error, "" where it has none. They stand behind what of the request it repeats. */
static void words_of(const struct nlmsghdr *n, char *buf, size_t size)
{
	const struct nlattr *tb[NLMSGERR_ATTR_MSG + 1];
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(n);
	size_t header = sizeof(*e);

	buf[0] = '\0';
	if (!(n->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(n->nlmsg_flags & NLM_F_CAPPED)) {
		if (e->msg.nlmsg_len < MNL_NLMSG_HDRLEN || e->msg.nlmsg_len > NET_NL_RECV_MAX)
			return;
		header += e->msg.nlmsg_len - MNL_NLMSG_HDRLEN;
	}
	if (!net_nl_attrs(n, header, tb, NLMSGERR_ATTR_MSG) ||
	    !net_nl_string(tb[NLMSGERR_ATTR_MSG], buf, size))
		buf[0] = '\0';
}

static int kernel_error(int errnum, const char *words, struct bk_err **err)
{
	enum bk_err_kind kind = errnum == ENODEV ? BK_ERR_NOT_FOUND : BK_ERR_IO;

	return bk_err_set(err, kind, errnum, "%s", *words ? words : "netlink request");
}

/* NLMSG_ERROR: also the acknowledgement, with 0. */
static int read_ack(const struct nlmsghdr *n, struct bk_err **err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(n);
	char words[EXT_ACK_MAX];

	if (n->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*e))
		return malformed(err);
	if (e->error == 0)
		return 0;
	if (e->error > 0 || e->error < -4095)
		return malformed(err);
	words_of(n, words, sizeof(words));
	return kernel_error(-e->error, words, err);
}

/* NLMSG_DONE: its int is an error that came up during the dump. */
static int read_done(const struct nlmsghdr *n, struct bk_err **err)
{
	const int *e = mnl_nlmsg_get_payload(n);

	if (n->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*e) || *e >= 0)
		return 0;
	return *e < -4095 ? malformed(err) : kernel_error(-*e, "", err);
}

static int read_one(const struct nlmsghdr *n, net_nl_fn fn, void *data, bool *ret_done,
		    struct bk_err **err)
{
	if (n->nlmsg_flags & NLM_F_DUMP_INTR)
		return kernel_error(EINTR, "", err);
	switch (n->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_ERROR:
		*ret_done = true;
		return read_ack(n, err);
	case NLMSG_DONE:
		*ret_done = true;
		return read_done(n, err);
	case NLMSG_OVERRUN:
		return kernel_error(ENOBUFS, "", err);
	default:
		return fn ? fn(n, data, err) : 0;
	}
}

int net_nl_walk(const void *bytes, size_t len, unsigned int seq, unsigned int portid, net_nl_fn fn,
		void *data, bool *ret_done, struct bk_err **err)
{
	const char *p = bytes;

	*ret_done = false;
	if (len > NET_NL_RECV_MAX)
		return malformed(err);
	while (len >= sizeof(struct nlmsghdr) && !*ret_done) {
		const struct nlmsghdr *n = (const struct nlmsghdr *)(const void *)p;
		size_t step;

		/* mnl_nlmsg_ok would take a length of 2^31 and more for a negative one that fits */
		if (n->nlmsg_len < sizeof(*n) || n->nlmsg_len > len)
			return malformed(err);
		/* late answers to an earlier request are nobody's */
		if (n->nlmsg_seq == seq && n->nlmsg_pid == portid) {
			int rc = read_one(n, fn, data, ret_done, err);

			if (rc < 0)
				return rc;
		}
		step = MNL_ALIGN(n->nlmsg_len);
		if (step >= len)
			return 0;
		p += step;
		len -= step;
	}
	return len && !*ret_done ? malformed(err) : 0;
}

/* ---- doing -------------------------------------------------------------------------------------------- */

static int receive(struct net_nl *nl, char *buf, size_t *ret_len, struct bk_err **err)
{
	int ready = bk_fd_wait(mnl_socket_get_fd(nl->sock), POLLIN, NET_NL_TIMEOUT_MS);
	ssize_t n;

	if (ready == 0)
		return bk_err_set(err, BK_ERR_IO, ETIMEDOUT,
				  "wait for the kernel's netlink answer");
	if (ready < 0)
		return bk_err_set(err, BK_ERR_IO, -ready, "wait for the kernel's netlink answer");
	do {
		n = mnl_socket_recvfrom(nl->sock, buf, NET_NL_RECV_MAX);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "receive the kernel's netlink answer");
	*ret_len = (size_t)n;
	return 0;
}

int net_nl_do(struct net_nl *nl, struct net_nl_msg *m, net_nl_fn fn, void *data,
	      struct bk_err **err)
{
	bk_autofree char *buf = NULL;
	struct nlmsghdr *n = header_of(m);
	bool done = false;

	if (m->overflow)
		return bk_err_set(err, BK_ERR_INTERNAL, 0,
				  "a netlink request is larger than %zu bytes", NET_NL_MSG_MAX);
	n->nlmsg_flags |= NLM_F_ACK;
	n->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, n, n->nlmsg_len) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "send a netlink request");
	buf = bk_malloc(NET_NL_RECV_MAX);
	while (!done) {
		size_t len = 0;
		int rc = receive(nl, buf, &len, err);

		if (rc == 0)
			rc = net_nl_walk(buf, len, nl->seq, nl->portid, fn, data, &done, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
