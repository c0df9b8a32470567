/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/hooks.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/bk_errno.h"
#include "base/bk_mem.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"

/* Of each output so much goes into an error: all of it has to fit into BK_ERR_MSG_MAX. */
#define SHOWN_STDOUT 240
#define SHOWN_STDERR 560

static int check_one(const char *kind, const struct oci_hook *h, size_t i, struct bk_err **err)
{
	if (!h->path || h->path[0] != '/')
		return bk_err_set(err, BK_ERR_CONFIG, 0, "hooks.%s[%zu].path: '%s' is not absolute",
				  kind, i, h->path ? h->path : "");
	if (h->has_timeout && h->timeout <= 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "hooks.%s[%zu].timeout: %d is not above 0",
				  kind, i, h->timeout);
	return 0;
}

int hooks_check(const char *kind, const struct oci_hook *hooks, size_t n, struct bk_err **err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = check_one(kind, &hooks[i], i, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int timeout_of(const struct oci_hook *h, int default_timeout_ms)
{
	if (!h->has_timeout)
		return default_timeout_ms;
	return h->timeout > INT32_MAX / 1000 ? INT32_MAX : h->timeout * 1000;
}

uint64_t hooks_may_take(const struct oci_hook *hooks, size_t n, int default_timeout_ms)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		int ms = timeout_of(&hooks[i], default_timeout_ms);

		if (ms < 0)
			return UINT64_MAX;
		sum += (uint64_t)ms;
	}
	return sum;
}

/* The end of an output, without the newline behind it. */
static const char *shown(const struct bk_buf *b, size_t max, int *ret_len)
{
	size_t len = b->len, from;

	while (len > 0 && b->data[len - 1] == '\n')
		len--;
	from = len > max ? len - max : 0;
	*ret_len = (int)(len - from);
	return bk_buf_str(b) + from;
}

/* Callers look for runc's form of this message. */
static int hook_failed(const char *kind, size_t i, int status, const struct bk_buf *out,
		       const struct bk_buf *errout, struct bk_err **err)
{
	bk_autofree char *how = NULL;
	const char *out_text, *err_text;
	int out_len, err_len;

	if (WIFSIGNALED(status))
		how = bk_asprintf("signal: %s", bk_signal_text(WTERMSIG(status)));
	else
		how = bk_asprintf("exit status %d", WEXITSTATUS(status));
	out_text = shown(out, SHOWN_STDOUT, &out_len);
	err_text = shown(errout, SHOWN_STDERR, &err_len);
	return bk_err_set(err, BK_ERR_IO, 0,
			  "error running %s hook #%zu: %s, stdout: %.*s, stderr: %.*s", kind, i,
			  how, out_len, out_text, err_len, err_text);
}

static int run_one(const char *kind, const struct oci_hook *h, size_t i, const struct hooks_how *how,
		   struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(HOOKS_OUTPUT_MAX);
	bk_autobuf struct bk_buf errout = BK_BUF_INIT(HOOKS_OUTPUT_MAX);
	char *const path_only[] = { h->path, NULL };
	char *const nothing[] = { NULL };
	struct bk_proc_spec spec = {
		.path = h->path,
		.argv = h->args && h->args[0] ? h->args : path_only,
		.env = h->env ? h->env : nothing,
		.cwd = how->cwd,
		.stdin_fd = -1,
		.stdout_fd = how->out,
		.stderr_fd = how->errout,
		.keep_latest = true,
	};
	int status, rc;

	rc = check_one(kind, h, i, err);
	if (rc < 0)
		return rc;
	rc = bk_proc_run(&spec, how->state, how->len, how->out < 0 ? &out : NULL,
			 how->errout < 0 ? &errout : NULL, timeout_of(h, how->timeout_ms), &status,
			 err);
	if (rc < 0 && err && bk_err_errno(*err) == ETIMEDOUT)
		(void)bk_err_hint(err, rc, h->has_timeout ? "it was killed: its timeout in config.json" :
				  "it was killed: a hook can have a timeout in config.json, and --timeout bounds "
				  "those that have none");
	if (rc < 0)
		return bk_err_wrap(err, rc, "error running %s hook #%zu", kind, i);
	if (status != 0)
		return hook_failed(kind, i, status, &out, &errout, err);
	return 0;
}

int hooks_run(const char *kind, const struct oci_hook *hooks, size_t n, const struct hooks_how *how,
	      struct bk_err **err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = run_one(kind, &hooks[i], i, how, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

void hooks_run_all(const char *kind, const struct oci_hook *hooks, size_t n,
		   const struct hooks_how *how, char ***warnings)
{
	for (size_t i = 0; i < n; i++) {
		struct bk_err *err = NULL;
		char text[2 * BK_ERR_MSG_MAX];

		if (run_one(kind, &hooks[i], i, how, &err) == 0)
			continue;
		bk_strv_add(warnings, bk_err_print(err, text, sizeof(text)));
		bk_err_clear(&err);
	}
}
