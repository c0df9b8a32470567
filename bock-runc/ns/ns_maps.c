/* SPDX-License-Identifier: Apache-2.0 */
#include "ns/ns_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"

#define NEWIDMAP_TIMEOUT_MS 10000

static bool overlap(uint32_t a, uint32_t an, uint32_t b, uint32_t bn)
{
	return a < (uint64_t)b + bn && b < (uint64_t)a + an;
}

int ns_maps_check(const struct oci_id_mapping *maps, size_t n, const char *what,
		  struct bk_err **err)
{
	if (n > NS_MAPS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: %zu entries, the kernel takes %d",
				  what, n, NS_MAPS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct oci_id_mapping *m = &maps[i];

		if (m->size == 0)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "%s[%zu].size: is 0", what, i);
		if ((uint64_t)m->container_id + m->size > UINT32_MAX ||
		    (uint64_t)m->host_id + m->size > UINT32_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "%s[%zu]: range ends above 2^32-2",
					  what, i);
		for (size_t k = 0; k < i; k++) {
			if (overlap(m->container_id, m->size, maps[k].container_id, maps[k].size) ||
			    overlap(m->host_id, m->size, maps[k].host_id, maps[k].size))
				return bk_err_set(err, BK_ERR_CONFIG, 0,
						  "%s[%zu]: overlaps with entry %zu", what, i, k);
		}
	}
	return 0;
}

bool ns_maps_to_host(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (id >= maps[i].container_id && id - maps[i].container_id < maps[i].size) {
			*ret = id - maps[i].container_id + maps[i].host_id;
			return true;
		}
	}
	return false;
}

bool ns_maps_has(const struct oci_id_mapping *maps, size_t n, uint32_t id)
{
	uint32_t ignored;

	return ns_maps_to_host(maps, n, id, &ignored);
}

static int write_map(pid_t pid, const char *file, const struct oci_id_mapping *maps, size_t n,
		     struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	char path[64];
	int rc;

	for (size_t i = 0; i < n; i++)
		bk_buf_printf(&text, "%u %u %u\n", maps[i].container_id, maps[i].host_id,
			      maps[i].size);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	rc = bk_file_put(AT_FDCWD, path, bk_buf_str(&text), err);
	if (rc == -BK_ERR_PERMISSION) /* user_namespaces(7) */
		return bk_err_hint(err, rc, "id 0 takes CAP_SETFCAP here (Linux 5.12), others than one's own CAP_SETUID or "
				   "CAP_SETGID");
	return rc;
}

static int run_helper(const char *prog, pid_t pid, const struct oci_id_mapping *maps, size_t n,
		      struct bk_err **err)
{
	bk_autostrv char **argv = NULL;
	bk_autobuf struct bk_buf errout = BK_BUF_INIT(4096);
	char *const nothing[] = { NULL };
	/* it has rights that we don't: none of our variables is its business */
	struct bk_proc_spec spec = { .path = prog, .env = nothing, .stdin_fd = -1, .stdout_fd = -1,
				     .stderr_fd = -1 };
	int status, rc;

	bk_strv_add(&argv, prog);
	bk_strv_push(&argv, bk_asprintf("%d", (int)pid));
	for (size_t i = 0; i < n; i++) {
		bk_strv_push(&argv, bk_asprintf("%u", maps[i].container_id));
		bk_strv_push(&argv, bk_asprintf("%u", maps[i].host_id));
		bk_strv_push(&argv, bk_asprintf("%u", maps[i].size));
	}
	spec.argv = argv;
	rc = bk_proc_run(&spec, NULL, 0, NULL, &errout, NEWIDMAP_TIMEOUT_MS, &status, err);
	if (rc < 0) {
		if (bk_err_kind_of(err ? *err : NULL) == BK_ERR_NOT_FOUND)
			(void)bk_err_hint(err, rc, "install the package uidmap, or map only your own id");
		return rc;
	}
	if (status != 0)
		return bk_err_set(err, BK_ERR_PERMISSION, 0, "%s failed with status %d: %s", prog,
				  bk_proc_exit_code(status), bk_buf_str(&errout));
	return 0;
}

/* One line that maps nobody but the caller may be written by the caller (user_namespaces(7)). */
static bool only_self(const struct oci_id_mapping *maps, size_t n, uint32_t self)
{
	return n == 1 && maps[0].size == 1 && maps[0].host_id == self;
}

int ns_maps_write(pid_t pid, const struct oci_id_mapping *uids, size_t n_uids,
		  const struct oci_id_mapping *gids, size_t n_gids, bool privileged,
		  struct bk_err **err)
{
	bool self_gid = only_self(gids, n_gids, getegid());
	int rc;

	if (privileged || only_self(uids, n_uids, geteuid()))
		rc = write_map(pid, "uid_map", uids, n_uids, err);
	else
		rc = run_helper("newuidmap", pid, uids, n_uids, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "linux.uidMappings");

	if (!privileged && self_gid) {
		char path[64];

		/* the kernel wants this before an unprivileged gid_map (CVE-2014-8989) */
		snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
		rc = bk_file_put(AT_FDCWD, path, "deny", err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "linux.gidMappings");
	}
	if (privileged || self_gid)
		rc = write_map(pid, "gid_map", gids, n_gids, err);
	else
		rc = run_helper("newgidmap", pid, gids, n_gids, err);
	return rc < 0 ? bk_err_wrap(err, rc, "linux.gidMappings") : 0;
}

static bool has_line(const struct oci_id_mapping *maps, size_t n, const struct oci_id_mapping *line)
{
	for (size_t i = 0; i < n; i++) {
		if (maps[i].container_id == line->container_id && maps[i].host_id == line->host_id &&
		    maps[i].size == line->size)
			return true;
	}
	return false;
}

int ns_maps_same(const char *file, const struct oci_id_mapping *maps, size_t n, const char *what,
		 struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autofree char *path = bk_asprintf("/proc/self/%s", file);
	size_t lines = 0;
	int rc = bk_file_read(AT_FDCWD, path, &text, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "%s", what);
	for (const char *p = bk_buf_str(&text); *p; p += strcspn(p, "\n"), p += *p == '\n') {
		struct oci_id_mapping line;

		if (sscanf(p, "%u %u %u", &line.container_id, &line.host_id, &line.size) != 3 ||
		    !has_line(maps, n, &line))
			break;
		lines++;
	}
	if (lines != n)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s: is not the map of the user namespace to join", what);
	return 0;
}
