/* SPDX-License-Identifier: Apache-2.0 */
/* A mountinfo: what is found is below the root, and a path is absolute and never longer than its text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "mount/mount_below.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autofree char *text = bk_strndup((const char *)data, size);
	struct mount_below b = { 0 };

	mount_below_parse(text, "/srv/root", &b);
	for (size_t i = 0; i < b.n; i++) {
		if (b.rows[i].path[0] != '/' || !b.rows[i].path[1] || strlen(b.rows[i].path) > strlen(text)) {
			fprintf(stderr, "fuzz_mount_below: '%s' is not below\n", b.rows[i].path);
			abort();
		}
	}
	mount_below_done(&b);
	return 0;
}
