/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_cli.h"
#include "base/bk_mem.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"

struct opts {
	bool detach, tty;
	const char *bundle, *user;
	char **env;
	uint32_t fds;
	int64_t oom;
	int format;
};

static const char *const formats[] = { "text", "json", NULL };
static const struct bk_cli_opt table[] = {
	{ "bundle", 'b', BK_CLI_STR, offsetof(struct opts, bundle), "DIR", "the bundle", BK_CLI_DIR,
	  NULL },
	{ "detach", 'd', BK_CLI_FLAG, offsetof(struct opts, detach), NULL, "don't wait", 0, NULL },
	{ "tty", 't', BK_CLI_FLAG, offsetof(struct opts, tty), NULL, "with a terminal", 0, NULL },
	{ "user", 'u', BK_CLI_STR, offsetof(struct opts, user), "UID[:GID]", "as whom", 0, NULL },
	{ "env", 'e', BK_CLI_STRV, offsetof(struct opts, env), "NAME=VALUE", "a variable", 0,
	  NULL },
	{ "preserve-fds", 0, BK_CLI_U32, offsetof(struct opts, fds), "N", "fds", 0, NULL },
	{ "oom", 0, BK_CLI_I64, offsetof(struct opts, oom), "N", "score", BK_CLI_HIDDEN, NULL },
	{ "format", 'f', BK_CLI_CHOICE, offsetof(struct opts, format), NULL, "how", 0, formats },
	BK_CLI_END
};

#define ARGV_MAX 16

/* One command line, and what came of it. */
struct line {
	struct opts o;
	char *argv[ARGV_MAX];
	int argc, n_args;
	bool help;
};

static int parse_line(struct line *l, unsigned int flags, int min_args, const char *const *words,
		      struct bk_err **err)
{
	memset(l, 0, sizeof(*l));
	for (; words[l->argc]; l->argc++)
		l->argv[l->argc] = (char *)words[l->argc];
	return bk_cli_parse(table, &l->o, flags, min_args, l->argc, l->argv, &l->n_args, &l->help,
			    err);
}

#define WORDS(...)    ((const char *const[]){ __VA_ARGS__, NULL })
#define PARSE(l, ...) parse_line((l), 0, 0, WORDS(__VA_ARGS__), &err)

