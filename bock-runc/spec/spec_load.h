/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle (runtime-spec bundle.md): config.json read, decoded, and checked as far as the document
 * itself can be: what depends on tables of the runtime is checked when the plan is compiled.
 */
#ifndef SPEC_LOAD_H
#define SPEC_LOAD_H

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "oci/oci_runtime_linux.h"

#define SPEC_GROUPS_MAX 65536	/* process.user.additionalGids; the kernel's NGROUPS_MAX */
#define SPEC_CONFIG_MAX ((size_t)16 << 20)	/* bytes of a config.json */

struct spec {
	struct bk_arena *arena;			/* holds all below */
	struct oci_runtime_config *config;
	const char *bundle;			/* absolute */
	const char *rootfs;			/* absolute */
	const char *text;			/* config.json as it is */
	size_t text_len;
	bool no_process;			/* config has none: an empty one stands in its place */
};

/*
 * Where config has no process, which only `start` needs (runtime.md), puts an empty one in its place, so that no
 * reader has to ask; spec_load and spec_load_kept do so.
 */
void spec_fill_process(struct spec *s);

/*
 * Loads bundle (a directory; NULL: the current one). config_path (NULL: config.json in the bundle) is
 * taken as it is. Errors: BK_ERR_CONFIG with the JSON path; BK_ERR_NOT_FOUND.
 */
int spec_load(const char *bundle, const char *config_path, struct spec *ret, struct bk_err **err);
/* The same without spec_check: whoever calls it checks. */
int spec_read(const char *bundle, const char *config_path, struct spec *ret, struct bk_err **err);
/* The same for a file already kept (a container's copy), whose bundle is known and not looked at. */
int spec_load_kept(int dirfd, const char *file, const char *bundle, struct spec *ret,
		   struct bk_err **err);
/* Reads a process object, as exec --process gives it, into the spec's arena; checked. */
int spec_load_process(const struct spec *s, const char *path, struct oci_process **ret,
		      struct bk_err **err);
void spec_done(struct spec *s);
#define bk_autospec bk_auto(spec_done)

/*
 * The rules of config.md and config-linux.md that need nothing but the document: required members,
 * absolute paths, namespaces, hooks.
 */
int spec_check(const struct oci_runtime_config *c, struct bk_err **err);
/*
 * The same, going on behind a problem: one a group of rules. found() owns the error. Returns how many.
 */
size_t spec_check_each(const struct oci_runtime_config *c,
		       void (*found)(struct bk_err *e, void *ctx), void *ctx);
/* The part of it that is about a process. */
int spec_check_process(const struct oci_process *p, struct bk_err **err);

/* Whether the document lists that namespace, and its row (NULL if it doesn't). */
const struct oci_namespace *spec_ns(const struct oci_runtime_config *c, int type);
/* True if it lists the namespace without a path: a new one. */
bool spec_ns_is_new(const struct oci_runtime_config *c, int type);

/*
 * The default configuration, as `spec` writes it (the same content as runc's). rootless: for the
 * user and group given, without what an unprivileged user can't have.
 */
struct oci_runtime_config *spec_default(struct bk_arena *arena, bool rootless, uint32_t uid,
					uint32_t gid);

#endif
