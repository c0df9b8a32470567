/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bus_unit.h"

#include <errno.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "bus/bus_prop.h"

#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"
#define UNIT_EXISTS  "org.freedesktop.systemd1.UnitExists"

/* The job that is waited for, and those that ended before its name was known. */
struct jobs {
	char **ended; /* "PATH RESULT" */
};

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct jobs *jobs = userdata;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0)
		bk_strv_push(&jobs->ended, bk_asprintf("%s %s", path, result));
	return 0;
}

/* Before the job is made: else its end could be missed. */
static int watch_jobs(struct bus *b, struct jobs *jobs, sd_bus_slot **ret, struct bk_err **err)
{
	sd_bus_message *msg = NULL;
	int r = sd_bus_match_signal(b->sd, ret, NULL, BUS_MANAGER_PATH, BUS_MANAGER, "JobRemoved",
				    on_removed, jobs);
	int rc = r < 0 ? bk_err_set(err, BK_ERR_IO, -r, "watch systemd's jobs") :
			 bus_manager_call(b, "Subscribe", &msg, err);

	if (rc == 0) {
		/* that somebody has done so on this connection already is as good */
		struct bk_err *e = NULL;

		if (bus_send(b, msg, "Subscribe", NULL, NULL, &e) < 0)
			bk_err_clear(&e);
	}
	sd_bus_message_unref(msg);
	return rc;
}

static const char *result_of(const struct jobs *jobs, const char *path)
{
	for (char **job = jobs->ended; job && *job; job++) {
		const char *rest = bk_skip_prefix(*job, path);

		if (rest && *rest == ' ')
			return rest + 1;
	}
	return NULL;
}

static int job_stays(const char *what, struct bk_err **err)
{
	int rc = bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "%s: systemd's job does not end", what);

	return bk_err_hint(err, rc, "'systemctl list-jobs' shows what it waits for; --timeout gives it more time");
}

static int wait_job(struct bus *b, const struct jobs *jobs, const char *path, const char *what,
		    struct bk_err **err)
{
	const char *result;

	while (!(result = result_of(jobs, path))) {
		uint64_t left = bus_left(b);
		int r = sd_bus_process(b->sd, NULL);

		if (r == 0 && left)
			r = sd_bus_wait(b->sd, left);
		if (r < 0 && r != -EINTR)
			return bk_err_set(err, BK_ERR_IO, -r, "%s: wait for systemd's job", what);
		if (left == 0)
			return job_stays(what, err);
	}
	if (bk_streq(result, "done"))
		return 0;
	return bk_err_set(err, BK_ERR_IO, 0, "%s: systemd's job ended as '%s'", what, result);
}

/* A call with one unit's name and perhaps a mode, whose answer is of no interest. */
static int simple(struct bus *b, const char *member, const char *unit, char **ret_name, struct bk_err **err)
{
	sd_bus_message *msg = NULL;
	int rc = bus_manager_call(b, member, &msg, err);

	if (rc == 0 && sd_bus_message_append(msg, "s", unit) < 0)
		rc = bk_err_set(err, BK_ERR_INTERNAL, 0, "%s '%s'", member, unit);
	if (rc == 0)
		rc = bus_send(b, msg, member, NULL, ret_name, err);
	sd_bus_message_unref(msg);
	return rc;
}

static void reset_failed(struct bus *b, const char *unit)
{
	struct bk_err *e = NULL;

	if (simple(b, "ResetFailedUnit", unit, NULL, &e) < 0)
		bk_err_clear(&e);
}

static int append_props(struct bus *b, sd_bus_message *msg, char *const *properties, struct bk_err **err)
{
	int rc = 0;

	for (char *const *word = properties; rc == 0 && word && *word; word++) {
		struct bus_prop p;

		rc = bus_prop_parse(*word, &p, err);
		if (rc == 0 && p.version <= b->version)
			rc = bus_prop_append(msg, &p, err);
	}
	return rc;
}

