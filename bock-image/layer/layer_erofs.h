/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree as an image of EROFS (Linux, Documentation/filesystems/erofs.rst) that is an index of tars: it has names, inodes,
 * attributes, directories and the targets of links, and says of files where their content is in the uncompressed tars of
 * the layers, which are its further devices, the lowest layer's first. Blocks have 512 bytes, as those of tars; that
 * takes Linux 6.4. Of sparse files the content is copied into the image, for in a tar it need not be aligned.
 *
 * The same view gives the same bytes. Directories that no entry names have the time 0.
 *
 * Uses / used by: layer_view / layer_index.
 */
#ifndef LAYER_EROFS_H
#define LAYER_EROFS_H

#include "layer/layer_view.h"

#define LAYER_EROFS_BLOCK 512
#define LAYER_EROFS_LAYERS_MAX 127	/* as many as an image has (STORE_LAYERS_MAX) */

/*
 * Writes the image of a view of places to the empty file fd. tars are the n uncompressed layers of the view, open for
 * reading. warn (NULL: nobody) is told what is left out: devices 0:0, which overlayfs would take for whiteouts, and
 * attributes of kinds that EROFS has no number for. -BK_ERR_UNSUPPORTED for what the format can't hold: more than 127
 * layers, tars of 2 TiB, 256 KiB of attributes of one file.
 */
int layer_erofs_write(const struct layer_view *v, const int *tars, size_t n, int fd,
		      void (*warn)(void *ctx, const char *message), void *ctx, struct bk_err **err);

#endif
