/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy: every side becomes a store. A registry is pulled into one or pushed from one, an archive loaded or saved, a layout is
 * one; where neither side is, a store of this run alone stands in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_registry.h"
#include "cmd/cmd_target.h"
#include "oci/oci_media.h"
#include "registry/registry_pull.h"
#include "registry/registry_push.h"
#include "registry/registry_trust.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_load.h"
#include "store/store_referrers.h"
#include "store/store_repair.h"
#include "store/store_save.h"

enum kind { STORE, REGISTRY, LAYOUT, ARCHIVE };

/* A side as it was given. */
struct side {
	enum kind kind;
	const char *transport; /* as the policy calls it */
	bool docker;	  /* a docker-archive, whose policy knows no paths */
	char *path;	  /* LAYOUT, ARCHIVE */
	char *name;	  /* of the image; NULL: the only one */
};

struct copy {
	const struct bk_cli_call *call;
	const struct cmd_copy_opts *o;
	struct cmd_registry c;
	struct cmd_stop stop; /* while something is sent */
	struct side from, to;
	struct store *own;	/* the one of the global options; NULL: not needed yet */
	struct store *source, *dest, *between;
	char *tmp;		/* folder of `between` */
	struct bk_arena *arena;
	struct oci_platform platform;
	struct cmd_progress progress;
	struct registry_progress rp;
	struct oci_descriptor d;
};

static int parse_side(const char *text, struct side *ret, struct bk_err **err)
{
	static const struct {
		const char *prefix;
		enum kind kind;
		const char *transport;
	} transports[] = {
		{ "docker://", REGISTRY, "docker" },
		{ "oci-archive:", ARCHIVE, "oci-archive" },
		{ "docker-archive:", ARCHIVE, "docker-archive" },
		{ "oci:", LAYOUT, "oci" },
	};
	const char *rest, *colon;

	for (size_t i = 0; i < BK_ARRAY_SIZE(transports); i++) {
		rest = bk_skip_prefix(text, transports[i].prefix);
		if (!rest)
			continue;
		ret->kind = transports[i].kind;
		ret->transport = transports[i].transport;
		ret->docker = bk_streq(ret->transport, "docker-archive");
		colon = ret->kind == REGISTRY ? NULL : strchr(rest, ':');
		if (ret->kind == REGISTRY)
			ret->name = bk_strdup(rest);
		else
			ret->path = bk_strndup(rest, colon ? (size_t)(colon - rest) : strlen(rest));
		if (colon && colon[1])
			ret->name = bk_strdup(colon + 1);
		if (ret->path && !*ret->path)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' has no path", text);
		return 0;
	}
	ret->kind = STORE;
	ret->name = bk_strdup(text);
	return ref_check(text, err);
}

static int open_between(struct copy *c, struct store **ret, struct bk_err **err)
{
	int rc = cmd_target_temp(&c->tmp, &c->between, err);

	*ret = c->between;
	return rc;
}

/* The store that a side is, NULL in *ret for one that is none. */
static int open_side(struct copy *c, const struct side *s, bool write, struct store **ret,
		     struct bk_err **err)
{
	unsigned int flags = write ? STORE_CREATE : 0;

	*ret = NULL;
	if (s->kind == STORE)
		return cmd_open_store(c->call, flags, ret, err);
	return s->kind == LAYOUT ? store_open(s->path, flags, ret, err) : 0;
}

/* ---- from ---------------------------------------------------------------------------------------- */

