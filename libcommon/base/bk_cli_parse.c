/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_cli.h"

#include <assert.h>
#include <string.h>

#include "base/bk_cli_priv.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

#define MAX_TABLES BK_ARRAY_SIZE(((struct bk_cli_parse *)NULL)->tables)

/* What is left of the command line: the next token, and where positional arguments are kept. */
struct cursor {
	char **argv;
	int argc, next;
};

bool bk_cli_has_short(const struct bk_cli_opt *opts, char c)
{
	for (; opts && opts->name; opts++)
		if (opts->short_name == c)
			return true;
	return false;
}

static const struct bk_cli_opt *find_long(const struct bk_cli_opt *opts, const char *name,
					  size_t len)
{
	for (; opts && opts->name; opts++)
		if (strncmp(opts->name, name, len) == 0 && opts->name[len] == '\0')
			return opts;
	return NULL;
}

bool bk_cli_has_long(const struct bk_cli_opt *opts, const char *name)
{
	return find_long(opts, name, strlen(name)) != NULL;
}

/* The option called name, or with that letter where name is NULL, and the struct it belongs to. */
static const struct bk_cli_opt *find(const struct bk_cli_parse *p, const char *name, size_t len,
				     char letter, void **ret_base)
{
	for (size_t i = 0; i < MAX_TABLES; i++) {
		const struct bk_cli_opt *o = p->tables[i].opts;

		if (name)
			o = find_long(o, name, len);
		else
			while (o && o->name && o->short_name != letter)
				o++;
		if (o && o->name) {
			assert(p->tables[i].base); /* a table of options has its struct */
			*ret_base = p->tables[i].base;
			return o;
		}
	}
	return NULL;
}

static const char *nearest_name(size_t i, const void *ctx)
{
	static const char *const served[] = { "help", "version" };
	const struct bk_cli_parse *p = ctx;

	for (size_t t = 0; t < MAX_TABLES; t++)
		for (const struct bk_cli_opt *o = p->tables[t].opts; o && o->name; o++)
			if (i-- == 0)
				return o->flags & BK_CLI_HIDDEN ? NULL : o->name;
	return i < (p->take_version ? 2 : 1) ? served[i] : NULL;
}

static size_t count_names(const struct bk_cli_parse *p)
{
	size_t n = 2;

	for (size_t t = 0; t < MAX_TABLES; t++)
		for (const struct bk_cli_opt *o = p->tables[t].opts; o && o->name; o++)
			n++;
	return n;
}

/* `token` as it was typed, up to a '='; a letter is not looked up for a likeness. */
static int unknown_option(const struct bk_cli_parse *p, const char *token, struct bk_err **err)
{
	int shown = (int)strcspn(token, "=");
	const char *name = token + strspn(token, "-");
	bk_autofree char *typed = NULL;
	const char *nearest = NULL;
	int rc;

	if (strlen(name) > 1) {
		typed = strndup(name, strcspn(name, "="));
		if (typed)
			nearest = bk_str_nearest(typed, nearest_name, p, count_names(p));
	}
	rc = bk_err_set(err, BK_ERR_CONFIG, 0, "unknown option '%.*s'%s%s%s%s%s%s", shown, token,
			p->cmd ? " for '" : "", p->cmd ? p->cmd : "", p->cmd ? "'" : "",
			nearest ? ", did you mean '--" : "", nearest ? nearest : "",
			nearest ? "'?" : "");
	if (typed && bk_cli_has_long(p->globals, typed))
		return bk_err_hint(err, rc, "'--%s' stands before the command", typed);
	return rc;
}

static int store_flag(const struct bk_cli_opt *o, bool *to, const char *value, struct bk_err **err)
{
	if (value && !bk_streq(value, "true") && !bk_streq(value, "false"))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "option '--%s': '%s' is neither 'true' nor 'false'", o->name,
				  value);
	*to = !value || bk_streq(value, "true");
	return 0;
}

static int store_choice(const struct bk_cli_opt *o, int *to, const char *value, struct bk_err **err)
{
	bk_autofree char *all = NULL;

	for (int i = 0; o->choices[i]; i++) {
		if (bk_streq(o->choices[i], value)) {
			*to = i;
			return 0;
		}
	}
	all = bk_strv_join((char *const *)o->choices, ", ");
	return bk_err_set(err, BK_ERR_CONFIG, 0, "option '--%s': '%s' is not one of %s", o->name,
			  value, all);
}

