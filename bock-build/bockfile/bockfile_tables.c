/* SPDX-License-Identifier: Apache-2.0 */
/* The whole format as tables, in the order of the manual. */
#include "bockfile/bockfile.h"

#define LATER_CACHE    "this version has no cache"
#define LATER_MOUNTS   "this version mounts nothing into a step"
#define LATER_SECRETS  "this version has no secrets"
#define LATER_LIMITS   "this version sets no limits for a step"
#define LATER_INCLUDE  "this version reads one Bockfile only"
#define LATER_ADD      "this version fetches and extracts nothing; 'copy' copies from the context"
#define LATER_SECURITY "this version writes no security annotations"

static const struct bk_doc_field metadata_fields[] = {
	BOCKFILE_TEXT_F(struct bockfile_metadata, name, "name", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_metadata, version, "version", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_metadata, description, "description", 0),
	BOCKFILE_LIST_F(struct bockfile_metadata, authors, "authors", 0),
	BOCKFILE_TEXT_F(struct bockfile_metadata, license, "license", 0),
	BOCKFILE_TEXT_F(struct bockfile_metadata, tag, "tag", BK_DOC_NOT_EMPTY),
	BOCKFILE_MAP_F(struct bockfile_metadata, labels, "labels", 0),
	BK_DOC_END,
};
static const struct bk_doc_type metadata_type = BK_DOC_TYPE(struct bockfile_metadata,
							    metadata_fields);

static const struct bk_doc_field arg_fields[] = {
	BOCKFILE_TEXT_F(struct bockfile_arg, value, "default", 0),
	BOCKFILE_TEXT_F(struct bockfile_arg, env, "env", BK_DOC_NOT_EMPTY),
	BOCKFILE_LIST_F(struct bockfile_arg, choices, "enum", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_arg, pattern, "pattern", BK_DOC_NOT_EMPTY),
	BK_DOC_BOOL_F(struct bockfile_arg, required, "required", 0),
	BOCKFILE_TEXT_F(struct bockfile_arg, description, "description", 0),
	BK_DOC_END,
};
const struct bk_doc_type bockfile_arg_type = BK_DOC_TYPE(struct bockfile_arg, arg_fields);

static const struct bk_doc_field run_fields[] = {
	BOCKFILE_COMMAND_F(struct bockfile_run, command, "run", BK_DOC_REQUIRED | BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_run, workdir, "workdir", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_run, user, "user", BK_DOC_NOT_EMPTY),
	BOCKFILE_MAP_F(struct bockfile_run, env, "env", 0),
	BOCKFILE_TEXT_F(struct bockfile_run, network, "network", BK_DOC_NOT_EMPTY),
	BK_DOC_UNSUPPORTED_F("cache", LATER_CACHE),
	BK_DOC_UNSUPPORTED_F("mounts", LATER_MOUNTS),
	BK_DOC_UNSUPPORTED_F("secrets", LATER_SECRETS),
	BK_DOC_UNSUPPORTED_F("ssh", LATER_SECRETS),
	BK_DOC_UNSUPPORTED_F("limits", LATER_LIMITS),
	BK_DOC_END,
};
const struct bk_doc_type bockfile_run_type = BK_DOC_TYPE(struct bockfile_run, run_fields);

static const struct bk_doc_field copy_fields[] = {
	BK_DOC_CUSTOM_F(struct bockfile_copy, sources, "copy", BK_DOC_REQUIRED | BK_DOC_NOT_EMPTY,
			bockfile_text_read_one_or_list),
	BOCKFILE_TEXT_F(struct bockfile_copy, to, "to", BK_DOC_REQUIRED | BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_copy, from, "from", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_copy, chown, "chown", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_copy, chmod, "chmod", BK_DOC_NOT_EMPTY),
	BOCKFILE_LIST_F(struct bockfile_copy, exclude, "exclude", 0),
	BK_DOC_BOOL_F(struct bockfile_copy, parents, "parents", 0),
	BK_DOC_END,
};
const struct bk_doc_type bockfile_copy_type = BK_DOC_TYPE(struct bockfile_copy, copy_fields);

static const struct bk_doc_field add_fields[] = {
	BK_DOC_UNSUPPORTED_F("add", LATER_ADD),
	BK_DOC_IGNORED_F("to", LATER_ADD),
	BK_DOC_IGNORED_F("checksum", LATER_ADD),
	BK_DOC_IGNORED_F("extract", LATER_ADD),
	BK_DOC_IGNORED_F("chown", LATER_ADD),
	BK_DOC_IGNORED_F("chmod", LATER_ADD),
	BK_DOC_END,
};
const struct bk_doc_type bockfile_add_type = BK_DOC_TYPE(struct bockfile_copy, add_fields);