static int from_registry(struct copy *c, struct store *into, struct bk_err **err)
{
	const struct registry_pull_opts po = {
		.platform = c->o->platform ? &c->platform : NULL,
		.all_platforms = c->o->all_platforms,
		.referrers = c->o->referrers,
		.jobs = c->o->jobs,
		.progress = &c->rp,
	};
	bk_autoref struct ref ref = REF_INIT;
	struct oci_descriptor top, image;
	int rc = ref_parse(c->from.name, &ref, err);

	if (rc == 0)
		rc = cmd_registry_pull(&c->c, &ref, into, &po, c->arena, &top, &image, err);
	if (rc < 0)
		return rc;
	c->source = into;
	/* What goes on elsewhere must be whole there; the store itself knows parts of an index. */
	c->d = c->o->platform || into == c->between || c->to.kind != STORE ? image : top;
	if (c->to.kind == STORE)
		store_source_note(&c->d, ref.domain, ref.path, c->arena);
	return 0;
}

/* Of a store the image that is meant: by its name, or the only one. */
static int find_image(struct copy *c, const char *name, struct bk_err **err)
{
	struct oci_descriptor named;
	struct oci_index index;
	int rc;

	if (name) {
		rc = store_name_find(c->source, name, c->arena, &named, err);
	} else {
		rc = store_index_read(c->source, c->arena, &index, err);
		if (rc == 0 && index.n_manifests != 1)
			rc = bk_err_set(err, BK_ERR_CONFIG, 0,
					"it has %zu images: say which, behind a ':'",
					index.n_manifests);
		if (rc == 0)
			named = index.manifests[0];
	}
	if (rc < 0)
		return rc;
	return registry_push_choose(c->source, &named, c->o->platform ? &c->platform : NULL,
				    c->arena, &c->d, err);
}

static int from_archive(struct copy *c, struct bk_err **err)
{
	const struct store_load_opts lo = { 0 };
	struct store *into;
	int rc = open_between(c, &into, err);

	if (rc == 0)
		rc = store_load(into, c->from.path, &lo, err);
	if (rc < 0)
		return rc;
	c->source = into;
	return find_image(c, c->from.name, err);
}

/* What is no registry's has a path in place of a name. A store is not asked for: what is there was taken once. */
static int check_policy(struct copy *c, struct bk_err **err)
{
	const struct registry_trust_image image = { .digest = c->d.digest, .s = c->source };
	bk_autofree char *real = c->from.path ? realpath(c->from.path, NULL) : NULL;
	struct trust_rules rules;

	if (!c->c.policy || c->from.kind == STORE || c->from.kind == REGISTRY)
		return 0;
	trust_policy_find_path(c->c.policy, c->from.transport, c->from.docker ? NULL : real, &rules);
	return registry_trust_check(c->c.policy, &rules, &image, err);
}

static int take(struct copy *c, struct bk_err **err)
{
	struct store *into = c->dest;
	int rc = 0;

	if (c->from.kind == ARCHIVE)
		return from_archive(c, err);
	if (c->from.kind == REGISTRY) {
		if (!into)
			rc = open_between(c, &into, err);
		return rc < 0 ? rc : from_registry(c, into, err);
	}
	rc = open_side(c, &c->from, false, &c->own, err);
	if (rc < 0)
		return rc;
	c->source = c->own;
	return find_image(c, c->from.name, err);
}

/* ---- to ------------------------------------------------------------------------------------------ */

static int copy_blob(struct copy *c, const struct oci_descriptor *d, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc;

	if (store_blob_has(c->dest, d->digest, d->size)) {
		cmd_progress_event(&c->progress, REGISTRY_EXISTS, d, d->size);
		return 0;
	}
	rc = store_blob_open(c->source, d->digest, d->size, &fd, NULL, err);
	if (rc == 0)
		rc = store_blob_add_fd(c->dest, fd, d->digest, d->size, NULL, NULL, err);
	if (rc == 0)
		cmd_progress_event(&c->progress, REGISTRY_DONE, d, d->size);
	return rc;
}

/* All that d leads to, then d. */
static int copy_tree(struct copy *c, const struct oci_descriptor *d, unsigned int depth,
		     struct bk_err **err)
{
	struct oci_manifest m;
	struct oci_index index;
	int rc = 0;

