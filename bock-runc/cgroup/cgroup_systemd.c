/* SPDX-License-Identifier: Apache-2.0 */
/* The manager that is systemd: bock-runc-systemd, which links its library, is executed for each step. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"
#include "cgroup/cgroup_manager.h"
#include "cgroup/cgroup_props.h"
#include "cgroup/cgroup_scope.h"
#include "sys/sys_helper.h"

#define HELPER	   "bock-runc-systemd"
#define OUTPUT_MAX ((size_t)16 << 10)	/* bytes of what it says */
#define TIMEOUT_MS 20000		/* for systemd to have done what it is asked for */
#define GRACE_MS   2000			/* for the helper to say that it has not */

bool cgroup_systemd_built(void)
{
#ifdef HAVE_SYSTEMD
	return true;
#else
	return false;
#endif
}

static int find_helper(char **ret_path, struct bk_err **err)
{
	if (!cgroup_systemd_built())
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "this bock-runc was built without libsystemd");
	return sys_helper_find(HELPER, ret_path, err);
}

/* Where it finds systemd is all that the environment tells it. */
static char **helper_env(bool user)
{
	static const char *const names[] = { "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS" };
	char **env = NULL;

	for (size_t i = 0; user && i < BK_ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			bk_strv_push(&env, bk_asprintf("%s=%s", names[i], value));
	}
	return env;
}

/*
 * Runs `HELPER COMMAND ARGS...`; its one line of output goes to ret_line (heap string; NULL: of no interest).
 */
static int run_helper(const struct cgroup_place *p, const char *command, char *const *args,
		      char **ret_line, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(OUTPUT_MAX);
	bk_autobuf struct bk_buf errout = BK_BUF_INIT(OUTPUT_MAX);
	bk_autostrv char **argv = NULL, **env = helper_env(p->user);
	char *const nothing[] = { NULL };
	bk_autofree char *path = NULL;
	struct bk_proc_spec spec = { .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .keep_latest = true,
				     .no_new_privs = true,
				     /* or it makes a unit for a runtime that was killed, behind the back of who deletes it */
				     .death_signal = SIGKILL };
	const int timeout = !p->timeout_ms ? TIMEOUT_MS : p->timeout_ms < 0 ? INT32_MAX - GRACE_MS : p->timeout_ms;
	int status, rc = find_helper(&path, err);

	if (rc < 0)
		return rc;
	bk_strv_add(&argv, HELPER);
	bk_strv_push(&argv, bk_asprintf("--timeout=%d", timeout));
	if (p->user)
		bk_strv_add(&argv, "--user");
	bk_strv_add(&argv, command);
	for (; args && *args; args++)
		bk_strv_add(&argv, *args);
	spec.path = path;
	spec.argv = argv;
	spec.env = env ? env : nothing;
	rc = bk_proc_run(&spec, NULL, 0, &out, &errout, timeout + GRACE_MS, &status, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, HELPER);
	if (status != 0)
		return sys_helper_failed(HELPER, status, &errout, err);
	if (ret_line)
		*ret_line = bk_strndup(bk_buf_str(&out), strcspn(bk_buf_str(&out), "\n"));
	return 0;
}

/* The first process is named in it: a scope of that name whose text is another is not ours. */
static char *description(const struct cgroup_place *p)
{
	return bk_asprintf("bock-runc container %s, process %d", p->id, (int)p->pid);
}

/* The user's manager is asked where its slices are; the system's are at the root. */
static int find_root(const struct cgroup_place *p, char **ret, struct bk_err **err)
{
	bk_autofree char *line = NULL;
	const char *path;
	int rc;

	if (!p->user) {
		*ret = bk_strdup("");
		return 0;
	}
	rc = run_helper(p, "manager", NULL, &line, err);
	if (rc < 0)
		return rc;
	path = strchr(line, '/'); /* "VERSION PATH" */
	*ret = bk_strdup(path && path[1] ? path : "");
	return 0;
}

