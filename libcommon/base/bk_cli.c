/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_cli_priv.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

/* One run of a program: what bk_cli_main() owns. */
struct session {
	const struct bk_cli_prog *prog;
	const struct bk_cli_cmd *cmd; /* NULL: not known (yet) */
	struct bk_log log;
	void *globals, *opts;
	int fail_status;
};

/* The struct that a table fills: its defaults with vectors of its own. */
static void *new_opts(const struct bk_cli_opt *table, size_t size, const void *defaults)
{
	char *base = bk_calloc(1, size);

	if (!defaults)
		return base;
	memcpy(base, defaults, size);
	for (; table && table->name; table++) {
		char ***v = (char ***)(void *)(base + table->offset);

		if (table->type == BK_CLI_STRV)
			*v = bk_strv_dup(*v);
	}
	return base;
}

static void free_opts(const struct bk_cli_opt *table, char *base)
{
	for (; base && table && table->name; table++)
		if (table->type == BK_CLI_STRV)
			bk_strv_free(*(char ***)(void *)(base + table->offset));
	free(base);
}

static void session_done(struct session *s)
{
	free_opts(s->prog->globals, s->globals);
	if (s->cmd)
		free_opts(s->cmd->opts, s->opts);
	bk_log_done(&s->log);
}

static int print(const struct bk_buf *b, struct bk_err **err)
{
	if (fwrite(bk_buf_str(b), 1, b->len, stdout) != b->len)
		return bk_err_set(err, BK_ERR_IO, errno, "write to standard output");
	return bk_buf_check(b, "output", err);
}

static const struct bk_cli_cmd *find_cmd(const struct bk_cli_prog *prog, const char *name)
{
	for (const struct bk_cli_cmd *c = prog->cmds; c && c->name; c++)
		if (bk_streq(c->name, name))
			return c;
	return NULL;
}

static const char *nearest_cmd(size_t i, const void *ctx)
{
	const struct bk_cli_cmd *c = (const struct bk_cli_cmd *)ctx + i;

	return c->flags & BK_CLI_CMD_HIDDEN ? NULL : c->name;
}

static int unknown_cmd(const struct bk_cli_prog *prog, const char *name, struct bk_err **err)
{
	const char *nearest;
	size_t n = 0;
	int rc;

	while (prog->cmds[n].name)
		n++;
	nearest = bk_str_nearest(name, nearest_cmd, prog->cmds, n);
	rc = bk_err_set(err, BK_ERR_CONFIG, 0, "unknown command '%s'%s%s%s", name,
			nearest ? ", did you mean '" : "", nearest ? nearest : "",
			nearest ? "'?" : "");
	return bk_err_hint(err, rc, "see '%s --help'", prog->name);
}

/* runc's words, which are grepped for */
static int check_count(const struct session *s, int n, struct bk_err **err)
{
	const struct bk_cli_cmd *c = s->cmd;
	const char *name = c == s->prog->self ? s->prog->name : c->name;
	const char *how = "exactly";
	int want = c->min_args;
	int rc;

	if (n >= c->min_args && (c->max_args < 0 || n <= c->max_args))
		return 0;
	if (n > c->max_args && c->max_args >= 0)
		want = c->max_args;
	if (c->min_args != c->max_args)
		how = n < c->min_args ? "at least" : "at most";
	if (want == 0)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "\"%s\" takes no arguments", name);
	else
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "\"%s\" requires %s %d argument%s", name,
				how, want, want == 1 ? "" : "s");
	if (c == s->prog->self)
		return bk_err_hint(err, rc, "see '%s --help'", name);
	return bk_err_hint(err, rc, "see '%s %s --help'", s->prog->name, name);
}

/*
 * `help`, `completion` and `__options`, unless a table has a command of that name. *ret_done is set
 * where it was one of them.
 */
static int builtin(const struct bk_cli_prog *prog, int argc, char **argv, bool *ret_done,
		   struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	const struct bk_cli_cmd *cmd = NULL;
	int rc;

	if (argc < 1 || find_cmd(prog, argv[0]))
		return 0;
	if (bk_streq(argv[0], "help") && argc <= (prog->cmds ? 2 : 1)) {
		if (argc == 2)
			cmd = find_cmd(prog, argv[1]);
		if (argc == 2 && !cmd)
			return unknown_cmd(prog, argv[1], err);
		bk_cli_help(prog, cmd, &b);
	} else if (bk_streq(argv[0], "completion") && argc == 2) {
		rc = bk_cli_complete(prog, argv[1], &b, err);
		if (rc < 0)
			return rc;
	} else if (bk_streq(argv[0], "completion") && prog->cmds) {
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "\"completion\" requires exactly 1 argument: bash, zsh or fish");
	} else if (bk_streq(argv[0], "__options") && argc == 1) {
		bk_cli_list(prog, &b);
	} else {
		return 0;
	}
	*ret_done = true;
	return print(&b, err);
}

/* --help or --version was given. */
static int serve(const struct session *s, const struct bk_cli_parse *p, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);

	if (p->version && s->prog->version) {
		s->prog->version();
		return 0;
	}
	bk_cli_help(s->prog, s->cmd == s->prog->self ? NULL : s->cmd, &b);
	return print(&b, err);
}

