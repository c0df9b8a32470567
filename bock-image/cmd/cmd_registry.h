/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all commands do that speak with registries: their common options, the client made of these, and progress.
 *
 * Uses: registry, creds. Used by: cmd of the helper.
 */
#ifndef CMD_REGISTRY_H
#define CMD_REGISTRY_H

#include "cmd/cmd.h"
#include "cmd/cmd_stop.h"
#include "cmd/cmd_transfer.h"
#include "ref/ref.h"
#include "registry/registry.h"
#include "registry/registry_conf.h"
#include "registry/registry_fetch.h"
#include "registry/registry_pull.h"
#include "trust/trust_policy.h"

/* A client with what its options need; starts as all zero, and stays where it is. */
struct cmd_registry {
	struct creds *creds;
	struct registry_client *client;
	struct registry_conf *conf;
	struct trust_policy *policy;	/* of cmd_registry_policy; NULL: all is taken */
	const struct cmd_stop *stop;	/* the caller's: requests end where it was asked to stop; NULL: never */
	const struct bk_log *log;
};

/* Makes the client that the options describe; -BK_ERR_CONFIG for one that has no sense. */
int cmd_registry_open(struct cmd_registry *c, const struct bk_cli_call *call,
		      const struct cmd_registry_opts *o, struct bk_err **err);
/* The same with that credential (the caller's) in place of what is stored; NULL: that. */
int cmd_registry_open_as(struct cmd_registry *c, const struct bk_cli_call *call,
			 const struct cmd_registry_opts *o, const struct credential *credential,
			 struct bk_err **err);
/*
 * Reads the policy that cmd_registry_pull keeps to: of that file, or (NULL) the user's or the system's, if there is one
 * (trust_policy_load).
 */
int cmd_registry_policy(struct cmd_registry *c, const char *path, struct bk_err **err);
/* The registry that a name means, as registries.conf has it, and the repository there (the configuration's). */
int cmd_registry_find(struct cmd_registry *c, const struct ref *ref, struct registry **ret,
		      const char **ret_repo, struct bk_err **err);
/*
 * registry_pull from where registries.conf says: mirrors first, each tried in turn. What a failed try has brought goes again,
 * but not what the next run can go on with. What the policy does not take is not fetched; its signatures are looked for where the image is, and
 * it is called what ref says.
 */
int cmd_registry_pull(struct cmd_registry *c, const struct ref *ref, struct store *s,
		      const struct registry_pull_opts *opts, struct bk_arena *arena,
		      struct oci_descriptor *ret, struct oci_descriptor *ret_image,
		      struct bk_err **err);
void cmd_registry_done(struct cmd_registry *c);
#define cmd_autoregistry bk_auto(cmd_registry_done)

/* Lines on a terminal that are drawn again, plain lines elsewhere, or JSON objects, one a line. */
enum cmd_progress_mode { CMD_PROGRESS_NONE, CMD_PROGRESS_PLAIN, CMD_PROGRESS_TTY, CMD_PROGRESS_JSON };
struct cmd_progress_row;
struct cmd_progress {
	enum cmd_progress_mode mode;
	struct cmd_progress_row *rows;
	size_t n;
	size_t drawn;		/* lines on the screen */
	int64_t drawn_at;
	const char *verb;	/* "pulled", "pushed" */
};

/* quiet and json as the options say; a terminal is found out. */
void cmd_progress_init(struct cmd_progress *p, bool quiet, bool json, const char *verb);
/* For struct registry_progress: ctx is the struct cmd_progress. */
void cmd_progress_event(void *ctx, enum registry_event event, const struct oci_descriptor *d, int64_t done);
/* The last state is drawn, memory freed. */
void cmd_progress_done(struct cmd_progress *p);
#define cmd_autoprogress bk_auto(cmd_progress_done)

#endif
