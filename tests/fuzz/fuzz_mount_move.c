/* SPDX-License-Identifier: Apache-2.0 */
/* A mountinfo: what is found is outside the root, and a mount point is never longer than its text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "mount/mount_move.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autofree char *text = bk_strndup((const char *)data, size);
	bk_autostrv char **found = mount_move_whole(text, "/srv/root");

	for (char **f = found; f && *f; f++) {
		if (bk_path_below(*f, "/srv/root") || strlen(*f) > strlen(text)) {
			fprintf(stderr, "fuzz_mount_move: '%s' is none to remove\n", *f);
			abort();
		}
	}
	return 0;
}