static int call(struct session *s, int n_args, char **args, int *ret_status, struct bk_err **err)
{
	const struct bk_cli_call c = {
		.prog = s->prog,
		.log = &s->log,
		.globals = s->globals,
		.opts = s->opts,
		.args = args,
		.n_args = n_args,
	};

	s->fail_status = s->cmd->fail_status ? s->cmd->fail_status : 1;
	return s->cmd->run(&c, ret_status, err);
}

static void begin_cmd(struct session *s, const struct bk_cli_cmd *cmd)
{
	s->cmd = cmd;
	s->opts = new_opts(cmd->opts, cmd->opts_size, cmd->opts_defaults);
}

/*
 * The command's part of the line. A mistake in it is only reported after setup, because that opens
 * the log that it belongs into; --help needs no setup.
 */
static int run_cmd(struct session *s, struct bk_cli_parse *p, int argc, char **argv,
		   int *ret_status, struct bk_err **err)
{
	struct bk_err *usage = NULL;
	int usage_rc = bk_cli_parse_tables(p, argc, argv, &usage);
	int rc = 0;

	if (usage_rc == 0 && (p->help || p->version))
		return serve(s, p, err);
	if (usage_rc == 0)
		usage_rc = check_count(s, p->n_args, &usage);
	if (s->prog->setup)
		rc = s->prog->setup(s->globals, &s->log, err);
	if (rc == 0 && usage_rc < 0) {
		bk_err_move(err, usage);
		return usage_rc;
	}
	bk_err_clear(&usage);
	return rc < 0 ? rc : call(s, p->n_args, argv, ret_status, err);
}

/* A program of one command: its options and the globals may be mixed. */
static int run_single(struct session *s, int argc, char **argv, int *ret_status,
		      struct bk_err **err)
{
	struct bk_cli_parse p = { .take_version = s->prog->version != NULL };
	bool done = false;
	int rc = builtin(s->prog, argc, argv, &done, err);

	if (rc < 0 || done)
		return rc;
	begin_cmd(s, s->prog->self);
	p.tables[0] = (struct bk_cli_table){ s->cmd->opts, s->opts };
	p.tables[1] = (struct bk_cli_table){ s->prog->globals, s->globals };
	p.cmd_flags = s->cmd->flags;
	p.min_args = s->cmd->min_args;
	return run_cmd(s, &p, argc, argv, ret_status, err);
}

static int run_many(struct session *s, int argc, char **argv, int *ret_status, struct bk_err **err)
{
	const struct bk_cli_prog *prog = s->prog;
	struct bk_cli_parse globals = {
		.tables = { { .opts = prog->globals, .base = s->globals } },
		.cmd_flags = BK_CLI_STOP_AT_ARG,
		.take_version = prog->version != NULL,
	};
	struct bk_cli_parse own = { .globals = prog->globals };
	const struct bk_cli_cmd *cmd;
	bool done = false;
	int rc;

	rc = bk_cli_parse_tables(&globals, argc, argv, err);
	if (rc == 0 && (globals.help || globals.version))
		return serve(s, &globals, err);
	if (rc == 0)
		rc = builtin(prog, globals.n_args, argv, &done, err);
	if (rc < 0 || done)
		return rc;

	cmd = globals.n_args > 0 ? find_cmd(prog, argv[0]) : prog->self;
	if (!cmd) {
		rc = prog->setup ? prog->setup(s->globals, &s->log, err) : 0;
		if (rc < 0)
			return rc;
		if (globals.n_args > 0)
			return unknown_cmd(prog, argv[0], err);
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "no command was given");
		return bk_err_hint(err, rc, "see '%s --help'", prog->name);
	}
	begin_cmd(s, cmd);
	own.tables[0] = (struct bk_cli_table){ cmd->opts, s->opts };
	own.cmd = cmd->name;
	own.cmd_flags = cmd->flags;
	own.min_args = cmd->min_args;
	if (globals.n_args == 0)
		return run_cmd(s, &own, 0, argv, ret_status, err);
	return run_cmd(s, &own, globals.n_args - 1, argv + 1, ret_status, err);
}

int bk_cli_main(const struct bk_cli_prog *prog, int argc, char **argv)
{
	struct session s = {
		.prog = prog,
		.log = BK_LOG_INIT(prog->name),
		.globals = new_opts(prog->globals, prog->globals_size, prog->globals_defaults),
		.fail_status = 1,
	};
	struct bk_err *err = NULL;
	int status = 0;
	int rc;

	/* an empty argv was possible before Linux 5.18 */
	if (argc > 0) {
		argc--;
		argv++;
	}
	rc = (prog->cmds ? run_many : run_single)(&s, argc, argv, &status, &err);
	/* What is still in the buffer is output, too: a full disk is a failure. */
	if (rc == 0 && fflush(stdout) != 0)
		rc = bk_err_set(&err, BK_ERR_IO, errno, "write to standard output");
	if (rc < 0) {
		bk_log_err(&s.log, err);
		status = s.fail_status;
	}
	bk_err_clear(&err);
	session_done(&s);
	return status;
}
