/* SPDX-License-Identifier: Apache-2.0 */
#include "rdt/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "rdt/rdt_schema.h"

#define SCHEMATA_MAX ((size_t)64 << 10)	/* bytes of a file schemata */
#define STATUS_MAX ((size_t)4 << 10)	/* of info/last_cmd_status */
#define TASKS_MAX ((size_t)16 << 20)	/* of a file tasks; a longer one is not empty */
#define MONITORS "mon_groups"
#define ROOT_CLOS "/"

static bool given(const char *text)
{
	return text && *text;
}

static bool has_schema(const struct oci_intel_rdt *r)
{
	return given(r->l3_cache_schema) || given(r->mem_bw_schema) || (r->schemata && r->schemata[0]);
}

/* Beside the groups stand the kernel's own folders. */
static bool can_name_group(const char *name)
{
	static const char *const taken[] = { ".", "..", "info", MONITORS, "mon_data" };

	for (size_t i = 0; i < BK_ARRAY_SIZE(taken); i++) {
		if (bk_streq(name, taken[i]))
			return false;
	}
	return *name && !strpbrk(name, "/\n");
}

int rdt_check(const struct oci_intel_rdt *r, const char *id, struct bk_err **err)
{
	if (given(r->clos_id) && !bk_streq(r->clos_id, ROOT_CLOS) && !can_name_group(r->clos_id))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.intelRdt.closID: '%s' can't be the name of a group", r->clos_id);
	if ((!given(r->clos_id) || r->enable_monitoring) && !can_name_group(id))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.intelRdt: '%s', the container's id, can't be the name of a group",
				  id);
	for (size_t i = 0; r->schemata && r->schemata[i]; i++) {
		if (!*r->schemata[i] || strchr(r->schemata[i], '\n'))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.intelRdt.schemata[%zu]: is not one line", i);
	}
	return 0;
}

/* Octal escapes of mountinfo: "\040" is a space. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* proc(5): "ID PARENT MAJ:MIN ROOT MOUNT OPTIONS [TAGS...] - TYPE SOURCE OPTIONS" */
static char *resctrl_of(char *line)
{
	char *rest = strstr(line, " - "), *field[6] = { NULL };

	if (!rest || !bk_skip_prefix(rest + 3, "resctrl "))
		return NULL;
	for (size_t i = 0; i < BK_ARRAY_SIZE(field); i++)
		field[i] = strsep(&line, " ");
	/* a bind mount of one group is not the tree */
	if (!field[4] || !bk_streq(field[3], "/"))
		return NULL;
	unescape(field[4]);
	return bk_strdup(field[4]);
}

int rdt_find(const char *mountinfo, char **ret_mount, struct bk_err **err)
{
	bk_autofree char *copy = bk_strdup(mountinfo);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *mount = resctrl_of(line);

		if (mount) {
			*ret_mount = mount;
			return 0;
		}
	}
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
			  "linux.intelRdt: the resctrl file system is not mounted");
}

/* The group of a closID that is there must be what the configuration says. */
static int compare(const struct oci_intel_rdt *r, const char *group, struct bk_err **err)
{
	bk_autofree char *path = bk_path_join(group, "schemata");
	bk_autobuf struct bk_buf b = BK_BUF_INIT(SCHEMATA_MAX);
	int rc;

	if (!given(r->l3_cache_schema) && !given(r->mem_bw_schema))
		return 0;
	rc = bk_file_read(AT_FDCWD, path, &b, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "linux.intelRdt.closID");
	if (given(r->l3_cache_schema))
		rc = rdt_schema_within(r->l3_cache_schema, bk_buf_str(&b), err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "linux.intelRdt.l3CacheSchema");
	if (given(r->mem_bw_schema))
		rc = rdt_schema_within(r->mem_bw_schema, bk_buf_str(&b), err);
	return rc < 0 ? bk_err_wrap(err, rc, "linux.intelRdt.memBwSchema") : 0;
}

static int is_there(const char *path, bool *ret, struct bk_err **err)
{
	struct stat st;

	*ret = stat(path, &st) == 0;
	if (!*ret && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "linux.intelRdt: look for '%s'", path);
	return 0;
}

static int decide_group(const struct oci_intel_rdt *r, bool there, struct rdt *rdt,
			struct bk_err **err)
{
	rdt->own = !given(r->clos_id);
	rdt->make = !there;
	if (rdt->own) {
		if (there)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.intelRdt: '%s' is there already, and is not this container's",
					  rdt->group);
		return 0;
	}
	if (there)
		return compare(r, rdt->group, err);
	if (!has_schema(r))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.intelRdt.closID: '%s' must be there when no schema is given",
				  rdt->group);
	return 0;
}

int rdt_decide(const struct oci_intel_rdt *r, const char *id, const char *mount,
	       struct bk_arena *arena, struct rdt *ret, struct bk_err **err)
{
	struct rdt rdt = { .mount = bk_arena_strdup(arena, mount) };
	bool there;
	int rc;

	if (given(r->clos_id) && bk_streq(r->clos_id, ROOT_CLOS))
		rdt.group = rdt.mount;
	else
		rdt.group = bk_arena_printf(arena, "%s/%s", mount,
					    given(r->clos_id) ? r->clos_id : id);
	rc = is_there(rdt.group, &there, err);
	if (rc == 0)
		rc = decide_group(r, there, &rdt, err);
	if (rc == 0 && r->enable_monitoring) {
		rdt.monitor = bk_arena_printf(arena, "%s/" MONITORS "/%s", rdt.group, id);
		rc = is_there(rdt.monitor, &there, err);
		if (rc == 0 && there)
			rc = bk_err_set(err, BK_ERR_CONFIG, 0,
					"linux.intelRdt.enableMonitoring: '%s' is there already",
					rdt.monitor);
	}
	if (rc < 0)
		return rc;
	*ret = rdt;
	return 0;
}