/* StartTransientUnit(name, mode, a(sv) properties, a(sa(sv)) auxiliary units) */
static int start_message(struct bus *b, const char *unit, pid_t pid, char *const *properties,
			 sd_bus_message **ret, struct bk_err **err)
{
	int rc = bus_manager_call(b, "StartTransientUnit", ret, err);
	int r;

	if (rc < 0)
		return rc;
	r = sd_bus_message_append(*ret, "ss", unit, "fail");
	if (r >= 0)
		r = sd_bus_message_open_container(*ret, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(*ret, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
	if (r >= 0)
		rc = append_props(b, *ret, properties, err);
	if (rc < 0)
		return rc;
	if (r >= 0)
		r = sd_bus_message_close_container(*ret);
	if (r >= 0)
		r = sd_bus_message_append(*ret, "a(sa(sv))", 0);
	return r < 0 ? bk_err_set(err, BK_ERR_INTERNAL, -r, "start '%s'", unit) : 0;
}

/* *ret_name: the D-Bus name of the failure. */
static int start_once(struct bus *b, const char *unit, pid_t pid, char *const *properties,
		      const struct jobs *jobs, char **ret_name, struct bk_err **err)
{
	bk_autofree char *what = bk_asprintf("start unit '%s'", unit);
	sd_bus_message *msg = NULL, *reply = NULL;
	const char *job;
	int r, rc = start_message(b, unit, pid, properties, &msg, err);

	if (rc == 0)
		rc = bus_send(b, msg, what, &reply, ret_name, err);
	if (rc == 0) {
		r = sd_bus_message_read(reply, "o", &job);
		rc = r < 0 ? bk_err_set(err, BK_ERR_INTERNAL, -r, "%s", what) :
			     wait_job(b, jobs, job, what, err);
	}
	sd_bus_message_unref(msg);
	sd_bus_message_unref(reply);
	return rc;
}

int bus_unit_start(struct bus *b, const char *unit, pid_t pid, char *const *properties,
		   char **ret_cgroup, struct bk_err **err)
{
	struct jobs jobs = { NULL };
	sd_bus_slot *slot = NULL;
	bk_autofree char *name = NULL;
	struct bk_err *e = NULL;
	int rc = watch_jobs(b, &jobs, &slot, &e);

	if (rc == 0)
		rc = start_once(b, unit, pid, properties, &jobs, &name, &e);
	if (rc < 0 && name && bk_streq(name, UNIT_EXISTS)) {
		bk_err_clear(&e);
		reset_failed(b, unit);
		rc = start_once(b, unit, pid, properties, &jobs, NULL, &e);
	}
	if (rc < 0)
		bk_err_move(err, e);
	else
		rc = bus_unit_where(b, unit, ret_cgroup, err);
	sd_bus_slot_unref(slot);
	bk_strv_free(jobs.ended);
	return rc;
}

int bus_unit_attach(struct bus *b, const char *unit, const char *below, pid_t pid, struct bk_err **err)
{
	sd_bus_message *msg = NULL;
	int rc = bus_manager_call(b, "AttachProcessesToUnit", &msg, err);
	int r = rc < 0 ? 0 : sd_bus_message_append(msg, "ssau", unit, below, 1, (uint32_t)pid);

	if (r < 0)
		rc = bk_err_set(err, BK_ERR_INTERNAL, -r, "attach to '%s'", unit);
	if (rc == 0)
		rc = bus_send(b, msg, "attach the process", NULL, NULL, err);
	sd_bus_message_unref(msg);
	return rc;
}

/* The object path of a unit that is loaded; heap string. */
static int object_of(struct bus *b, const char *unit, char **ret, struct bk_err **err)
{
	sd_bus_message *msg = NULL, *reply = NULL;
	bk_autofree char *name = NULL;
	struct bk_err *e = NULL;
	const char *path;
	int rc = bus_manager_call(b, "GetUnit", &msg, &e);

	if (rc == 0 && sd_bus_message_append(msg, "s", unit) < 0)
		rc = bk_err_set(&e, BK_ERR_INTERNAL, 0, "get unit '%s'", unit);
	if (rc == 0)
		rc = bus_send(b, msg, "get the unit", &reply, &name, &e);
	if (rc == 0 && sd_bus_message_read(reply, "o", &path) < 0)
		rc = bk_err_set(&e, BK_ERR_INTERNAL, 0, "get unit '%s'", unit);
	if (rc == 0)
		*ret = bk_strdup(path);
	sd_bus_message_unref(msg);
	sd_bus_message_unref(reply);
	if (rc < 0 && name && bk_streq(name, NO_SUCH_UNIT)) {
		bk_err_clear(&e);
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "there is no unit '%s'", unit);
	}
	if (rc < 0)
		bk_err_move(err, e);
	return rc;
}

int bus_unit_where(struct bus *b, const char *unit, char **ret_cgroup, struct bk_err **err)
{
	bk_autofree char *path = NULL, *cgroup = NULL;
	int rc = object_of(b, unit, &path, err);

	if (rc == 0)
		rc = bus_get_string(b, path, BUS_DEST ".Scope", "ControlGroup", &cgroup, err);
	if (rc == 0 && !*cgroup)
		rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0, "unit '%s' has no cgroup", unit);
	if (rc < 0)
		return rc;
	*ret_cgroup = bk_steal_ptr(&cgroup);
	return 0;
}

