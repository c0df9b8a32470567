/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_mount.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "codec/bk_json.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_mounts.h"

static const char *const modes[] = { "overlay", "erofs", NULL };

static const struct bk_cli_opt mount_opts[] = {
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct cmd_mount_opts, json), NULL,
	  "of the list: print an array of objects", 0, NULL },
	{ "mode", 0, BK_CLI_CHOICE, offsetof(struct cmd_mount_opts, mode), "MODE",
	  "what is mounted: overlay (default) or erofs", 0, modes },
	{ "no-header", 0, BK_CLI_FLAG, offsetof(struct cmd_mount_opts, no_header), NULL,
	  "of the list: no line of column names", 0, NULL },
	{ "platform", 0, BK_CLI_STR, offsetof(struct cmd_mount_opts, platform), "OS/ARCH[/VARIANT]",
	  "of an index the image for this platform (default: this machine's)", 0, NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_mount = {
	.name = "mount",
	.synopsis = "[NAME [DIR]]",
	.help = "mount an image read-only; or list what is mounted",
	.max_args = 2,
	.opts = mount_opts,
	.opts_size = sizeof(struct cmd_mount_opts),
};

static const struct bk_doc_field mount_fields[] = {
	BK_DOC_STR_F(struct store_use, name, "name", 0),
	BK_DOC_STR_F(struct store_use, image, "digest", 0),
	BK_DOC_STR_F(struct store_use, path, "path", BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct store_use, count, "count", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_STRV_F(struct store_use, layers, "layers", BK_DOC_ALWAYS),
	BK_DOC_END
};
static const struct bk_doc_type mount_type = BK_DOC_TYPE(struct store_use, mount_fields);

static void print_table(const struct store_use *uses, size_t n, bool header, struct bk_buf *out)
{
	static const char *const names[] = { "NAME", "DIGEST", "COUNT", "PATH" };
	cmd_autotable struct cmd_table t = { .columns = BK_ARRAY_SIZE(names) };

	if (header)
		cmd_table_names(&t, names);
	for (size_t i = 0; i < n; i++) {
		cmd_table_text(&t, uses[i].name);
		cmd_table_digest(&t, uses[i].image);
		cmd_table_add(&t, bk_asprintf("%" PRIu64, uses[i].count));
		cmd_table_text(&t, uses[i].path);
	}
	cmd_table_print(&t, out);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct store_use *)a)->path, ((const struct store_use *)b)->path);
}

int cmd_mount_list(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	const struct cmd_mount_opts *o = call->opts;
	struct store_use *uses = NULL;
	size_t n = 0;
	int rc;

	(void)ret_status;
	if (o->platform)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--platform is for an image that is to be mounted");
	rc = cmd_open_store(call, 0, &s, err);
	if (rc == 0)
		rc = store_mounts_list(s, arena, &uses, &n, err);
	if (rc < 0)
		return rc;
	if (n > 0)
		qsort(uses, n, sizeof(*uses), by_path);
	if (o->json)
		rc = bk_json_encode_array(&mount_type, uses, n, BK_JSON_PRETTY | BK_JSON_NEWLINE, &out, err);
	else
		print_table(uses, n, !o->no_header, &out);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}

/* ---- umount -------------------------------------------------------------------------------------- */

struct umount_opts {
	bool all;
};

static const struct bk_cli_opt umount_opts[] = {
	{ "all", 'a', BK_CLI_FLAG, offsetof(struct umount_opts, all), NULL,
	  "all that is mounted from the store in this mount namespace, however often", 0, NULL },
	BK_CLI_END
};

struct umount {
	struct store *store;
	int lock;
	struct store_use *uses;
	size_t n;
	struct bk_buf *out;
};

static int end_one(const struct umount *m, const struct store_use *u, bool all, struct bk_err **err)
{
	bool ended = false;
	int rc = store_mounts_end(m->store, m->lock, u, all, &ended, err);

	if (rc < 0 || !ended)
		return rc;
	cmd_out_text(m->out, u->path);
	bk_buf_addc(m->out, '\n');
	return 0;
}

static struct store_use *find_path(const struct umount *m, const char *arg)
{
	bk_autofree char *path = realpath(arg, NULL);

