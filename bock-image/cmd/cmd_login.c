/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_registry.h"

#define PASSWORD_MAX ((size_t)64 << 10) /* tokens are passwords, too */

/* What stands for a registry on the command line: its domain. */
static int domain_of(const char *text, char **ret, struct bk_err **err)
{
	bk_autofree char *key = creds_key(text);
	bk_autofree char *name = bk_asprintf("%s/x", key);
	bk_autoref struct ref ref = REF_INIT;
	int rc = ref_parse(name, &ref, err);

	if (rc < 0)
		return rc;
	if (strchr(key, '/') || !(bk_streq(ref.domain, key)))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'%s' is no registry: HOST[:PORT] is expected", text);
	*ret = bk_steal_ptr(&key);
	return 0;
}

static void forget(struct bk_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	bk_buf_done(b);
}

/* A line from the terminal without its echo. */
static int ask_password(struct bk_buf *b, struct bk_err **err)
{
	struct termios before, silent;
	char c;
	ssize_t n;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "no terminal to ask for the password: use --password-stdin");
	(void)fputs("Password: ", stderr);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
		bk_buf_addc(b, c);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	(void)fputs("\n", stderr);
	return n < 0 ? bk_err_set(err, BK_ERR_IO, errno, "read the password") : 0;
}

static int read_password(bool from_stdin, struct bk_buf *b, struct bk_err **err)
{
	int rc = from_stdin ? bk_fd_read_buf(STDIN_FILENO, b, "the password", err) :
			      ask_password(b, err);

	if (rc == 0)
		rc = bk_buf_check(b, "the password", err);
	if (rc < 0)
		return rc;
	while (b->len > 0 && (b->data[b->len - 1] == '\n' || b->data[b->len - 1] == '\r'))
		b->data[--b->len] = '\0';
	if (b->len == 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the password is empty");
	if (strlen(b->data) != b->len || strpbrk(b->data, "\r\n"))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the password is more than one line");
	return 0;
}

/* Where --store says: "file" (default), "pass", or the name of a helper. */
static int open_keeper(const char *kind, struct cmd_registry *c, struct creds **ret,
		       struct bk_err **err)
{
	if (!kind || bk_streq(kind, "file")) {
		*ret = c->creds;
		return 0;
	}
	if (bk_streq(kind, "pass")) {
		creds_free(c->creds);
		*ret = c->creds = creds_pass_new();
		return 0;
	}
	creds_free(c->creds);
	c->creds = NULL;
	if (creds_helper_new(kind, &c->creds, err) < 0)
		return -BK_ERR_CONFIG;
	*ret = c->creds;
	return 0;
}

static int try_login(const struct bk_cli_call *call, const struct cmd_registry_opts *o,
		     const char *domain, const struct credential *credential, bool *ret_used,
		     struct bk_err **err)
{
	cmd_autoregistry struct cmd_registry c = { 0 };
	struct registry *r = NULL;
	int rc = cmd_registry_open_as(&c, call, o, credential, err);

	if (rc == 0)
		rc = registry_open(c.client, domain, &r, err);
	return rc < 0 ? rc : registry_check_login(r, ret_used, err);
}

static int login(const struct bk_cli_call *call, const struct cmd_login_opts *o, const char *domain,
		 struct credential *credential, struct bk_err **err)
{
	cmd_autoregistry struct cmd_registry c = { 0 };
	struct creds *keeper;
	bool used = false;
	int rc = try_login(call, &o->registry, domain, credential, &used, err);

	if (rc == 0)
		rc = cmd_registry_open(&c, call, &o->registry, err);
	if (rc == 0)
		rc = open_keeper(o->store, &c, &keeper, err);
	if (rc == 0)
		rc = creds_store(keeper, domain, credential, err);
	if (rc < 0)
		return rc;
	if (!used)
		bk_log_msg(call->log, BK_LOG_WARNING,
			   "%s asked for no credentials, so they could not be tried", domain);
	return 0;
}

int cmd_login_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct cmd_login_opts *o = call->opts;
	struct bk_buf password = BK_BUF_INIT(PASSWORD_MAX);
	bk_autocredential struct credential credential = CREDENTIAL_INIT;
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autofree char *domain = NULL;
	int rc = domain_of(call->args[0], &domain, err);

	(void)ret_status;
	if (rc == 0 && (!o->username || !*o->username || strchr(o->username, ':')))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				"-u USER is needed, without a ':' in the name");
	if (rc == 0)
		rc = read_password(o->password_stdin, &password, err);
	if (rc == 0) {
		credential.username = bk_strdup(o->username);
		credential.password = bk_strdup(password.data);
		rc = login(call, o, domain, &credential, err);
	}
	forget(&password);
	if (rc < 0)
		return bk_err_wrap(err, rc, "log in to '%s'", call->args[0]);
	bk_buf_printf(&out, "logged in to %s as ", domain);
	cmd_out_text(&out, o->username);
	bk_buf_addc(&out, '\n');
	return cmd_out_flush(&out, err);
}

int cmd_logout_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct cmd_logout_opts *o = call->opts;
	bk_autofree char *domain = NULL;
	struct creds *creds;
	bool found = false;
	int rc = 0;

	(void)ret_status;
	if (o->all != (call->n_args == 0))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "either a registry or --all is expected");
	creds = creds_manager_new(o->authfile);
	if (o->all) {
		rc = creds_clear(creds, err);
	} else {
		rc = domain_of(call->args[0], &domain, err);
		if (rc == 0)
			rc = creds_erase(creds, domain, &found, err);
		if (rc == 0 && !found)
			rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0, "not logged in to '%s'", domain);
	}
	creds_free(creds);
	return rc;
}
