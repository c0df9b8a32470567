/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_config.h"

#include <string.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "bundle/bundle_linux.h"
#include "bundle/bundle_mounts.h"
#include "bundle/bundle_seccomp.h"
#include "bundle/bundle_security.h"
#include "bundle/bundle_user.h"
#include "codec/bk_json.h"
#include "oci/oci_runtime_linux.h"

#define CONFIG_JSON_MAX ((size_t)16 << 20)
#define ANNOTATION	"org.opencontainers.image."
#define DEFAULT_PATH	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_NOFILE	1024 /* as `runc spec`; raising it needs CAP_SYS_RESOURCE */

/* What Docker gives a container unless told otherwise. */
static const char *const capabilities[] = {
	"CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",	   "CAP_FOWNER",
	"CAP_MKNOD",   "CAP_NET_RAW",	   "CAP_SETGID",	   "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP",	   "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
	"CAP_KILL",    "CAP_AUDIT_WRITE",
};

static char **copy_texts(struct bk_arena *a, const char *const *texts, size_t n)
{
	char **v = NULL;

	for (size_t i = 0; i < n; i++)
		bk_doc_strv_add(a, &v, texts[i]);
	return v;
}

static void add_all(struct bk_arena *a, char ***v, char *const *from)
{
	for (; from && *from; from++)
		bk_doc_strv_add(a, v, *from);
}

/* ---- process ------------------------------------------------------------------------------------ */

static int make_args(const struct oci_image_exec *image, const struct bundle_opts *o,
		     struct bk_arena *a, char ***ret, struct bk_err **err)
{
	char **args = NULL;

	if (o->args) {
		add_all(a, &args, o->args);
	} else {
		if (!o->entrypoint)
			add_all(a, &args, image->entrypoint);
		else if (*o->entrypoint)
			bk_doc_strv_add(a, &args, o->entrypoint);
		if (o->cmd)
			add_all(a, &args, o->cmd);
		else if (!o->entrypoint)
			add_all(a, &args, image->cmd);
	}
	if (!args && o->allow_no_args)
		bk_doc_strv_add(a, &args, "/bin/sh");
	if (!args) {
		int rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				    "the image has neither an entrypoint nor a command");

		return bk_err_hint(err, rc, "say what to run behind '--'");
	}
	*ret = args;
	return 0;
}

/* What the image says wins over what is usual; what the caller says wins over the image. */
static void make_env(const struct oci_image_exec *image, const struct bundle_opts *o,
		     const char *home, struct bk_arena *a, char ***ret)
{
	bk_autostrv char **env = bk_strv_dup(image->env);

	for (char *const *e = o->env; e && *e; e++)
		bk_env_set(&env, *e);
	if (!bk_env_get(env, "PATH"))
		bk_strv_add(&env, DEFAULT_PATH);
	if (!bk_env_get(env, "HOME"))
		bk_strv_push(&env, bk_asprintf("HOME=%s", home ? home : "/"));
	if (o->tty && !bk_env_get(env, "TERM"))
		bk_strv_add(&env, "TERM=xterm");
	add_all(a, ret, env);
}

static int make_cwd(const struct oci_image_exec *image, const struct bundle_opts *o,
		    struct bk_arena *a, char **ret, struct bk_err **err)
{
	const char *cwd = o->cwd ? o->cwd : image->working_dir;

	if (!cwd || !*cwd)
		cwd = "/";
	if (*cwd != '/')
		return bk_err_set(err, BK_ERR_CONFIG, 0, "working directory '%s' is not absolute",
				  cwd);
	*ret = bk_arena_strdup(a, cwd);
	return 0;
}

static struct oci_capabilities *make_capabilities(struct bk_arena *a)
{
	struct oci_capabilities *c = bk_arena_alloc(a, sizeof(*c));

	c->bounding = c->effective = c->permitted = copy_texts(a, capabilities,
							       BK_ARRAY_SIZE(capabilities));
	return c;
}

