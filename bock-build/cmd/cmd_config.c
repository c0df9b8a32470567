/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_config.h"

#include <assert.h>
#include <string.h>

#include "base/bk_num.h"
#include "base/bk_str.h"
#include "bockfile/bockfile_subst.h"
#include "ref/ref.h"
#include "store/store_image.h"

#define PORT_MAX	65535
#define RETRIES_MAX	1000000
#define NS_PER_MS	INT64_C(1000000)
#define DURATION_MAX_MS (UINT64_C(1000) * 3600 * 24 * 365)

#define SPEC		"org.opencontainers.image."

/* What the functions below share. */
struct make {
	const struct step_stage *stage;
	const struct bockfile_scope *scope; /* with the environment of the image */
	struct bk_arena *arena;
	struct oci_image_exec *exec;
	struct bk_err **err;
};

static int text_of(const struct make *m, const struct bockfile_text *text, char **ret)
{
	bk_autofree char *value = NULL;
	int rc = bockfile_subst(m->scope, text, &value, m->err);

	if (rc == 0)
		*ret = bk_arena_strdup(m->arena, value);
	return rc;
}

/* In the arena, and never NULL. */
static int list_of(const struct make *m, const struct bockfile_list *list, char ***ret)
{
	char **v = bk_arena_alloc(m->arena, (list->n + 1) * sizeof(*v));

	for (size_t i = 0; i < list->n; i++) {
		int rc = text_of(m, &list->items[i], &v[i]);

		if (rc < 0)
			return rc;
	}
	*ret = v;
	return 0;
}

/* A vector of the arena with s added, unless it is there. The old one stays as it was. */
static char **with(struct bk_arena *arena, char *const *v, const char *s)
{
	size_t n = v ? bk_strv_len(v) : 0;
	char **copy = bk_arena_alloc(arena, (n + 2) * sizeof(*copy));

	for (size_t i = 0; i < n; i++) {
		if (bk_streq(v[i], s))
			s = NULL;
		copy[i] = v[i];
		if (!s) {
			memcpy(copy, v, n * sizeof(*copy));
			return copy;
		}
	}
	copy[n] = bk_arena_strdup(arena, s);
	return copy;
}

/* ---- runtime ------------------------------------------------------------------------------------------ */

/* "8080", "53/udp" */
static int port_of(const struct make *m, const struct bockfile_text *text, char **ret)
{
	bk_autofree char *number = NULL;
	char *value = NULL;
	const char *slash;
	uint32_t port = 0;
	int rc = text_of(m, text, &value);

	if (rc < 0)
		return rc;
	slash = strchr(value, '/');
	number = slash ? bk_strndup(value, (size_t)(slash - value)) : bk_strdup(value);
	if (bk_num_u32(number, PORT_MAX, &port, NULL) < 0 || port == 0 ||
	    (slash && !bk_streq(slash, "/tcp") && !bk_streq(slash, "/udp") &&
	     !bk_streq(slash, "/sctp")))
		return bk_doc_value_error(text->at, m->err, "'%s' is no port, as in 8080 or 53/udp",
					  value);
	*ret = bk_arena_printf(m->arena, "%u%s", port, slash ? slash : "/tcp");
	return 0;
}

static int add_ports(const struct make *m, const struct bockfile_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		char *port = NULL;
		int rc = port_of(m, &list->items[i], &port);

		if (rc < 0)
			return rc;
		m->exec->exposed_ports = with(m->arena, m->exec->exposed_ports, port);
	}
	return 0;
}

static int add_volumes(const struct make *m, const struct bockfile_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		char *path = NULL;
		int rc = text_of(m, &list->items[i], &path);

		if (rc < 0)
			return rc;
		if (*path != '/')
			return bk_doc_value_error(list->items[i].at, m->err,
						  "'%s' is no absolute path", path);
		m->exec->volumes = with(m->arena, m->exec->volumes, path);
	}
	return 0;
}

static int duration_of(const struct make *m, const struct bockfile_text *text, int64_t *ret)
{
	char *value = NULL;
	uint64_t ms = 0;
	int rc;

	if (!text->text)
		return 0;
	rc = text_of(m, text, &value);
	if (rc == 0)
		rc = bk_num_duration_ms(value, &ms, m->err);
	if (rc == 0 && ms > DURATION_MAX_MS)
		rc = bk_err_set(m->err, BK_ERR_CONFIG, 0, "'%s' is longer than a year", value);
	if (rc < 0)
		return value ? bockfile_text_wrap(text->at, m->err, rc) : rc;
	*ret = (int64_t)ms * NS_PER_MS;
	return 0;
}

static int retries_of(const struct make *m, const struct bockfile_text *text, int32_t *ret)
{
	char *value = NULL;
	uint32_t n = 0;
	int rc;

	if (!text->text)
		return 0;
	rc = text_of(m, text, &value);
	if (rc < 0)
		return rc;
	rc = bk_num_u32(value, RETRIES_MAX, &n, m->err);
	if (rc < 0)
		return bockfile_text_wrap(text->at, m->err, rc);
	*ret = (int32_t)n;
	return 0;
}