/* The positional arguments, each followed by a blank. */
static void assert_args(const struct line *l, const char *want)
{
	char got[256] = "";

	for (int i = 0; i < l->n_args; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", l->argv[i]);
	assert_string_equal(got, want);
	assert_null(l->argv[l->n_args]);
}

static void test_forms(void **state)
{
	struct bk_err *err = NULL;
	struct line l;

	(void)state;
	static const char *const forms[][3] = {
		{ "--bundle", "/x" }, { "--bundle=/x" }, { "-bundle", "/x" }, { "-bundle=/x" },
		{ "-b", "/x" },	      { "-b/x" },	 { "-b=/x" },	      { "-db/x" },
		{ "-tdb", "/x" },     { "-db=/x" },
	};
	for (size_t i = 0; i < BK_ARRAY_SIZE(forms); i++) {
		assert_ok(parse_line(&l, 0, 0, forms[i], &err), &err);
		assert_non_null(l.o.bundle);
		assert_string_equal(l.o.bundle, "/x");
		assert_args(&l, "");
	}
	assert_ok(PARSE(&l, "-bundle=a=b", "-b="), &err);
	assert_string_equal(l.o.bundle, "");	    /* the last one wins */
	assert_ok(PARSE(&l, "--user", "-1"), &err); /* a value may look like an option */
	assert_string_equal(l.o.user, "-1");
	assert_ok(PARSE(&l, "--user", "--"), &err);
	assert_string_equal(l.o.user, "--");
}

static void test_flags(void **state)
{
	struct bk_err *err = NULL;
	struct line l;

	(void)state;
	assert_ok(PARSE(&l, "-dt"), &err);
	assert_true(l.o.detach && l.o.tty);
	assert_ok(PARSE(&l, "-detach", "-t=true", "--detach=false"), &err);
	assert_true(l.o.tty && !l.o.detach);
	assert_ok(PARSE(&l, "--detach", "false"), &err); /* not its value */
	assert_true(l.o.detach);
	assert_args(&l, "false ");
	assert_err(PARSE(&l, "--detach=yes"), &err, BK_ERR_CONFIG,
		   "option '--detach': 'yes' is neither 'true' nor 'false'");
	assert_err(PARSE(&l, "-td="), &err, BK_ERR_CONFIG, "neither");
}

static void test_types(void **state)
{
	struct bk_err *err = NULL;
	struct line l;

	(void)state;
	assert_ok(PARSE(&l, "-e", "A=1", "--preserve-fds=3", "--env=B=2", "-eC", "-oom", "-5",
			"-fjson"),
		  &err);
	assert_int_equal(l.o.fds, 3);
	assert_int_equal(l.o.oom, -5);
	assert_int_equal(l.o.format, 1);
	assert_int_equal(bk_strv_len(l.o.env), 3);
	assert_string_equal(l.o.env[0], "A=1");
	assert_string_equal(l.o.env[2], "C");
	bk_strv_free(l.o.env);
	assert_err(PARSE(&l, "--preserve-fds=3x"), &err, BK_ERR_CONFIG,
		   "option '--preserve-fds': '3x' is not a number");
	assert_err(PARSE(&l, "--preserve-fds", "-1"), &err, BK_ERR_CONFIG, "'-1' is not a number");
	assert_err(PARSE(&l, "--oom=9223372036854775808"), &err, BK_ERR_CONFIG, "not between");
	assert_err(PARSE(&l, "--format", "xml"), &err, BK_ERR_CONFIG,
		   "option '--format': 'xml' is not one of text, json");
}

static void test_unknown(void **state)
{
	struct bk_err *err = NULL;
	struct line l;

	(void)state;
	assert_err(PARSE(&l, "--bundl=/x"), &err, BK_ERR_CONFIG,
		   "unknown option '--bundl', did you mean '--bundle'?");
	assert_err(PARSE(&l, "--nothing-like-it"), &err, BK_ERR_CONFIG,
		   "unknown option '--nothing-like-it'");
	assert_err(PARSE(&l, "-x"), &err, BK_ERR_CONFIG, "unknown option '-x'");
	assert_err(PARSE(&l, "-dx"), &err, BK_ERR_CONFIG, "'-dx': unknown option '-x'");
	assert_err(PARSE(&l, "-rott"), &err, BK_ERR_CONFIG, "unknown option '-rott'");
	assert_err(PARSE(&l, "--=x"), &err, BK_ERR_CONFIG, "unknown option '--'");
	assert_err(PARSE(&l, "-=x"), &err, BK_ERR_CONFIG, "unknown option '-'");
}

static void test_missing_value(void **state)
{
	struct bk_err *err = NULL;
	struct line l;

	(void)state;
	assert_err(PARSE(&l, "id", "--bundle"), &err, BK_ERR_CONFIG,
		   "flag needs an argument: --bundle");
	assert_err(PARSE(&l, "-db"), &err, BK_ERR_CONFIG, "flag needs an argument: --bundle");
	assert_err(PARSE(&l, "-user"), &err, BK_ERR_CONFIG, "flag needs an argument: --user");
}

static void test_order(void **state)
{
	struct bk_err *err = NULL;
	struct line l;

	(void)state;
	assert_ok(PARSE(&l, "a", "-d", "b", "--bundle", "x", "-", ""), &err);
	assert_args(&l, "a b -  ");
	assert_true(l.o.detach);
	assert_ok(PARSE(&l, "a", "--", "-d", "--", "b"), &err);
	assert_args(&l, "a -d -- b ");
	assert_false(l.o.detach);

	assert_ok(parse_line(&l, BK_CLI_STOP_AT_ARG, 1,
			     WORDS("-d", "web", "-t", "ls", "-u", "--help", "--", "x"), &err),
		  &err);
	assert_args(&l, "web ls -u --help -- x ");
	assert_true(l.o.detach && l.o.tty && !l.o.user && !l.help);
	assert_ok(parse_line(&l, BK_CLI_STOP_AT_ARG, 1, WORDS("web", "--", "ls", "--", "-d"), &err),
		  &err);
	assert_args(&l, "web ls -- -d ");
	assert_ok(parse_line(&l, BK_CLI_STOP_AT_ARG, 0, WORDS("run", "-d"), &err), &err);
	assert_args(&l, "run -d ");
	assert_false(l.o.detach);
}

static void test_help(void **state)
{
	struct bk_err *err = NULL;
	struct line l;

	(void)state;
	assert_ok(PARSE(&l, "--help", "--nonsense"), &err);
	assert_true(l.help);
	assert_ok(PARSE(&l, "a", "-dh"), &err);
	assert_true(l.help && l.o.detach);
	assert_ok(PARSE(&l, "-help"), &err);
	assert_true(l.help);
	assert_err(PARSE(&l, "--nonsense", "--help"), &err, BK_ERR_CONFIG, "unknown option");
	assert_err(PARSE(&l, "--help=x"), &err, BK_ERR_CONFIG, "unknown option '--help'");
	assert_err(PARSE(&l, "--version"), &err, BK_ERR_CONFIG, "unknown option '--version'");
}

/* ---- whole programs -------------------------------------------------------------------------- */

struct globals {
	const char *root;
	bool debug;
	char **labels;
};

static const struct bk_cli_opt globals_table[] = {
	{ "root", 0, BK_CLI_STR, offsetof(struct globals, root), "DIR", "the state", BK_CLI_DIR,
	  NULL },
	{ "debug", 0, BK_CLI_FLAG, offsetof(struct globals, debug), NULL, "say more", 0, NULL },
	{ "label", 0, BK_CLI_STRV, offsetof(struct globals, labels), "L", "labels", 0, NULL },
	BK_CLI_END
};

static int runs, setups;

static int run_ok(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct globals *g = call->globals;
	const struct opts *o = call->opts;

	(void)err;
	runs++;
	assert_string_equal(g->root, "/run/default");
	assert_int_equal(bk_strv_len(g->labels), 2); /* the default, and one more */
	assert_string_equal(call->args[0], "web");
	assert_null(call->args[call->n_args]);
	assert_true(o->detach);
	assert_int_equal(o->oom, 9); /* from the defaults */
	*ret_status = 42;
	return 0;
}

static int run_fail(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	(void)call;
	(void)ret_status;
	return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "no such thing");
}

