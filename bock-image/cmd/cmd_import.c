/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_path.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_transfer.h"
#include "codec/bk_time.h"
#include "layer/layer_out.h"
#include "layer/layer_stream.h"
#include "layer/layer_tar.h"
#include "ref/ref.h"
#include "registry/registry_trust.h"
#include "store/store_gc.h"
#include "store/store_image.h"
#include "trust/trust_policy.h"

static bool is_whiteout(const char *path)
{
	for (; path; path = strchr(path, '/')) {
		path += *path == '/';
		if (bk_skip_prefix(path, ".wh."))
			return true;
	}
	return false;
}

/* Reads the whole tar as an unpacker would, so that what is taken can be unpacked. */
static int check_tar(struct layer_stream *stream, struct bk_err **err)
{
	bk_autolayertar struct layer_tar *tar = NULL;
	bool more = true;
	int rc = layer_tar_new(stream, NULL, &tar, err);

	for (uint64_t n = 0; rc == 0 && more; n++) {
		struct layer_entry e;

		rc = layer_tar_next(tar, &e, &more, err);
		if (rc < 0 || !more)
			break;
		if (is_whiteout(e.path))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "'%s' would be a whiteout in a layer", e.path);
		if (n >= LAYER_ENTRIES_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "too many entries");
	}
	return rc;
}

static int write_layer(struct store *s, int fd, bool gzip, struct layer_info *ret,
		       struct bk_err **err)
{
	bk_autolayerstream struct layer_stream *stream = NULL;
	bk_autolayerout struct layer_out *out = NULL;
	struct layer_stream_opts so = {
		.max_size = LAYER_SIZE_MAX,
		.tap = layer_out_write,
		.any = true,
	};
	char diff_id[BK_DIGEST_TEXT_SIZE];
	int rc = layer_out_new(s, gzip ? OCI_MEDIA_GZIP : OCI_MEDIA_PLAIN, &out, err);

	if (rc < 0)
		return rc;
	so.tap_ctx = out;
	rc = layer_stream_new(fd, &so, &stream, err);
	if (rc == 0)
		rc = check_tar(stream, err);
	if (rc == 0)
		rc = layer_stream_finish(stream, diff_id, err);
	if (rc == 0 && layer_stream_bytes(stream) == 0)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "it is empty");
	return rc < 0 ? rc : layer_out_commit(out, ret, err);
}

static int put_image(struct store *s, const char *name, const char *source,
		     const struct cmd_import_opts *o, const struct layer_info *layer,
		     struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	struct timespec now;
	char created[BK_TIME_SIZE];
	char *ids[] = { bk_arena_strdup(arena, layer->diff_id), NULL };
	struct oci_image_rootfs rootfs = { .type = bk_arena_strdup(arena, "layers"),
					   .diff_ids = ids };
	struct oci_image_exec exec = {
		.user = o->user ? bk_arena_strdup(arena, o->user) : NULL,
		.working_dir = o->workdir ? bk_arena_strdup(arena, o->workdir) : NULL,
		.env = o->env,
		.cmd = o->cmd,
	};
	struct oci_image_history history = {
		.created = created,
		.created_by = bk_arena_printf(arena, "bock-image import %s", source),
	};
	struct oci_image_config config = {
		.created = created,
		.architecture = bk_arena_strdup(arena, o->arch ? o->arch : store_machine_arch()),
		.os = bk_arena_strdup(arena, "linux"),
		.config = &exec,
		.rootfs = &rootfs,
		.history = &history,
		.n_history = 1,
	};
	struct oci_descriptor desc;
	bool set;
	int rc = bk_time_source_date(&now, &set, err);

	if (rc < 0)
		return rc;
	now.tv_nsec = 0;
	(void)bk_time_print(&now, created);
	if (!o->arch && store_machine_variant())
		config.variant = bk_arena_strdup(arena, store_machine_variant());
	layer_info_descriptor(layer, arena, &desc);
	return store_image_put(s, name, &config, &desc, 1, NULL, 0, arena, ret, err);
}

static int import(struct store *s, const char *path, const char *name, const struct cmd_import_opts *o,
		  struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	bool from_stdin = bk_streq(path, "-");
	bk_autoclose int opened = -1;
	struct layer_info layer;
	int rc;

	if (!from_stdin) {
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return bk_err_set(err, errno == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO,
					  errno, "open it");
	}
	rc = write_layer(s, from_stdin ? STDIN_FILENO : opened, o->compression == 0, &layer, err);
	if (rc < 0)
		return rc;
	return put_image(s, name, from_stdin ? "-" : bk_path_base(path), o, &layer, arena, ret,
			 err);
}

static int check_env(char *const *env, struct bk_err **err)
{
	for (; env && *env; env++)
		if (**env == '=' || !strchr(*env, '='))
			return bk_err_set(err, BK_ERR_CONFIG, 0, "--env '%s': not NAME=VALUE",
					  *env);
	return 0;
}

/* Before it is read: who made it is not known, and no signature can be of an image that is yet to be made. */
static int check_policy(const char *path, struct bk_err **err)
{
	bk_autotrustpolicy struct trust_policy *policy = NULL;
	const struct registry_trust_image image = { .digest = NULL };
	struct trust_rules rules;
	int rc = trust_policy_load(path, &policy, err);

	if (rc < 0 || !policy)
		return rc;
	trust_policy_find_path(policy, "tarball", NULL, &rules);
	return registry_trust_check(policy, &rules, &image, err);
}

int cmd_import_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	const struct cmd_import_opts *o = call->opts;
	struct oci_descriptor desc;
	int rc;

	(void)ret_status;
	rc = ref_check(call->args[1], err);
	if (rc == 0)
		rc = check_env(o->env, err);
	if (rc < 0)
		return rc;
	rc = check_policy(o->policy, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "import '%s'", call->args[0]);
	rc = cmd_open_store(call, STORE_CREATE, &s, err);
	if (rc < 0)
		return rc;
	rc = import(s, call->args[0], call->args[1], o, arena, &desc, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "import '%s'", call->args[0]);
	if (o->quiet)
		return 0;
	cmd_out_text(&out, call->args[1]);
	bk_buf_printf(&out, " %s\n", desc.digest);
	return cmd_out_flush(&out, err);
}