/* `test` as Docker has it: NONE; CMD and arguments; CMD-SHELL and a line. */
static int healthcheck(const struct make *m, const struct bockfile_healthcheck *h)
{
	struct oci_image_healthcheck *check = bk_arena_alloc(m->arena, sizeof(*check));
	char **args = NULL;
	int rc;

	m->exec->healthcheck = check;
	if (h->none && h->cmd.args.at)
		return bk_doc_value_error(h->cmd.args.at, m->err,
					  "'none' and 'cmd' exclude each other");
	if (h->none) {
		bk_doc_strv_add(m->arena, &check->test, "NONE");
		return 0;
	}
	if (!h->cmd.args.at)
		return bk_doc_value_error(h->at, m->err,
					  "a healthcheck needs 'cmd', or 'none: true'");
	bk_doc_strv_add(m->arena, &check->test, h->cmd.shell ? "CMD-SHELL" : "CMD");
	rc = list_of(m, &h->cmd.args, &args);
	for (; rc == 0 && *args; args++)
		bk_doc_strv_add(m->arena, &check->test, *args);
	if (rc == 0)
		rc = duration_of(m, &h->interval, &check->interval);
	if (rc == 0)
		rc = duration_of(m, &h->timeout, &check->timeout);
	if (rc == 0)
		rc = duration_of(m, &h->start_period, &check->start_period);
	return rc < 0 ? rc : retries_of(m, &h->retries, &check->retries);
}

/* A new entrypoint makes the base's arguments meaningless, as in a Dockerfile. */
static int commands(const struct make *m, const struct bockfile_runtime *r)
{
	int rc = 0;

	if (r->entrypoint.at) {
		rc = list_of(m, &r->entrypoint, &m->exec->entrypoint);
		m->exec->cmd = NULL;
	}
	if (rc == 0 && r->cmd.at)
		rc = list_of(m, &r->cmd, &m->exec->cmd);
	return rc;
}

static int runtime(const struct make *m, const struct bockfile_runtime *r)
{
	bk_autofree char *workdir = NULL;
	int rc = commands(m, r);

	if (rc == 0 && r->workdir.text) {
		rc = step_meta_path(m->scope, &r->workdir, m->stage->workdir, &workdir, m->err);
		if (rc == 0)
			m->exec->working_dir = bk_arena_strdup(m->arena, workdir);
	}
	if (rc == 0 && r->user.text)
		rc = text_of(m, &r->user, &m->exec->user);
	if (rc == 0)
		rc = add_ports(m, &r->expose);
	if (rc == 0)
		rc = add_volumes(m, &r->volumes);
	if (rc == 0 && r->stop_signal.text)
		rc = text_of(m, &r->stop_signal, &m->exec->stop_signal);
	if (rc == 0 && r->healthcheck)
		rc = healthcheck(m, r->healthcheck);
	return rc;
}

/* ---- metadata ----------------------------------------------------------------------------------------- */

/* What metadata says in the words of image-spec's annotations.md. */
static int predefined(const struct make *m, struct bk_doc_pair **pairs, size_t *n)
{
	const struct bockfile_metadata *md = m->scope->bockfile->metadata;
	const struct {
		const char *key;
		const struct bockfile_text *text;
	} texts[] = { { SPEC "title", &md->name },
		      { SPEC "version", &md->version },
		      { SPEC "description", &md->description },
		      { SPEC "licenses", &md->license } };
	bk_autostrv char **authors = NULL;
	bk_autofree char *joined = NULL;
	int rc = 0;

	for (size_t i = 0; i < BK_ARRAY_SIZE(texts) && rc == 0; i++) {
		char *value = NULL;

		if (!texts[i].text->text)
			continue;
		rc = text_of(m, texts[i].text, &value);
		if (rc == 0)
			bk_doc_pair_set(m->arena, pairs, n, texts[i].key, value);
	}
	if (rc < 0 || md->authors.n == 0)
		return rc;
	rc = bockfile_subst_list(m->scope, &md->authors, &authors, m->err);
	if (rc < 0)
		return rc;
	joined = bk_strv_join(authors, ", ");
	bk_doc_pair_set(m->arena, pairs, n, SPEC "authors", joined);
	return 0;
}

static int labels(const struct make *m)
{
	const struct bockfile_metadata *md = m->scope->bockfile->metadata;
	struct bk_doc_pair *pairs = NULL;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < m->exec->n_labels; i++)
		bk_doc_pair_set(m->arena, &pairs, &n, m->exec->labels[i].key,
				m->exec->labels[i].value);
	rc = md ? predefined(m, &pairs, &n) : 0;
	for (size_t i = 0; rc == 0 && md && i < md->labels.n; i++) {
		char *value = NULL;

		rc = text_of(m, &md->labels.items[i].value, &value);
		if (rc == 0)
			bk_doc_pair_set(m->arena, &pairs, &n, md->labels.items[i].key, value);
	}
	m->exec->labels = pairs;
	m->exec->n_labels = n;
	return rc;
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static char **arena_strv(struct bk_arena *arena, char *const *v)
{
	size_t n = v ? bk_strv_len(v) : 0;
	char **copy = n > 0 ? bk_arena_alloc(arena, (n + 1) * sizeof(*copy)) : NULL;

	for (size_t i = 0; i < n; i++)
		copy[i] = bk_arena_strdup(arena, v[i]);
	return copy;
}

