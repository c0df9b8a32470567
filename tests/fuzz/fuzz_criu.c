/* SPDX-License-Identifier: Apache-2.0 */
/* criu's answers: what is read can be written, and reads the same again. Requests go through the same tables. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_auto.h"
#include "criu/criu_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COPY_MAX (16 * CRIU_ANSWER_MAX)	/* numbers may have been written longer or shorter than need be */

static void check(const struct criu_pb_type *type, void *msg, void *again, const uint8_t *data, size_t size)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf first = BK_BUF_INIT(COPY_MAX), second = BK_BUF_INIT(COPY_MAX);
	struct bk_err *err = NULL;

	if (criu_pb_decode(type, data, size, arena, msg, &err) < 0) {
		bk_err_clear(&err);
		return;
	}
	criu_pb_encode(type, msg, &first);
	if (first.overflow)
		return;
	if (criu_pb_decode(type, first.data, first.len, arena, again, &err) < 0)
		abort();
	criu_pb_encode(type, again, &second);
	if (first.len != second.len || (first.len && memcmp(first.data, second.data, first.len) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct criu_resp resp = { 0 }, resp2 = { 0 };
	struct criu_req req = { 0 }, req2 = { 0 };

	if (size > CRIU_ANSWER_MAX)
		return 0;
	check(&criu_resp_type, &resp, &resp2, data, size);
	check(&criu_req_type, &req, &req2, data, size);
	return 0;
}