static int setup(void *globals, struct bk_log *log, struct bk_err **err)
{
	const struct globals *g = globals;

	(void)log;
	setups++;
	return bk_streq(g->root, "/bad") ? bk_err_set(err, BK_ERR_CONFIG, 0, "bad root") : 0;
}

static void version(void)
{
	printf("version 1\n");
}

static const struct opts defaults = { .oom = 9 };
static char *default_labels[] = { (char *)"one", NULL };
static const struct globals globals_defaults = { .root = "/run/default", .labels = default_labels };

static const struct bk_cli_cmd cmds[] = {
	{ "create", "ID", "make a 'container': [x]", 1, 1, 0, table, sizeof(struct opts), &defaults,
	  run_ok, 0 },
	{ "exec", "ID COMMAND", "execute", 1, -1, BK_CLI_STOP_AT_ARG, table, sizeof(struct opts),
	  NULL, run_fail, 255 },
	{ "kill", "ID [SIGNAL]", "kill", 1, 2, 0, NULL, 0, NULL, run_fail, 0 },
	{ "list", "", "list", 0, 0, 0, NULL, 0, NULL, run_fail, 0 },
	{ "init", "", "internal", 0, 0, BK_CLI_CMD_HIDDEN, NULL, 0, NULL, run_fail, 0 },
	{ NULL, NULL, NULL, 0, 0, 0, NULL, 0, NULL, NULL, 0 },
};

static const struct bk_cli_prog prog = {
	.name = "bock-x",
	.summary = "does things",
	.globals = globals_table,
	.globals_size = sizeof(struct globals),
	.globals_defaults = &globals_defaults,
	.cmds = cmds,
	.setup = setup,
	.version = version,
};

static const struct bk_cli_prog single = {
	.name = "bock-y",
	.summary = "does one thing",
	.globals = globals_table,
	.globals_size = sizeof(struct globals),
	.globals_defaults = &globals_defaults,
	.self = &cmds[0],
	.version = version,
};

static char out[65536], errors[4096];

static void slurp(int fd, char *to, size_t size)
{
	ssize_t n = pread(fd, to, size - 1, 0);

	assert_true(n >= 0);
	to[n] = '\0';
}