/* A user namespace of one user has no other: the runtime could not become it. */
static int check_rootless(const struct bundle_user *user, struct bk_err **err)
{
	int rc;

	if (user->uid == 0 && user->gid == 0)
		return 0;
	rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
			"the image's user %u:%u: a rootless container has root only", user->uid,
			user->gid);
	return bk_err_hint(err, rc, "--user 0:0 runs it as that, which is the caller outside");
}

static int check_mapped(const struct bundle_opts *o, const struct bundle_user *user,
			struct bk_err **err)
{
	uint32_t host;

	if (layer_ids_host(o->ids.uids, o->ids.n_uids, user->uid, &host) &&
	    layer_ids_host(o->ids.gids, o->ids.n_gids, user->gid, &host))
		return 0;
	return bk_err_set(err, BK_ERR_CONFIG, 0, "the user %u:%u is not among the mapped ids",
			  user->uid, user->gid);
}

/* The groups of the user that there are in the container. */
static void take_groups(const struct bundle_opts *o, const struct bundle_user *user,
			struct bk_arena *a, struct oci_user *ret)
{
	uint32_t host;

	for (size_t i = 0; i < user->n_additional_gids; i++) {
		if (!layer_ids_host(o->ids.gids, o->ids.n_gids, user->additional_gids[i], &host))
			continue;
		ret->additional_gids = bk_arena_grow(a, ret->additional_gids,
						     ret->n_additional_gids,
						     sizeof(*ret->additional_gids));
		ret->additional_gids[ret->n_additional_gids++] = user->additional_gids[i];
	}
}

static int make_process(const struct oci_image_exec *image, const struct bundle_opts *o,
			const struct bk_root *rootfs, struct bk_arena *a, struct oci_process *p,
			struct bk_err **err)
{
	struct bundle_user user;
	int rc = bundle_user_resolve(o->user ? o->user : image->user, rootfs, a, &user, err);

	if (rc == 0 && o->rootless)
		rc = check_rootless(&user, err);
	if (rc == 0)
		rc = check_mapped(o, &user, err);
	if (rc == 0)
		rc = make_args(image, o, a, &p->args, err);
	if (rc == 0)
		rc = make_cwd(image, o, a, &p->cwd, err);
	if (rc < 0)
		return rc;
	p->user = bk_arena_alloc(a, sizeof(*p->user));
	p->user->uid = user.uid;
	p->user->gid = user.gid;
	/* A user namespace of one user refuses setgroups(2). */
	if (!o->rootless)
		take_groups(o, &user, a, p->user);
	make_env(image, o, user.home, a, &p->env);
	p->terminal = o->tty;
	p->no_new_privileges = true;
	p->capabilities = make_capabilities(a);
	if (!o->rootless) {
		p->rlimits = bk_arena_alloc(a, sizeof(*p->rlimits));
		p->rlimits->type = bk_arena_strdup(a, "RLIMIT_NOFILE");
		p->rlimits->soft = p->rlimits->hard = DEFAULT_NOFILE;
		p->n_rlimits = 1;
	}
	return 0;
}

/* ---- annotations -------------------------------------------------------------------------------- */

static void annotate(struct bk_arena *a, struct oci_runtime_config *c, const char *name,
		     const char *value)
{
	bk_autofree char *key = bk_asprintf(ANNOTATION "%s", name);

	if (value && *value)
		bk_doc_pair_set(a, &c->annotations, &c->n_annotations, key, value);
}

/*
 * Annotations by which a runtime acts on the host or is weakened (features.md: "potentially unsafe"; CVE-2026-53488): an
 * image's labels must not become such. Those that bock-runc knows are all among them.
 */
static bool is_unsafe(const char *label)
{
	static const char *const prefixes[] = {
		"run.oci.", "org.systemd.property.", "org.criu.",	/* bock-runc, crun, runc */
		"krun.", "io.katacontainers.", "dev.gvisor.",		/* those that run machines or a kernel */
		"cdi.k8s.io/",						/* devices of the host */
		BUNDLE_SECURITY,					/* obeyed by bundle_security.h */
	};

	for (size_t i = 0; i < BK_ARRAY_SIZE(prefixes); i++) {
		if (bk_skip_prefix(label, prefixes[i]))
			return true;
	}
	return false;
}

