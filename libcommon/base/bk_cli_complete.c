/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bk_cli_priv.h"
#include "base/bk_str.h"

#define SHELLS "bash zsh fish"

/* "bock-runc" as part of a shell function's name: "bock_runc" */
static void add_ident(struct bk_buf *b, const char *name)
{
	for (; *name; name++)
		bk_buf_addc(b, *name == '-' || *name == '.' ? '_' : *name);
}

/* Where a text stands, all of them inside of single quotes. */
enum place {
	IN_ZSH_HELP,	/* "[text]" of an _arguments specification */
	IN_ZSH_MESSAGE, /* ":text:" of one, or behind the ':' of a _describe item */
	IN_FISH,
};

static void add_text(struct bk_buf *b, const char *text, enum place place)
{
	static const char *const escaped[] = {
		[IN_ZSH_HELP] = "[]:\\",
		[IN_ZSH_MESSAGE] = ":\\",
		[IN_FISH] = "\\'",
	};

	for (; text && *text; text++) {
		if (strchr(escaped[place], *text))
			bk_buf_printf(b, "\\%c", *text);
		else if (*text == '\'')
			bk_buf_adds(b, "'\\''");
		else
			bk_buf_addc(b, *text);
	}
}

static void add_choices(struct bk_buf *b, const struct bk_cli_opt *o)
{
	for (size_t i = 0; o->choices[i]; i++)
		bk_buf_printf(b, "%s%s", i ? " " : "", o->choices[i]);
}

/* The names of all commands, each with a blank behind it. */
static void add_cmd_names(struct bk_buf *b, const struct bk_cli_prog *prog)
{
	for (const struct bk_cli_cmd *c = prog->cmds; c && c->name; c++)
		if (!(c->flags & BK_CLI_CMD_HIDDEN))
			bk_buf_printf(b, "%s ", c->name);
}

static const struct bk_cli_opt *single_opts(const struct bk_cli_prog *prog)
{
	return prog->cmds || !prog->self ? NULL : prog->self->opts;
}

/* ---- bash ------------------------------------------------------------------------------------ */

/* "--name|-n" of all options with a value: a pattern of case; false where there is none. */
static bool bash_value_pattern(struct bk_buf *b, const struct bk_cli_opt *o)
{
	bool any = false;

	for (; o && o->name; o++) {
		if (!bk_cli_takes_value(o))
			continue;
		bk_buf_printf(b, "%s--%s", any ? "|" : "", o->name);
		if (o->short_name)
			bk_buf_printf(b, "|-%c", o->short_name);
		any = true;
	}
	return any;
}

static void bash_values(struct bk_buf *b, const struct bk_cli_opt *o)
{
	for (; o && o->name; o++) {
		if (!bk_cli_takes_value(o))
			continue;
		bk_buf_printf(b, "\t\t--%s", o->name);
		if (o->short_name)
			bk_buf_printf(b, "|-%c", o->short_name);
		bk_buf_adds(b, ") ");
		if (o->type == BK_CLI_CHOICE) {
			bk_buf_adds(b, "mapfile -t COMPREPLY < <(compgen -W '");
			add_choices(b, o);
			bk_buf_adds(b, "' -- \"$cur\"); ");
		} else if (o->flags & (BK_CLI_PATH | BK_CLI_DIR)) {
			bk_buf_printf(b,
				      "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < "
				      "<(compgen %s -- \"$cur\"); ",
				      o->flags & BK_CLI_DIR ? "-d" : "-f");
		}
		bk_buf_adds(b, "return ;;\n");
	}
}

static void bash_names(struct bk_buf *b, const struct bk_cli_opt *o)
{
	for (; o && o->name; o++) {
		if (o->flags & BK_CLI_HIDDEN)
			continue;
		bk_buf_printf(b, "--%s ", o->name);
		if (o->short_name)
			bk_buf_printf(b, "-%c ", o->short_name);
	}
}

/* One command's branch: values of its options, then their names. */
static void bash_branch(struct bk_buf *b, const struct bk_cli_opt *own,
			const struct bk_cli_opt *globals, const char *served)
{
	bk_buf_adds(b, "\t\tcase $prev in\n");
	bash_values(b, own);
	bash_values(b, globals);
	bk_buf_adds(b, "\t\tesac\n\t\toptions='");
	bash_names(b, own);
	bash_names(b, globals);
	bk_buf_printf(b, "%s'\n", served);
}

