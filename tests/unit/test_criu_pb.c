/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "criu/criu_msg.h"

static int decode_resp(const void *bytes, size_t len, struct bk_arena *a, struct criu_resp *ret,
		       struct bk_err **err)
{
	*ret = (struct criu_resp){ 0 };
	return criu_pb_decode(&criu_resp_type, bytes, len, a, ret, err);
}

#define DECODE(text, a, ret, err) decode_resp(text, sizeof(text) - 1, a, ret, err)

/* By hand from the documentation of the wire format. */
static void test_bytes(void **state)
{
	struct criu_ext_mount mounts[] = { { "/a", "/b" }, { "/c", "" } };
	struct criu_opts opts = {
		.images_dir_fd = CRIU_NUM(300),
		.pid = CRIU_NUM(-1),
		.leave_running = CRIU_NUM(0),
		.log_file = "x",
		.ext_mnt = mounts,
		.n_ext_mnt = 2,
		.empty_ns = CRIU_NUM(0x80000000),
	};
	struct criu_req req = { .type = CRIU_NUM(CRIU_DUMP), .opts = &opts };
	static const char want[] = "\x08\x01\x12\x2e"
				   "\x08\xac\x02"
				   "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
				   "\x18\x00"
				   "\x52\x01x"
				   "\xba\x01\x08\x0a\x02/a\x12\x02/b"
				   "\xba\x01\x06\x0a\x02/c\x12\x00"
				   "\xb0\x02\x80\x80\x80\x80\x08";
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);

	(void)state;
	criu_pb_encode(&criu_req_type, &req, &b);
	assert_int_equal(b.len, sizeof(want) - 1);
	assert_memory_equal(b.data, want, b.len);
}

static void test_round_trip(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL), again = BK_BUF_INIT(BK_BUF_SMALL);
	const char *external[] = { "net[1]:extRootNetNS", "file[2a:7]" };
	struct criu_inherit_fd fd = { "pipe:[1]", CRIU_NUM(2) };
	struct criu_opts opts = { .images_dir_fd = CRIU_NUM(3), .external = external, .n_external = 2,
				  .inherit_fd = &fd, .n_inherit_fd = 1, .freeze_cgroup = "/sys/fs/cgroup/x",
				  .network_lock = CRIU_NUM(CRIU_LOCK_SKIP) };
	struct criu_features features = { .lazy_pages = CRIU_NUM(1) };
	struct criu_req req = { .type = CRIU_NUM(CRIU_RESTORE), .opts = &opts, .features = &features,
				.keep_open = CRIU_NUM(1) };
	struct criu_req got = { 0 };
	struct bk_err *err = NULL;

	(void)state;
	criu_pb_encode(&criu_req_type, &req, &b);
	assert_ok(criu_pb_decode(&criu_req_type, b.data, b.len, a, &got, &err), &err);
	assert_int_equal(got.opts->n_external, 2);
	assert_string_equal(got.opts->external[1], "file[2a:7]");
	assert_int_equal(got.opts->inherit_fd[0].fd.v, 2);
	assert_false(got.notify_success.set);
	assert_false(got.features->mem_track.set);
	criu_pb_encode(&criu_req_type, &got, &again);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.data, b.data, b.len);
	/* every cut is an error, or a shorter message that is whole */
	for (size_t len = 0; len < b.len; len++) {
		struct criu_req cut = { 0 };

		if (criu_pb_decode(&criu_req_type, b.data, len, a, &cut, &err) < 0)
			bk_err_clear(&err);
		else
			assert_true(cut.type.set);
	}
}

static void test_answers(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct bk_err *err = NULL;
	struct criu_resp r;

	(void)state;
	assert_ok(DECODE("\x08\x06\x10\x01\x2a\x08\x0a\x03"
			 "abc\x10\x80\x01", a, &r, &err), &err);
	assert_int_equal(r.type.v, CRIU_NOTIFY);
	assert_string_equal(r.notify->script, "abc");
	assert_int_equal(r.notify->pid.v, 128);
	/* fields that we don't know, of each wire type, in between */
	assert_ok(DECODE("\x08\x0a\x10\x01\x78\x05\x7a\x02zz\x79\x31\x32\x33\x34\x35\x36\x37\x38\x7d\x31\x32\x33\x34"
			 "\x52\x06\x08\x03\x10\x11\x20\x01", a, &r, &err), &err);
	assert_int_equal(r.version->minor.v, 17);
	assert_int_equal(r.version->sublevel.v, 1);
	/* a message that comes in two parts is one */
	assert_ok(DECODE("\x08\x06\x10\x01\x2a\x03\x0a\x01x\x2a\x02\x10\x05", a, &r, &err), &err);
	assert_string_equal(r.notify->script, "x");
	assert_int_equal(r.notify->pid.v, 5);
}

