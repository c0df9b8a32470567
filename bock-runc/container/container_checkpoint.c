/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cgroup/cgroup.h"
#include "container/container_notify.h"
#include "ns/ns.h"
#include "spec/spec_annotations.h"

struct dump {
	const struct container *c;
	const struct container_criu_opts *o;
	struct spec spec;
	struct cgroup_host host;
	struct bk_arena *arena;
	struct container_criu_dirs dirs;
	struct criu_opts opts;
	char *cgroup;		/* on the host; NULL: none */
	int status_fd;		/* -1: told, or none */
};

static int check_status(const struct container *c, enum oci_status *ret, struct bk_err **err)
{
	int rc = container_status(c, ret, NULL, err);

	if (rc < 0 || *ret == OCI_RUNNING || *ret == OCI_PAUSED)
		return rc;
	return bk_err_set(err, BK_ERR_CONFIG, 0, "cannot checkpoint a container in the %s state",
			  container_status_name(*ret));
}

static int check_status_fd(const struct container_criu_opts *o, struct bk_err **err)
{
	int flags;

	if (o->status_fd < 0)
		return 0;
	flags = fcntl(o->status_fd, F_GETFL);
	/* what is close-on-exec did not come from our caller */
	if (flags < 0 || fcntl(o->status_fd, F_GETFD) & FD_CLOEXEC)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--status-fd: %d is not open", o->status_fd);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--status-fd: %d can't be written to", o->status_fd);
	return 0;
}

/* An address of version 6 is in brackets. */
static int page_server(struct dump *d, struct bk_err **err)
{
	struct criu_page_server *ps;
	const char *text = d->o->page_server, *colon, *start = text, *end;
	uint32_t port;

	if (!text)
		return 0;
	colon = end = strrchr(text, ':');
	if (colon && *text == '[' && colon > text + 1 && colon[-1] == ']') {
		start = text + 1;
		end = colon - 1;
	} else if (colon && memchr(text, ':', (size_t)(colon - text))) {
		colon = NULL;
	}
	if (!colon || end == start || bk_num_u32(colon + 1, UINT16_MAX, &port, NULL) < 0 || port == 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--page-server: '%s' is not ADDRESS:PORT", text);
	ps = bk_arena_alloc(d->arena, sizeof(*ps));
	ps->address = bk_arena_strndup(d->arena, start, (size_t)(end - start));
	ps->port = CRIU_NUM(port);
	d->opts.ps = ps;
	return 0;
}

static int parent(struct dump *d, struct bk_err **err)
{
	struct stat st;

	if (!d->o->parent || !*d->o->parent)
		return 0;
	if (*d->o->parent == '/')
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--parent-path: '%s' must be relative to the images",
				  d->o->parent);
	if (fstatat(d->dirs.images, d->o->parent, &st, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "--parent-path '%s'", d->o->parent);
	if (!S_ISDIR(st.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--parent-path: '%s' is not a directory", d->o->parent);
	d->opts.parent_img = d->o->parent;
	d->opts.track_mem = CRIU_NUM(1);
	return 0;
}

static void add_external(struct dump *d, const char *what)
{
	struct criu_opts *o = &d->opts;

	for (size_t i = 0; i < o->n_external; i++) {
		if (bk_streq(o->external[i], what))
			return;
	}
	o->external = bk_arena_grow(d->arena, o->external, o->n_external, sizeof(*o->external));
	o->external[o->n_external++] = what;
}

/* A namespace that was joined is somebody else's: criu leaves it out, by its number. */
static int external_ns(struct dump *d, int type, struct bk_err **err)
{
	const struct oci_namespace *ns = spec_ns(d->spec.config, type);
	const char *name = ns_info_of(type)->proc_name;
	struct stat st;
	char path[64];

	if (!ns || !ns->path || !*ns->path)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)d->c->state.pid, name);
	if (stat(path, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "look at namespace '%s'", path);
	add_external(d, bk_arena_printf(d->arena, "%s[%lu]:%s", name, (unsigned long)st.st_ino,
					container_criu_ns_key(type)));
	return 0;
}

static int mask(struct dump *d, const struct bk_root *root, const char *path, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	const char *key;
	struct stat st;
	int rc = container_criu_look(root, path, &fd, err);

	if (rc <= 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "look at '%s' in the container", path);
	if (S_ISDIR(st.st_mode))
		return 0;
	rc = container_criu_resolve(root, path, d->arena, &key, err);
	if (rc == 0)
		container_criu_add_mount(&d->opts, d->arena, key, "/dev/null");
	return rc;
}

/* Files behind the null device are mounts of the host's device; directories have a tmpfs of their own. */
static int masked(struct dump *d, struct bk_err **err)
{
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	char path[40];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)d->c->state.pid);
	rc = bk_root_open(&root, path, err);
	for (char **m = d->spec.config->linux_->masked_paths; rc == 0 && m && *m; m++)
		rc = mask(d, &root, *m, err);
	return rc < 0 ? bk_err_wrap(err, rc, "linux.maskedPaths") : 0;
}

