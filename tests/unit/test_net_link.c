/* SPDX-License-Identifier: Apache-2.0 */
#include "net_fixture.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "net/net_link.h"

static void test_parse(void **state)
{
	bk_autorecorded struct recorded r = recorded_load("link");
	struct net_link l;

	(void)state;
	assert_true(net_link_parse(recorded_first(&r), &l));
	assert_string_equal(l.name, "eth0");
	assert_int_equal(l.mtu, 1400);
	assert_int_equal(l.index, 3);
	assert_int_equal(l.master, 4);
	assert_true(l.flags & IFF_UP);
	assert_false(l.flags & IFF_LOOPBACK);
	recorded_first(&r)->nlmsg_type = RTM_NEWADDR;
	assert_false(net_link_parse(recorded_first(&r), &l));
}

/* Cut anywhere: either it is refused, or it had its name. */
static void test_cut(void **state)
{
	bk_autorecorded struct recorded whole = recorded_load("link");

	(void)state;
	for (size_t len = NLMSG_HDRLEN; len < whole.len; len++) {
		bk_autorecorded struct recorded r = recorded_cut(&whole, len);
		struct net_link l;

		if (net_link_parse(recorded_first(&r), &l))
			assert_string_equal(l.name, "eth0");
	}
}

static bool parse_named(int index, const char *name, size_t len)
{
	struct net_nl_msg m;
	struct ifinfomsg *ifi = net_nl_start(&m, RTM_NEWLINK, 0, sizeof(*ifi));
	struct net_link l;

	ifi->ifi_index = index;
	net_nl_put(&m, IFLA_IFNAME, name, len);
	return net_link_parse((const struct nlmsghdr *)(const void *)m.bytes, &l);
}

static void test_hostile(void **state)
{
	(void)state;
	assert_true(parse_named(1, "0123456789abcde", 16));
	assert_false(parse_named(1, "0123456789abcdef", 17));
	assert_false(parse_named(1, "eth0", 4));
	assert_false(parse_named(0, "eth0", 5));
	assert_false(parse_named(-1, "eth0", 5));
}

static void test_move_msg(void **state)
{
	static const unsigned char want[] = {
		60, 0, 0,  0, 16, 0, 1, 0, 0,	0, 0, 0, 0,   0,   0,	0,   /* RTM_NEWLINK, NLM_F_REQUEST */
		0,  0, 0,  0, 5,  0, 0, 0, 0,	0, 0, 0, 0,   0,   0,	0,   /* index 5 */
		8,  0, 28, 0, 9,  0, 0, 0, 8,	0, 49, 0, 7, 0,   0,	0,   /* NET_NS_FD 9, NEW_IFINDEX 7 */
		10, 0, 3,  0, 'e', 't', 'h', '%', 'd', 0, 0, 0,		    /* IFNAME */
	};
	struct net_nl_msg m;

	(void)state;
	net_link_move_msg(&m, 5, 9, 7, "eth%d");
	assert_int_equal(net_nl_len(&m), sizeof(want));
	assert_memory_equal(m.bytes, want, sizeof(want));
}

BK_TEST_MAIN(cmocka_unit_test(test_parse), cmocka_unit_test(test_cut), cmocka_unit_test(test_hostile),
	     cmocka_unit_test(test_move_msg))
