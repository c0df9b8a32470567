/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_ifname.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "spec/spec_load.h"

static int bad(struct bk_err **err, const char *path, const char *why)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: %s", path, why);
}

/* Semver with major 1: minor versions only add (config.md "Specification version"). */
static int check_version(const char *v, struct bk_err **err)
{
	const char *rest = bk_skip_prefix(v, "1.");
	size_t digits = rest ? strspn(rest, "0123456789") : 0;

	if (!digits || rest[digits] != '.')
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "ociVersion: '%s' is not a version 1.x.y, which is what this runtime runs",
				  v);
	return 0;
}


#define NET_DEVICES_MAX 4096	/* of one container */

static int check_groups(const struct oci_user *u, struct bk_err **err)
{
	if (u->n_additional_gids > SPEC_GROUPS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.user.additionalGids: %zu groups, at most %d",
				  u->n_additional_gids, SPEC_GROUPS_MAX);
	for (size_t i = 0; i < u->n_additional_gids; i++) {
		if (u->additional_gids[i] == UINT32_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "process.user.additionalGids[%zu]: 4294967295 is not an id", i);
	}
	return 0;
}

/* "NAME=VALUE" each (environ(7)); runc's words. */
static int check_env(char *const *env, struct bk_err **err)
{
	for (size_t i = 0; env && env[i]; i++) {
		const char *eq = strchr(env[i], '=');

		if (!eq || eq == env[i])
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "process.env[%zu]: invalid environment variable: %s", i,
					  eq ? "name cannot be empty" : "missing '='");
	}
	return 0;
}

int spec_check_process(const struct oci_process *p, struct bk_err **err)
{
	int rc;

	if (p->cwd[0] != '/')
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.cwd: '%s' is not absolute (Cwd must be an absolute path)",
				  p->cwd);
	if (!p->args || !p->args[0])
		return bad(err, "process.args", "must have at least one entry");
	if (p->user && (p->user->uid == UINT32_MAX || p->user->gid == UINT32_MAX))
		return bad(err, "process.user", "4294967295 is not an id");
	if (p->user && p->user->has_umask && p->user->umask > 0777)
		return bad(err, "process.user.umask", "is above 0777");
	if (p->has_oom_score_adj && (p->oom_score_adj < -1000 || p->oom_score_adj > 1000))
		return bad(err, "process.oomScoreAdj", "is not within -1000..1000");
	rc = p->user ? check_groups(p->user, err) : 0;
	return rc < 0 ? rc : check_env(p->env, err);
}

/* Without a mount namespace the container's mounts are made in the runtime's own. */
static int check_host_mounts(const struct oci_linux *l, bool userns, struct bk_err **err)
{
	if (userns)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.namespaces: a user namespace without a mount namespace (new, or by path): "
				  "its root has no right to mount anything in the runtime's");
	if (l->rootfs_propagation && *l->rootfs_propagation)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.rootfsPropagation: without a mount namespace the root is on a mount of the "
				  "host, which is left as it is");
	return 0;
}

static int check_namespaces(const struct oci_runtime_config *c, struct bk_err **err)
{
	const struct oci_linux *l = c->linux_;
	unsigned int seen = 0;

	for (size_t i = 0; i < l->n_namespaces; i++) {
		const struct oci_namespace *ns = &l->namespaces[i];

		if (seen & 1U << ns->type)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.namespaces[%zu].type: '%s' is there twice", i,
					  oci_ns_names[ns->type].name);
		seen |= 1U << ns->type;
		if (ns->path && *ns->path && ns->path[0] != '/')
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.namespaces[%zu].path: '%s' is not absolute", i,
					  ns->path);
	}
	if (!(seen & 1U << OCI_NS_MOUNT)) {
		int rc = check_host_mounts(l, seen & 1U << OCI_NS_USER, err);

		if (rc < 0)
			return rc;
	}
	if ((l->n_uid_mappings || l->n_gid_mappings) && !(seen & 1U << OCI_NS_USER))
		return bad(err, "linux.uidMappings", "needs a user namespace");
	if (spec_ns_is_new(c, OCI_NS_USER) && (!l->n_uid_mappings || !l->n_gid_mappings))
		return bad(err, "linux.uidMappings",
			   "a new user namespace needs uidMappings and gidMappings");
	if (l->time_offsets && !spec_ns_is_new(c, OCI_NS_TIME))
		return bad(err, "linux.timeOffsets", "needs a new time namespace");
	return 0;
}

/* What the device is called in the container. */
static const char *net_device_name(const struct oci_net_device *d)
{
	return d->name && *d->name ? d->name : d->key;
}

