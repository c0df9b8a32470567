/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines as tables. One table of options and commands yields parsing, --help, shell completion
 * and the list that the tests hold against the man pages.
 *
 * Forms understood: --name VALUE, --name=VALUE, -name VALUE, -name=VALUE (Go's flag style, which
 * containerd uses), -n VALUE, -nVALUE, -n=VALUE, bundled flags -it, "--" ends options. Booleans take
 * =true/=false. Global options stand before the command; a command's options before, between or
 * behind its arguments unless the command says BK_CLI_STOP_AT_ARG.
 *
 * Options are stored into a struct by offset:
 *
 *	struct run_opts { const char *bundle; bool detach; char **env; };
 *	static const struct bk_cli_opt run_opts[] = {
 *		{ "bundle", 'b', BK_CLI_STR, offsetof(struct run_opts, bundle), "DIR", "...", 0, NULL },
 *		BK_CLI_END };
 */
#ifndef BK_CLI_H
#define BK_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_log.h"

enum bk_cli_type {
	BK_CLI_FLAG,	/* bool */
	BK_CLI_STR,	/* const char *, borrowed from argv; the last one wins */
	BK_CLI_STRV,	/* char **: a strv (bk_str.h), each use appends */
	BK_CLI_U32,	/* uint32_t */
	BK_CLI_I64,	/* int64_t */
	BK_CLI_CHOICE,	/* int: index into choices */
};

enum {
	BK_CLI_HIDDEN = 1,	/* accepted, not in help; must still be in the man page */
	BK_CLI_PATH = 2,	/* completion: files */
	BK_CLI_DIR = 4,		/* completion: directories */
};

struct bk_cli_opt {
	const char *name;
	char short_name;	/* 0: none */
	enum bk_cli_type type;
	size_t offset;
	const char *metavar;
	const char *help;
	unsigned int flags;
	const char *const *choices;	/* NULL-terminated, for BK_CLI_CHOICE */
};
#define BK_CLI_END { NULL, 0, BK_CLI_FLAG, 0, NULL, NULL, 0, NULL }

enum {
	BK_CLI_STOP_AT_ARG = 1,	/* the first argument past min_args ends option parsing (exec ID CMD...) */
	BK_CLI_CMD_HIDDEN = 2,
};

struct bk_cli_prog;

/* What a command gets: args are the positional arguments (args[n_args] is NULL). */
struct bk_cli_call {
	const struct bk_cli_prog *prog;
	const struct bk_log *log;
	const void *globals;
	const void *opts;
	char **args;
	int n_args;
};

struct bk_cli_cmd {
	const char *name;
	const char *synopsis;	/* arguments, as in "ID [SIGNAL]" */
	const char *help;	/* one line */
	int min_args, max_args;	/* max -1: any */
	unsigned int flags;
	const struct bk_cli_opt *opts;	/* NULL: none */
	size_t opts_size;		/* of the struct; it is zeroed before parsing */
	const void *opts_defaults;	/* NULL, or a struct to start from */
	/* *ret_status (0 before the call) is the exit status when 0 is returned. */
	int (*run)(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
	int fail_status;	/* exit status of a failure; 0 means 1 */
};

struct bk_cli_prog {
	const char *name;
	const char *summary;		/* one line */
	const char *synopsis;		/* NULL, or how arguments look when there are no commands */
	const struct bk_cli_opt *globals;
	size_t globals_size;
	const void *globals_defaults;
	const struct bk_cli_cmd *cmds;	/* ended by a NULL name; NULL: single-command program */
	const struct bk_cli_cmd *self;	/* for a program without commands (or run when no command given) */
	/* After the globals are parsed: opens the log, checks, fills defaults. globals is writable. */
	int (*setup)(void *globals, struct bk_log *log, struct bk_err **err);
	/* Prints --version to stdout. */
	void (*version)(void);
};

/*
 * Parses and runs; prints errors through the log; returns the exit status for main. Serves by itself:
 * --help/-h everywhere (exit 0), --version/-v/-V, `help [CMD]`, `completion bash|zsh|fish`, and
 * `__options` (one line an option: COMMAND<TAB>--long<TAB>-s or empty<TAB>METAVAR; globals have an empty
 * COMMAND; one line "COMMAND<TAB><TAB><TAB>SYNOPSIS" a command).
 * Usage errors: "flag needs an argument: --x" (podman probes for that), "unknown option", exit 1.
 */
int bk_cli_main(const struct bk_cli_prog *prog, int argc, char **argv);

/*
 * The parser alone, for tests and fuzzing: fills opts_struct, moves positional arguments to the front of
 * argv and returns their count in ret_n_args.
 */
int bk_cli_parse(const struct bk_cli_opt *opts, void *opts_struct, unsigned int cmd_flags, int min_args,
		 int argc, char **argv, int *ret_n_args, bool *ret_help, struct bk_err **err);

#endif
