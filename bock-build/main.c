/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <stdio.h>

#include "base/bk_cli.h"
#include "base/bk_errno.h"
#include "base/bk_fd.h"
#include "cmd/cmd_build.h"

static void version(void)
{
	printf("bock-build %s\n", PACKAGE_VERSION);
}

static const struct bk_cli_prog program = {
	.name = "bock-build",
	.summary = "build container images from Bockfiles",
	.synopsis = "CONTEXT",
	.self = &cmd_build,
	.version = version,
};

int main(int argc, char **argv)
{
	int rc;

	rc = bk_fd_fix_stdio();
	if (rc < 0) {
		fprintf(stderr, "bock-build: look at the standard descriptors: %s\n", bk_errno_text(-rc));
		return 1;
	}
	return bk_cli_main(&program, argc, argv);
}
