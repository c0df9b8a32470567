/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_path.h"
#include "cmd/cmd.h"
#include "codec/bk_json.h"
#include "spec/spec_load.h"
#include "sys/sys_words.h"

struct opts {
	const char *bundle;
	const char *file;
	bool rootless;
};

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	bk_autofree char *path = bk_path_join(o->bundle ? o->bundle : ".",
					      o->file ? o->file : "config.json");
	bk_autoclose int fd = -1;
	int rc;

	(void)ret_status;
	rc = bk_json_encode(&oci_runtime_config_type,
			    spec_default(arena, o->rootless, geteuid(), getegid()),
			    BK_JSON_PRETTY | BK_JSON_TAB | BK_JSON_NEWLINE, &b, err);
	if (rc < 0)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "file %s " SYS_WORD_SPEC_EXISTS, path);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s'", path);
	rc = bk_fd_write_all(fd, b.data, b.len);
	return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc, "write '%s'", path) : 0;
}

static const struct bk_cli_opt opts[] = {
	{ "bundle", 'b', BK_CLI_STR, offsetof(struct opts, bundle), "DIR",
	  "where to write config.json (default: the current directory)", BK_CLI_DIR, NULL },
	{ "file", 'f', BK_CLI_STR, offsetof(struct opts, file), "FILE",
	  "its name, in that directory (default: config.json)", BK_CLI_PATH, NULL },
	{ "rootless", 0, BK_CLI_FLAG, offsetof(struct opts, rootless), NULL,
	  "a configuration that the calling user can run without root", 0, NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_spec = {
	.name = "spec",
	.synopsis = "",
	.help = "write a default config.json",
	.min_args = 0,
	.max_args = 0,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
