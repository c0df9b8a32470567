/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process for what reads layers: whoever takes it over by a fault in a decompressor or a parser can write
 * to the tree that is unpacked, read the store, and do nothing else.
 *
 *	- no descriptor but those that it needs; no rights gained by execve
 *	- of capabilities those for files alone
 *	- Landlock (kernel 5.19): nothing can be opened but below the tree and, for reading, the store; from
 *	  6.7 no TCP either, from 6.12 no signals to others
 *	- seccomp: calls for files, memory and threads; all others (sockets, execve, mount, ptrace, bpf,
 *	  new namespaces, ...) are ENOSYS, and no memory becomes executable
 *
 * Uses / used by: base / layer_apply, layer_diff.
 */
#ifndef LAYER_CONFINE_H
#define LAYER_CONFINE_H

#include "base/bk_err.h"
#include "layer/layer.h"

/*
 * Confines the calling process, which must have one thread, for ever. root_fd and store_fd are directories,
 * -1: none. required: what the kernel does not have is -BK_ERR_UNSUPPORTED; else it is left out.
 */
int layer_confine(int root_fd, int store_fd, bool required, struct bk_err **err);

/*
 * Runs work(ctx) in such a process, and returns what it returns: its error, and *stats as it left it.
 * opts->warn is called in the caller's process, for what work says to the opts that it is given.
 * -BK_ERR_INTERNAL if the process is killed.
 */
int layer_confined_run(int root_fd, int store_fd, const struct layer_opts *opts,
		       int (*work)(void *ctx, const struct layer_opts *opts,
				   struct layer_stats *stats, struct bk_err **err),
		       void *ctx, struct layer_stats *stats, struct bk_err **err);

#endif