static void test_refused(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct bk_err *err = NULL;
	struct criu_resp r;

	(void)state;
	assert_err(DECODE("", a, &r, &err), &err, BK_ERR_CONFIG, "criu_resp: field 1: is required and not there");
	assert_err(DECODE("\x08\x06", a, &r, &err), &err, BK_ERR_CONFIG, "field 2: is required");
	assert_err(DECODE("\x08", a, &r, &err), &err, BK_ERR_CONFIG, "field 1: is cut off");
	assert_err(DECODE("\x0a\x01x\x10\x01", a, &r, &err), &err, BK_ERR_CONFIG, "is of another type");
	assert_err(DECODE("\x08\x80\x80\x80\x80\x10\x10\x01", a, &r, &err), &err, BK_ERR_CONFIG, "does not fit");
	assert_err(DECODE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", a, &r, &err), &err, BK_ERR_CONFIG,
		   "is cut off");
	assert_err(DECODE("\x08\x06\x10\x01\x4a\x03"
			  "a\0b", a, &r, &err), &err, BK_ERR_CONFIG, "field 9: has a NUL");
	assert_err(DECODE("\x08\x06\x10\x01\x4a\xff\xff\xff\xff\x0f"
			  "a", a, &r, &err), &err, BK_ERR_CONFIG, "field 9: is cut off");
	assert_err(DECODE("\x08\x06\x10\x01\x00\x01", a, &r, &err), &err, BK_ERR_CONFIG, "no valid number");
	assert_err(DECODE("\x08\x06\x10\x01\x7b", a, &r, &err), &err, BK_ERR_CONFIG, "unknown field");
	assert_err(DECODE("\x08\x06\x10\x01\x7d\x01", a, &r, &err), &err, BK_ERR_CONFIG, "unknown field");
	/* an inner message's own rules */
	assert_err(DECODE("\x08\x06\x10\x01\x52\x02\x08\x03", a, &r, &err), &err, BK_ERR_CONFIG,
		   "criu_version: field 2: is required");
}

/* Tables of the test's own: deeper than is allowed. */
struct nested {
	struct nested *inner;
	const char **words;
	size_t n_words;
};
static const struct criu_pb_type nested_type;
static const struct criu_pb_field nested_fields[] = {
	CRIU_PB_MSG_F(struct nested, inner, 1, nested_type),
	CRIU_PB_STRV_F(struct nested, words, 2),
};
static const struct criu_pb_type nested_type = CRIU_PB_TYPE("nested", struct nested, nested_fields);

static void test_bounds(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	bk_autofree unsigned char *many = bk_calloc(CRIU_PB_REPEAT_MAX + 1, 2);
	struct nested deep[CRIU_PB_DEPTH_MAX + 1] = { 0 }, got = { 0 };
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < CRIU_PB_DEPTH_MAX; i++)
		deep[i].inner = &deep[i + 1];
	for (size_t first = 0; first < 2; first++) {
		bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);

		criu_pb_encode(&nested_type, &deep[first], &b);
		got = (struct nested){ 0 };
		if (first == 0)
			assert_err(criu_pb_decode(&nested_type, b.data, b.len, a, &got, &err), &err,
				   BK_ERR_CONFIG, "nested too deep");
		else
			assert_ok(criu_pb_decode(&nested_type, b.data, b.len, a, &got, &err), &err);
	}
	for (size_t i = 0; i <= CRIU_PB_REPEAT_MAX; i++)
		many[2 * i] = 0x12;
	got = (struct nested){ 0 };
	assert_ok(criu_pb_decode(&nested_type, many, 2 * (size_t)CRIU_PB_REPEAT_MAX, a, &got, &err), &err);
	assert_int_equal(got.n_words, CRIU_PB_REPEAT_MAX);
	got = (struct nested){ 0 };
	assert_err(criu_pb_decode(&nested_type, many, 2 * (size_t)CRIU_PB_REPEAT_MAX + 2, a, &got, &err), &err,
		   BK_ERR_CONFIG, "too many elements");
}

BK_TEST_MAIN(cmocka_unit_test(test_bytes), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_answers),
	     cmocka_unit_test(test_refused), cmocka_unit_test(test_bounds))
