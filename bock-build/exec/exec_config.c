/* SPDX-License-Identifier: Apache-2.0 */
#include "exec/exec_config.h"

#include <fcntl.h>
#include <string.h>

#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "bundle/bundle_config.h"
#include "oci/oci_runtime_linux.h"

#define ETC_FILE_MAX ((size_t)1 << 20) /* bytes of resolv.conf and hosts */

static void remove_namespace(struct oci_linux *linux_, int type)
{
	size_t n = 0;

	for (size_t i = 0; i < linux_->n_namespaces; i++)
		if (linux_->namespaces[i].type != type)
			linux_->namespaces[n++] = linux_->namespaces[i];
	linux_->n_namespaces = n;
}

static void remove_mount(struct oci_runtime_config *config, const char *destination)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_mounts; i++)
		if (!bk_streq(config->mounts[i].destination, destination))
			config->mounts[n++] = config->mounts[i];
	config->n_mounts = n;
}

/* A copy in the bundle, so that a step may write to it. A host without the file has none to give. */
static int add_etc_file(const struct exec_step *step, const char *path, struct bk_arena *arena,
			struct oci_runtime_config *config, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(ETC_FILE_MAX);
	bk_autofree char *copy = bk_path_join(step->bundle, bk_path_base(path));
	struct bk_err *why = NULL;
	struct oci_mount *m;
	int rc = bk_file_read(AT_FDCWD, path, &text, &why);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, why);
		return rc;
	}
	rc = bk_file_write_atomic(AT_FDCWD, copy, bk_buf_str(&text), text.len, 0644, false, err);
	if (rc < 0)
		return rc;
	config->mounts = bk_arena_grow(arena, config->mounts, config->n_mounts,
				       sizeof(*config->mounts));
	m = &config->mounts[config->n_mounts++];
	m->destination = bk_arena_strdup(arena, path);
	m->type = bk_arena_strdup(arena, "bind");
	m->source = bk_arena_strdup(arena, copy);
	bk_doc_strv_add(arena, &m->options, "rbind");
	bk_doc_strv_add(arena, &m->options, "rprivate");
	return 0;
}

/* bk_arena_grow asks for arrays that it made itself. */
static void own_mounts(struct oci_runtime_config *config, struct bk_arena *arena)
{
	struct oci_mount *mounts = NULL;

	for (size_t i = 0; i < config->n_mounts; i++) {
		mounts = bk_arena_grow(arena, mounts, i, sizeof(*mounts));
		mounts[i] = config->mounts[i];
	}
	config->mounts = mounts;
}

int exec_config_make(const struct exec_step *step, const struct bk_root *rootfs,
		     struct bk_arena *arena, struct oci_runtime_config *ret, struct bk_err **err)
{
	struct oci_image_exec exec = { .env = (char **)(uintptr_t)step->env,
				       .user = (char *)(uintptr_t)step->user,
				       .working_dir = (char *)(uintptr_t)step->cwd };
	const struct oci_image_config image = { .os = (char *)(uintptr_t) "linux",
						.config = &exec };
	const struct bundle_opts opts = { .args = step->args,
					  .rootfs = step->rootfs,
					  .hostname = "bock-build" };
	struct oci_runtime_config config = { 0 };
	int rc = bundle_config_make(&image, &opts, rootfs, arena, &config, err);

	if (rc < 0)
		return rc;
	config.process->no_new_privileges = false;
	config.process->n_rlimits = 0; /* a build's limits are its caller's */
	remove_mount(&config, "/sys/fs/cgroup");
	own_mounts(&config, arena);
	if (step->network) {
		remove_namespace(config.linux_, OCI_NS_NETWORK);
		rc = add_etc_file(step, "/etc/resolv.conf", arena, &config, err);
		if (rc == 0)
			rc = add_etc_file(step, "/etc/hosts", arena, &config, err);
	}
	if (rc < 0)
		return rc;
	*ret = config;
	return 0;
}

int exec_config_write(const struct exec_step *step, const struct oci_runtime_config *config,
		      struct bk_err **err)
{
	bk_autoclose int fd = open(step->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", step->bundle);
	return bundle_config_write(fd, config, err);
}
