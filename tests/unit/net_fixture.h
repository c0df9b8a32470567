/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of a kernel, recorded in tests/unit/data/netlink (requests with the sequence number 7 from port 4242), and
 * messages in a buffer that ends where they end, so that ASan sees a read behind it.
 */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

#include "bk_test.h"

#include <fcntl.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "net/net_nl.h"

#define REC_SEQ	 7
#define REC_PORT 4242

struct recorded {
	char *bytes;
	size_t len;
};

static inline void recorded_done(struct recorded *r)
{
	free(r->bytes);
}
#define bk_autorecorded bk_auto(recorded_done)

static inline struct recorded recorded_load(const char *name)
{
	const char *top = getenv("BOCK_SRCDIR");
	bk_autofree char *path = bk_asprintf("%s/tests/unit/data/netlink/%s.bin", top ? top : ".", name);
	bk_autobuf struct bk_buf b = BK_BUF_INIT(NET_NL_RECV_MAX);
	struct bk_err *err = NULL;
	struct recorded r;

	assert_ok(bk_file_read(AT_FDCWD, path, &b, &err), &err);
	r.len = b.len;
	r.bytes = bk_memdup(b.data, b.len);
	return r;
}

/* The first len bytes, with the length of the first message set to them. */
static inline struct recorded recorded_cut(const struct recorded *from, size_t len)
{
	struct recorded r = { .bytes = bk_memdup(from->bytes, len), .len = len };
	uint32_t said = (uint32_t)len;

	memcpy(r.bytes, &said, sizeof(said));
	return r;
}

static inline struct nlmsghdr *recorded_first(const struct recorded *r)
{
	return (struct nlmsghdr *)(void *)r->bytes;
}

#endif