/* conversion.md: labels last, for they win over what is implied. */
static void make_annotations(const struct oci_image_config *image,
			     const struct oci_image_exec *exec, struct bk_arena *a,
			     struct oci_runtime_config *c)
{
	bk_autofree char *features = bk_strv_join(image->os_features, ",");
	bk_autofree char *ports = bk_strv_join(exec->exposed_ports, ",");

	annotate(a, c, "os", image->os);
	annotate(a, c, "architecture", image->architecture);
	annotate(a, c, "variant", image->variant);
	annotate(a, c, "os.version", image->os_version);
	annotate(a, c, "os.features", features);
	annotate(a, c, "author", image->author);
	annotate(a, c, "created", image->created);
	annotate(a, c, "stopSignal", exec->stop_signal);
	annotate(a, c, "exposedPorts", ports);
	for (size_t i = 0; i < exec->n_labels; i++) {
		if (!is_unsafe(exec->labels[i].key))
			bk_doc_pair_set(a, &c->annotations, &c->n_annotations, exec->labels[i].key,
					exec->labels[i].value);
	}
}

static const struct oci_image_exec *exec_of(const struct oci_image_config *image)
{
	static const struct oci_image_exec none;

	return image->config ? image->config : &none;
}

int bundle_config_check(const struct oci_image_config *image, const struct bundle_opts *opts,
			struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	char **args, *cwd;
	int rc;

	if (!bk_streq(image->os, "linux"))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "the image is for '%s', not for linux", image->os);
	rc = make_args(exec_of(image), opts, arena, &args, err);
	return rc < 0 ? rc : make_cwd(exec_of(image), opts, arena, &cwd, err);
}

int bundle_config_make(const struct oci_image_config *image, const struct bundle_opts *opts,
		       const struct bk_root *rootfs, struct bk_arena *arena,
		       struct oci_runtime_config *ret, struct bk_err **err)
{
	const struct oci_image_exec *exec = exec_of(image);
	struct oci_runtime_config c = { 0 };
	int rc = bundle_config_check(image, opts, err);

	if (rc < 0)
		return rc;
	c.process = bk_arena_alloc(arena, sizeof(*c.process));
	rc = make_process(exec, opts, rootfs, arena, c.process, err);
	if (rc < 0)
		return rc;
	c.oci_version = bk_arena_strdup(arena, OCI_RUNTIME_VERSION);
	c.root = bk_arena_alloc(arena, sizeof(*c.root));
	c.root->path = bk_arena_strdup(arena, opts->rootfs ? opts->rootfs : "rootfs");
	c.root->readonly = opts->readonly;
	c.hostname = bk_arena_strdup(arena, opts->hostname ? opts->hostname : "bock");
	rc = bundle_linux_make(opts, arena, &c, err);
	if (rc < 0)
		return rc;
	bundle_mounts_make(opts, arena, &c);
	make_annotations(image, exec, arena, &c);
	bundle_security_apply(opts, exec->labels, exec->n_labels, arena, &c);
	/* by the capabilities that are left */
	bundle_seccomp_default(arena, c.process->capabilities->bounding, &c.linux_->seccomp);
	*ret = c;
	return 0;
}

int bundle_config_write(int dirfd, const struct oci_runtime_config *config, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(CONFIG_JSON_MAX);
	int rc = bk_json_encode(&oci_runtime_config_type, config,
				BK_JSON_PRETTY | BK_JSON_TAB | BK_JSON_NEWLINE, &text, err);

	if (rc == 0)
		rc = bk_buf_check(&text, "config.json", err);
	if (rc == 0)
		rc = bk_file_write_atomic(dirfd, "config.json", text.data, text.len, 0644, false,
					  err);
	return rc < 0 ? bk_err_wrap(err, rc, "config.json") : 0;
}
