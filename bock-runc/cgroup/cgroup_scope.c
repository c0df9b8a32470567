/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_scope.h"

#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_str.h"

#define PATH_MAX_BYTES ((size_t)64 << 10)
#define SLICE	       ".slice"
#define UNIT_CHARS                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789:-_.\\"

static int wrong(struct bk_err **err, const char *what, const char *name, const char *why)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "linux.cgroupsPath: %s '%s' %s", what, name, why);
}

/* systemd.unit(5): what a name consists of. An instance's '@' has no meaning for a scope. */
static int check_unit(const char *what, const char *name, struct bk_err **err)
{
	if (strlen(name) > CGROUP_UNIT_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "linux.cgroupsPath: %s '%.32s...' has more than %d bytes",
				  what, name, CGROUP_UNIT_MAX);
	if (!bk_str_all_of(name, UNIT_CHARS))
		return wrong(err, what, name, "has a character that units don't have in their names");
	return 0;
}

/* systemd.slice(5): dashes separate the slices above it, so no part may be empty. */
static int check_slice(const char *slice, struct bk_err **err)
{
	bk_autofree char *name = NULL;
	int rc = check_unit("slice", slice, err);

	if (rc < 0)
		return rc;
	if (!bk_has_suffix(slice, SLICE))
		return wrong(err, "slice", slice, "does not end in " SLICE);
	if (bk_streq(slice, "-" SLICE))
		return 0;
	name = bk_strndup(slice, strlen(slice) - strlen(SLICE));
	if (!*name || name[0] == '-' || bk_has_suffix(name, "-") || strstr(name, "--"))
		return wrong(err, "slice", slice, "has an empty part between dashes");
	return 0;
}

/* What would be taken for a file of a cgroup gets '_' in front, as systemd does. */
static bool looks_like_file(const char *name)
{
	static const char *const controllers[] = { "cgroup", "cpu", "cpuacct", "cpuset", "io", "blkio", "memory",
						   "devices", "pids", "bpf-firewall", "bpf-devices",
						   "bpf-foreign", "bpf-socket-bind",
						   "bpf-restrict-network-interfaces" };

	if (*name == '_' || *name == '.' || bk_streq(name, "notify_on_release") ||
	    bk_streq(name, "release_agent") || bk_streq(name, "tasks"))
		return true;
	for (size_t i = 0; i < BK_ARRAY_SIZE(controllers); i++) {
		const char *rest = bk_skip_prefix(name, controllers[i]);

		if (rest && *rest == '.')
			return true;
	}
	return false;
}

static void add_component(struct bk_buf *path, const char *name, size_t len, const char *suffix)
{
	bk_autofree char *whole = bk_asprintf("%.*s%s", (int)len, name, suffix);

	bk_buf_printf(path, "/%s%s", looks_like_file(whole) ? "_" : "", whole);
}

/* a-b-c.slice is in a-b.slice, which is in a.slice. */
static void add_slices(struct bk_buf *path, const char *slice)
{
	size_t len = strlen(slice) - strlen(SLICE);

	if (bk_streq(slice, "-" SLICE))
		return;
	for (size_t i = 1; i <= len; i++) {
		if (i == len || slice[i] == '-')
			add_component(path, slice, i, SLICE);
	}
}

int cgroup_scope_parse(const char *cgroups_path, const char *id, bool rootless, struct bk_arena *arena,
		       struct cgroup_scope *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf path = BK_BUF_INIT(PATH_MAX_BYTES);
	bk_autofree char *whole = cgroups_path && *cgroups_path ? bk_strdup(cgroups_path) :
								  bk_asprintf(":bock-runc:%s", id);
	char *prefix = strchr(whole, ':'), *name = prefix ? strchr(prefix + 1, ':') : NULL;
	struct cgroup_scope s;
	int rc;

	if (!name || strchr(name + 1, ':') || !name[1])
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.cgroupsPath: expected \"slice:prefix:name\" for systemd, found '%s'",
				  whole);
	*prefix++ = '\0';
	*name++ = '\0';
	if (bk_has_suffix(name, SLICE))
		return wrong(err, "name", name, "is a slice's, which has no processes of its own");
	s.slice = !*whole ? (rootless ? "user" SLICE : "system" SLICE) :
		  bk_streq(whole, "-") ? "-" SLICE : bk_arena_strdup(arena, whole);
	s.unit = bk_arena_printf(arena, "%s%s%s.scope", prefix, *prefix ? "-" : "", name);
	rc = check_slice(s.slice, err);
	if (rc == 0)
		rc = check_unit("unit", s.unit, err);
	if (rc < 0)
		return rc;
	add_slices(&path, s.slice);
	add_component(&path, s.unit, strlen(s.unit), "");
	s.path = bk_arena_strdup(arena, bk_buf_str(&path));
	*ret = s;
	return 0;
}