static int systemd_find(const struct cgroup_want *w, struct bk_arena *arena, struct cgroup_place *p,
			struct bk_err **err)
{
	bk_autostrv char **props = NULL;
	bk_autofree char *root = NULL, *helper = NULL;
	struct cgroup_scope s;
	int rc = find_helper(&helper, err);

	if (rc == 0)
		rc = cgroup_scope_parse(w->cgroups_path, w->id, w->rootless, arena, &s, err);
	if (rc == 0)
		rc = cgroup_props_annotations(w->annotations, w->n_annotations, &props, err);
	if (rc == 0 && w->subgroup)
		rc = bk_err_wrap(err, cgroup_check_name(w->subgroup, err), "run.oci.systemd.subgroup");
	if (rc < 0)
		return rc;
	p->user = w->rootless;
	p->unit = s.unit;
	p->slice = s.slice;
	p->subgroup = w->subgroup;
	p->annotations = w->annotations;
	p->n_annotations = w->n_annotations;
	rc = find_root(p, &root, err);
	if (rc == 0)
		p->path = bk_arena_printf(arena, "%s%s%s%s", root, s.path, p->subgroup ? "/" : "",
					  p->subgroup ? p->subgroup : "");
	return rc;
}

static int systemd_check(const struct cgroup_place *p, struct bk_err **err)
{
	/* sd_booted(3); a user's manager has been asked already */
	if (p->user || access("/run/systemd/system", F_OK) == 0)
		return 0;
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
			  "systemd does not run here ('/run/systemd/system' is not there)");
}

static char **start_args(const struct cgroup_place *p, const struct cgroup_limits *limits)
{
	static const char *const always[] = {
		"Delegate:b:true",	"DefaultDependencies:b:false", "MemoryAccounting:b:true",
		"CPUAccounting:b:true", "IOAccounting:b:true",	       "TasksAccounting:b:true",
		/* one that failed, by an oom kill or so, leaves nothing behind to be reset */
		"CollectMode>=236:s:inactive-or-failed",
	};
	bk_autofree char *text = description(p);
	char **args = NULL;

	bk_strv_add(&args, "--");
	bk_strv_add(&args, p->unit);
	bk_strv_push(&args, bk_asprintf("%d", (int)p->pid));
	bk_strv_push(&args, bk_asprintf("Slice:s:%s", p->slice));
	bk_strv_push(&args, bk_asprintf("Description:s:%s", text));
	for (size_t i = 0; i < BK_ARRAY_SIZE(always); i++)
		bk_strv_add(&args, always[i]);
	cgroup_props_limits(limits, &args);
	/* last, so that they win; find() has checked them */
	(void)cgroup_props_annotations(p->annotations, p->n_annotations, &args, NULL);
	return args;
}

static int stop(const struct cgroup_place *p, struct bk_err **err)
{
	bk_autofree char *text = description(p);
	bk_autostrv char **args = NULL;

	bk_strv_push(&args, bk_asprintf("--description=%s", text));
	bk_strv_add(&args, "--");
	bk_strv_add(&args, p->unit);
	return run_helper(p, "stop", args, NULL, err);
}

/* The first process goes on into the cgroup below the scope's: a cgroup with processes can't limit those below it. */
static int enter_subgroup(struct cgroup_place *p, struct bk_arena *arena, int *ret_dirfd, struct bk_err **err)
{
	bk_autoclose int scope = -1, fd = -1;
	size_t top_len;
	int rc = cgroup_open(&p->host, p->path, &scope, err);

	if (rc < 0)
		return rc;
	p->path = bk_arena_printf(arena, "%s/%s", p->path, p->subgroup);
	rc = cgroup_make(&p->host, p->path, &fd, &top_len, err);
	if (rc == 0)
		rc = cgroup_join(fd, p->pid, err);
	if (rc == 0)
		rc = cgroup_enable_all(scope, err);
	if (rc == 0)
		*ret_dirfd = bk_steal_fd(&fd);
	return rc;
}

