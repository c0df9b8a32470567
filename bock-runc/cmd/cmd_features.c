/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "cgroup/cgroup_manager.h"
#include "cmd/cmd.h"
#include "codec/bk_json.h"
#include "mount/mount_opts.h"
#include "ns/ns.h"
#include "oci/oci_features.h"
#include "proc/proc_mempolicy.h"
#include "sec/sec_caps.h"
#include "sec/sec_seccomp.h"
#include "spec/spec_annotations.h"

/* Everything here is read from the tables that parse, so that it can't say more or less than is true. */

static char **names_of(struct bk_arena *a, const struct bk_doc_name *names)
{
	char **v = NULL;

	for (; names->name; names++)
		bk_doc_strv_add(a, &v, names->name);
	return v;
}

static char **supported_flags(struct bk_arena *a)
{
	char **v = NULL;

	for (const struct bk_doc_name *f = sec_seccomp_flags; f->name; f++) {
		if (sec_seccomp_flag_supported((unsigned int)f->value))
			bk_doc_strv_add(a, &v, f->name);
	}
	return v;
}

static struct oci_features_seccomp *seccomp(struct bk_arena *a)
{
	struct oci_features_seccomp *s = bk_arena_alloc(a, sizeof(*s));

	s->enabled = true;
	s->actions = names_of(a, sec_seccomp_actions);
	s->operators = names_of(a, sec_seccomp_operators);
	s->archs = names_of(a, sec_seccomp_archs);
	s->known_flags = names_of(a, sec_seccomp_flags);
	s->supported_flags = supported_flags(a);
	return s;
}

static struct oci_features_enabled *enabled(struct bk_arena *a)
{
	struct oci_features_enabled *e = bk_arena_alloc(a, sizeof(*e));

	e->enabled = true;
	return e;
}

static struct oci_features_linux *linux_features(struct bk_arena *a)
{
	struct oci_features_linux *l = bk_arena_alloc(a, sizeof(*l));

	for (int t = 0; t < OCI_NS_MAX_; t++)
		bk_doc_strv_add(a, &l->namespaces, ns_info_of(t)->name);
	for (unsigned int i = 0; i < sec_caps_count(); i++)
		bk_doc_strv_add(a, &l->capabilities, sec_caps_name(i));
	l->cgroup = bk_arena_alloc(a, sizeof(*l->cgroup));
	l->cgroup->v2 = true;
	l->cgroup->systemd = l->cgroup->systemd_user = cgroup_systemd_built();
	l->cgroup->rdma = true;
	l->seccomp = seccomp(a);
	l->apparmor = enabled(a);
	l->selinux = enabled(a);
	l->memory_policy = bk_arena_alloc(a, sizeof(*l->memory_policy));
	l->memory_policy->modes = names_of(a, proc_mempolicy_modes);
	l->memory_policy->flags = names_of(a, proc_mempolicy_flags);
	l->mount_extensions = bk_arena_alloc(a, sizeof(*l->mount_extensions));
	l->mount_extensions->idmap = bk_arena_alloc(a, sizeof(*l->mount_extensions->idmap));
	l->mount_extensions->idmap->enabled = true;
	l->intel_rdt = bk_arena_alloc(a, sizeof(*l->intel_rdt));
	l->intel_rdt->enabled = l->intel_rdt->schemata = l->intel_rdt->monitoring = true;
	l->net_devices = bk_arena_alloc(a, sizeof(*l->net_devices));
	l->net_devices->enabled = true;
	return l;
}

/*
 * What is not in the specification. docker reads runc's names for what it shows, cri-o for whether
 * containers can be checkpointed.
 */
static void fill_annotations(struct bk_arena *a, struct oci_features *f)
{
	char seccomp_version[32];
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "io.github.seccomp.libseccomp.version",
		  sec_seccomp_version(seccomp_version, sizeof(seccomp_version)) },
		{ "org.opencontainers.runc.version", PACKAGE_VERSION },
		{ "org.opencontainers.runc.commit", PACKAGE_VERSION },
		{ "org.opencontainers.runc.checkpoint.enabled", "true" },
		{ "io.bock.runc.version", PACKAGE_VERSION },
	};

	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++)
		bk_doc_pair_set(a, &f->annotations, &f->n_annotations, rows[i].key, rows[i].value);
}

/* Those of config.json that mean something; the unsafe ones where engines look for them. */
static void fill_unsafe(struct bk_arena *a, struct oci_features *f)
{
	bk_autobuf struct bk_buf all = BK_BUF_INIT(BK_BUF_DOC);

	for (size_t i = 0; i < SPEC_ANNOTATION_MAX_; i++) {
		bk_buf_printf(&all, "%s%s", i ? "," : "", spec_annotations[i].name);
		if (spec_annotations[i].unsafe)
			bk_doc_strv_add(a, &f->potentially_unsafe_config_annotations,
					spec_annotations[i].name);
	}
	bk_doc_pair_set(a, &f->annotations, &f->n_annotations, "io.bock.runc.config-annotations",
			bk_buf_str(&all));
}

static void fill(struct bk_arena *a, struct oci_features *f)
{
	const struct bk_doc_field *hook = bk_doc_field_find(&oci_runtime_config_type, "hooks")->sub->fields;

	f->oci_version_min = bk_arena_strdup(a, "1.0.0");
	f->oci_version_max = bk_arena_strdup(a, OCI_RUNTIME_VERSION);
	for (; hook->name; hook++)
		bk_doc_strv_add(a, &f->hooks, hook->name);
	for (size_t i = 0; mount_opts_name(i); i++)
		bk_doc_strv_add(a, &f->mount_options, mount_opts_name(i));
	f->linux_ = linux_features(a);
	fill_annotations(a, f);
	fill_unsafe(a, f);
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	struct oci_features f = { 0 };
	int rc;

	(void)call;
	(void)ret_status;
	fill(arena, &f);
	rc = bk_json_encode(&oci_features_type, &f, BK_JSON_PRETTY | BK_JSON_NEWLINE, &b, err);
	return rc < 0 ? rc : cmd_print(&b, err);
}

const struct bk_cli_cmd cmd_features = {
	.name = "features",
	.synopsis = "",
	.help = "print what this runtime supports as JSON",
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