static void fill(const struct step_stage *stage, struct bk_arena *arena,
		 struct oci_image_exec *exec, struct oci_image_config *config)
{
	struct oci_image_rootfs *rootfs = bk_arena_alloc(arena, sizeof(*rootfs));

	rootfs->type = bk_arena_strdup(arena, "layers");
	rootfs->diff_ids = stage->diff_ids;
	config->created = bk_arena_strdup(arena, stage->build->created);
	config->architecture = bk_arena_strdup(arena, store_machine_arch());
	if (store_machine_variant())
		config->variant = bk_arena_strdup(arena, store_machine_variant());
	config->os = bk_arena_strdup(arena, "linux");
	config->config = exec;
	config->rootfs = rootfs;
	config->history = stage->history;
	config->n_history = stage->n_history;
	exec->user = stage->user ? bk_arena_strdup(arena, stage->user) : NULL;
	exec->working_dir = stage->has_workdir ? bk_arena_strdup(arena, stage->workdir) : NULL;
	exec->on_build = NULL;
}

int cmd_config_make(const struct step_stage *stage, struct bk_arena *arena,
		    struct oci_image_config *ret, struct bk_err **err)
{
	const struct bockfile *b = stage->scope.bockfile;
	bk_autostrv char **env = bk_strv_dup(stage->env);
	struct bockfile_scope scope = stage->scope;
	struct oci_image_exec *exec = bk_arena_alloc(arena, sizeof(*exec));
	struct oci_image_config config = { 0 };
	const struct make m = {
		.stage = stage, .scope = &scope, .arena = arena, .exec = exec, .err = err
	};
	int rc = 0;

	*exec = stage->exec;
	fill(stage, arena, exec, &config);
	if (b->runtime && b->runtime->env.at)
		rc = step_meta_add_env(&stage->scope, &b->runtime->env, &env, err);
	if (rc < 0)
		return rc;
	scope.env = env;
	exec->env = arena_strv(arena, env);
	rc = labels(&m);
	if (rc == 0)
		config.author = (char *)(uintptr_t)bk_doc_pair_get(exec->labels, exec->n_labels,
								   SPEC "authors");
	if (rc == 0 && b->runtime)
		rc = runtime(&m, b->runtime);
	if (rc == 0)
		*ret = config;
	return rc;
}

int cmd_config_annotations(const struct step_stage *stage, struct bk_arena *arena,
			   struct bk_doc_pair **ret, size_t *ret_n, struct bk_err **err)
{
	const struct make m = {
		.stage = stage, .scope = &stage->scope, .arena = arena, .err = err
	};
	struct bk_doc_pair *pairs = NULL;
	size_t n = 0;
	int rc = stage->scope.bockfile->metadata ? predefined(&m, &pairs, &n) : 0;

	if (rc < 0)
		return rc;
	bk_doc_pair_set(arena, &pairs, &n, SPEC "created", stage->build->created);
	if (stage->base_name)
		bk_doc_pair_set(arena, &pairs, &n, SPEC "base.name", stage->base_name);
	if (stage->base_digest)
		bk_doc_pair_set(arena, &pairs, &n, SPEC "base.digest", stage->base_digest);
	*ret = pairs;
	*ret_n = n;
	return 0;
}

int cmd_config_tag(const struct bockfile_scope *scope, const char *tag, struct bk_arena *arena,
		   const char **ret, struct bk_err **err)
{
	const struct bockfile_metadata *md = scope->bockfile->metadata;
	const struct bk_doc_value *at = NULL;
	bk_autofree char *text = tag ? bk_strdup(tag) : NULL;
	int rc = 0;

	if (!text && md && md->tag.text) {
		at = md->tag.at;
		rc = bockfile_subst(scope, &md->tag, &text, err);
	} else if (!text && md && scope->name) {
		at = md->name.at;
		text = bk_asprintf("%s:%s", scope->name,
				   scope->version ? scope->version : REF_DEFAULT_TAG);
	} else if (!text) {
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "%s: the image has no name",
				scope->bockfile->source);
		bk_err_hint(err, rc, "give it with --tag NAME, or as metadata.name");
	}
	if (rc < 0)
		return rc;
	rc = ref_check(text, err);
	if (rc < 0)
		return at ? bockfile_text_wrap(at, err, rc) : bk_err_wrap(err, rc, "--tag");
	*ret = bk_arena_strdup(arena, text);
	return 0;
}
