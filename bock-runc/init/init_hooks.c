/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_hooks.h"

#include <errno.h>
#include <fcntl.h>

#include "base/bk_auto.h"
#include "base/bk_path.h"
#include "spec/spec_annotations.h"

static int open_one(const struct oci_runtime_config *c, enum spec_annotation which,
		    const char *bundle, int *ret_fd, struct bk_err **err)
{
	const char *path = spec_annotation(c, which);
	bk_autofree char *full = NULL;
	bk_autoclose int fd = -1;

	if (!path)
		return 0;
	full = bk_path_join(bundle, path);
	/* a FIFO that nobody reads is an error, not a wait; the hooks get an ordinary descriptor */
	fd = open(full, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "annotations: '%s': open '%s'",
				  spec_annotations[which].name, full);
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

int init_hooks_open(const struct oci_runtime_config *c, const char *bundle,
		    struct init_hooks_output *ret, struct bk_err **err)
{
	struct init_hooks_output o = INIT_HOOKS_OUTPUT_INIT;
	int rc = open_one(c, SPEC_HOOKS_STDOUT, bundle, &o.out, err);

	if (rc == 0)
		rc = open_one(c, SPEC_HOOKS_STDERR, bundle, &o.errout, err);
	if (rc < 0) {
		init_hooks_done(&o);
		return rc;
	}
	*ret = o;
	return 0;
}

void init_hooks_done(struct init_hooks_output *o)
{
	bk_close(&o->out);
	bk_close(&o->errout);
}
