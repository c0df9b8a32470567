/* SPDX-License-Identifier: Apache-2.0 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "codec/bk_json.h"

#define LIST_MAX ((size_t)64 << 20)

struct opts {
	int format;
	bool quiet;
};

enum { FORMAT_TABLE, FORMAT_JSON };
static const char *const formats[] = { "table", "json", NULL };

struct row {
	struct container c;
	struct oci_state state;
	const char *owner;
};

struct widths {
	int id, status, bundle, created;
};

static int widest(int w, const char *s)
{
	int len = (int)strlen(s);

	return len > w ? len : w;
}

/* The same columns as runc prints, which scripts cut. */
static void print_table(const struct row *rows, size_t n, struct bk_buf *out)
{
	struct widths w = { 9, 9, 9, 9 };

	for (size_t i = 0; i < n; i++) {
		const struct oci_state *s = &rows[i].state;

		w.id = widest(w.id, s->id);
		w.status = widest(w.status, container_status_name((enum oci_status)s->status));
		w.bundle = widest(w.bundle, s->bundle);
		w.created = widest(w.created, s->created);
	}
	bk_buf_printf(out, "%-*s   %-9s   %-*s   %-*s   %-*s   %s\n", w.id, "ID", "PID", w.status,
		      "STATUS", w.bundle, "BUNDLE", w.created, "CREATED", "OWNER");
	for (size_t i = 0; i < n; i++) {
		const struct oci_state *s = &rows[i].state;

		bk_buf_printf(out, "%-*s   %-9d   %-*s   %-*s   %-*s   %s\n", w.id, s->id, s->pid,
			      w.status, container_status_name((enum oci_status)s->status), w.bundle,
			      s->bundle, w.created, s->created, rows[i].owner);
	}
}

static int print_json(const struct row *rows, size_t n, struct bk_buf *out, struct bk_err **err)
{
	bk_autofree struct oci_state *states = bk_calloc(n + 1, sizeof(*states));

	if (n == 0) { /* as runc says it */
		bk_buf_adds(out, "null\n");
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		states[i] = rows[i].state;
		states[i].owner = (char *)rows[i].owner;
	}
	return bk_json_encode_array(&oci_state_type, states, n, BK_JSON_NEWLINE, out, err);
}

/*
 * The name in /etc/passwd, else "#UID", as runc has it. (The C library's name service can't be loaded by
 * a static program; users of other sources are shown by their number.)
 */
static const char *owner_of(uid_t uid, struct bk_arena *arena)
{
	const struct passwd *p = NULL;
	const char *name;
	char number[16];
	FILE *f;

	if (uid == 0)
		return "root";
	snprintf(number, sizeof(number), "#%u", uid);
	f = fopen("/etc/passwd", "re");
	while (f && (p = fgetpwent(f)) && p->pw_uid != uid)
		;
	name = bk_arena_strdup(arena, p ? p->pw_name : number);
	if (f)
		(void)fclose(f);
	return name;
}

/*
 * What vanishes while we look is not an error: it is gone. Nor is a state that makes no sense, which is one container's
 * matter. What can't be read may be any of them, and a list without it would be wrong.
 */
static int passed_over(const char *id, int rc, struct bk_err *why, struct bk_err **err)
{
	if (rc == -BK_ERR_IO) {
		bk_err_move(err, why);
		return bk_err_wrap(err, rc, "container '%s'", id);
	}
	bk_err_clear(&why);
	return 0;
}

static int collect(const struct container_root *root, char **ids, struct bk_arena *arena,
		   struct row *rows, size_t *ret_n, struct bk_err **err)
{
	struct cgroup_host host;
	uid_t last = 0;
	size_t n = 0;

	cgroup_find(&host);
	for (char **id = ids; id && *id; id++) {
		struct row *r = &rows[n];
		struct bk_err *why = NULL;
		uid_t uid;
		int rc = container_peek(root, *id, arena, &r->c, &uid, &why);

		if (rc == 0) {
			r->c.host = &host;
			rc = container_describe(&r->c, &r->state, &why);
			r->c.host = NULL;
		}
		if (rc < 0) {
			rc = passed_over(*id, rc, why, err);
			if (rc < 0)
				return rc;
			continue;
		}
		r->owner = n && uid == last ? rows[n - 1].owner : owner_of(uid, arena);
		last = uid;
		n++;
	}
	*ret_n = n;
	return 0;
}

static int list(const struct container_root *root, const struct opts *o, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autostrv char **ids = NULL;
	bk_autofree struct row *rows = NULL;
	bk_autobuf struct bk_buf out = BK_BUF_INIT(LIST_MAX);
	size_t n = 0;
	int rc;

	rc = container_ids(root, &ids, err);
	if (rc < 0)
		return rc;
	rows = bk_calloc(bk_strv_len(ids) + 1, sizeof(*rows));
	rc = collect(root, ids, arena, rows, &n, err);
	if (rc < 0)
		return rc;
	if (o->quiet) {
		for (size_t i = 0; i < n; i++)
			bk_buf_printf(&out, "%s\n", rows[i].state.id);
	} else if (o->format == FORMAT_JSON) {
		rc = print_json(rows, n, &out, err);
	} else {
		print_table(rows, n, &out);
	}
	if (rc == 0)
		rc = bk_buf_check(&out, "the list", err);
	return rc < 0 ? rc : cmd_print(&out, err);
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	struct container_root root = { .fd = -1 };
	int rc;

	(void)ret_status;
	rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = list(&root, call->opts, err);
	container_root_done(&root);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	{ "format", 'f', BK_CLI_CHOICE, offsetof(struct opts, format), "FORMAT", "table or json", 0,
	  formats },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct opts, quiet), NULL, "print ids only", 0, NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_list = {
	.name = "list",
	.synopsis = "",
	.help = "list the containers of the state folder",
	.min_args = 0,
	.max_args = 0,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