static int check_net_device(const struct oci_runtime_config *c, size_t i, struct bk_err **err)
{
	const struct oci_linux *l = c->linux_;
	const struct oci_net_device *d = &l->net_devices[i];
	int rc = bk_ifname_check(d->key, err);

	if (rc == 0 && d->name && *d->name)
		rc = bk_ifname_check_new(d->name, err);
	if (rc < 0)
		return rc;
	if (bk_streq(net_device_name(d), "lo") && spec_ns_is_new(c, OCI_NS_NETWORK))
		return bad(err, d->key, "'lo' is the loopback device of each network namespace");
	for (size_t k = 0; k < i; k++) {
		if (bk_streq(d->key, l->net_devices[k].key))
			return bad(err, d->key, "is there twice");
		if (bk_streq(net_device_name(d), net_device_name(&l->net_devices[k])) &&
		    !bk_ifname_is_template(net_device_name(d)))
			return bk_err_set(err, BK_ERR_CONFIG, 0, "%s.name: '%s' is that of '%s', too", d->key,
					  net_device_name(d), l->net_devices[k].key);
	}
	return 0;
}

static int check_net_devices(const struct oci_runtime_config *c, struct bk_err **err)
{
	const struct oci_linux *l = c->linux_;

	if (l->n_net_devices && !spec_ns(c, OCI_NS_NETWORK))
		return bad(err, "linux.netDevices", "needs a network namespace (new, or by path)");
	if (l->n_net_devices > NET_DEVICES_MAX)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "linux.netDevices: more than %d devices",
				  NET_DEVICES_MAX);
	for (size_t i = 0; i < l->n_net_devices; i++) {
		int rc = check_net_device(c, i, err);

		if (rc < 0)
			return bk_err_wrap(err, rc, "linux.netDevices");
	}
	return 0;
}

static int check_hostnames(const struct oci_runtime_config *c, struct bk_err **err)
{
	if (c->hostname && *c->hostname && !spec_ns(c, OCI_NS_UTS))
		return bad(err, "hostname", "unable to set hostname without a private UTS namespace");
	if (c->domainname && *c->domainname && !spec_ns(c, OCI_NS_UTS))
		return bad(err, "domainname", "unable to set domainname without a private UTS namespace");
	if ((c->hostname && strlen(c->hostname) > 64) || (c->domainname && strlen(c->domainname) > 64))
		return bad(err, "hostname", "is longer than 64 bytes");
	return 0;
}

static int check_paths(char *const *paths, const char *what, struct bk_err **err)
{
	for (size_t i = 0; paths && paths[i]; i++) {
		if (paths[i][0] != '/')
			return bk_err_set(err, BK_ERR_CONFIG, 0, "%s[%zu]: '%s' is not absolute", what,
					  i, paths[i]);
	}
	return 0;
}

static int check_annotations(const struct oci_runtime_config *c, struct bk_err **err)
{
	for (size_t i = 0; i < c->n_annotations; i++) {
		if (!*c->annotations[i].key)
			return bad(err, "annotations", "a key is empty");
	}
	return 0;
}

static int check_required(const struct oci_runtime_config *c, struct bk_err **err)
{
	if (!c->root || !c->root->path || !*c->root->path)
		return bad(err, "root.path", "required member is missing");
	if (!c->linux_)
		return bad(err, "linux",
			   "required member is missing: this runtime runs Linux containers");
	return 0;
}

static int check_oci_version(const struct oci_runtime_config *c, struct bk_err **err)
{
	return check_version(c->oci_version, err);
}

static int check_config_process(const struct oci_runtime_config *c, struct bk_err **err)
{
	return c->process ? spec_check_process(c->process, err) : 0; /* create can do without */
}

static int check_masked(const struct oci_runtime_config *c, struct bk_err **err)
{
	return check_paths(c->linux_->masked_paths, "linux.maskedPaths", err);
}

static int check_readonly(const struct oci_runtime_config *c, struct bk_err **err)
{
	return check_paths(c->linux_->readonly_paths, "linux.readonlyPaths", err);
}

/* In this order; those behind check_required may rely on what it found. */
static int (*const checks[])(const struct oci_runtime_config *c, struct bk_err **err) = {
	check_oci_version, check_required,  check_config_process, check_namespaces, check_net_devices,
	check_hostnames,   check_masked,    check_readonly,	  check_annotations,
};

int spec_check(const struct oci_runtime_config *c, struct bk_err **err)
{
	int rc = 0;

	for (size_t i = 0; i < BK_ARRAY_SIZE(checks) && rc == 0; i++)
		rc = checks[i](c, err);
	return rc;
}

size_t spec_check_each(const struct oci_runtime_config *c,
		       void (*found)(struct bk_err *e, void *ctx), void *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < BK_ARRAY_SIZE(checks); i++) {
		struct bk_err *e = NULL;

		if (checks[i](c, &e) == 0)
			continue;
		n++;
		found(e, ctx);
		if (checks[i] == check_required)
			break;
	}
	return n;
}