/* Runs a program; what it prints is in `out` and `errors`. */
static int run(const struct bk_cli_prog *p, const char *const *words)
{
	bk_autoclose int out_fd = memfd_create("out", 0), err_fd = memfd_create("err", 0);
	bk_autoclose int saved_out = dup(1), saved_err = dup(2);
	char *argv[ARGV_MAX] = { (char *)p->name };
	int argc = 1, status;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	fflush(NULL);
	assert_true(out_fd >= 0 && err_fd >= 0 && saved_out >= 0 && saved_err >= 0);
	dup2(out_fd, 1);
	dup2(err_fd, 2);
	status = bk_cli_main(p, argc, argv);
	fflush(NULL);
	dup2(saved_out, 1);
	dup2(saved_err, 2);
	slurp(out_fd, out, sizeof(out));
	slurp(err_fd, errors, sizeof(errors));
	return status;
}

#define RUN(...) run(&prog, WORDS(__VA_ARGS__))

static void test_run(void **state)
{
	(void)state;
	runs = setups = 0;
	assert_int_equal(RUN("--label", "two", "create", "-d", "web"), 42);
	assert_int_equal(runs, 1);
	assert_int_equal(setups, 1);
	assert_string_equal(errors, "");
	assert_int_equal(RUN("exec", "web", "ls"), 255);
	assert_string_equal(errors, "bock-x: no such thing\n");
	assert_int_equal(RUN("kill", "web"), 1);
	assert_int_equal(RUN("--root=/bad", "create", "web"), 1);
	assert_string_equal(errors, "bock-x: bad root\n");
	assert_int_equal(run(&single, WORDS("--label=two", "web", "-d")), 42);
	assert_int_equal(run(&single, WORDS("web", "-d", "--label=two")), 42);
	assert_int_equal(runs, 3);
}

static void test_usage_errors(void **state)
{
	static const struct {
		const char *words[4], *said;
	} rows[] = {
		{ { "create" },
		  "\"create\" requires exactly 1 argument (see 'bock-x create --help')" },
		{ { "create", "a", "b" }, "\"create\" requires exactly 1 argument" },
		{ { "kill" }, "\"kill\" requires at least 1 argument" },
		{ { "kill", "a", "b", "c" }, "\"kill\" requires at most 2 arguments" },
		{ { "list", "x" }, "\"list\" takes no arguments" },
		{ { "creat" }, "unknown command 'creat', did you mean 'create'?" },
		{ { "zzz" }, "unknown command 'zzz' (see" },
		{ { "ini" }, "unknown command 'ini' (see" }, /* hidden ones are not proposed */
		{ { "create", "--detahc" },
		  "unknown option '--detahc' for 'create', did you mean '--detach'?" },
		{ { "create", "--debug", "x" },
		  "unknown option '--debug' for 'create' ('--debug' stands before the command)" },
		{ { "--rot", "x" }, "unknown option '--rot'" },
		{ { "create", "-b" }, "flag needs an argument: --bundle" },
		{ { NULL }, "no command was given (see 'bock-x --help')" },
		{ { "help", "kil" }, "unknown command 'kil', did you mean 'kill'?" },
		{ { "completion", "csh" }, "no completion for 'csh'" },
		{ { "completion" }, "requires exactly 1 argument" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		const char *words[] = { rows[i].words[0], rows[i].words[1], rows[i].words[2],
					rows[i].words[3], NULL };

		assert_int_equal(run(&prog, words), 1);
		assert_memory_equal(errors, "bock-x: ", 8);
		if (!strstr(errors, rows[i].said))
			fail_msg("'%s' is not in: %s", rows[i].said, errors);
		assert_string_equal(out, "");
	}
}

static void test_served(void **state)
{
	(void)state;
	setups = 0;
	assert_int_equal(RUN("--help"), 0);
	assert_non_null(strstr(out, "Usage: bock-x [OPTION...] COMMAND"));
	assert_non_null(strstr(out, "create ID"));
	assert_non_null(strstr(out, "--root DIR"));
	assert_null(strstr(out, "internal"));
	assert_int_equal(RUN("help", "create"), 0);
	assert_non_null(strstr(out, "-b, --bundle DIR "));
	assert_non_null(strstr(out, "--format text|json"));
	assert_null(strstr(out, "--oom"));
	assert_int_equal(RUN("create", "x", "y", "--help"), 0);
	assert_non_null(strstr(out, "-b, --bundle DIR "));
	assert_int_equal(RUN("-h"), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run(&prog, WORDS(i == 0 ? "-v" : i == 1 ? "-V" : "--version")), 0);
		assert_string_equal(out, "version 1\n");
	}
	assert_int_equal(setups, 0);
	assert_int_equal(run(&single, WORDS("--help")), 0);
	assert_non_null(strstr(out, "Usage: bock-y [OPTION...] ID\n"));
	assert_non_null(strstr(out, "--bundle DIR"));
	assert_non_null(strstr(out, "--root DIR"));
}

