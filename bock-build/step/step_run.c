/* SPDX-License-Identifier: Apache-2.0 */
/* A run step: a container on the stage's tree, and a layer of what it changed there. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_path.h"
#include "base/bk_str.h"
#include "bockfile/bockfile_subst.h"
#include "exec/exec_config.h"
#include "snap/snap_stubs.h"
#include "step/step.h"

struct command {
	char **args, **env;
	char *user, *cwd;
	bool network;
};

static void command_done(struct command *c)
{
	bk_strv_free(c->args);
	bk_strv_free(c->env);
	free(c->user);
	free(c->cwd);
}

/* The command's own text is never rewritten. */
static void make_args(const struct step_stage *s, const struct bockfile_command *command,
		      char ***args)
{
	if (command->shell)
		*args = bk_strv_dup(s->shell);
	for (size_t i = 0; i < command->args.n; i++)
		bk_strv_add(args, command->args.items[i].text);
}

/* Arguments first: what the stage or the step says of the same name counts. */
static int make_env(const struct step_stage *s, const struct bockfile_run *run, char ***env,
		    struct bk_err **err)
{
	for (size_t i = 0; i < s->scope.n_args; i++) {
		bk_autofree char *assignment = bk_asprintf("%s=%s", s->scope.args[i].key,
							   s->scope.args[i].value);

		bk_env_set(env, assignment);
	}
	for (char **item = s->env; item && *item; item++)
		bk_env_set(env, *item);
	return run->env.at ? step_meta_add_env(&s->scope, &run->env, env, err) : 0;
}

static int read_network(const struct step_stage *s, const struct bockfile_text *text, bool *ret,
			struct bk_err **err)
{
	*ret = true;
	if (!text->text)
		return 0;

	bk_autofree char *value = NULL;
	int rc = bockfile_subst(&s->scope, text, &value, err);

	if (rc < 0 || bk_streq(value, "host"))
		return rc;
	*ret = false;
	if (bk_streq(value, "none"))
		return 0;
	if (*value == '/')
		return bockfile_text_unsupported(
			text->at, err,
			"the path of a network namespace is not supported by this version");
	return bk_doc_value_error(text->at, err,
				  "'%s' is none of: none, host, the path of a network namespace",
				  value);
}

static int make_command(const struct step_stage *s, const struct bockfile_run *run,
			struct command *c, struct bk_err **err)
{
	int rc;

	make_args(s, &run->command, &c->args);
	rc = make_env(s, run, &c->env, err);
	if (rc == 0 && run->user.text)
		rc = bockfile_subst(&s->scope, &run->user, &c->user, err);
	else
		c->user = s->user ? bk_strdup(s->user) : NULL;
	if (rc == 0 && run->workdir.text)
		rc = step_meta_path(&s->scope, &run->workdir, s->workdir, &c->cwd, err);
	else
		c->cwd = bk_strdup(s->workdir);
	return rc < 0 ? rc : read_network(s, &run->network, &c->network, err);
}

/* ---- the container ------------------------------------------------------------------------------------ */

static bool is_file_mount(const struct oci_mount *m)
{
	struct stat st;

	return bk_streq0(m->type, "bind") && stat(m->source, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool below_another(const struct oci_runtime_config *config, const struct oci_mount *m)
{
	for (size_t i = 0; i < config->n_mounts; i++) {
		const struct oci_mount *other = &config->mounts[i];

		if (other != m && !bk_streq(other->destination, m->destination) &&
		    bk_path_below(m->destination, other->destination))
			return true;
	}
	return false;
}

static int add_stubs(struct snap_stubs *stubs, const struct bk_root *root,
		     struct oci_runtime_config *config, struct bk_arena *arena, struct bk_err **err)
{
	int rc = 0;

	for (size_t i = 0; i < config->n_mounts && rc == 0; i++) {
		struct oci_mount *m = &config->mounts[i];
		bk_autofree char *path = NULL;

		if (below_another(config, m))
			continue;
		rc = snap_stubs_add(stubs, root, m->destination, !is_file_mount(m), &path, err);
		if (rc == 0)
			m->destination = bk_arena_strdup(arena, path);
	}
	return rc;
}

static int run_container(struct step_stage *s, const struct command *c, const char *rootfs,
			 const struct bk_root *root, struct snap_stubs *stubs, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *name = NULL;
	bk_autofree char *bundle = NULL;
	bk_autoclose int cwd = -1;
	struct oci_runtime_config config = { 0 };
	struct exec_step step = { .args = c->args,
				  .env = c->env,
				  .user = c->user,
				  .cwd = c->cwd,
				  .rootfs = rootfs,
				  .network = c->network };
	char id[64];
	int code = 0;
	int rc = snap_space_mkdir(s->build->space, "b", &name, err);

	if (rc < 0)
		return rc;
	bundle = snap_space_path(s->build->space, name);
	step.bundle = bundle;
	snprintf(id, sizeof(id), "bock-build-%d-%u", (int)getpid(), s->build->runs++);
	rc = exec_config_make(&step, root, arena, &config, err);
	if (rc == 0)
		rc = add_stubs(stubs, root, &config, arena, err);
	if (rc == 0)
		rc = bk_root_mkdirs(root, c->cwd, 0755, &cwd, err);
	if (rc == 0)
		rc = exec_config_write(&step, &config, err);
	if (rc == 0)
		rc = exec_runtime_run(&s->build->runtime, bundle, id, &code, err);
	if (rc == 0 && code != 0)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "the command failed with exit status %d",
				code);
	return rc;
}

static int run_in_tree(struct step_stage *s, const struct command *c, bool *ret_layer,
		       struct bk_err **err)
{
	snap_autolist struct snap_list *list = snap_list_new();
	snap_autostubs struct snap_stubs stubs = SNAP_STUBS_INIT;
	bk_autofree char *rootfs = NULL;
	const struct bk_root *root = NULL;
	struct layer_info layer;
	int rc = snap_chain_begin(&s->chain, &rootfs, &root, err);

	if (rc == 0)
		rc = run_container(s, c, rootfs, root, &stubs, err);
	if (rc == 0)
		rc = snap_stubs_remove(&stubs, root, err);
	if (rc == 0)
		rc = snap_chain_end(&s->chain, s->build->now, list, err);
	if (rc == 0)
		rc = step_add_layer(s, list, &layer, ret_layer, err);
	if (rc == 0 && *ret_layer)
		snap_chain_keep(&s->chain, &layer);
	else
		snap_chain_drop(&s->chain);
	return rc;
}

int step_run(struct step_stage *s, const struct bockfile_step *step, bool *ret_layer,
	     struct bk_err **err)
{
	bk_auto(command_done) struct command c = { 0 };
	int rc = make_command(s, step->run, &c, err);

	return rc < 0 ? rc : run_in_tree(s, &c, ret_layer, err);
}
