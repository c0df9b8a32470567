/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Bockfile, format version 1, as it was written: nothing is substituted, nothing resolved. The
 * tables know the whole format; what this version cannot do is refused by name (BK_ERR_UNSUPPORTED)
 * with its place, an unknown member is an error with the nearest known name.
 *
 * Calling order: bockfile_load (or bockfile_parse), then bockfile_args_resolve (bockfile_args.h),
 * then texts through bockfile_subst (bockfile_subst.h).
 *
 * Uses / used by: codec, bockfile_text / graph, step, cmd.
 */
#ifndef BOCKFILE_H
#define BOCKFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "bockfile/bockfile_text.h"

#define BOCKFILE_STAGES_MAX 256

struct bockfile_metadata {
	struct bockfile_text name;
	struct bockfile_text version;
	struct bockfile_text description;
	struct bockfile_list authors;
	struct bockfile_text license;
	struct bockfile_text tag;
	struct bockfile_map labels;
};

/* One declared argument. */
struct bockfile_arg {
	const char *name;
	const struct bk_doc_value *at;
	struct bockfile_text value;   /* "default" */
	struct bockfile_text env;     /* host variable that gives the value */
	struct bockfile_list choices; /* "enum" */
	struct bockfile_text pattern; /* extended regular expression that the whole value matches */
	struct bockfile_text description;
	bool required;
};

struct bockfile_args {
	struct bockfile_arg *items;
	size_t n;
};

enum bockfile_step_kind {
	BOCKFILE_STEP_RUN,
	BOCKFILE_STEP_COPY,
	BOCKFILE_STEP_ENV,
	BOCKFILE_STEP_WORKDIR,
	BOCKFILE_STEP_USER,
};

struct bockfile_run {
	struct bockfile_command command;
	struct bockfile_text workdir;
	struct bockfile_text user;
	struct bockfile_map env;
	struct bockfile_text network;
};

struct bockfile_copy {
	struct bockfile_list sources;
	struct bockfile_text to;
	struct bockfile_text from;
	struct bockfile_text chown;
	struct bockfile_text chmod;
	struct bockfile_list exclude;
	bool parents;
};

struct bockfile_step {
	enum bockfile_step_kind kind;
	const struct bk_doc_value *at;
	struct bockfile_run *run;   /* RUN */
	struct bockfile_copy *copy; /* COPY */
	struct bockfile_map env;    /* ENV */
	struct bockfile_text text;  /* WORKDIR, USER */
};

struct bockfile_steps {
	struct bockfile_step *items;
	size_t n;
};

struct bockfile_stage {
	struct bockfile_text name;
	struct bockfile_text from;
	struct bockfile_list depends;
	struct bockfile_text workdir;
	struct bockfile_text user;
	struct bockfile_map env;
	struct bockfile_list shell;
	struct bockfile_steps steps;
};

struct bockfile_healthcheck {
	const struct bk_doc_value *at;
	struct bockfile_command cmd;
	struct bockfile_text interval;
	struct bockfile_text timeout;
	struct bockfile_text start_period;
	struct bockfile_text retries;
	bool none;
};

struct bockfile_runtime {
	struct bockfile_list entrypoint;
	struct bockfile_list cmd;
	struct bockfile_text workdir;
	struct bockfile_map env;
	struct bockfile_text user;
	struct bockfile_list expose;
	struct bockfile_list volumes;
	struct bockfile_text stop_signal;
	struct bockfile_healthcheck *healthcheck;
};

struct bockfile {
	const char *source; /* the file's name as messages show it */
	struct bockfile_text version;
	struct bockfile_text from;
	struct bockfile_text platform;
	struct bockfile_metadata *metadata; /* NULL: absent */
	struct bockfile_args args;
	struct bockfile_stage *stages;
	size_t n_stages;
	struct bockfile_runtime *runtime; /* NULL: absent */
};

/* The tables; bockfile_steps.c chooses among the step types by the members that a step has. */
extern const struct bk_doc_type bockfile_type;
extern const struct bk_doc_type bockfile_arg_type;
extern const struct bk_doc_type bockfile_run_type;
extern const struct bk_doc_type bockfile_copy_type;
extern const struct bk_doc_type bockfile_add_type;
extern const struct bk_doc_type bockfile_healthcheck_type;

/* BK_DOC_CUSTOM readers of members with forms of their own. */
int bockfile_args_read(const struct bk_doc_field *f, const struct bk_doc_value *v,
		       struct bk_arena *arena, void *member, struct bk_err **err);
int bockfile_healthcheck_read(const struct bk_doc_field *f, const struct bk_doc_value *v,
			      struct bk_arena *arena, void *member, struct bk_err **err);
int bockfile_steps_read(const struct bk_doc_field *f, const struct bk_doc_value *v,
			struct bk_arena *arena, void *member, struct bk_err **err);

/*
 * Decodes text (at most 1 MiB) and checks what the tables can't say: the version, the names of
 * stages. `source` names it in messages.
 */
int bockfile_parse(const char *source, const char *text, size_t len, struct bk_arena *arena,
		   struct bockfile *ret, struct bk_err **err);

/*
 * Reads and parses a file. path NULL: the first of Bockfile, Bockfile.yaml, Bockfile.yml and
 * Bockfile.json in the directory `context`; without any, -BK_ERR_NOT_FOUND.
 */
int bockfile_load(const char *context, const char *path, struct bk_arena *arena,
		  struct bockfile *ret, struct bk_err **err);

/* The stage of that name, or NULL. */
const struct bockfile_stage *bockfile_stage_find(const struct bockfile *b, const char *name);

#endif