static int make(const char *path, const char *property, struct bk_err **err)
{
	int rc;

	if (mkdir(path, 0755) == 0)
		return 0;
	rc = bk_err_set(err, errno == EEXIST ? BK_ERR_CONFIG : BK_ERR_IO, errno, "%s: make '%s'",
			property, path);
	if (errno == ENOSPC)
		return bk_err_hint(err, rc, "the processor has no more groups");
	return rc;
}

int rdt_make_group(const struct rdt *rdt, struct bk_err **err)
{
	return rdt->make ? make(rdt->group, "linux.intelRdt", err) : 0;
}

int rdt_make_monitor(const struct rdt *rdt, struct bk_err **err)
{
	return rdt->monitor ? make(rdt->monitor, "linux.intelRdt.enableMonitoring", err) : 0;
}

/* resctrl keeps the reason of its last refusal in words. */
static int with_reason(const struct rdt *rdt, int rc, struct bk_err **err)
{
	bk_autofree char *path = bk_path_join(rdt->mount, "info/last_cmd_status");
	bk_autobuf struct bk_buf b = BK_BUF_INIT(STATUS_MAX);
	size_t len;

	if (bk_file_read(AT_FDCWD, path, &b, NULL) < 0)
		return rc;
	len = strcspn(bk_buf_str(&b), "\n");
	if (!len || bk_streq(bk_buf_str(&b), "ok\n"))
		return rc;
	return bk_err_hint(err, rc, "%.*s", (int)len, bk_buf_str(&b));
}

/* The kernel wants a line end behind each line. */
static int write_schema(const struct rdt *rdt, const char *property, const char *text,
			struct bk_err **err)
{
	bk_autofree char *path = bk_path_join(rdt->group, "schemata");
	bk_autofree char *line = bk_asprintf("%s%s", text, bk_has_suffix(text, "\n") ? "" : "\n");
	int rc = bk_file_put(AT_FDCWD, path, line, err);

	if (rc == 0)
		return 0;
	return with_reason(rdt, bk_err_wrap(err, rc, "%s", property), err);
}

int rdt_configure(const struct rdt *rdt, const struct oci_intel_rdt *r, struct bk_err **err)
{
	int rc = 0;

	if (given(r->l3_cache_schema))
		rc = write_schema(rdt, "linux.intelRdt.l3CacheSchema", r->l3_cache_schema, err);
	if (rc == 0 && given(r->mem_bw_schema))
		rc = write_schema(rdt, "linux.intelRdt.memBwSchema", r->mem_bw_schema, err);
	if (rc == 0 && r->schemata && r->schemata[0]) {
		/* at once: a line that is refused takes the others with it */
		bk_autofree char *all = bk_strv_join(r->schemata, "\n");

		rc = write_schema(rdt, "linux.intelRdt.schemata", all, err);
	}
	return rc;
}

int rdt_put_back(const char *mount, const char *group, const char *old, struct bk_err **err)
{
	const struct rdt rdt = { .mount = mount, .group = group };

	return write_schema(&rdt, "set the schemata back", old, err);
}

int rdt_update(const char *mount, const char *group, const struct oci_intel_rdt *r, char **ret_old,
	       struct bk_err **err)
{
	const struct rdt rdt = { .mount = mount, .group = group };
	const struct oci_intel_rdt given = { .l3_cache_schema = r->l3_cache_schema,
					     .mem_bw_schema = r->mem_bw_schema };
	bk_autofree char *path = bk_path_join(group, "schemata");
	bk_autobuf struct bk_buf old = BK_BUF_INIT(SCHEMATA_MAX);
	int rc = bk_file_read(AT_FDCWD, path, &old, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "linux.intelRdt");
	rc = rdt_configure(&rdt, &given, err);
	if (rc == 0)
		*ret_old = bk_strdup(bk_buf_str(&old));
	else if (rdt_put_back(mount, group, bk_buf_str(&old), NULL) < 0)
		rc = bk_err_wrap(err, rc, "and '%s' could not be set back", path);
	return rc;
}

static int join(const char *group, pid_t pid, struct bk_err **err)
{
	bk_autofree char *path = bk_path_join(group, "tasks");
	char text[16];
	int rc;

	snprintf(text, sizeof(text), "%d", (int)pid);
	rc = bk_file_put(AT_FDCWD, path, text, err);
	return rc < 0 ? bk_err_wrap(err, rc, "linux.intelRdt: join '%s'", group) : 0;
}

int rdt_join(const char *group, const char *monitor, pid_t pid, struct bk_err **err)
{
	/* a monitoring group takes processes of its own group of allocation only */
	int rc = join(group, pid, err);

	return rc == 0 && monitor ? join(monitor, pid, err) : rc;
}

bool rdt_is_empty(const char *group)
{
	bk_autofree char *path = bk_path_join(group, "tasks");
	bk_autobuf struct bk_buf b = BK_BUF_INIT(TASKS_MAX);

	return bk_file_read(AT_FDCWD, path, &b, NULL) == -BK_ERR_NOT_FOUND || (!b.len && !b.overflow);
}

int rdt_remove(const char *group, struct bk_err **err)
{
	if (rmdir(group) < 0 && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "linux.intelRdt: remove '%s'", group);
	return 0;
}