/* value is NULL for a flag alone. */
static int store(const struct bk_cli_opt *o, void *base, const char *value, struct bk_err **err)
{
	void *to = (char *)base + o->offset;
	int rc = 0;

	switch (o->type) {
	case BK_CLI_FLAG:
		return store_flag(o, to, value, err);
	case BK_CLI_STR:
		*(const char **)to = value;
		return 0;
	case BK_CLI_STRV:
		bk_strv_add(to, value);
		return 0;
	case BK_CLI_U32:
		rc = bk_num_u32(value, UINT32_MAX, to, err);
		break;
	case BK_CLI_I64:
		rc = bk_num_i64(value, INT64_MIN, INT64_MAX, to, err);
		break;
	case BK_CLI_CHOICE:
		return store_choice(o, to, value, err);
	}
	return rc < 0 ? bk_err_wrap(err, rc, "option '--%s'", o->name) : 0;
}

/* Stores a value that stands behind the name (NULL: nothing does), or in the next token. */
static int take_value(const struct bk_cli_opt *o, void *base, const char *value, struct cursor *c,
		      struct bk_err **err)
{
	if (!value && bk_cli_takes_value(o)) {
		if (c->next == c->argc)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "flag needs an argument: --%s",
					  o->name);
		value = c->argv[c->next++];
	}
	return store(o, base, value, err);
}

/* True if name (len bytes of it) is an option that every table has. */
static bool is_served(struct bk_cli_parse *p, const char *name, size_t len)
{
	if (len == 4 && memcmp(name, "help", 4) == 0)
		p->help = true;
	else if (p->take_version && len == 7 && memcmp(name, "version", 7) == 0)
		p->version = true;
	return p->help || p->version;
}

/* A token of letters: flags, the last of which may have a value behind it. */
static int parse_letters(struct bk_cli_parse *p, const char *token, struct cursor *c,
			 struct bk_err **err)
{
	for (const char *s = token + 1; *s; s++) {
		const struct bk_cli_opt *o;
		const char *value = NULL;
		void *base;
		int rc;

		o = find(p, NULL, 0, *s, &base);
		if (!o && *s == 'h')
			p->help = true;
		else if (!o && p->take_version && (*s == 'v' || *s == 'V'))
			p->version = true;
		if (p->help || p->version)
			return 0;
		if (!o && s == token + 1)
			return unknown_option(p, token, err);
		if (!o) {
			const char letter[] = { '-', *s, '\0' };

			rc = unknown_option(p, letter, err);
			return bk_err_wrap(err, rc, "'%s'", token);
		}
		if (s[1] == '=')
			value = s + 2;
		else if (bk_cli_takes_value(o) && s[1])
			value = s + 1;
		rc = take_value(o, base, value, c, err);
		if (rc < 0 || value || bk_cli_takes_value(o))
			return rc;
	}
	return 0;
}

static int parse_option(struct bk_cli_parse *p, const char *token, struct cursor *c,
			struct bk_err **err)
{
	const bool two_dashes = token[1] == '-';
	const char *name = token + (two_dashes ? 2 : 1);
	size_t len = strcspn(name, "=");
	const struct bk_cli_opt *o;
	void *base;

	/* With one dash a whole name wins over letters: Go's flag package writes names so. */
	o = len > 1 || two_dashes ? find(p, name, len, 0, &base) : NULL;
	if (o)
		return take_value(o, base, name[len] ? name + len + 1 : NULL, c, err);
	if (!name[len] && is_served(p, name, len))
		return 0;
	if (two_dashes)
		return unknown_option(p, token, err);
	return parse_letters(p, token, c, err);
}

int bk_cli_parse_tables(struct bk_cli_parse *p, int argc, char **argv, struct bk_err **err)
{
	struct cursor c = { .argv = argv, .argc = argc };
	bool options = true;

	while (c.next < c.argc) {
		char *token = argv[c.next++];

		if (options && token[0] == '-' && token[1]) {
			int rc = 0;

			if (bk_streq(token, "--"))
				options = false;
			else
				rc = parse_option(p, token, &c, err);
			if (rc < 0 || p->help || p->version)
				return rc;
			continue;
		}
		if ((p->cmd_flags & BK_CLI_STOP_AT_ARG) && p->n_args >= p->min_args)
			options = false;
		/* never past the token just read */
		argv[p->n_args++] = token;
	}
	argv[p->n_args] = NULL;
	return 0;
}

int bk_cli_parse(const struct bk_cli_opt *opts, void *opts_struct, unsigned int cmd_flags,
		 int min_args, int argc, char **argv, int *ret_n_args, bool *ret_help,
		 struct bk_err **err)
{
	struct bk_cli_parse p = {
		.tables = { { .opts = opts, .base = opts_struct } },
		.cmd_flags = cmd_flags,
		.min_args = min_args,
	};
	int rc = bk_cli_parse_tables(&p, argc, argv, err);

	if (rc < 0)
		return rc;
	*ret_n_args = p.n_args;
	*ret_help = p.help;
	return 0;
}