	if (depth > STORE_NESTING_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "indexes nested deeper than %d",
				  STORE_NESTING_MAX);
	if (oci_media_kind_of(d->media_type) == OCI_MEDIA_KIND_INDEX) {
		rc = store_manifests_read(c->source, d, c->arena, &index, err);
		for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
			if (store_blob_has(c->source, index.manifests[i].digest, -1))
				rc = copy_tree(c, &index.manifests[i], depth + 1, err);
	} else if (oci_media_kind_of(d->media_type) == OCI_MEDIA_KIND_MANIFEST) {
		rc = store_manifest_read(c->source, d, c->arena, &m, err);
		if (rc == 0)
			rc = copy_blob(c, m.config, err);
		for (size_t i = 0; rc == 0 && i < m.n_layers; i++)
			rc = copy_blob(c, &m.layers[i], err);
	}
	return rc < 0 ? rc : copy_blob(c, d, err);
}

/* What refers to d or to a manifest of it, and what refers to that. */
static int copy_referrers(struct copy *c, const struct oci_descriptor *d, unsigned int depth,
			  struct bk_err **err)
{
	struct oci_descriptor *list;
	struct oci_index index = { 0 };
	size_t n;
	int rc;

	if (depth > 2 * STORE_NESTING_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "referrers of referrers, deeper than %d",
				  2 * STORE_NESTING_MAX);
	rc = store_referrers(c->source, d->digest, NULL, c->arena, &list, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = copy_tree(c, &list[i], 0, err);
		if (rc == 0)
			rc = store_referrer_add(c->dest, &list[i], c->arena, err);
		if (rc == 0)
			rc = copy_referrers(c, &list[i], depth + 1, err);
	}
	if (rc == 0 && oci_media_kind_of(d->media_type) == OCI_MEDIA_KIND_INDEX)
		rc = store_manifests_read(c->source, d, c->arena, &index, err);
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
		if (store_blob_has(c->source, index.manifests[i].digest, -1))
			rc = copy_referrers(c, &index.manifests[i], depth + 1, err);
	return rc;
}

static int to_registry(struct copy *c, struct bk_err **err)
{
	bk_autoref struct ref ref = REF_INIT, from = REF_INIT;
	struct registry_push_opts po = { .progress = &c->rp,
					 .jobs = c->o->jobs,
					 .referrers = c->o->referrers };
	bk_autostrv char **tags = NULL;
	const char *repo;
	struct registry *r;
	int rc = ref_parse(c->to.name, &ref, err);

	if (rc < 0)
		return rc;
	if (ref.digest && !bk_streq(ref.digest, c->d.digest))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the image has the digest %s", c->d.digest);
	if (ref.tag)
		bk_strv_add(&tags, ref.tag);
	/* Within a registry nothing need be sent. */
	if (c->from.kind == REGISTRY && ref_parse(c->from.name, &from, NULL) == 0 &&
	    bk_streq(from.domain, ref.domain) && !bk_streq(from.path, ref.path))
		po.mount_from = from.path;
	rc = cmd_registry_find(&c->c, &ref, &r, &repo, err);
	if (rc < 0)
		return rc;
	cmd_stop_begin(&c->stop);
	return cmd_target_push(r, repo, tags, c->source, &c->d, &po, err);
}

static int to_archive(struct copy *c, struct bk_err **err)
{
	const char *name = c->to.name ? c->to.name : c->from.name;
	bk_autofree char *digest = bk_strdup(c->d.digest);
	bk_autofree char *part = bk_asprintf("%s.part", c->to.path);
	char *names[1];
	bk_autoclose int fd = -1;
	struct store *s = c->source;
	int rc = 0;

	/* The archive names the image; a store that isn't of this run gets no name for that. */
	if (name && c->source != c->between) {
		rc = open_between(c, &s, err);
		c->dest = s;
		if (rc == 0)
			rc = copy_tree(c, &c->d, 0, err);
		c->dest = NULL;
	}
	if (rc == 0 && name)
		rc = store_name_set(s, name, &c->d, err);
	if (rc < 0)
		return rc;
	names[0] = name ? (char *)(uintptr_t)name : digest;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s'", part);
	rc = store_save(s, names, 1, fd, err);
	if (rc == 0 && (fsync(fd) < 0 || rename(part, c->to.path) < 0))
		rc = bk_err_set(err, BK_ERR_IO, errno, "write '%s'", c->to.path);
	if (rc < 0)
		(void)unlink(part);
	return rc;
}

