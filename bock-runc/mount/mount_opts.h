/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount options (config.md "Mounts"): one const table says what each word does; what is in no row is data
 * for the file system.
 */
#ifndef MOUNT_OPTS_H
#define MOUNT_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "base/bk_mem.h"

#define MOUNT_PROPAGATIONS_MAX 4	/* words of propagation one mount may carry */
#define MOUNT_DATA_MAX 4095		/* bytes of data that mount(2) takes */
#define MOUNT_DATA_LAYERS_MAX 131072	/* and with a "lowerdir+" for each layer of an overlayfs, which fsconfig(2) takes */

/* Options that the runtime does itself: bits of mount_flags.extra. */
enum {
	MOUNT_COPY_UP = 1,		/* tmpcopyup: a tmpfs gets what was in the directory below */
	MOUNT_COPY_SYMLINK = 2,		/* copy-symlink: a source that is a link is made again */
	MOUNT_SRC_NOFOLLOW = 4,		/* src-nofollow: a source that is a link is bound itself */
	MOUNT_DEST_NOFOLLOW = 8,	/* dest-nofollow: and so is a destination mounted on */
	MOUNT_IDMAP = 16,		/* idmap: ids are mapped */
	MOUNT_RIDMAP = 32,		/* ridmap: on the mounts below too */
};

/* What the option words of one mount add up to. */
struct mount_flags {
	unsigned long ms;		/* MS_* of a new file system: per mount and superblock */
	unsigned long super, super_clr;	/* what only a superblock has: those of ms, and those taken back */
	uint64_t attr_set, attr_clr;	/* MOUNT_ATTR_*, this mount */
	uint64_t rec_set, rec_clr;	/* the same for the whole tree (rro, rnosuid, ...) */
	unsigned long propagation[MOUNT_PROPAGATIONS_MAX];	/* MS_SHARED | MS_REC, ... in order */
	size_t n_propagation;
	bool bind, recursive, remount;
	unsigned int extra;		/* MOUNT_* */
	const char *idmap;		/* of "idmap=TEXT", "ridmap=TEXT"; NULL: none */
	char *data;			/* comma-joined rest; NULL: none */
};

/*
 * Parses options (a NULL-terminated vector, or NULL); strings are the arena's. `where` is the JSON path
 * for messages.
 */
int mount_opts_parse(char *const *options, const char *where, struct bk_arena *arena,
		     struct mount_flags *ret, struct bk_err **err);

/* Propagation words alone (linux.rootfsPropagation): MS_* or 0 if unknown. */
unsigned long mount_opts_propagation(const char *word);
/* The word of propagation flags. */
const char *mount_opts_propagation_name(unsigned long flags);

/* Prints flags as a sorted option list "ro,nosuid,data..." for the plan. */
void mount_opts_print(const struct mount_flags *f, struct bk_buf *out);

/* The i-th option name that the table knows, in table order, or NULL: for features. */
const char *mount_opts_name(size_t i);

#endif
