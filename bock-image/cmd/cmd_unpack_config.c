/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_unpack_config.h"

#include <string.h>
#include <unistd.h>

#include "base/bk_num.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "bundle/bundle_mounts.h"

#define CPUS_MAX     1048576	/* as a quota it stays far from the end of a number */
#define CPU_DIGITS   5		/* behind the point: microseconds of BUNDLE_CPU_PERIOD */
#define QUOTA_MIN    1000	/* the kernel's */
#define HOSTNAME_LEN 64		/* HOST_NAME_MAX */

static int check_env(char *const *env, struct bk_err **err)
{
	for (; env && *env; env++)
		if (**env == '=' || !strchr(*env, '='))
			return bk_err_set(err, BK_ERR_CONFIG, 0, "--env '%s': not NAME=VALUE",
					  *env);
	return 0;
}

/* "1.5" CPUs as microseconds of a period. */
static int read_cpus(const char *text, int64_t *ret, struct bk_err **err)
{
	const char *point = strchr(text, '.');
	bk_autofree char *whole = point ? bk_strndup(text, (size_t)(point - text)) : bk_strdup(text);
	uint32_t cpus = 0, part = 0;
	int rc = *whole || !point ? bk_num_u32(whole, CPUS_MAX, &cpus, NULL) : 0;

	if (rc == 0 && point) {
		bk_autofree char *digits = bk_asprintf("%s%.*s", point + 1,
						       CPU_DIGITS - (int)(strlen(point + 1) < CPU_DIGITS
										  ? strlen(point + 1)
										  : CPU_DIGITS),
						       "00000");

		rc = strlen(digits) == CPU_DIGITS && point[1]
			     ? bk_num_u32(digits, UINT32_MAX, &part, NULL)
			     : -1;
	}
	*ret = (int64_t)cpus * BUNDLE_CPU_PERIOD + part;
	if (rc < 0 || *ret < QUOTA_MIN)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--cpus '%s': not a number of CPUs (0.01 is the least, five digits behind the point the most)",
				  text);
	return 0;
}

static int read_limits(const struct cmd_container_opts *o, struct bundle_opts *ret, struct bk_err **err)
{
	uint64_t memory = 0;
	int rc = 0;

	if (o->memory) {
		rc = bk_num_size(o->memory, &memory, err);
		if (rc == 0 && (memory == 0 || memory > INT64_MAX))
			rc = bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is no limit", o->memory);
		if (rc < 0)
			return bk_err_wrap(err, rc, "--memory");
		ret->memory = (int64_t)memory;
	}
	if (o->cpus)
		rc = read_cpus(o->cpus, &ret->cpu_quota, err);
	if (rc == 0 && o->pids_limit) {
		rc = bk_num_i64(o->pids_limit, -1, INT32_MAX, &ret->pids_limit, err);
		if (rc == 0 && ret->pids_limit == 0)
			rc = bk_err_set(err, BK_ERR_CONFIG, 0, "no process at all could run");
		if (rc < 0)
			return bk_err_wrap(err, rc, "--pids-limit");
	}
	return rc;
}

static int read_net(const char *text, struct bundle_opts *ret, struct bk_err **err)
{
	if (!text)
		return 0;
	if (bk_streq(text, "none")) {
		ret->net = BUNDLE_NET_NONE;
	} else if (bk_streq(text, "host")) {
		ret->net = BUNDLE_NET_HOST;
	} else if (*text == '/') {
		ret->net = BUNDLE_NET_PATH;
		ret->netns = text;
	} else {
		int rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				    "--net '%s': neither none, nor host, nor an absolute path", text);

		return bk_err_hint(err, rc, "bock-net makes namespaces and connects them");
	}
	return 0;
}

static int read_map(const char *option, char *const *lines, struct bk_arena *arena,
		    struct oci_id_mapping **ret, size_t *ret_n, struct bk_err **err)
{
	int rc = 0;

	for (; rc == 0 && lines && *lines; lines++)
		rc = layer_ids_parse(*lines, arena, ret, ret_n, err);
	return rc < 0 ? bk_err_wrap(err, rc, "--%s", option) : 0;
}

static int read_maps(const struct cmd_container_opts *o, struct bk_arena *arena,
		     struct bundle_opts *ret, struct bk_err **err)
{
	int rc;

	if (!o->uid_map && !o->gid_map)
		return 0;
	if (ret->rootless)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--uid-map and --gid-map are root's, and %s",
				  geteuid() == 0 ? "don't go with --rootless"
						 : "another user has one id to map, his own");
	if (!o->uid_map)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--gid-map without --uid-map");
	rc = read_map("uid-map", o->uid_map, arena, &ret->ids.uids, &ret->ids.n_uids, err);
	if (rc < 0)
		return rc;
	return read_map(o->gid_map ? "gid-map" : "uid-map", o->gid_map ? o->gid_map : o->uid_map, arena,
			&ret->ids.gids, &ret->ids.n_gids, err);
}

static int read_mounts(char *const *texts, struct bk_arena *arena, struct bundle_opts *ret,
		       struct bk_err **err)
{
	struct oci_mount *mounts = NULL;

	for (; texts && *texts; texts++) {
		int rc;

		mounts = bk_arena_grow(arena, mounts, ret->n_mounts, sizeof(*mounts));
		rc = bundle_mount_parse(*texts, arena, &mounts[ret->n_mounts], err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "--mount '%s'", *texts);
		ret->n_mounts++;
	}
	ret->mounts = mounts;
	return 0;
}

static int check_hostname(const char *name, struct bk_err **err)
{
	if (name && (!*name || strlen(name) > HOSTNAME_LEN ||
		     name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")]))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--hostname '%s' is no host name", name);
	return 0;
}

int cmd_container_read(const struct cmd_container_opts *o, struct bk_arena *arena,
		       struct bundle_opts *ret, struct bk_err **err)
{
	struct bundle_opts bo = {
		.entrypoint = o->entrypoint,
		.env = o->env,
		.user = o->user,
		.cwd = o->cwd,
		.hostname = o->hostname,
		.tty = o->tty,
		.readonly = o->readonly,
		.rootless = o->rootless || geteuid() != 0,
		.resolv_conf = o->resolv_conf,
		.hosts = o->hosts,
		.volumes = (enum bundle_volumes)o->volumes,
	};
	int rc = check_env(o->env, err);

	if (rc == 0)
		rc = check_hostname(o->hostname, err);
	if (rc == 0)
		rc = read_limits(o, &bo, err);
	if (rc == 0)
		rc = read_net(o->net, &bo, err);
	if (rc == 0)
		rc = read_maps(o, arena, &bo, err);
	if (rc == 0)
		rc = read_mounts(o->mount, arena, &bo, err);
	if (rc == 0)
		*ret = bo;
	return rc;
}
