/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image that a command is about: NAME, of the store, or docker://NAME, of a registry.
 *
 * Uses: cmd_registry, store. Used by: cmd of the helper.
 */
#ifndef CMD_TARGET_H
#define CMD_TARGET_H

#include "cmd/cmd_registry.h"
#include "registry/registry_push.h"

struct cmd_target {
	struct bk_arena *arena;
	struct store *store;		/* of a registry's: one of this run alone, which has its manifest or index */
	char *tmp;
	struct cmd_registry c;
	struct registry *registry;	/* NULL: it is of the store */
	const char *repo;
	struct ref ref;			/* the name; of the store's as far as it is one (domain NULL else) */
	struct oci_descriptor d;	/* the manifest or index that is meant */
};

/*
 * Finds the image. platform: of an index the image for it, which need not be here; NULL: the index. write: the store gets
 * something. t is undone by cmd_target_done, after a failure too.
 */
int cmd_target_open(struct cmd_target *t, const struct bk_cli_call *call, const char *name,
		    const struct cmd_registry_opts *o, const char *platform, bool write,
		    struct bk_err **err);
void cmd_target_done(struct cmd_target *t);
#define cmd_autotarget bk_auto(cmd_target_done)

/* registry_push, and with po->referrers signatures to their tags, too, where verifiers without referrers look for them. */
int cmd_target_push(struct registry *r, const char *repo, char *const *tags, const struct store *s,
		    const struct oci_descriptor *d, const struct registry_push_opts *po,
		    struct bk_err **err);

/* A store of this run alone, in $TMPDIR or /var/tmp; *path is the folder, which the second one removes and frees. */
int cmd_target_temp(char **path, struct store **ret, struct bk_err **err);
void cmd_target_temp_done(char **path);

#endif
