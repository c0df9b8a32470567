/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_build.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_str.h"
#include "bockfile/bockfile_args.h"
#include "bockfile/bockfile_subst.h"
#include "cmd/cmd_config.h"
#include "codec/bk_time.h"
#include "graph/graph.h"
#include "step/step.h"
#include "store/store_gc.h"
#include "store/store_image.h"

#define STEP_SHOWN 120 /* bytes of a step's text in a line of progress */

struct opts {
	const char *root;
	const char *tag;
	const char *file;
	char **build_args;
	const char *target;
	const char *runtime;
	const char *runtime_root;
	const char *print;
	bool quiet;
	bool check;
};

static const struct bk_cli_opt options[] = {
	{ "root", 0, BK_CLI_STR, offsetof(struct opts, root), "DIR",
	  "the image store (default: $BOCK_IMAGE_ROOT, else as bock-image)", BK_CLI_DIR, NULL },
	{ "tag", 't', BK_CLI_STR, offsetof(struct opts, tag), "NAME",
	  "name of the image (default: what metadata says)", 0, NULL },
	{ "file", 'f', BK_CLI_STR, offsetof(struct opts, file), "FILE",
	  "the Bockfile (default: CONTEXT/Bockfile)", BK_CLI_PATH, NULL },
	{ "build-arg", 0, BK_CLI_STRV, offsetof(struct opts, build_args), "NAME=VALUE",
	  "value of a declared argument", 0, NULL },
	{ "target", 0, BK_CLI_STR, offsetof(struct opts, target), "STAGE",
	  "the stage to build (default: the last)", 0, NULL },
	{ "runtime", 0, BK_CLI_STR, offsetof(struct opts, runtime), "PATH",
	  "runs the steps (default: $BOCK_RUNC, else bock-runc)", BK_CLI_PATH, NULL },
	{ "runtime-root", 0, BK_CLI_STR, offsetof(struct opts, runtime_root), "DIR",
	  "the runtime's state folder (default: one of this build's own)", BK_CLI_DIR, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct opts, quiet), NULL,
	  "print nothing but errors, and what a failed step said", 0, NULL },
	{ "print", 0, BK_CLI_STR, offsetof(struct opts, print), "digest",
	  "print the manifest's digest on standard output", 0, NULL },
	{ "check", 0, BK_CLI_FLAG, offsetof(struct opts, check), NULL,
	  "read the Bockfile, report what is wrong with it, build nothing", 0, NULL },
	BK_CLI_END,
};

/* All that a build holds. */
struct work {
	const struct opts *opts;
	struct bk_arena *arena;
	struct bockfile bockfile;
	struct bockfile_scope scope;
	struct graph graph;
	char created[BK_TIME_SIZE];
	const char *tag;
	struct store *store;
	struct snap_space space;
	struct bk_root context;
	struct step_ignore ignore;
	struct step_build build;
	struct step_stage *stages;   /* one a stage of the file; those not needed stay empty */
	struct store_image **images; /* what they are from */
	char *runtime, *runtime_root;
	FILE *quiet_output;
	size_t steps_done, steps;
};

static void work_done(struct work *w)
{
	for (size_t i = 0; w->stages && i < w->graph.n; i++)
		step_stage_done(&w->stages[i]);
	for (size_t i = 0; w->images && i < w->graph.n; i++)
		store_image_free(w->images[i]);
	snap_space_close(&w->space);
	step_ignore_done(&w->ignore);
	bk_root_done(&w->context);
	bk_strv_free(w->build.written);
	if (w->store)
		store_close(w->store);
	if (w->quiet_output)
		(void)fclose(w->quiet_output);
	free(w->runtime);
	free(w->runtime_root);
	bk_arena_free(w->arena);
}

/* ---- what the Bockfile says ---------------------------------------------------------------------------- */

static int check_platform(const struct bockfile_scope *scope, struct bk_err **err)
{
	const struct bockfile_text *platform = &scope->bockfile->platform;
	bk_autofree char *here = bk_asprintf("linux/%s", store_machine_arch());
	bk_autofree char *text = NULL;
	const char *rest;
	int rc;

	if (!platform->text)
		return 0;
	rc = bockfile_subst(scope, platform, &text, err);
	if (rc < 0)
		return rc;
	rest = bk_skip_prefix(text, here);
	if (rest && (!*rest || (*rest == '/' && bk_streq0(rest + 1, store_machine_variant()))))
		return 0;
	return bockfile_text_unsupported(platform->at, err,
					 "this machine is %s, and no other is supported", here);
}

