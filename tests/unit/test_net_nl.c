/* SPDX-License-Identifier: Apache-2.0 */
#include "net_fixture.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

static int count(const struct nlmsghdr *n, void *data, struct bk_err **err)
{
	(void)n;
	(void)err;
	++*(int *)data;
	return 0;
}

static int walk(const struct recorded *r, int *ret_n, bool *ret_done, struct bk_err **err)
{
	*ret_n = 0;
	return net_nl_walk(r->bytes, r->len, REC_SEQ, REC_PORT, count, ret_n, ret_done, err);
}

static void test_recorded(void **state)
{
	bk_autorecorded struct recorded link = recorded_load("link");
	bk_autorecorded struct recorded addrs = recorded_load("addrs");
	bk_autorecorded struct recorded ack = recorded_load("ack");
	struct bk_err *err = NULL;
	bool done;
	int n;

	(void)state;
	assert_ok(walk(&link, &n, &done, &err), &err);
	assert_int_equal(n, 1);
	assert_false(done);
	assert_ok(walk(&addrs, &n, &done, &err), &err);
	assert_true(n > 8);
	assert_false(done);
	assert_ok(walk(&ack, &n, &done, &err), &err);
	assert_int_equal(n, 0);
	assert_true(done);
}

static void test_kernel_errors(void **state)
{
	bk_autorecorded struct recorded none = recorded_load("link-none");
	bk_autorecorded struct recorded lo = recorded_load("move-lo");
	bk_autorecorded struct recorded words = recorded_load("bad-name");
	struct bk_err *err = NULL;
	bool done;
	int n;

	(void)state;
	assert_err(walk(&none, &n, &done, &err), &err, BK_ERR_NOT_FOUND, "No such device");
	assert_true(done);
	/* with and without the kernel's own words */
	assert_err(walk(&lo, &n, &done, &err), &err, BK_ERR_IO, "The interface netns is immutable: Invalid");
	assert_err(walk(&words, &n, &done, &err), &err, BK_ERR_IO, "netlink request: Invalid argument");
}

/* What is not an answer to our request is nobody's. */
static void test_others(void **state)
{
	bk_autorecorded struct recorded none = recorded_load("link-none");
	struct bk_err *err = NULL;
	bool done;
	int n = 0;

	(void)state;
	assert_ok(net_nl_walk(none.bytes, none.len, REC_SEQ + 1, REC_PORT, count, &n, &done, &err), &err);
	assert_false(done);
	assert_ok(net_nl_walk(none.bytes, none.len, REC_SEQ, REC_PORT + 1, count, &n, &done, &err), &err);
	assert_false(done);
	assert_int_equal(n, 0);
}

/* A datagram that ends anywhere is an error or stops before what is not whole; nothing is read behind it. */
static void test_cut_datagrams(void **state)
{
	static const char *const names[] = { "link", "addrs", "move-lo", "link-none", "ack" };

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(names); i++) {
		bk_autorecorded struct recorded whole = recorded_load(names[i]);

		for (size_t len = 0; len < whole.len; len++) {
			bk_autorecorded struct recorded r = { bk_memdup(whole.bytes, len), len };
			struct bk_err *err = NULL;
			bool done;
			int n;

			if (walk(&r, &n, &done, &err) < 0)
				bk_err_clear(&err);
			else if (strcmp(names[i], "addrs") != 0)
				assert_int_equal(len, 0);
		}
	}
}

static void test_hostile_lengths(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 15, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
	bk_autorecorded struct recorded r = recorded_load("link");
	struct bk_err *err = NULL;
	bool done;
	int n;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(lengths); i++) {
		memcpy(r.bytes, &lengths[i], sizeof(lengths[i]));
		assert_err(walk(&r, &n, &done, &err), &err, BK_ERR_INTERNAL, "malformed");
	}
	assert_err(net_nl_walk(r.bytes, NET_NL_RECV_MAX + 1, REC_SEQ, REC_PORT, count, &n, &done, &err), &err,
		   BK_ERR_INTERNAL, "malformed");
}

/* An error that repeats a request longer than itself has no words behind it. */
static void test_hostile_ack(void **state)
{
	static const uint32_t lengths[] = { 0, 15, 16, 17, 1000, 0x7fffffff, 0xffffffff };
	bk_autorecorded struct recorded r = recorded_load("move-lo");
	struct nlmsghdr *n = recorded_first(&r);
	struct nlmsgerr *e = NLMSG_DATA(n);
	struct bk_err *err = NULL;
	bool done;
	int seen;

	(void)state;
	n->nlmsg_flags &= (uint16_t)~NLM_F_CAPPED;
	for (size_t i = 0; i < BK_ARRAY_SIZE(lengths); i++) {
		e->msg.nlmsg_len = lengths[i];
		assert_err(walk(&r, &seen, &done, &err), &err, BK_ERR_IO, "Invalid argument");
	}
	e->error = 1;
	assert_err(walk(&r, &seen, &done, &err), &err, BK_ERR_INTERNAL, "malformed");
	e->error = INT32_MIN;
	assert_err(walk(&r, &seen, &done, &err), &err, BK_ERR_INTERNAL, "malformed");
}

