/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <errno.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "init/init_sync.h"

/* What the child sends before its end, with a message unread that the runtime has sent meanwhile. */
static void end_with_unread(int child, int runtime)
{
	struct bk_err *err = NULL;

	assert_ok(init_sync_send(runtime, SYNC_SOURCE, 0, -1, &err), &err);
	bk_close(&child);
}

static void test_error_behind_unread(void **state)
{
	struct bk_err *err = NULL, *sent = NULL;
	int fds[2];

	(void)state;
	assert_ok(init_sync_pair(fds, &err), &err);
	(void)bk_err_set(&sent, BK_ERR_CONFIG, EROFS, "the child's own words");
	assert_int_equal(bk_err_send(sent, fds[1]), 0);
	bk_err_clear(&sent);
	end_with_unread(fds[1], fds[0]);
	assert_err(init_sync_recv(fds[0], NULL, NULL, &err), &err, BK_ERR_CONFIG, "the child's own words");
	assert_int_equal(init_sync_recv(fds[0], NULL, NULL, &err), 0);
	bk_close(&fds[0]);
}

static void test_word_behind_unread(void **state)
{
	struct bk_err *err = NULL;
	int fds[2];

	(void)state;
	assert_ok(init_sync_pair(fds, &err), &err);
	assert_ok(init_sync_send(fds[1], SYNC_READY, 0, -1, &err), &err);
	end_with_unread(fds[1], fds[0]);
	assert_int_equal(init_sync_recv(fds[0], NULL, NULL, &err), SYNC_READY);
	assert_int_equal(init_sync_recv(fds[0], NULL, NULL, &err), 0);
	bk_close(&fds[0]);

	/* and nothing but an end is an end */
	assert_ok(init_sync_pair(fds, &err), &err);
	end_with_unread(fds[1], fds[0]);
	assert_int_equal(init_sync_recv(fds[0], NULL, NULL, &err), 0);
	bk_close(&fds[0]);
}

BK_TEST_MAIN(cmocka_unit_test(test_error_behind_unread), cmocka_unit_test(test_word_behind_unread))