static int stdio(struct dump *d, struct bk_err **err)
{
	struct container_criu_stream streams[CONTAINER_CRIU_STDIO];
	bk_autofree pid_t *pids = NULL;
	size_t n = 0;
	int rc = container_procs(d->c, &pids, &n, err);

	if (rc == 0)
		rc = container_criu_stdio(d->c->state.pid, pids, n, d->arena, streams, err);
	for (int i = 0; rc == 0 && i < CONTAINER_CRIU_STDIO; i++) {
		if (bk_skip_prefix(streams[i].name, "file["))
			add_external(d, streams[i].name);
	}
	return rc == 0 ? container_criu_stdio_write(d->dirs.images, streams, err) : rc;
}

/* What is outside of the container; of no interest where its memory alone is dumped. */
static int outside(struct dump *d, struct bk_err **err)
{
	int rc = container_criu_mounts(&d->spec, d->cgroup, false, d->arena, &d->opts, err);

	if (rc == 0)
		rc = masked(d, err);
	return rc == 0 ? stdio(d, err) : rc;
}

static int fill(struct dump *d, struct bk_err **err)
{
	const struct container_criu_opts *o = d->o;
	struct criu_opts *c = &d->opts;
	int rc;

	container_criu_fill(o, &d->dirs, d->spec.config, CONTAINER_CRIU_DUMP_LOG, c);
	c->pid = CRIU_NUM(d->c->state.pid);
	c->root = d->spec.rootfs;
	c->freeze_cgroup = d->cgroup;
	c->leave_running = CRIU_NUM(o->leave_running);
	c->tcp_skip_in_flight = CRIU_NUM(o->tcp_skip_in_flight);
	c->link_remap = CRIU_NUM(o->link_remap);
	rc = page_server(d, err);
	if (rc == 0)
		rc = parent(d, err);
	if (rc == 0)
		rc = external_ns(d, OCI_NS_NETWORK, err);
	if (rc == 0)
		rc = external_ns(d, OCI_NS_PID, err);
	return rc == 0 && !o->pre_dump ? outside(d, err) : rc;
}

/* Whoever takes the pages over may begin. */
static int notify(void *arg, const struct criu_event *e, struct bk_err **err)
{
	struct dump *d = arg;

	if (!bk_streq(e->script, "status-ready") || d->status_fd < 0)
		return 0;
	if (write(d->status_fd, "", 1) != 1)
		return bk_err_set(err, BK_ERR_IO, errno, "--status-fd: write to %d", d->status_fd);
	bk_close(&d->status_fd);
	return 0;
}

static int check_features(const struct container_criu_opts *o, struct criu *criu, struct bk_err **err)
{
	struct criu_features want = { 0 };

	if (o->pre_dump || (o->parent && *o->parent))
		want.mem_track = CRIU_NUM(1);
	if (o->lazy_pages)
		want.lazy_pages = CRIU_NUM(1);
	return want.mem_track.set || want.lazy_pages.set ? criu_check_features(criu, &want, err) : 0;
}