	for (size_t i = 0; path && i < m->n; i++)
		if (bk_streq(m->uses[i].path, path))
			return &m->uses[i];
	return NULL;
}

/* By what it was called when it was mounted, by its digest, or as the image that the name means now. */
static bool is_called(const struct store_use *u, const char *arg, const char *meant)
{
	return (u->name && bk_streq(u->name, arg)) ||
	       (u->image && (bk_streq(u->image, arg) || (meant && bk_streq(u->image, meant))));
}

/* The one at the store's own folder; where there is none, the only one. */
static int find_image(const struct umount *m, const char *arg, struct store_use **ret, struct bk_err **err)
{
	bk_autostoreimage struct store_image *image = NULL;
	const char *meant = store_image_open(m->store, arg, &image, NULL) == 0 ? image->desc.digest : NULL;
	struct store_use *own = NULL, *other = NULL, *second = NULL;
	size_t n_own = 0;
	int rc;

	for (size_t i = 0; i < m->n; i++) {
		if (!is_called(&m->uses[i], arg, meant))
			continue;
		if (store_mounts_is_own(m->store, &m->uses[i])) {
			own = &m->uses[i];
			n_own++;
			continue;
		}
		second = other;
		other = &m->uses[i];
	}
	*ret = own ? own : other;
	if (n_own > 1 || (!own && second)) {
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "it is mounted at several places");
		return bk_err_hint(err, rc, "name the place; 'mount' without arguments lists them");
	}
	if (*ret)
		return 0;
	rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0,
			"no image is mounted there, or called so, from '%s' in this mount namespace",
			store_path(m->store));
	return bk_err_hint(err, rc, "'mount' without arguments lists what is");
}

static int umount_arg(struct umount *m, const char *arg, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct store_use *u;
	/* each time anew: counts have changed */
	int rc = store_mounts_list(m->store, arena, &m->uses, &m->n, err);

	if (rc < 0)
		return rc;
	u = find_path(m, arg);
	if (!u)
		rc = find_image(m, arg, &u, err);
	if (rc == 0)
		rc = end_one(m, u, false, err);
	return rc < 0 ? bk_err_wrap(err, rc, "umount '%s'", arg) : 0;
}

static void failed(const struct bk_cli_call *call, int *ret_status, struct bk_err *why)
{
	bk_log_err(call->log, why);
	bk_err_clear(&why);
	*ret_status = 1;
}

static int umount_all(const struct bk_cli_call *call, struct umount *m, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	int rc = store_mounts_list(m->store, arena, &m->uses, &m->n, err);

	if (rc < 0)
		return rc;
	/* the deeper ones first: one may be mounted below another's place */
	if (m->n > 0)
		qsort(m->uses, m->n, sizeof(*m->uses), by_path);
	for (size_t i = m->n; i-- > 0;) {
		struct bk_err *why = NULL;

		if (end_one(m, &m->uses[i], true, &why) < 0)
			failed(call, ret_status, why);
	}
	return 0;
}

static int run_umount(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	bk_autoclose int lock = -1;
	const struct umount_opts *o = call->opts;
	struct umount m = { .out = &out };
	int rc;

	if (o->all == (call->n_args > 0))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  o->all ? "--all takes no names" : "name images or directories, or --all");
	rc = cmd_open_store(call, STORE_WRITE, &s, err);
	if (rc == 0)
		rc = store_mounts_lock(s, &lock, err);
	if (rc < 0)
		return rc;
	m.store = s;
	m.lock = lock;
	if (o->all)
		rc = umount_all(call, &m, ret_status, err);
	for (int i = 0; rc == 0 && i < call->n_args; i++) {
		struct bk_err *why = NULL;

		if (umount_arg(&m, call->args[i], &why) < 0)
			failed(call, ret_status, why);
	}
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}

const struct bk_cli_cmd cmd_umount = {
	.name = "umount",
	.synopsis = "[NAME|DIR...]",
	.help = "unmount what mount has mounted",
	.max_args = -1,
	.opts = umount_opts,
	.opts_size = sizeof(struct umount_opts),
	.run = run_umount,
};