static void test_interrupted(void **state)
{
	bk_autorecorded struct recorded r = recorded_load("addrs");
	struct bk_err *err = NULL;
	bool done;
	int n;

	(void)state;
	recorded_first(&r)->nlmsg_flags |= NLM_F_DUMP_INTR;
	assert_int_equal(walk(&r, &n, &done, &err), -BK_ERR_IO);
	assert_int_equal(bk_err_errno(err), EINTR);
	bk_err_clear(&err);
}

/* Attributes: every length that the last, or the first, can claim. */
static void test_attrs(void **state)
{
	const struct nlattr *tb[IFLA_MASTER + 1];
	bk_autorecorded struct recorded whole = recorded_load("link");
	struct nlattr *a = (struct nlattr *)(void *)(whole.bytes + NLMSG_HDRLEN + sizeof(struct ifinfomsg));

	(void)state;
	assert_true(net_nl_attrs(recorded_first(&whole), sizeof(struct ifinfomsg), tb, IFLA_MASTER));
	assert_non_null(tb[IFLA_IFNAME]);
	assert_null(net_nl_fixed(tb[IFLA_IFNAME], 4));
	assert_non_null(net_nl_fixed(tb[IFLA_MTU], 4));
	assert_null(net_nl_fixed(NULL, 4));
	for (uint32_t len = 0; len <= UINT16_MAX; len++) {
		a->nla_len = (uint16_t)len;
		if (net_nl_attrs(recorded_first(&whole), sizeof(struct ifinfomsg), tb, IFLA_MASTER))
			assert_true(len >= sizeof(*a) && len <= whole.len);
	}
	for (size_t len = NLMSG_HDRLEN; len < 200; len++) {
		bk_autorecorded struct recorded r = recorded_cut(&whole, len);

		(void)net_nl_attrs(recorded_first(&r), sizeof(struct ifinfomsg), tb, IFLA_MASTER);
		assert_int_equal(net_nl_attrs(recorded_first(&r), len, tb, IFLA_MASTER), false);
	}
}

static void test_strings(void **state)
{
	struct {
		struct nlattr a;
		char text[8];
	} s = { .a = { .nla_len = sizeof(struct nlattr) + 5 }, .text = "abcd" };
	char buf[5] = "";

	(void)state;
	assert_true(net_nl_string(&s.a, buf, sizeof(buf)));
	assert_string_equal(buf, "abcd");
	assert_false(net_nl_string(&s.a, buf, 4));
	s.a.nla_len--; /* the NUL is not part of it any more */
	assert_false(net_nl_string(&s.a, buf, sizeof(buf)));
	s.a.nla_len = sizeof(struct nlattr);
	assert_false(net_nl_string(&s.a, buf, sizeof(buf)));
	assert_false(net_nl_string(NULL, buf, sizeof(buf)));
}

static void test_building(void **state)
{
	static const unsigned char want[] = {
		40, 0, 0, 0, 16, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0,     /* RTM_NEWLINK, REQUEST | 0x200 */
		9,  0, 3, 0, 'e', 't', 'h', '1', 0, 0, 0, 0,	     /* a string with its NUL, padded */
		8,  0, 4, 0, 0x78, 0x56, 0x34, 0x12, 4, 0, 5, 0, /* a number; one without a payload */
	};
	struct net_nl_msg m;

	(void)state;
	assert_non_null(net_nl_start(&m, RTM_NEWLINK, 0x200, 0));
	net_nl_put_str(&m, 3, "eth1");
	net_nl_put_u32(&m, 4, 0x12345678);
	net_nl_put(&m, 5, "", 0);
	assert_false(m.overflow);
	assert_int_equal(net_nl_len(&m), sizeof(want));
	assert_memory_equal(m.bytes, want, sizeof(want));
}

static void test_building_overflow(void **state)
{
	static const char big[NET_NL_MSG_MAX + 1];
	struct bk_err *err = NULL;
	struct net_nl nl = { 0 };
	struct net_nl_msg m;

	(void)state;
	(void)net_nl_start(&m, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	net_nl_put(&m, 1, big, NET_NL_MSG_MAX - NLMSG_HDRLEN - sizeof(struct ifinfomsg) - 4);
	assert_false(m.overflow);
	net_nl_put(&m, 1, big, 0);
	assert_true(m.overflow);
	assert_err(net_nl_do(&nl, &m, NULL, NULL, &err), &err, BK_ERR_INTERNAL, "larger than 1024");
	(void)net_nl_start(&m, RTM_NEWLINK, 0, 0);
	assert_false(m.overflow);
	net_nl_put(&m, 1, big, sizeof(big));
	assert_true(m.overflow);
}

BK_TEST_MAIN(cmocka_unit_test(test_recorded), cmocka_unit_test(test_kernel_errors),
	     cmocka_unit_test(test_others), cmocka_unit_test(test_cut_datagrams),
	     cmocka_unit_test(test_hostile_lengths), cmocka_unit_test(test_hostile_ack),
	     cmocka_unit_test(test_interrupted), cmocka_unit_test(test_attrs),
	     cmocka_unit_test(test_strings), cmocka_unit_test(test_building),
	     cmocka_unit_test(test_building_overflow))