static void bash_cmds(const struct bk_cli_prog *prog, struct bk_buf *b)
{
	for (const struct bk_cli_cmd *c = prog->cmds; c && c->name; c++) {
		if (c->flags & BK_CLI_CMD_HIDDEN)
			continue;
		bk_buf_printf(b, "\t%s)\n", c->name);
		bash_branch(b, c->opts, NULL, "--help");
		/* a blank: no words, and no files either */
		if (c->max_args == 0)
			bk_buf_adds(b, "\t\twords=' '\n");
		bk_buf_adds(b, "\t\t;;\n");
	}
	bk_buf_adds(b, "\thelp) words='");
	add_cmd_names(b, prog);
	bk_buf_adds(b, "' ;;\n\tcompletion) words='" SHELLS "' ;;\n");
}

static void complete_bash(const struct bk_cli_prog *prog, struct bk_buf *b)
{
	bk_autobuf struct bk_buf pattern = BK_BUF_INIT(BK_BUF_SMALL);
	bool any = bash_value_pattern(&pattern, prog->globals);

	bk_buf_printf(b, "# bash completion for %s\n_", prog->name);
	add_ident(b, prog->name);
	/* '=' is a word of its own for readline */
	bk_buf_adds(b, "()\n{\n"
		       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		       "\tlocal cmd='' options='' words='' i\n\n"
		       "\tCOMPREPLY=()\n"
		       "\tif [[ $cur == = ]]; then\n\t\tcur=''\n"
		       "\telif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
		       "\tfi\n");
	if (prog->cmds) {
		bk_buf_adds(b, "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			       "\t\tcase ${COMP_WORDS[i]} in\n");
		if (any)
			bk_buf_printf(b,
				      "\t\t%s) [[ ${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) "
				      ";;\n",
				      bk_buf_str(&pattern));
		bk_buf_adds(b, "\t\t-*|=) ;;\n"
			       "\t\t*) cmd=${COMP_WORDS[i]}; break ;;\n"
			       "\t\tesac\n\tdone\n");
	}
	bk_buf_adds(b, "\tcase $cmd in\n\t'')\n");
	bash_branch(b, single_opts(prog), prog->globals,
		    prog->version ? "--help --version" : "--help");
	if (prog->cmds) {
		bk_buf_adds(b, "\t\twords='");
		add_cmd_names(b, prog);
		bk_buf_adds(b, "help completion'\n");
	}
	bk_buf_adds(b, "\t\t;;\n");
	if (prog->cmds)
		bash_cmds(prog, b);
	bk_buf_adds(b, "\tesac\n"
		       "\tif [[ $cur == -* ]]; then\n"
		       "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
		       "\telif [[ -n $words ]]; then\n"
		       "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
		       "\telse\n"
		       "\t\tcompopt -o filenames 2>/dev/null\n"
		       "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		       "\tfi\n}\ncomplete -F _");
	add_ident(b, prog->name);
	bk_buf_printf(b, " %s\n", prog->name);
}

/* ---- zsh ------------------------------------------------------------------------------------- */

/* "[help]:METAVAR:action'", the end of an _arguments specification */
static void zsh_spec_end(struct bk_buf *b, const struct bk_cli_opt *o)
{
	bk_buf_addc(b, '[');
	add_text(b, o->help, IN_ZSH_HELP);
	bk_buf_addc(b, ']');
	if (bk_cli_takes_value(o)) {
		bk_buf_addc(b, ':');
		add_text(b, o->metavar ? o->metavar : o->name, IN_ZSH_MESSAGE);
		bk_buf_addc(b, ':');
		if (o->type == BK_CLI_CHOICE) {
			bk_buf_addc(b, '(');
			add_choices(b, o);
			bk_buf_addc(b, ')');
		} else if (o->flags & BK_CLI_DIR) {
			bk_buf_adds(b, "_files -/");
		} else if (o->flags & BK_CLI_PATH) {
			bk_buf_adds(b, "_files");
		}
	}
	bk_buf_addc(b, '\'');
}

/* What stands in front of a name: '*' where it may be repeated, else what it excludes. */
static void zsh_spec_begin(struct bk_buf *b, const struct bk_cli_opt *o)
{
	if (o->type == BK_CLI_STRV)
		bk_buf_adds(b, " \\\n\t\t'*");
	else if (o->short_name)
		bk_buf_printf(b, " \\\n\t\t'(-%c --%s)", o->short_name, o->name);
	else
		bk_buf_adds(b, " \\\n\t\t'");
}

static void zsh_opts(struct bk_buf *b, const struct bk_cli_opt *o)
{
	for (; o && o->name; o++) {
		if (o->flags & BK_CLI_HIDDEN)
			continue;
		zsh_spec_begin(b, o);
		bk_buf_printf(b, "--%s%s", o->name, bk_cli_takes_value(o) ? "=" : "");
		zsh_spec_end(b, o);
		if (!o->short_name)
			continue;
		zsh_spec_begin(b, o);
		bk_buf_printf(b, "-%c%s", o->short_name, bk_cli_takes_value(o) ? "+" : "");
		zsh_spec_end(b, o);
	}
}

static const char zsh_help[] = " \\\n\t\t'--help[show this help]'";

static void zsh_cmds(const struct bk_cli_prog *prog, struct bk_buf *b)
{
	bk_buf_adds(b, " \\\n\t\t'1: :->command' '*:: :->arguments'\n\n\tcase $state in\n"
		       "\tcommand)\n\t\tcommands=(\n");
	for (const struct bk_cli_cmd *c = prog->cmds; c->name; c++) {
		if (c->flags & BK_CLI_CMD_HIDDEN)
			continue;
		bk_buf_printf(b, "\t\t\t'%s:", c->name);
		add_text(b, c->help, IN_ZSH_MESSAGE);
		bk_buf_adds(b, "'\n");
	}
	bk_buf_adds(b, "\t\t\t'help:show the help of a command'\n"
		       "\t\t\t'completion:print a completion script'\n\t\t)\n"
		       "\t\t_describe -t commands command commands ;;\n"
		       "\targuments)\n\t\tcase $words[1] in\n");
	for (const struct bk_cli_cmd *c = prog->cmds; c->name; c++) {
		if (c->flags & BK_CLI_CMD_HIDDEN)
			continue;
		bk_buf_printf(b, "\t\t%s) _arguments -s -S", c->name);
		zsh_opts(b, c->opts);
		bk_buf_adds(b, zsh_help);
		if (c->max_args != 0) {
			bk_buf_adds(b, " \\\n\t\t'*:");
			add_text(b, c->synopsis && *c->synopsis ? c->synopsis : "argument",
				 IN_ZSH_MESSAGE);
			bk_buf_adds(b, ":_files'");
		}
		bk_buf_adds(b, " ;;\n");
	}
	bk_buf_adds(b, "\t\thelp) _values command ");
	add_cmd_names(b, prog);
	bk_buf_adds(b, ";;\n\t\tcompletion) _values shell " SHELLS " ;;\n\t\tesac ;;\n\tesac\n");
}

static void complete_zsh(const struct bk_cli_prog *prog, struct bk_buf *b)
{
	bk_buf_printf(b, "#compdef %s\n# zsh completion for %s\n_", prog->name, prog->name);
	add_ident(b, prog->name);
	bk_buf_adds(b, "()\n{\n\tlocal curcontext=$curcontext state state_descr line\n"
		       "\tlocal -a commands\n\ttypeset -A opt_args\n\n"
		       "\t_arguments -C -s -S");
	if (prog->version)
		bk_buf_adds(b, " \\\n\t\t'--version[show the version]'");
	zsh_opts(b, single_opts(prog));
	zsh_opts(b, prog->globals);
	bk_buf_adds(b, zsh_help);
	if (prog->cmds)
		zsh_cmds(prog, b);
	else
		bk_buf_adds(b, " \\\n\t\t'*:argument:_files'\n");
	bk_buf_adds(b, "}\n\nif [[ $funcstack[1] == _");
	add_ident(b, prog->name);
	bk_buf_adds(b, " ]]; then\n\t_");
	add_ident(b, prog->name);
	bk_buf_adds(b, " \"$@\"\nelse\n\tcompdef _");
	add_ident(b, prog->name);
	bk_buf_printf(b, " %s\nfi\n", prog->name);
}

/* ---- fish ------------------------------------------------------------------------------------ */

/* cmd "" stands for the place in front of a command, NULL for a program without commands. */
static void fish_line(struct bk_buf *b, const struct bk_cli_prog *prog, const char *cmd)
{
	bk_buf_printf(b, "complete -c %s", prog->name);
	if (!cmd)
		return;
	bk_buf_adds(b, " -n '__fish_");
	add_ident(b, prog->name);
	bk_buf_printf(b, "_at \"%s\"'", cmd);
}

static void fish_opts(struct bk_buf *b, const struct bk_cli_prog *prog, const char *cmd,
		      const struct bk_cli_opt *o)
{
	for (; o && o->name; o++) {
		if (o->flags & BK_CLI_HIDDEN)
			continue;
		fish_line(b, prog, cmd);
		bk_buf_printf(b, " -l %s", o->name);
		if (o->short_name)
			bk_buf_printf(b, " -s %c", o->short_name);
		if (o->type == BK_CLI_CHOICE) {
			bk_buf_adds(b, " -x -a '");
			add_choices(b, o);
			bk_buf_addc(b, '\'');
		} else if (o->flags & BK_CLI_DIR) {
			bk_buf_adds(b, " -x -a '(__fish_complete_directories)'");
		} else if (o->flags & BK_CLI_PATH) {
			bk_buf_adds(b, " -r -F");
		} else if (bk_cli_takes_value(o)) {
			bk_buf_adds(b, " -x");
		}
		bk_buf_adds(b, " -d '");
		add_text(b, o->help, IN_FISH);
		bk_buf_adds(b, "'\n");
	}
}

/* A function that says which command the line has so far: values of global options are none. */
static void fish_functions(const struct bk_cli_prog *prog, struct bk_buf *b)
{
	bk_buf_adds(b, "function __fish_");
	add_ident(b, prog->name);
	bk_buf_adds(b, "_at\n\tset -l tokens (commandline -opc)\n\tset -l skip 0\n"
		       "\tset -l found ''\n"
		       "\tfor token in $tokens[2..-1]\n"
		       "\t\tif test $skip = 1\n\t\t\tset skip 0\n\t\t\tcontinue\n\t\tend\n"
		       "\t\tswitch $token\n");
	for (const struct bk_cli_opt *o = prog->globals; o && o->name; o++) {
		if (!bk_cli_takes_value(o))
			continue;
		bk_buf_printf(b, "\t\t\tcase '--%s'", o->name);
		if (o->short_name)
			bk_buf_printf(b, " '-%c'", o->short_name);
		bk_buf_adds(b, "\n\t\t\t\tset skip 1\n");
	}
	bk_buf_adds(b, "\t\t\tcase '-*'\n\t\t\tcase '*'\n\t\t\t\tset found $token\n"
		       "\t\t\t\tbreak\n\t\tend\n\tend\n"
		       "\ttest \"$found\" = \"$argv[1]\"\nend\n");
}

static void complete_fish(const struct bk_cli_prog *prog, struct bk_buf *b)
{
	const char *start = prog->cmds ? "" : NULL;

	bk_buf_printf(b, "# fish completion for %s\n", prog->name);
	if (prog->cmds)
		fish_functions(prog, b);
	fish_opts(b, prog, start, single_opts(prog));
	fish_opts(b, prog, start, prog->globals);
	if (prog->version) {
		fish_line(b, prog, start);
		bk_buf_adds(b, " -l version -d 'show the version'\n");
	}
	bk_buf_printf(b, "complete -c %s -l help -d 'show this help'\n", prog->name);
	if (!prog->cmds)
		return;
	for (const struct bk_cli_cmd *c = prog->cmds; c->name; c++) {
		if (c->flags & BK_CLI_CMD_HIDDEN)
			continue;
		fish_line(b, prog, "");
		bk_buf_printf(b, " -f -a %s -d '", c->name);
		add_text(b, c->help, IN_FISH);
		bk_buf_adds(b, "'\n");
		fish_opts(b, prog, c->name, c->opts);
	}
	fish_line(b, prog, "");
	bk_buf_adds(b, " -f -a help -d 'show the help of a command'\n");
	fish_line(b, prog, "");
	bk_buf_adds(b, " -f -a completion -d 'print a completion script'\n");
	fish_line(b, prog, "help");
	bk_buf_adds(b, " -f -a '");
	add_cmd_names(b, prog);
	bk_buf_adds(b, "'\n");
	fish_line(b, prog, "completion");
	bk_buf_adds(b, " -f -a '" SHELLS "'\n");
}

int bk_cli_complete(const struct bk_cli_prog *prog, const char *shell, struct bk_buf *b,
		    struct bk_err **err)
{
	if (bk_streq(shell, "bash"))
		complete_bash(prog, b);
	else if (bk_streq(shell, "zsh"))
		complete_zsh(prog, b);
	else if (bk_streq(shell, "fish"))
		complete_fish(prog, b);
	else
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "no completion for '%s': only for bash, zsh and fish", shell);
	return 0;
}