static const struct bk_doc_field stage_fields[] = {
	BOCKFILE_TEXT_F(struct bockfile_stage, name, "name", BK_DOC_REQUIRED),
	BOCKFILE_TEXT_F(struct bockfile_stage, from, "from", BK_DOC_NOT_EMPTY),
	BOCKFILE_LIST_F(struct bockfile_stage, depends, "depends", 0),
	BOCKFILE_TEXT_F(struct bockfile_stage, workdir, "workdir", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_stage, user, "user", BK_DOC_NOT_EMPTY),
	BOCKFILE_MAP_F(struct bockfile_stage, env, "env", 0),
	BOCKFILE_LIST_F(struct bockfile_stage, shell, "shell", BK_DOC_NOT_EMPTY),
	BK_DOC_CUSTOM_F(struct bockfile_stage, steps, "steps", 0, bockfile_steps_read),
	BK_DOC_END,
};
static const struct bk_doc_type stage_type = BK_DOC_TYPE(struct bockfile_stage, stage_fields);

static const struct bk_doc_field healthcheck_fields[] = {
	BOCKFILE_COMMAND_F(struct bockfile_healthcheck, cmd, "cmd", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_healthcheck, interval, "interval", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_healthcheck, timeout, "timeout", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_healthcheck, start_period, "start_period",
			BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile_healthcheck, retries, "retries", BK_DOC_NOT_EMPTY),
	BK_DOC_BOOL_F(struct bockfile_healthcheck, none, "none", 0),
	BK_DOC_END,
};
const struct bk_doc_type bockfile_healthcheck_type = BK_DOC_TYPE(struct bockfile_healthcheck,
								 healthcheck_fields);

static const struct bk_doc_field runtime_fields[] = {
	BOCKFILE_LIST_F(struct bockfile_runtime, entrypoint, "entrypoint", 0),
	BOCKFILE_LIST_F(struct bockfile_runtime, cmd, "cmd", 0),
	BOCKFILE_TEXT_F(struct bockfile_runtime, workdir, "workdir", BK_DOC_NOT_EMPTY),
	BOCKFILE_MAP_F(struct bockfile_runtime, env, "env", 0),
	BOCKFILE_TEXT_F(struct bockfile_runtime, user, "user", BK_DOC_NOT_EMPTY),
	BOCKFILE_LIST_F(struct bockfile_runtime, expose, "expose", 0),
	BOCKFILE_LIST_F(struct bockfile_runtime, volumes, "volumes", 0),
	BOCKFILE_TEXT_F(struct bockfile_runtime, stop_signal, "stop_signal", BK_DOC_NOT_EMPTY),
	BK_DOC_CUSTOM_F(struct bockfile_runtime, healthcheck, "healthcheck", 0,
			bockfile_healthcheck_read),
	BK_DOC_END,
};
static const struct bk_doc_type runtime_type = BK_DOC_TYPE(struct bockfile_runtime, runtime_fields);

static const struct bk_doc_field bockfile_fields[] = {
	BOCKFILE_TEXT_F(struct bockfile, version, "version", 0),
	BOCKFILE_TEXT_F(struct bockfile, from, "from", BK_DOC_NOT_EMPTY),
	BOCKFILE_TEXT_F(struct bockfile, platform, "platform", BK_DOC_NOT_EMPTY),
	BK_DOC_OBJ_F(struct bockfile, metadata, "metadata", 0, metadata_type),
	BK_DOC_CUSTOM_F(struct bockfile, args, "args", 0, bockfile_args_read),
	BK_DOC_UNSUPPORTED_F("include", LATER_INCLUDE),
	BK_DOC_OBJV_F(struct bockfile, stages, n_stages, "stages",
		      BK_DOC_REQUIRED | BK_DOC_NOT_EMPTY, stage_type),
	BK_DOC_OBJ_F(struct bockfile, runtime, "runtime", 0, runtime_type),
	BK_DOC_UNSUPPORTED_F("security", LATER_SECURITY),
	BK_DOC_END,
};
const struct bk_doc_type bockfile_type = BK_DOC_TYPE(struct bockfile, bockfile_fields);