static int run(struct dump *d, struct bk_err **err)
{
	const struct container_criu_opts *o = d->o;
	const struct criu_how how = { .program = o->program,
				      /* until the last page is asked for */
				      .silence_ms = o->lazy_pages && !o->silence_ms ? -1 : o->silence_ms };
	struct criu_req req = { .type = CRIU_NUM(o->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP), .opts = &d->opts };
	bk_autocriu struct criu criu = CRIU_INIT;
	int rc = criu_start(&how, &criu, err);

	if (rc == 0)
		rc = check_features(o, &criu, err);
	if (rc == 0)
		rc = container_criu_open(o, true, &d->dirs, err);
	if (rc == 0)
		rc = fill(d, err);
	if (rc < 0)
		return rc;
	/* an older one would be read as that of this failure */
	(void)unlinkat(d->dirs.work, CONTAINER_CRIU_DUMP_LOG, 0);
	rc = criu_call(&criu, &req, notify, d, NULL, err);
	return rc < 0 ? container_criu_failed(&d->dirs, CONTAINER_CRIU_DUMP_LOG, rc, err) : 0;
}

/* A criu that was killed leaves them frozen. */
static void thaw(const struct dump *d, enum oci_status before)
{
	bk_autoclose int fd = -1;

	bool frozen = false;

	if (before == OCI_PAUSED || !d->cgroup ||
	    cgroup_is_frozen(&d->host, d->c->state.cgroup, &frozen, NULL) < 0 || !frozen)
		return;
	if (cgroup_open(&d->host, d->c->state.cgroup, &fd, NULL) == 0)
		(void)cgroup_thaw(fd, CONTAINER_FREEZE_TIMEOUT_MS, NULL);
}

static int check(const struct container *c, const struct container_criu_opts *o, enum oci_status *ret,
		 struct bk_err **err)
{
	int rc = container_criu_check(err);

	if (rc == 0)
		rc = check_status(c, ret, err);
	if (rc == 0)
		rc = check_status_fd(o, err);
	if (rc < 0)
		return rc;
	if (faccessat(c->dirfd, CONTAINER_NOTIFY_FOLDER, F_OK, 0) < 0) {
		if (errno != ENOENT)
			rc = bk_err_set(err, BK_ERR_IO, errno, "look for '" CONTAINER_NOTIFY_FOLDER "'");
	} else {
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				"NOTIFY_SOCKET: the container has a socket of its service manager, which can't "
				"be checkpointed");
	}
	return rc;
}

int container_checkpoint(struct container *c, const struct container_criu_opts *o, char ***warnings,
			 struct bk_err **err)
{
	struct dump d = { .c = c, .o = o, .dirs = CONTAINER_CRIU_DIRS_INIT, .status_fd = o->status_fd };
	bk_autofree char *cgroup = NULL;
	struct bk_err *e = NULL;
	enum oci_status before;
	int rc = check(c, o, &before, err);

	if (rc == 0)
		rc = spec_load_kept(c->dirfd, CONTAINER_CONFIG_FILE, c->state.bundle, &d.spec, err);
	if (rc == 0)
		rc = container_criu_check_spec(&d.spec, err);
	if (rc == 0 && spec_annotation(d.spec.config, SPEC_DELEGATE_CGROUP))
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				"annotation '%s': criu would put the processes back into the container's cgroup",
				spec_annotations[SPEC_DELEGATE_CGROUP].name);
	cgroup_find(&d.host);
	if (rc == 0 && c->state.cgroup)
		rc = cgroup_check_host(&d.host, err);
	if (rc < 0) {
		spec_done(&d.spec);
		return rc;
	}
	if (c->state.cgroup && d.host.mount)
		cgroup = bk_asprintf("%s%s", d.host.mount, c->state.cgroup);
	d.cgroup = cgroup;
	d.arena = d.spec.arena;
	rc = run(&d, err);
	if (rc < 0)
		thaw(&d, before);
	container_criu_dirs_done(&d.dirs);
	spec_done(&d.spec);
	if (rc < 0 || o->leave_running || o->pre_dump)
		return rc;
	if (container_delete(c, true, warnings, &e) < 0) {
		char text[2 * BK_ERR_MSG_MAX];

		bk_strv_push(warnings, bk_asprintf("delete the checkpointed container: %s",
						   bk_err_print(e, text, sizeof(text))));
		bk_err_clear(&e);
	}
	return 0;
}
