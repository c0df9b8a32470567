/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_target.h"
#include "registry/registry_push.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_referrers.h"

#define TITLE	     "org.opencontainers.image.title"
#define DEFAULT_TYPE "application/octet-stream"

/* A media type: type "/" subtype, of the characters of RFC 6838 4.2. */
static bool is_media_type(const char *text)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+";
	size_t n = strspn(text, set);

	return n > 0 && n < 128 && text[n] == '/' && strlen(text + n + 1) < 128 &&
	       bk_str_all_of(text + n + 1, set);
}

/* FILE or FILE:MEDIA-TYPE into the store, as a layer. */
static int add_file(struct cmd_target *t, const char *text, struct oci_descriptor *ret,
		    struct bk_err **err)
{
	const char *colon = strrchr(text, ':');
	const char *type = colon && is_media_type(colon + 1) ? colon + 1 : NULL;
	char *path = bk_arena_strndup(t->arena, text, type ? (size_t)(colon - text) : strlen(text));
	const char *slash = strrchr(path, '/');
	char digest[BK_DIGEST_TEXT_SIZE];
	bk_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", path);
	*ret = (struct oci_descriptor){
		.media_type = bk_arena_strdup(t->arena, type ? type : DEFAULT_TYPE),
	};
	rc = store_blob_add_fd(t->store, fd, NULL, -1, digest, &ret->size, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "'%s'", path);
	ret->digest = bk_arena_strdup(t->arena, digest);
	bk_doc_pair_set(t->arena, &ret->annotations, &ret->n_annotations, TITLE,
			slash ? slash + 1 : path);
	return 0;
}

static int parse_annotations(struct cmd_target *t, char *const *texts, struct store_artifact *a,
			     struct bk_err **err)
{
	struct bk_doc_pair *pairs = NULL;
	size_t n = 0;

	for (; texts && *texts; texts++) {
		const char *equals = strchr(*texts, '=');

		if (!equals || equals == *texts)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "--annotation '%s': it is not KEY=VALUE", *texts);
		bk_doc_pair_set(t->arena, &pairs, &n,
				bk_arena_strndup(t->arena, *texts, (size_t)(equals - *texts)),
				equals + 1);
	}
	a->annotations = pairs;
	a->n_annotations = n;
	return 0;
}

static int attach(struct cmd_target *t, const struct bk_cli_call *call,
		  const struct cmd_attach_opts *o, struct oci_descriptor *ret, struct bk_err **err)
{
	const struct registry_push_opts po = { 0 };
	size_t n = (size_t)call->n_args - 1;
	struct oci_descriptor *layers = bk_arena_alloc(t->arena, n * sizeof(*layers));
	struct store_artifact a = {
		.type = o->artifact_type,
		.layers = layers,
		.n_layers = n,
		.subject = &t->d,
	};
	int rc = parse_annotations(t, o->annotations, &a, err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_file(t, call->args[i + 1], &layers[i], err);
	if (rc == 0)
		rc = store_artifact_put(t->store, &a, t->arena, ret, err);
	if (rc < 0)
		return rc;
	if (t->registry)
		return registry_push(t->registry, t->repo, NULL, t->store, ret, &po, err);
	return store_referrer_add(t->store, ret, t->arena, err);
}

int cmd_attach_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	const struct cmd_attach_opts *o = call->opts;
	cmd_autotarget struct cmd_target t = { 0 };
	struct oci_descriptor d;
	int rc;

	(void)ret_status;
	if (!o->artifact_type)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--artifact-type is needed: it says what the files are");
	if (!is_media_type(o->artifact_type))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--artifact-type '%s': it is no media type, as application/spdx+json is",
				  o->artifact_type);
	rc = cmd_target_open(&t, call, call->args[0], &o->registry, o->platform, true, err);
	if (rc == 0)
		rc = attach(&t, call, o, &d, err);
	if (rc < 0)
		return rc;
	if (!o->quiet)
		bk_buf_printf(&out, "%s\n", d.digest);
	return cmd_out_flush(&out, err);
}
