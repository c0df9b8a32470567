/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/spec_load.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <errno.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"

void spec_done(struct spec *s)
{
	if (s->arena)
		bk_arena_free(s->arena);
	*s = (struct spec){ 0 };
}

static int read_text(const struct spec *s, int dirfd, const char *path, const char **ret_text,
		     size_t *ret_len, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(SPEC_CONFIG_MAX);
	char *text;
	int rc;

	rc = bk_file_read(dirfd, path, &b, err);
	if (rc < 0)
		return rc;
	/* as it is: it may hold a NUL, which the parser is to find */
	text = bk_arena_alloc(s->arena, b.len + 1);
	if (b.len)
		memcpy(text, b.data, b.len);
	*ret_text = text;
	*ret_len = b.len;
	return 0;
}

/*
 * Up to version 1.2 a pids.limit of 0 was no limit to every runtime, and engines that write such documents
 * (podman 4 for --pids-limit=-1) mean that; from 1.3 on it is a limit as any other.
 */
static void heed_version(struct oci_runtime_config *c)
{
	struct oci_pids *pids = c->linux_ && c->linux_->resources ? c->linux_->resources->pids : NULL;
	const char *minor = bk_skip_prefix(c->oci_version, "1.");

	if (pids && pids->has_limit && pids->limit == 0 && minor && *minor >= '0' && *minor <= '2' &&
	    minor[1] == '.')
		pids->limit = -1;
}

void spec_fill_process(struct spec *s)
{
	if (s->config->process)
		return;
	s->no_process = true;
	s->config->process = bk_arena_alloc(s->arena, sizeof(*s->config->process));
	s->config->process->cwd = bk_arena_strdup(s->arena, "/");
}

static int decode(struct spec *s, int dirfd, const char *path, struct bk_err **err)
{
	int rc = read_text(s, dirfd, path, &s->text, &s->text_len, err);

	if (rc < 0)
		return rc;
	s->config = bk_arena_alloc(s->arena, sizeof(*s->config));
	rc = bk_json_decode(&oci_runtime_config_type, path, s->text, s->text_len,
			    &bk_doc_limits_oci, s->arena, s->config, err);
	if (rc == 0)
		heed_version(s->config);
	return rc;
}

static void set_rootfs(struct spec *s)
{
	if (s->config->root && s->config->root->path) {
		bk_autofree char *joined = bk_path_join(s->bundle, s->config->root->path);
		bk_autofree char *clean = bk_path_clean(joined);

		s->rootfs = bk_arena_strdup(s->arena, clean);
	}
}

/* Reads into *s; what is there when it fails is the caller's to release. */
static int read_bundle(const char *bundle, const char *config_path, struct spec *s,
		       struct bk_err **err)
{
	bk_autofree char *abs = NULL;
	bk_autofree char *path = NULL;
	int rc;

	rc = bk_path_absolute(bundle && *bundle ? bundle : ".", &abs, err);
	if (rc < 0)
		return rc;
	s->bundle = bk_arena_strdup(s->arena, abs);
	path = config_path ? bk_strdup(config_path) : bk_path_join(abs, "config.json");
	rc = decode(s, AT_FDCWD, path, err);
	if (rc == -BK_ERR_NOT_FOUND)
		return bk_err_hint(err, rc, "a bundle is a directory with a config.json: see --bundle, "
				   "and 'bock-runc spec' to make one");
	if (rc < 0)
		return bk_err_wrap(err, rc, "bundle '%s'", abs);
	set_rootfs(s);
	return 0;
}

int spec_read(const char *bundle, const char *config_path, struct spec *ret, struct bk_err **err)
{
	bk_autospec struct spec s = { .arena = bk_arena_new() };
	int rc = read_bundle(bundle, config_path, &s, err);

	if (rc < 0)
		return rc;
	*ret = s;
	s.arena = NULL;
	return 0;
}

int spec_load(const char *bundle, const char *config_path, struct spec *ret, struct bk_err **err)
{
	bk_autospec struct spec s = { .arena = bk_arena_new() };
	int rc = read_bundle(bundle, config_path, &s, err);

	if (rc < 0)
		return rc;
	rc = spec_check(s.config, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "bundle '%s'", s.bundle);
	spec_fill_process(&s);
	*ret = s;
	s.arena = NULL;
	return 0;
}

int spec_load_kept(int dirfd, const char *file, const char *bundle, struct spec *ret,
		   struct bk_err **err)
{
	bk_autospec struct spec s = { .arena = bk_arena_new() };
	int rc;

	s.bundle = bk_arena_strdup(s.arena, bundle);
	rc = decode(&s, dirfd, file, err);
	if (rc < 0)
		return rc;
	spec_fill_process(&s);
	set_rootfs(&s);
	*ret = s;
	s.arena = NULL;
	return 0;
}

int spec_load_process(const struct spec *s, const char *path, struct oci_process **ret,
		      struct bk_err **err)
{
	struct oci_process *p = bk_arena_alloc(s->arena, sizeof(*p));
	const char *text = NULL;
	size_t len = 0;
	int rc = read_text(s, AT_FDCWD, path, &text, &len, err);

	if (rc == 0)
		rc = bk_json_decode(&oci_process_type, path, text, len, &bk_doc_limits_oci, s->arena, p,
				    err);
	if (rc == 0)
		rc = spec_check_process(p, err);
	if (rc == 0)
		*ret = p;
	return rc;
}

const struct oci_namespace *spec_ns(const struct oci_runtime_config *c, int type)
{
	for (size_t i = 0; c->linux_ && i < c->linux_->n_namespaces; i++) {
		if (c->linux_->namespaces[i].type == type)
			return &c->linux_->namespaces[i];
	}
	return NULL;
}

bool spec_ns_is_new(const struct oci_runtime_config *c, int type)
{
	const struct oci_namespace *ns = spec_ns(c, type);

	return ns && (!ns->path || !*ns->path);
}
