/* SPDX-License-Identifier: Apache-2.0 */
/* What all ways to fill a bundle begin and end with. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "bundle/bundle_files.h"
#include "bundle/bundle_origin.h"
#include "bundle/bundle_priv.h"

static int open_empty(const char *path, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *dir = NULL;
	const struct dirent *e;
	int copy;

	copy = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		int errnum = errno;

		bk_close(&copy);
		return bk_err_set(err, BK_ERR_IO, errnum, "open it");
	}
	while ((errno = 0, e = readdir(dir)) != NULL)
		if (!bk_streq(e->d_name, ".") && !bk_streq(e->d_name, ".."))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "there is something in it already");
	/* what is in a folder that was not empty would be removed after an error */
	if (errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read it");
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

int bundle_take_folder_(const char *path, int *ret_fd, bool *ret_made, struct bk_err **err)
{
	*ret_made = mkdir(path, 0755) == 0;
	if (!*ret_made && errno != EEXIST)
		return bk_err_set(err, errno == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errno,
				  "make directory");
	return open_empty(path, ret_fd, err);
}

int bundle_leave_folder_(const char *path, int fd, bool made, int rc, struct bk_err **err)
{
	if (rc < 0 && fd >= 0)
		(void)bk_root_empty_dir(fd, NULL);
	if (rc < 0 && made)
		(void)rmdir(path);
	return rc < 0 ? bk_err_wrap(err, rc, "bundle '%s'", path) : 0;
}

int bundle_convert_(const struct store_image *image, int fd, const struct bk_root *root,
		    const struct bundle_opts *opts, struct bk_arena *arena,
		    struct oci_runtime_config *ret, struct bk_err **err)
{
	struct bundle_opts full = *opts;
	int rc = bundle_files_make(fd, root, image->config.config, &full, arena, err);

	full.annotations = image->manifest.annotations;
	full.n_annotations = image->manifest.n_annotations;
	return rc < 0 ? rc : bundle_config_make(&image->config, &full, root, arena, ret, err);
}

int bundle_note_origin_(const struct store_image *image, int fd, bool overlay, const struct layer_opts *layer,
			struct bk_err **err)
{
	struct oci_descriptor desc = image->desc;
	struct bundle_origin origin = {
		.name = image->name,
		.image = &desc,
		.rootless = layer->rootless,
		.overlay = overlay,
		.userxattr = overlay && layer_keep_kind(layer) != STORE_LAYER_ROOT,
	};

	if (layer->ids)
		origin.ids = *layer->ids;
	return bundle_origin_write(fd, &origin, err);
}
