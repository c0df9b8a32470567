/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage while it is built, and the execution of its steps. Each kind of step has its file: step_run,
 * step_copy (rules) and step_put (execution), step_meta (env, workdir, user).
 *
 * Calling order: step_stage_start, step_execute for each step, then the stage's members are read;
 * step_stage_done. A stage that another is from, or copies from, lives until that is done.
 *
 * Uses: bockfile, snap, exec, store. Used by: cmd.
 */
#ifndef STEP_H
#define STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "bockfile/bockfile_scope.h"
#include "exec/exec_runtime.h"
#include "oci/oci_image.h"
#include "snap/snap_chain.h"
#include "step/step_ignore.h"

/* What all stages of a build share. */
struct step_build {
	struct store *store;
	struct snap_space *space;
	const struct bk_root *context;
	const struct step_ignore *ignore;
	struct exec_runtime runtime;
	const char *created; /* RFC 3339 */
	int64_t now;	     /* the same, in seconds: of directories that are made */
	int64_t max_mtime;   /* times of files are clamped to it; INT64_MAX: they are not */
	char **written;	     /* strv: digests of the blobs that were stored */
	unsigned int runs;   /* RUN steps so far, for container ids */
};

struct step_stage {
	struct step_build *build;
	struct bk_arena *arena;
	const char *name;
	struct bockfile_scope scope; /* env follows the stage's */
	struct snap_chain chain;
	char **env;	  /* strv */
	char *workdir;	  /* heap, absolute */
	bool has_workdir; /* somebody said so: it goes to the image */
	char *user;	  /* heap; NULL: root */
	char **shell;	  /* strv */
	/* the image so far; in the arena */
	struct oci_image_exec exec; /* of the base: what the stage can't change */
	struct oci_descriptor *layers;
	size_t n_layers;
	char **diff_ids;
	struct oci_image_history *history;
	size_t n_history;
	const char *base_name; /* of the image it began with; NULL: scratch */
	const char *base_digest;
};

/*
 * Begins a stage on an image, on what another stage has become, or, both NULL, on nothing; then its own
 * env, workdir, user and shell. What is given must live as long as the stage.
 */
int step_stage_start(struct step_stage *s, struct step_build *build,
		     const struct bockfile_scope *scope, const struct bockfile_stage *stage,
		     const struct store_image *image, const struct step_stage *from,
		     struct bk_err **err);
void step_stage_done(struct step_stage *s);

/*
 * Executes one step. from is the stage that a copy step copies from, NULL: the context. Errors carry
 * the step's place.
 */
int step_execute(struct step_stage *s, const struct bockfile_step *step, struct step_stage *from,
		 struct bk_err **err);

/* ---- for the files of step only --------------------------------------------------------------------- */

int step_run(struct step_stage *s, const struct bockfile_step *step, bool *ret_layer,
	     struct bk_err **err);
int step_put(struct step_stage *s, const struct bockfile_step *step, struct step_stage *from,
	     bool *ret_layer, struct bk_err **err);
int step_meta_env(struct step_stage *s, const struct bockfile_map *env, struct bk_err **err);
int step_meta_workdir(struct step_stage *s, const struct bockfile_text *text, struct bk_err **err);
int step_meta_user(struct step_stage *s, const struct bockfile_text *text, struct bk_err **err);

/* Adds NAME=VALUE for each entry, values substituted in turn, to a strv. */
int step_meta_add_env(const struct bockfile_scope *scope, const struct bockfile_map *map,
		      char ***env, struct bk_err **err);
/* text substituted, relative to base: absolute and cleaned; heap. */
int step_meta_path(const struct bockfile_scope *scope, const struct bockfile_text *text,
		   const char *base, char **ret, struct bk_err **err);
/* The list becomes a layer of the stage; *ret_layer is false if it was empty. */
int step_add_layer(struct step_stage *s, struct snap_list *l, struct layer_info *ret,
		   bool *ret_layer, struct bk_err **err);

#endif