static int put(struct copy *c, struct bk_err **err)
{
	const char *name = c->to.name ? c->to.name : c->from.name;
	int rc = 0;

	if (c->to.kind == REGISTRY)
		return to_registry(c, err);
	if (c->to.kind == ARCHIVE)
		return to_archive(c, err);
	if (c->source != c->dest)
		rc = copy_tree(c, &c->d, 0, err);
	if (rc == 0 && c->o->referrers && c->source != c->dest)
		rc = copy_referrers(c, &c->d, 0, err);
	if (rc < 0)
		return rc;
	if (!name)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the image has no name: say one, behind a ':'");
	return store_name_set(c->dest, name, &c->d, err);
}

/* Options that don't fit each other, or the sides. */
static int check_options(const struct copy *c, struct bk_err **err)
{
	if (c->o->referrers && (c->from.kind == ARCHIVE || c->to.kind == ARCHIVE))
		return bk_err_set(
			err, BK_ERR_UNSUPPORTED, 0,
			"--referrers: an archive is of one image, without what refers to it");
	if (c->o->platform && c->o->all_platforms)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--platform and --all-platforms exclude each other");
	if (c->o->jobs < 1 || c->o->jobs > REGISTRY_JOBS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--jobs: 1 to %d", REGISTRY_JOBS_MAX);
	return 0;
}

static int copy(struct copy *c, struct bk_err **err)
{
	int rc = parse_side(c->call->args[0], &c->from, err);

	if (rc == 0)
		rc = parse_side(c->call->args[1], &c->to, err);
	if (rc == 0)
		rc = check_options(c, err);
	if (rc == 0 && c->o->platform)
		rc = store_platform_parse(c->o->platform, c->arena, &c->platform, err);
	if (rc == 0 && (c->from.kind == REGISTRY || c->to.kind == REGISTRY))
		rc = cmd_registry_open(&c->c, c->call, &c->o->registry, err);
	if (rc == 0)
		rc = cmd_registry_policy(&c->c, c->o->policy, err);
	if (rc == 0)
		rc = open_side(c, &c->to, true, &c->dest, err);
	if (rc < 0)
		return rc;
	rc = take(c, err);
	if (rc == 0)
		rc = check_policy(c, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "'%s'", c->call->args[0]);
	rc = put(c, err);
	return rc < 0 ? bk_err_wrap(err, rc, "'%s'", c->call->args[1]) : 0;
}

static void side_done(struct side *s)
{
	free(s->path);
	free(s->name);
}

int cmd_copy_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	struct copy c = { .call = call, .o = call->opts, .arena = bk_arena_new() };
	int rc;

	(void)ret_status;
	cmd_progress_init(&c.progress, c.o->quiet, false, "copied");
	c.rp = (struct registry_progress){ .event = cmd_progress_event, .ctx = &c.progress };
	c.c.stop = &c.stop;
	rc = copy(&c, err);
	cmd_progress_done(&c.progress);
	cmd_registry_done(&c.c);
	store_close(c.own);
	store_close(c.dest);
	store_close(c.between);
	cmd_target_temp_done(&c.tmp);
	side_done(&c.from);
	side_done(&c.to);
	if (rc == 0 && !c.o->quiet) {
		bk_buf_printf(&out, "%s\n", c.d.digest);
		rc = cmd_out_flush(&out, err);
	}
	bk_arena_free(c.arena);
	cmd_stop_end(&c.stop);
	return rc;
}