static int read_bockfile(struct work *w, const char *context, struct bk_err **err)
{
	struct timespec now;
	bool fixed = false;
	int rc = bockfile_load(context, w->opts->file, w->arena, &w->bockfile, err);

	if (rc == 0)
		rc = bk_time_source_date(&now, &fixed, err);
	if (rc < 0)
		return rc;
	now.tv_nsec = 0;
	w->build.now = now.tv_sec;
	w->build.max_mtime = fixed ? now.tv_sec : INT64_MAX;
	w->build.created = bk_time_print(&now, w->created);
	rc = bockfile_args_resolve(&w->bockfile, w->opts->build_args, w->created, w->arena,
				   &w->scope, err);
	if (rc == 0)
		rc = check_platform(&w->scope, err);
	return rc < 0 ? rc : graph_make(&w->scope, w->opts->target, w->arena, &w->graph, err);
}

/* ---- progress ------------------------------------------------------------------------------------------ */

static void show_step(struct work *w, const char *stage, const struct bk_doc_value *v)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_DOC);

	w->steps_done++;
	if (w->opts->quiet)
		return;
	bockfile_text_flow_step(v, &text);
	(void)fprintf(stderr, "[%zu/%zu] %s: %.*s%s\n", w->steps_done, w->steps, stage, STEP_SHOWN,
		      bk_buf_str(&text), text.len > STEP_SHOWN ? "..." : "");
}

static int open_quiet_output(struct work *w, struct bk_err **err)
{
	w->build.runtime.output = -1;
	if (!w->opts->quiet)
		return 0;
	w->quiet_output = tmpfile();
	if (!w->quiet_output)
		return bk_err_set(err, BK_ERR_IO, errno, "make a file for the output of steps");
	w->build.runtime.output = fileno(w->quiet_output);
	return 0;
}

static void show_quiet_output(const struct work *w)
{
	char text[4096];
	size_t n;

	if (!w->quiet_output || fseek(w->quiet_output, 0, SEEK_SET) != 0)
		return;
	while ((n = fread(text, 1, sizeof(text), w->quiet_output)) > 0)
		(void)fwrite(text, 1, n, stderr);
}

/* ---- stages -------------------------------------------------------------------------------------------- */

static bool needs_runtime(const struct work *w)
{
	for (size_t i = 0; i < w->graph.n_order; i++) {
		const struct bockfile_stage *stage = w->graph.nodes[w->graph.order[i]].stage;

		for (size_t k = 0; k < stage->steps.n; k++)
			if (stage->steps.items[k].kind == BOCKFILE_STEP_RUN)
				return true;
	}
	return false;
}

static int find_runtime(struct work *w, struct bk_err **err)
{
	if (!needs_runtime(w))
		return 0;

	bk_autofree char *name = NULL;
	int rc = snap_space_enter(&w->space, err);
	if (rc == 0 && !w->space.overlay && !w->opts->quiet)
		(void)fprintf(stderr,
			      "no overlayfs in '%s': what steps change is found by comparing\n",
			      w->space.path);
	if (rc == 0)
		rc = exec_runtime_find(w->opts->runtime, &w->runtime, err);
	if (rc == 0 && !w->opts->runtime_root) {
		rc = snap_space_mkdir(&w->space, "r", &name, err);
		if (rc == 0)
			w->runtime_root = snap_space_path(&w->space, name);
	}
	w->build.runtime.path = w->runtime;
	w->build.runtime.root = w->opts->runtime_root ? w->opts->runtime_root : w->runtime_root;
	return rc;
}

static int open_all(struct work *w, const char *context, struct bk_err **err)
{
	bk_autofree char *store = NULL;
	int rc = bk_root_open(&w->context, context, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "context '%s'", context);
	rc = step_ignore_load(&w->ignore, &w->context, err);
	if (rc == 0 && !w->opts->root)
		rc = store_default_path(&store, err);
	if (rc == 0)
		rc = store_open(w->opts->root ? w->opts->root : store, STORE_CREATE, &w->store,
				err);
	if (rc == 0)
		rc = snap_space_open(&w->space, NULL, err);
	if (rc == 0)
		rc = find_runtime(w, err);
	w->build.store = w->store;
	w->build.space = &w->space;
	w->build.context = &w->context;
	w->build.ignore = &w->ignore;
	return rc < 0 ? rc : open_quiet_output(w, err);
}

static int check_signals(struct bk_err **err)
{
	sigset_t pending;

	if (sigpending(&pending) == 0)
		for (int sig = 1; sig < NSIG; sig++)
			if (sigismember(&pending, sig) == 1)
				return bk_err_set(err, BK_ERR_IO, 0, "ended by signal %d (%s)", sig,
						  sigabbrev_np(sig));
	return 0;
}

