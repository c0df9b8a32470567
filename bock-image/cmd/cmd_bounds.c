/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_bounds.h"

#include "base/bk_num.h"
#include "layer/layer.h"
#include "layer/layer_stream.h"

static int read_size(const char *option, const char *text, uint64_t *ret, struct bk_err **err)
{
	int rc = text ? bk_num_size(text, ret, err) : 0;

	return rc < 0 ? bk_err_wrap(err, rc, "--%s", option) : 0;
}

int cmd_bounds_read(const struct cmd_bounds_opts *o, struct layer_opts *lo, struct bk_err **err)
{
	uint64_t pax = 0;
	int rc = read_size("max-size", o->max_size, &lo->max_size, err);

	if (rc == 0)
		rc = read_size("max-file", o->max_file, &lo->max_file, err);
	if (rc == 0)
		rc = read_size("max-pax", o->max_pax, &pax, err);
	if (rc < 0)
		return rc;
	/* What is past these the rest of the program is not made for. */
	if (pax > LAYER_PAX_MAX || o->max_name >= BK_ROOT_PATH_MAX ||
	    o->max_depth > LAYER_DEPTH_MAX || o->threads > LAYER_THREADS_MAX)
		return bk_err_set(
			err, BK_ERR_CONFIG, 0,
			"--max-pax, --max-name, --max-depth and --threads can't be more than %zu, %d, %d and %d",
			LAYER_PAX_MAX, BK_ROOT_PATH_MAX - 1, LAYER_DEPTH_MAX, LAYER_THREADS_MAX);
	lo->max_pax = (size_t)pax;
	lo->max_name = o->max_name;
	lo->max_depth = o->max_depth;
	lo->max_entries = o->max_entries;
	lo->max_ratio = o->max_ratio;
	lo->threads = o->threads;
	lo->confine = (enum layer_confine_how)o->confine;
	return 0;
}
