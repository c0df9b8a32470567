/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_update.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "cgroup/cgroup_devices.h"
#include "cgroup/cgroup_limits.h"
#include "cgroup/cgroup_manager.h"
#include "codec/bk_json.h"
#include "container/container_rdt.h"
#include "sys/sys_words.h"

#define NEW_FILE CONTAINER_RESOURCES_FILE ".new"

static int check_running(const struct container *c, struct bk_err **err)
{
	enum oci_status status;
	int rc = container_status(c, &status, NULL, err);

	if (rc == 0 && (status == OCI_STOPPED || status == OCI_CREATING))
		rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0, SYS_WORD_NOT_RUNNING);
	return rc;
}

/* The resources as the last update left them, or as the container was made with. */
static int load_resources(const struct container *c, struct bk_arena *arena,
			  struct oci_resources **ret, struct bk_err **err)
{
	struct oci_resources *r = bk_arena_alloc(arena, sizeof(*r));
	bk_autofree struct oci_runtime_config *config = NULL;
	struct bk_err *e = NULL;
	int rc;

	rc = bk_json_decode_file(&oci_resources_type, c->dirfd, CONTAINER_RESOURCES_FILE,
				 &bk_doc_limits_oci, arena, r, &e);
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&e);
		config = bk_calloc(1, sizeof(*config));
		rc = bk_json_decode_file(&oci_runtime_config_type, c->dirfd, CONTAINER_CONFIG_FILE,
					 &bk_doc_limits_oci, arena, config, &e);
		if (rc == 0 && config->linux_ && config->linux_->resources)
			r = config->linux_->resources;
	}
	if (rc < 0) {
		bk_err_move(err, e);
		return rc;
	}
	*ret = r;
	return 0;
}

/* Beside the file that it will replace: that the disk is full is found out before anything is changed. */
static int write_new(const struct container *c, const struct oci_resources *whole, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CONTAINER_STATE_MAX);
	int rc = bk_json_encode(&oci_resources_type, whole, BK_JSON_NEWLINE, &b, err);

	if (rc == 0)
		rc = bk_buf_check(&b, "the resources", err);
	if (rc == 0)
		rc = bk_file_write_atomic(c->dirfd, NEW_FILE, b.data, b.len, 0600, false, err);
	return rc < 0 ? bk_err_wrap(err, rc, "save the resources") : 0;
}

/* systemd rounds some values when it writes them; ours are to stand. */
struct tell {
	const struct cgroup_place *place;
	int dirfd;
};

static int tell(const void *arg, const struct cgroup_limits *limits, struct bk_err **err)
{
	const struct tell *t = arg;
	int rc = t->place->manager->tell(t->place, limits, err);

	for (size_t i = 0; t->place->unit && rc == 0 && i < limits->n; i++)
		rc = cgroup_limit_write(t->dirfd, &limits->list[i], err);
	return rc;
}

static int apply(const struct container *c, const struct oci_resources *whole,
		 const struct oci_resources *given, const struct cgroup_limits *limits,
		 struct bk_err **err)
{
	bk_autoclose int fd = -1, program = -1, old_program = -1;
	struct cgroup_place place;
	struct tell told = { .place = &place };
	int rc;

	if (!c->state.cgroup)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "the container has no cgroup");
	container_place(c, &place);
	rc = cgroup_open(&place.host, place.path, &fd, err);
	if (rc == 0)
		rc = cgroup_limits_check_usage(fd, whole->memory, given->memory, err);
	if (rc == 0 && given->n_devices)
		rc = cgroup_devices_replace(fd, whole->devices, whole->n_devices, &program, &old_program,
					    err);
	if (rc < 0)
		return rc;
	told.dirfd = fd;
	rc = cgroup_limits_update(&place.host, place.path, fd, limits, tell, &told, err);
	if (rc < 0)
		cgroup_devices_put_back(fd, program, old_program);
	return rc;
}

/* The files, and then what the next update will begin with. */
static int set_resources(const struct container *c, const struct oci_resources *whole,
			 const struct oci_resources *given, const struct cgroup_limits *limits,
			 struct bk_err **err)
{
	int rc = write_new(c, whole, err);

	if (rc < 0)
		return rc;
	rc = apply(c, whole, given, limits, err);
	if (rc == 0 && renameat(c->dirfd, NEW_FILE, c->dirfd, CONTAINER_RESOURCES_FILE) < 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "save the resources");
	if (rc < 0)
		(void)unlinkat(c->dirfd, NEW_FILE, 0);
	return rc;
}

int container_update(const struct container *c, const struct oci_resources *given,
		     const struct oci_intel_rdt *rdt, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct oci_resources *current = NULL, *whole;
	bk_autofree char *old = NULL;
	int rc = check_running(c, err);

	if (rc == 0)
		rc = load_resources(c, arena, &current, err);
	if (rc < 0)
		return rc;
	whole = cgroup_resources_merge(current, given, arena);
	rc = cgroup_limits_compile_update(whole, given, &limits, err);
	if (rc == 0 && rdt)
		rc = container_rdt_update(c, rdt, &old, err);
	if (rc == 0 && (limits.n || given->n_devices || !rdt)) {
		rc = set_resources(c, whole, given, &limits, err);
		if (rc < 0 && old)
			rc = container_rdt_put_back(c, old, rc, err);
	}
	cgroup_limits_done(&limits);
	return rc;
}
