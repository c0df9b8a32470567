/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_layer.h"

#include "snap/snap_tar.h"

int snap_layer_write(struct snap_list *l, int64_t max_mtime, struct store *s,
		     struct layer_info *ret, bool *ret_written, struct bk_err **err)
{
	bk_autolayerout struct layer_out *out = NULL;
	int rc = snap_list_finish(l, max_mtime, err);

	if (rc < 0)
		return rc;
	*ret_written = l->n > 0;
	if (l->n == 0)
		return 0;
	rc = layer_out_new(s, OCI_MEDIA_GZIP, &out, err);
	if (rc == 0)
		rc = snap_tar_write(l, layer_out_write, out, err);
	if (rc == 0)
		rc = layer_out_commit(out, ret, err);
	return rc < 0 ? bk_err_wrap(err, rc, "write the layer") : 0;
}
