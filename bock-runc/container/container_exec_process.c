/* SPDX-License-Identifier: Apache-2.0 */
/* container_exec.h: what process is executed. */
#include "container/container_exec.h"

#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

#define ID_MAX (UINT32_MAX - 1)	/* (uid_t)-1 is no id: setresuid takes it for "leave it" */

static int id_of(const char *text, const char *option, uint32_t *ret, struct bk_err **err)
{
	int rc = bk_num_u32(text, ID_MAX, ret, err);

	/* a name, or a number with something behind it, must not become 0 (CVE-2026-30892) */
	return rc < 0 ? bk_err_wrap(err, rc, "%s", option) : 0;
}

/* A copy of v with more behind it; both may be NULL. */
static char **appended(struct bk_arena *a, char *const *v, char *const *more)
{
	char **out = NULL;

	for (; v && *v; v++)
		bk_doc_strv_add(a, &out, *v);
	for (; more && *more; more++)
		bk_doc_strv_add(a, &out, *more);
	return out;
}

static int change_user(const struct container_exec_changes *ch, struct bk_arena *a,
		       struct oci_process *p, struct bk_err **err)
{
	struct oci_user *u = bk_arena_alloc(a, sizeof(*u));
	size_t n = bk_strv_len(ch->gids);
	int rc = 0;

	if (p->user)
		*u = *p->user;
	p->user = u;
	if (ch->user) {
		const char *colon = strchr(ch->user, ':');
		bk_autofree char *uid = colon ? bk_strndup(ch->user, (size_t)(colon - ch->user)) :
						bk_strdup(ch->user);

		rc = id_of(uid, "--user", &u->uid, err);
		if (rc == 0 && colon)
			rc = id_of(colon + 1, "--user", &u->gid, err);
	}
	if (rc == 0 && n) {
		uint32_t *gids = bk_arena_alloc(a, (u->n_additional_gids + n) * sizeof(*gids));

		if (u->n_additional_gids)
			memcpy(gids, u->additional_gids, u->n_additional_gids * sizeof(*gids));
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = id_of(ch->gids[i], "--additional-gids", &gids[u->n_additional_gids + i], err);
		u->additional_gids = gids;
		u->n_additional_gids += n;
	}
	return rc;
}

/* Not inheritable: what an exec'd shell starts must not find more there than the container has (CVE-2022-29162). */
static void change_caps(char *const *caps, struct bk_arena *a, struct oci_process *p)
{
	struct oci_capabilities *c = bk_arena_alloc(a, sizeof(*c));

	if (p->capabilities)
		*c = *p->capabilities;
	c->bounding = appended(a, c->bounding, caps);
	c->effective = appended(a, c->effective, caps);
	c->permitted = appended(a, c->permitted, caps);
	c->ambient = appended(a, c->ambient, caps);
	p->capabilities = c;
}

static int changed(const struct container_exec_changes *ch, const struct spec *spec,
		   struct oci_process **ret, struct bk_err **err)
{
	struct oci_process *p = bk_arena_alloc(spec->arena, sizeof(*p));
	int rc;

	*p = *spec->config->process;
	if (ch->args && *ch->args)
		p->args = appended(spec->arena, ch->args, NULL);
	if (ch->cwd)
		p->cwd = bk_arena_strdup(spec->arena, ch->cwd);
	if (ch->env)
		p->env = appended(spec->arena, p->env, ch->env);
	if (ch->caps)
		change_caps(ch->caps, spec->arena, p);
	if (ch->apparmor)
		p->apparmor_profile = bk_arena_strdup(spec->arena, ch->apparmor);
	if (ch->label)
		p->selinux_label = bk_arena_strdup(spec->arena, ch->label);
	if (ch->no_new_privs)
		p->no_new_privileges = true;
	p->terminal = ch->terminal;
	if (!ch->terminal)
		p->console_size = NULL;
	rc = change_user(ch, spec->arena, p, err);
	if (rc == 0)
		rc = spec_check_process(p, err);
	if (rc == 0)
		*ret = p;
	return rc;
}

/* What a process object leaves out is the container's, as runc has it. */
static void fill_gaps(const struct oci_process *own, struct oci_process *p)
{
	if (!p->capabilities)
		p->capabilities = own->capabilities;
	if (!p->n_rlimits) {
		p->rlimits = own->rlimits;
		p->n_rlimits = own->n_rlimits;
	}
	if (!p->apparmor_profile || !*p->apparmor_profile)
		p->apparmor_profile = own->apparmor_profile;
	if (!p->selinux_label || !*p->selinux_label)
		p->selinux_label = own->selinux_label;
	if (!p->has_oom_score_adj) {
		p->has_oom_score_adj = own->has_oom_score_adj;
		p->oom_score_adj = own->oom_score_adj;
	}
	if (!p->scheduler)
		p->scheduler = own->scheduler;
	if (!p->io_priority)
		p->io_priority = own->io_priority;
	if (!p->exec_cpu_affinity)
		p->exec_cpu_affinity = own->exec_cpu_affinity;
}

int container_exec_process(const struct container_exec *p, const struct spec *spec,
			   struct oci_process **ret, struct bk_err **err)
{
	struct oci_process *process = NULL;
	int rc;

	if (spec->no_process && !p->process_path)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the container has no process of its own to take the rest from: see --process");
	if (!p->process_path)
		return changed(&p->changes, spec, ret, err);
	rc = spec_load_process(spec, p->process_path, &process, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "--process");
	fill_gaps(spec->config->process, process);
	*ret = process;
	return 0;
}
