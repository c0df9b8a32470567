/* SPDX-License-Identifier: Apache-2.0 */
#include "net_fixture.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "net/net_addr.h"

struct list {
	struct net_addr v[32];
	size_t n;
};

static int take(const struct nlmsghdr *n, void *data, struct bk_err **err)
{
	struct list *l = data;

	(void)err;
	assert_true(l->n < BK_ARRAY_SIZE(l->v));
	assert_true(net_addr_parse(n, &l->v[l->n]));
	if (l->v[l->n].index == 3 && net_addr_moves(&l->v[l->n]))
		l->n++;
	return 0;
}

static void load(struct list *l)
{
	bk_autorecorded struct recorded r = recorded_load("addrs");
	struct bk_err *err = NULL;
	bool done;

	assert_ok(net_nl_walk(r.bytes, r.len, REC_SEQ, REC_PORT, take, l, &done, &err), &err);
}

static const struct net_addr *find(const struct list *l, const char *text)
{
	char buf[64];

	for (size_t i = 0; i < l->n; i++)
		if (strcmp(net_addr_print(&l->v[i], buf, sizeof(buf)), text) == 0)
			return &l->v[i];
	fail_msg("no address %s", text);
	return NULL;
}

/* What the recording machine had, but for an address with a lifetime and the one of link scope. */
static void test_recorded(void **state)
{
	struct list l = { 0 };
	const struct net_addr *a;

	(void)state;
	load(&l);
	assert_int_equal(l.n, 6);
	a = find(&l, "10.1.0.1/24");
	assert_string_equal(a->label, "eth0:web");
	assert_int_equal(a->family, AF_INET);
	assert_int_equal(a->broadcast.len, 4);
	assert_int_equal(a->broadcast.v[3], 255);
	a = find(&l, "10.2.0.1/32");
	assert_int_equal(a->metric, 77);
	assert_int_equal(a->address.v[3], 2);
	assert_int_equal(a->local.v[3], 1);
	a = find(&l, "fd00::1/64");
	assert_true(a->flags & IFA_F_NODAD);
	assert_false(a->deprecated);
	assert_true(find(&l, "fd00::2/64")->deprecated);
	a = find(&l, "fd01::1/128");
	assert_int_equal(a->address.v[15], 2);
}

static void test_which_move(void **state)
{
	struct net_addr a = { .flags = IFA_F_PERMANENT, .scope = RT_SCOPE_UNIVERSE };

	(void)state;
	assert_true(net_addr_moves(&a));
	a.scope = RT_SCOPE_LINK;
	assert_false(net_addr_moves(&a));
	a = (struct net_addr){ .flags = IFA_F_NODAD, .scope = RT_SCOPE_UNIVERSE };
	assert_false(net_addr_moves(&a));
}

static bool same_bytes(const struct net_addr_bytes *a, const struct net_addr_bytes *b)
{
	return a->len == b->len && memcmp(a->v, b->v, a->len) == 0;
}

/* What is added is what was read, with the index and label of the new device. */
static void test_round_trip(void **state)
{
	struct list l = { 0 };

	(void)state;
	load(&l);
	for (size_t i = 0; i < l.n; i++) {
		const struct net_addr *a = &l.v[i];
		struct net_addr b;
		struct net_nl_msg m;

		net_addr_add_msg(&m, a, 77, "eth0", "data0");
		assert_false(m.overflow);
		assert_true(net_addr_parse((const struct nlmsghdr *)(const void *)m.bytes, &b));
		assert_int_equal(b.index, 77);
		assert_int_equal(b.family, a->family);
		assert_int_equal(b.prefix, a->prefix);
		assert_int_equal(b.scope, a->scope);
		assert_int_equal(b.metric, a->metric);
		assert_int_equal(b.proto, a->proto);
		assert_int_equal(b.deprecated, a->deprecated);
		assert_int_equal(b.flags, a->flags & IFA_F_NODAD);
		assert_true(same_bytes(&a->address, &b.address));
		assert_true(same_bytes(&a->local, &b.local));
		assert_true(same_bytes(&a->broadcast, &b.broadcast));
		if (a->family == AF_INET)
			assert_int_equal(strncmp(b.label, "data0", 5), 0);
	}
}

static void label_is(const char *label, const char *old_name, const char *name, const char *want)
{
	struct net_addr a = { .family = AF_INET, .local = { .len = 4 } };
	struct net_addr b;
	struct net_nl_msg m;

	memcpy(a.label, label, strlen(label) + 1);
	net_addr_add_msg(&m, &a, 1, old_name, name);
	assert_true(net_addr_parse((const struct nlmsghdr *)(const void *)m.bytes, &b));
	assert_string_equal(b.label, want);
}

static void test_labels(void **state)
{
	(void)state;
	label_is("eth0:web", "eth0", "data0", "data0:web");
	label_is("eth0", "eth0", "data0", "data0");
	label_is("", "eth0", "data0", "");
	/* the kernel's default, the name, where it would become too long, or was another's */
	label_is("eth0:0123456789", "eth0", "data012345678", "");
	label_is("other:web", "eth0", "data0", "");
}

static bool parses(uint8_t family, uint8_t prefix, uint32_t index, uint16_t type, size_t len)
{
	static const uint8_t bytes[64];
	struct net_nl_msg m;
	struct ifaddrmsg *ifa = net_nl_start(&m, RTM_NEWADDR, 0, sizeof(*ifa));
	struct net_addr a;

	ifa->ifa_family = family;
	ifa->ifa_prefixlen = prefix;
	ifa->ifa_index = index;
	net_nl_put(&m, type, bytes, len);
	return net_addr_parse((const struct nlmsghdr *)(const void *)m.bytes, &a);
}

static void test_hostile(void **state)
{
	(void)state;
	assert_true(parses(AF_INET, 32, 1, IFA_LOCAL, 4));
	assert_true(parses(AF_INET6, 128, 1, IFA_ADDRESS, 16));
	assert_false(parses(AF_INET, 33, 1, IFA_LOCAL, 4));
	assert_false(parses(AF_INET6, 129, 1, IFA_ADDRESS, 16));
	assert_false(parses(AF_INET, 24, 0, IFA_LOCAL, 4));
	assert_false(parses(AF_INET, 24, 0x80000000, IFA_LOCAL, 4));
	assert_false(parses(AF_UNIX, 24, 1, IFA_LOCAL, 4));
	for (size_t len = 0; len < 64; len++) {
		assert_int_equal(parses(AF_INET, 24, 1, IFA_LOCAL, len), len == 4);
		assert_int_equal(parses(AF_INET6, 64, 1, IFA_ADDRESS, len), len == 16);
		assert_false(parses(AF_INET, 24, 1, IFA_LABEL, len));
	}
}

static void test_cut(void **state)
{
	bk_autorecorded struct recorded whole = recorded_load("addrs");
	size_t first = recorded_first(&whole)->nlmsg_len;

	(void)state;
	for (size_t len = NLMSG_HDRLEN; len < first; len++) {
		bk_autorecorded struct recorded r = recorded_cut(&whole, len);
		struct net_addr a;

		(void)net_addr_parse(recorded_first(&r), &a);
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_recorded), cmocka_unit_test(test_which_move),
	     cmocka_unit_test(test_round_trip), cmocka_unit_test(test_labels),
	     cmocka_unit_test(test_hostile), cmocka_unit_test(test_cut))
