/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image that a stage has become: its configuration, with `runtime` and `metadata` of the Bockfile on
 * top of it, and its annotations.
 *
 * Uses / used by: step, bockfile / cmd_build.
 */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include "oci/oci_image.h"
#include "step/step.h"

/* Fills *ret; memory is the arena's and the stage's. Errors carry the place in the Bockfile. */
int cmd_config_make(const struct step_stage *stage, struct bk_arena *arena,
		    struct oci_image_config *ret, struct bk_err **err);

/* The manifest's annotations: what metadata says in image-spec's words, and the base. */
int cmd_config_annotations(const struct step_stage *stage, struct bk_arena *arena,
			   struct bk_doc_pair **ret, size_t *ret_n, struct bk_err **err);

/*
 * The image's name: `tag` if not NULL, else metadata.tag, else its name and version (`latest` without
 * one). *ret is in the arena. -BK_ERR_CONFIG where nothing says it, or for what is no name.
 */
int cmd_config_tag(const struct bockfile_scope *scope, const char *tag, struct bk_arena *arena,
		   const char **ret, struct bk_err **err);

#endif
