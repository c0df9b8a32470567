/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram from the kernel: what is read from it as an address can be written, and reads the same again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "net/net_addr.h"
#include "net/net_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_addr(const struct net_addr *a)
{
	struct net_nl_msg m;
	struct net_addr b;

	net_addr_add_msg(&m, a, a->index, "eth0", "eth0");
	must(!m.overflow);
	must(net_addr_parse((const struct nlmsghdr *)(const void *)m.bytes, &b));
	must(a->family == b.family && a->prefix == b.prefix && a->index == b.index);
	must(memcmp(&a->local, &b.local, sizeof(a->local)) == 0);
	must(memcmp(&a->address, &b.address, sizeof(a->address)) == 0);
}

static int one(const struct nlmsghdr *n, void *data, struct bk_err **err)
{
	struct net_link link;
	struct net_addr addr;
	char text[64];

	(void)data;
	(void)err;
	if (net_link_parse(n, &link))
		must(link.index > 0 && strnlen(link.name, sizeof(link.name)) < sizeof(link.name));
	if (net_addr_parse(n, &addr)) {
		(void)net_addr_print(&addr, text, sizeof(text));
		check_addr(&addr);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* as aligned as a buffer of malloc, and no longer than the input */
	bk_autofree uint8_t *copy = bk_memdup(data, size);
	struct nlmsghdr first = { 0 };
	struct bk_err *err = NULL;
	bool done;

	memcpy(&first, data, size < sizeof(first) ? size : sizeof(first));
	if (net_nl_walk(copy, size, first.nlmsg_seq, first.nlmsg_pid, one, NULL, &done, &err) < 0)
		bk_err_clear(&err);
	return 0;
}