static int systemd_make(struct cgroup_place *p, const struct cgroup_limits *limits, struct bk_arena *arena,
			int *ret_dirfd, struct bk_err **err)
{
	bk_autostrv char **args = start_args(p, limits);
	bk_autofree char *path = NULL;
	int rc = run_helper(p, "start", args, &path, err);

	if (rc == 0) {
		p->path = bk_arena_strdup(arena, path);
		p->top_len = strlen(path);
		rc = p->subgroup ? enter_subgroup(p, arena, ret_dirfd, err) :
				   cgroup_open(&p->host, path, ret_dirfd, err);
	}
	if (rc == 0)
		return 0;
	/* the first of a pid namespace does not hear the SIGTERM with which a stop would begin, and wait for its end */
	(void)kill(p->pid, SIGKILL);
	(void)stop(p, NULL);
	return bk_err_wrap(err, rc, "systemd");
}

static int systemd_tell(const struct cgroup_place *p, const struct cgroup_limits *limits, struct bk_err **err)
{
	bk_autostrv char **args = NULL;
	int rc;

	bk_strv_add(&args, "--");
	bk_strv_add(&args, p->unit);
	cgroup_props_limits(limits, &args);
	if (bk_strv_len(args) == 2)
		return 0;
	rc = run_helper(p, "set", args, NULL, err);
	return rc < 0 ? bk_err_wrap(err, rc, "systemd") : 0;
}

/* "/SUBGROUP" of a path below the scope's; NULL: the path is the scope's. */
static const char *below_scope(const struct cgroup_place *p)
{
	bk_autofree char *scope = bk_asprintf("/%s/", p->unit);
	const char *found = p->path ? strstr(p->path, scope) : NULL;

	return found ? found + strlen(scope) - 1 : NULL;
}

static int systemd_join(const struct cgroup_place *p, pid_t pid, struct bk_err **err)
{
	bk_autostrv char **args = NULL;
	int rc;

	bk_strv_add(&args, "--");
	bk_strv_add(&args, p->unit);
	bk_strv_push(&args, bk_asprintf("%d", (int)pid));
	if (below_scope(p))
		bk_strv_add(&args, below_scope(p));
	rc = run_helper(p, "attach", args, NULL, err);
	return rc < 0 ? bk_err_wrap(err, rc, "systemd") : 0;
}

/*
 * Only systemd may remove the cgroup of a scope that it has: if it goes before systemd has read that it is empty the unit
 * stays "active" for ever (seen with 252). So where systemd could not be asked to stop it the cgroup is left for the next
 * try, unless there is no systemd, or it has done so by itself.
 */
static int removed_by_systemd(const struct cgroup_place *p, int rc, struct bk_err **err)
{
	struct bk_err *e = NULL;
	bk_autoclose int fd = -1;

	if (systemd_check(p, NULL) < 0)
		return 0;
	if (p->path && cgroup_open(&p->host, p->path, &fd, &e) == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&e);
		bk_err_clear(err);
		return 0;
	}
	bk_err_clear(&e);
	rc = bk_err_wrap(err, rc, "systemd");
	return bk_err_hint(err, rc, "the processes are dead and the unit is still there: 'delete --force' can be repeated "
			   "once systemd answers");
}

static int systemd_remove(const struct cgroup_place *p, int timeout_ms, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = p->pid > 0 ? stop(p, &e) : 0;

	if (rc < 0)
		rc = removed_by_systemd(p, rc, &e);
	if (rc < 0) {
		bk_err_move(err, e);
		return rc;
	}
	bk_err_clear(&e);
	/* with the cgroups that the container made below it */
	return p->path ? cgroup_remove(&p->host, p->path, p->top_len, timeout_ms, err) : 0;
}

const struct cgroup_manager cgroup_manager_systemd = {
	.name = "systemd",
	.late = true,
	.find = systemd_find,
	.check = systemd_check,
	.make = systemd_make,
	.tell = systemd_tell,
	.join = systemd_join,
	.remove = systemd_remove,
};
