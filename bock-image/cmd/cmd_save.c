/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "store/store_save.h"

struct save_opts {
	const char *output;
};

static const struct bk_cli_opt save_opts[] = {
	{ "output", 'o', BK_CLI_STR, offsetof(struct save_opts, output), "FILE",
	  "write to FILE (default: standard output)", BK_CLI_PATH, NULL },
	BK_CLI_END
};

/* Beside FILE, and renamed to it when it is whole. What is there and no regular file is written to. */
static int save_to_file(const struct store *s, const struct bk_cli_call *call, const char *path,
			struct bk_err **err)
{
	bk_autofree char *tmp = bk_asprintf("%s.%d.tmp", path, (int)getpid());
	bk_autoclose int fd = -1;
	struct stat st;
	bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	int rc;

	fd = special ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
		     : open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", special ? path : tmp);
	rc = store_save(s, call->args, (size_t)call->n_args, fd, err);
	if (special)
		return rc;
	if (rc == 0 && (fsync(fd) < 0 || rename(tmp, path) < 0))
		rc = bk_err_set(err, BK_ERR_IO, errno, "write '%s'", path);
	if (rc < 0)
		(void)unlink(tmp);
	return rc;
}

static int run_save(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autostore struct store *s = NULL;
	const struct save_opts *o = call->opts;
	int rc;

	(void)ret_status;
	if (!o->output && isatty(STDOUT_FILENO))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "an archive does not go to a terminal (use --output, or a pipe)");
	rc = cmd_open_store(call, 0, &s, err);
	if (rc < 0)
		return rc;
	if (o->output && !bk_streq(o->output, "-"))
		return save_to_file(s, call, o->output, err);
	return store_save(s, call->args, (size_t)call->n_args, STDOUT_FILENO, err);
}

const struct bk_cli_cmd cmd_save = {
	.name = "save",
	.synopsis = "NAME...",
	.help = "write images to an archive that other tools load",
	.min_args = 1,
	.max_args = -1,
	.opts = save_opts,
	.opts_size = sizeof(struct save_opts),
	.run = run_save,
};