static void test_list(void **state)
{
	(void)state;
	assert_int_equal(RUN("__options"), 0);
	assert_non_null(strstr(out, "\t--root\t\tDIR\n\t--debug\t\t\n"));
	assert_non_null(strstr(out, "\t--help\t-h\t\n\t--version\t-v\t\n"));
	assert_non_null(strstr(out, "\ncreate\t\t\tID\ncreate\t--bundle\t-b\tDIR\n"));
	assert_non_null(strstr(out, "\ncreate\t--oom\t\tN\n"));
	assert_non_null(strstr(out, "\nlist\t\t\t\n"));
	assert_non_null(strstr(out, "\ninit\t"));
	assert_int_equal(run(&single, WORDS("__options")), 0);
	assert_memory_equal(out, "\t--bundle\t-b\tDIR\n", 17);
}

/* Runs a shell with `script` on stdin: its exit code, 127 where it isn't installed; stdout in text. */
static int run_shell(char *const *argv, const char *script, struct bk_buf *text)
{
	const struct bk_proc_spec spec = {
		.path = argv[0], .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};
	struct bk_err *err = NULL;
	int status = 0;
	int rc = bk_proc_run(&spec, script, strlen(script), text, NULL, 20000, &status, &err);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&err);
		return 127;
	}
	assert_ok(rc, &err);
	return bk_proc_exit_code(status);
}

/* No shell finds a mistake in its script. */
static void test_completion(void **state)
{
	static const char *const shells[][4] = { { "bash", "-n", NULL },
						 { "zsh", "-f", "-n", NULL },
						 { "fish", "--no-config", "--no-execute", NULL } };
	const struct bk_cli_prog *progs[] = { &prog, &single };

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(shells) * BK_ARRAY_SIZE(progs); i++) {
		const char *const *argv = shells[i / 2];
		int code;

		assert_int_equal(run(progs[i % 2], WORDS("completion", argv[0])), 0);
		assert_non_null(strstr(out, "bundle"));
		assert_null(strstr(out, "internal"));
		code = run_shell((char *const *)argv, out, NULL);
		if (code == 127 && i >= 2)
			print_message("# %s is not installed: its script is not checked\n",
				      argv[0]);
		else
			assert_int_equal(code, 0);
	}
}

static void test_completion_in_bash(void **state)
{
	static const char ask[] =
		"ask() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _bock_x; echo \"${COMPREPLY[*]}\"; }\n"
		"ask bock-x cr; ask bock-x --root = /tmp cr; ask bock-x --root create l\n"
		"ask bock-x create --format ''; ask bock-x create --format = j; ask bock-x list ''\n"
		"ask bock-x create --de; ask bock-x create -b /us; ask bock-x completion f; ask bock-x --d\n";
	bk_autofree char *script = NULL;
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	char *const argv[] = { (char *)"bash", NULL };

	(void)state;
	assert_int_equal(RUN("completion", "bash"), 0);
	script = bk_asprintf("%s%s", out, ask);
	assert_int_equal(run_shell(argv, script, &text), 0);
	assert_string_equal(bk_buf_str(&text), "create\ncreate\nlist\ntext json\njson\n\n--detach\n"
					       "/usr\nfish\n--debug\n");
}

BK_TEST_MAIN(cmocka_unit_test(test_forms), cmocka_unit_test(test_flags),
	     cmocka_unit_test(test_types), cmocka_unit_test(test_unknown),
	     cmocka_unit_test(test_missing_value), cmocka_unit_test(test_order),
	     cmocka_unit_test(test_help), cmocka_unit_test(test_run),
	     cmocka_unit_test(test_usage_errors), cmocka_unit_test(test_served),
	     cmocka_unit_test(test_list), cmocka_unit_test(test_completion),
	     cmocka_unit_test(test_completion_in_bash))