static int stop_job(struct bus *b, const char *unit, struct bk_err **err)
{
	bk_autofree char *what = bk_asprintf("stop unit '%s'", unit);
	sd_bus_message *msg = NULL, *reply = NULL;
	bk_autofree char *name = NULL;
	struct jobs jobs = { NULL };
	sd_bus_slot *slot = NULL;
	struct bk_err *e = NULL;
	const char *job;
	int rc = watch_jobs(b, &jobs, &slot, &e);

	if (rc == 0)
		rc = bus_manager_call(b, "StopUnit", &msg, &e);
	if (rc == 0 && sd_bus_message_append(msg, "ss", unit, "replace") < 0)
		rc = bk_err_set(&e, BK_ERR_INTERNAL, 0, "%s", what);
	if (rc == 0)
		rc = bus_send(b, msg, what, &reply, &name, &e);
	if (rc == 0 && sd_bus_message_read(reply, "o", &job) < 0)
		rc = bk_err_set(&e, BK_ERR_INTERNAL, 0, "%s", what);
	if (rc == 0)
		rc = wait_job(b, &jobs, job, what, &e);
	if (rc < 0 && name && bk_streq(name, NO_SUCH_UNIT)) {
		bk_err_clear(&e);
		rc = 0;
	}
	if (rc < 0)
		bk_err_move(err, e);
	sd_bus_message_unref(msg);
	sd_bus_message_unref(reply);
	sd_bus_slot_unref(slot);
	bk_strv_free(jobs.ended);
	return rc;
}

int bus_unit_stop(struct bus *b, const char *unit, const char *description, struct bk_err **err)
{
	bk_autofree char *path = NULL, *found = NULL;
	struct bk_err *e = NULL;
	int rc = object_of(b, unit, &path, &e);

	if (rc == 0 && description)
		rc = bus_get_string(b, path, BUS_DEST ".Unit", "Description", &found, &e);
	if (rc == -BK_ERR_NOT_FOUND) { /* it may have gone meanwhile */
		bk_err_clear(&e);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, e);
		return rc;
	}
	if (description && !bk_streq(found, description))
		return 0;
	rc = stop_job(b, unit, err);
	if (rc == 0)
		reset_failed(b, unit);
	return rc;
}

int bus_unit_set(struct bus *b, const char *unit, char *const *properties, struct bk_err **err)
{
	bk_autofree char *what = bk_asprintf("set properties of unit '%s'", unit);
	sd_bus_message *msg = NULL;
	bk_autofree char *version = NULL;
	int r, rc = bus_manager_call(b, "SetUnitProperties", &msg, err);

	if (rc < 0)
		return rc;
	r = sd_bus_message_append(msg, "sb", unit, 1);
	if (r >= 0)
		r = sd_bus_message_open_container(msg, 'a', "(sv)");
	if (r >= 0)
		rc = append_props(b, msg, properties, err);
	if (rc == 0 && r >= 0)
		r = sd_bus_message_close_container(msg);
	if (rc == 0 && r < 0)
		rc = bk_err_set(err, BK_ERR_INTERNAL, -r, "%s", what);
	if (rc == 0)
		rc = bus_send(b, msg, what, NULL, NULL, err);
	/* systemd writes to the cgroup before it serves the next message, not before it answers this one */
	if (rc == 0)
		rc = bus_get_string(b, BUS_MANAGER_PATH, BUS_MANAGER, "Version", &version, err);
	sd_bus_message_unref(msg);
	return rc;
}