static int start_stage(struct work *w, size_t index, struct bk_err **err)
{
	const struct graph_node *node = &w->graph.nodes[index];
	const struct step_stage *from = node->from_stage == GRAPH_NONE
						? NULL
						: &w->stages[node->from_stage];
	int rc = 0;

	if (!from && bk_skip_prefix(node->from, "oci:"))
		return bockfile_text_unsupported(
			node->from_at, err,
			"this version takes images from its store only: bock-image load");
	if (!from && !bk_streq(node->from, "scratch")) {
		rc = store_image_open(w->store, node->from, &w->images[index], err);
		if (rc == -BK_ERR_NOT_FOUND)
			bk_err_hint(err, rc,
				    "bring it into the store with bock-image load or import");
		if (rc < 0)
			return bockfile_text_wrap(node->from_at, err, rc);
	}
	return step_stage_start(&w->stages[index], &w->build, &w->scope, node->stage,
				w->images[index], from, err);
}

static int build_stage(struct work *w, size_t index, struct bk_err **err)
{
	const struct graph_node *node = &w->graph.nodes[index];
	const struct bockfile_steps *steps = &node->stage->steps;
	int rc = start_stage(w, index, err);

	for (size_t i = 0; i < steps->n && rc == 0; i++) {
		size_t from = node->copy_from[i];

		rc = check_signals(err);
		if (rc < 0)
			break;
		show_step(w, node->stage->name.text, steps->items[i].at);
		rc = step_execute(&w->stages[index], &steps->items[i],
				  from == GRAPH_NONE ? NULL : &w->stages[from], err);
	}
	return rc;
}

static int build_stages(struct work *w, struct bk_err **err)
{
	int rc = 0;

	w->stages = bk_arena_alloc(w->arena, w->graph.n * sizeof(*w->stages));
	w->images = bk_arena_alloc(w->arena, w->graph.n * sizeof(struct store_image *));
	for (size_t i = 0; i < w->graph.n_order; i++)
		w->steps += w->graph.nodes[w->graph.order[i]].stage->steps.n;
	for (size_t i = 0; i < w->graph.n_order && rc == 0; i++)
		rc = build_stage(w, w->graph.order[i], err);
	return rc;
}

/* ---- the image ----------------------------------------------------------------------------------------- */

static int put_image(struct work *w, struct oci_descriptor *ret, struct bk_err **err)
{
	const struct step_stage *target = &w->stages[w->graph.order[w->graph.n_order - 1]];
	struct oci_image_config config;
	struct bk_doc_pair *annotations = NULL;
	size_t n_annotations = 0;
	int rc = cmd_config_make(target, w->arena, &config, err);

	if (rc == 0)
		rc = cmd_config_annotations(target, w->arena, &annotations, &n_annotations, err);
	if (rc == 0)
		rc = store_image_put(w->store, w->tag, &config, target->layers, target->n_layers,
				     annotations, n_annotations, w->arena, ret, err);
	return rc;
}

static int build(struct work *w, const char *context, struct bk_err **err)
{
	struct oci_descriptor desc = { 0 };
	int rc = cmd_config_tag(&w->scope, w->opts->tag, w->arena, &w->tag, err);

	if (rc == 0)
		rc = open_all(w, context, err);
	if (rc < 0)
		return rc;
	rc = build_stages(w, err);
	if (rc == 0)
		rc = put_image(w, &desc, err);
	if (rc < 0) {
		show_quiet_output(w);
		store_gc_discard(w->store, w->build.written);
		return rc;
	}
	if (!w->opts->quiet)
		(void)fprintf(stderr, "%s %s\n", w->tag, desc.digest);
	if (w->opts->print)
		printf("%s\n", desc.digest);
	return 0;
}

/* They are looked at between steps and while one runs, so that everything is cleaned up. */
static int block_signals(struct bk_err **err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "block signals");
	return 0;
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_auto(work_done) struct work w = { .opts = call->opts,
					     .space = SNAP_SPACE_INIT,
					     .context = BK_ROOT_INIT,
					     .ignore = STEP_IGNORE_INIT };
	int rc;

	(void)ret_status;
	w.arena = bk_arena_new();
	if (w.opts->print && !bk_streq(w.opts->print, "digest"))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--print '%s': only 'digest' is known",
				  w.opts->print);
	rc = read_bockfile(&w, call->args[0], err);
	if (rc < 0 || w.opts->check)
		return rc;
	rc = block_signals(err);
	return rc < 0 ? rc : build(&w, call->args[0], err);
}

const struct bk_cli_cmd cmd_build = {
	.name = "build",
	.synopsis = "CONTEXT",
	.help = "build an image from a Bockfile",
	.min_args = 1,
	.max_args = 1,
	.opts = options,
	.opts_size = sizeof(struct opts),
	.run = run,
};
