/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "bundle/bundle_files.h"
#include "bundle/bundle_priv.h"

int bundle_fill_(const struct store *s, const struct store_image *image, int fd,
		 const struct bundle_opts *opts, const struct layer_opts *layer,
		 struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct oci_runtime_config config;
	int rc;

	if (mkdirat(fd, "rootfs", 0755) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory 'rootfs'");
	root.fd = openat(fd, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root.fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open 'rootfs'");
	rc = bundle_files_own(&opts->ids, root.fd, err);
	if (rc == 0)
		rc = layer_apply_image(s, image, &root, layer, ret_stats, err);
	if (rc == 0)
		rc = bundle_convert_(image, fd, &root, opts, arena, &config, err);
	return rc < 0 ? rc : bundle_config_write(fd, &config, err);
}

int bundle_unpack(const struct store *s, const struct store_image *image, const char *path,
		  const struct bundle_opts *opts, const struct layer_opts *layer,
		  struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	bool made = false;
	int rc = bundle_config_check(&image->config, opts, err);

	if (rc == 0)
		rc = bundle_take_folder_(path, &fd, &made, err);
	if (rc == 0)
		rc = bundle_fill_(s, image, fd, opts, layer, ret_stats, err);
	if (rc == 0)
		rc = bundle_note_origin_(image, fd, false, layer, err);
	return bundle_leave_folder_(path, fd, made, rc, err);
}
