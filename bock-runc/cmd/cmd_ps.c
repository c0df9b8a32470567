/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_num.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_ps.h"

#define PS_OUTPUT_MAX ((size_t)64 << 20)	/* bytes of what ps prints about the whole machine */
#define PS_TIMEOUT_MS 30000
#define BLANKS	      " \t"

struct opts {
	int format;
};

enum { FORMAT_TABLE, FORMAT_JSON };
static const char *const formats[] = { "table", "json", NULL };

static int by_number(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The field'th word of a line, and how long it is; NULL if there are fewer. */
static const char *word_of(const char *line, size_t len, size_t field, size_t *ret_len)
{
	const char *p = line, *end = line + len;

	for (size_t i = 0;; i++) {
		size_t word;

		while (p < end && strchr(BLANKS, *p))
			p++;
		if (p == end)
			return NULL;
		for (word = 0; p + word < end && !strchr(BLANKS, p[word]);)
			word++;
		if (i == field) {
			*ret_len = word;
			return p;
		}
		p += word;
	}
}

static int find_pid_column(const char *line, size_t len, size_t *ret, struct bk_err **err)
{
	const char *word;
	size_t n;

	for (size_t i = 0; (word = word_of(line, len, i, &n)); i++) {
		if (n == 3 && memcmp(word, "PID", 3) == 0) {
			*ret = i;
			return 0;
		}
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "couldn't find PID field in ps output");
}

int cmd_ps_filter(const char *text, const pid_t *pids, size_t n, struct bk_buf *out,
		  struct bk_err **err)
{
	size_t column = 0;

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), word_len = 0;
		const char *word = word_of(line, len, column, &word_len);
		char number[16];
		uint32_t pid;

		if (line == text) {
			int rc = find_pid_column(line, len, &column, err);

			if (rc < 0)
				return rc;
			bk_buf_printf(out, "%.*s\n", (int)len, line);
		} else if (word && word_len < sizeof(number)) {
			pid_t key;

			memcpy(number, word, word_len);
			number[word_len] = '\0';
			if (bk_num_u32(number, INT32_MAX, &pid, NULL) == 0) {
				key = (pid_t)pid;
				if (n && bsearch(&key, pids, n, sizeof(*pids), by_number))
					bk_buf_printf(out, "%.*s\n", (int)len, line);
			}
		}
		line += len;
		line += *line == '\n';
	}
	return 0;
}

static int run_ps(char *const *options, struct bk_buf *out, struct bk_err **err)
{
	bk_autobuf struct bk_buf errout = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autostrv char **argv = NULL;
	struct bk_proc_spec spec = { .path = "ps", .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1,
				     .no_new_privs = true };
	int status = 0, rc;

	bk_strv_add(&argv, "ps");
	if (!*options)
		bk_strv_add(&argv, "-ef");
	for (; *options; options++)
		bk_strv_add(&argv, *options);
	spec.argv = argv;
	rc = bk_proc_run(&spec, NULL, 0, out, &errout, PS_TIMEOUT_MS, &status, err);
	if (rc < 0)
		return rc;
	if (status != 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "ps: exit status %d: %.*s",
				  bk_proc_exit_code(status),
				  (int)strcspn(bk_buf_str(&errout), "\n"), bk_buf_str(&errout));
	return 0;
}

static int print_table(char *const *options, const pid_t *pids, size_t n, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(PS_OUTPUT_MAX);
	bk_autobuf struct bk_buf out = BK_BUF_INIT(PS_OUTPUT_MAX);
	int rc = run_ps(options, &text, err);

	if (rc == 0)
		rc = cmd_ps_filter(bk_buf_str(&text), pids, n, &out, err);
	if (rc == 0)
		rc = bk_buf_check(&out, "the list", err);
	return rc < 0 ? rc : cmd_print(&out, err);
}

static int print_json(const pid_t *pids, size_t n, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(PS_OUTPUT_MAX);
	int rc;

	bk_buf_addc(&out, '[');
	for (size_t i = 0; i < n; i++)
		bk_buf_printf(&out, "%s%d", i ? "," : "", (int)pids[i]);
	bk_buf_adds(&out, "]\n");
	rc = bk_buf_check(&out, "the list", err);
	return rc < 0 ? rc : cmd_print(&out, err);
}

static int list(const struct bk_cli_call *call, const struct container *c, struct bk_err **err)
{
	const struct opts *o = call->opts;
	bk_autofree pid_t *pids = NULL;
	size_t n;
	int rc;

	rc = container_procs(c, &pids, &n, err);
	if (rc < 0)
		return rc;
	if (n)
		qsort(pids, n, sizeof(*pids), by_number);
	return o->format == FORMAT_JSON ? print_json(pids, n, err) :
					  print_table(call->args + 1, pids, n, err);
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	int rc;

	(void)ret_status;
	if (call->n_args == 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "\"ps\" requires at least 1 argument");
	rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, false, &c, err);
	if (rc == 0) {
		rc = list(call, &c, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "ps '%s'", call->args[0]);
	}
	container_root_done(&root);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	{ "format", 'f', BK_CLI_CHOICE, offsetof(struct opts, format), "FORMAT",
	  "table (by ps) or json (pids)", 0, formats },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_ps = {
	.name = "ps",
	.synopsis = "ID [PS-OPTION...]",
	.help = "list the processes of a container",
	/* so that what stands behind the id is for ps; none at all is found in run */
	.min_args = 0,
	.max_args = -1,
	.flags = BK_CLI_STOP_AT_ARG,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
