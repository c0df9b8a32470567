/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/trust_policy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"

#define SYSTEM_FILE "/etc/containers/policy.json"
#define USER_FILE   ".config/containers/policy.json"

struct rules {
	char *scope;	  /* "" : the transport's default */
	const char *shown; /* "docker 'example.com'" */
	struct trust_requirement *list;
	size_t n;
};

struct transport {
	char *name;
	struct rules *rules;
	size_t n;
};

struct trust_policy {
	struct bk_arena *arena;
	char *source;
	struct rules fallback;
	struct transport *transports;
	size_t n;
};

/* ---- reading -------------------------------------------------------------------------------------- */

static const struct bk_doc_value *member(const struct bk_doc_value *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (bk_streq(v->keys[i], name))
			return &v->items[i];
	return NULL;
}

/* That v is an object whose members are among names (NULL-ended). */
static int check_members(const struct bk_doc_value *v, const char *const *names, struct bk_err **err)
{
	if (v->node != BK_DOC_NODE_MAP)
		return bk_doc_value_error(v, err, "expected an object");
	for (size_t i = 0; i < v->n; i++)
		if (!bk_strv_has((char *const *)(uintptr_t)names, v->keys[i]))
			return bk_doc_value_error(v, err, "'%.100s' is not known here", v->keys[i]);
	return 0;
}

/* A member that must be a string which says something; *ret NULL: it is not there, and needs not be. */
static int get_string(const struct bk_doc_value *v, const char *name, bool needed, char **ret,
		      struct bk_err **err)
{
	const struct bk_doc_value *m = member(v, name);

	*ret = NULL;
	if (!m)
		return needed ? bk_doc_value_error(v, err, "'%s' is missing", name) : 0;
	if (m->node != BK_DOC_NODE_STRING || !*m->text)
		return bk_doc_value_error(m, err, "%s: expected a string", name);
	*ret = m->text;
	return 0;
}

/* A member that is a string, or (many) a list of strings: appended to *ret, a vector of the arena. */
static int get_strings(struct bk_arena *arena, const struct bk_doc_value *v, const char *name,
		       bool many, char ***ret, struct bk_err **err)
{
	const struct bk_doc_value *m = member(v, name);
	char *one = NULL;
	int rc;

	if (!m)
		return 0;
	if (!many) {
		rc = get_string(v, name, true, &one, err);
		if (rc == 0)
			bk_doc_strv_add(arena, ret, one);
		return rc;
	}
	if (m->node != BK_DOC_NODE_SEQ || m->n == 0)
		return bk_doc_value_error(m, err, "%s: expected a list that is not empty", name);
	for (size_t i = 0; i < m->n; i++) {
		if (m->items[i].node != BK_DOC_NODE_STRING)
			return bk_doc_value_error(&m->items[i], err, "expected a string");
		bk_doc_strv_add(arena, ret, m->items[i].text);
	}
	return 0;
}

static int read_reference(const struct bk_doc_value *v, const char *name, bool exact,
			  struct trust_identity *ret, struct bk_err **err)
{
	bk_autoref struct ref ref = REF_INIT;
	struct bk_err *why = NULL;
	char *text = NULL;
	const char *slash;
	int rc = get_string(v, name, true, &text, err);

	if (rc < 0)
		return rc;
	slash = strrchr(text, '/');
	if (ref_parse(text, &ref, &why) < 0) {
		bk_err_clear(&why);
		return bk_doc_value_error(v, err, "%s: '%.200s' is no name of an image", name, text);
	}
	if ((strpbrk(slash ? slash : text, "@:") != NULL) != exact)
		return bk_doc_value_error(v, err, "%s: '%.200s': %s", name, text,
					  exact ? "it has neither tag nor digest" :
						  "it has a tag or digest");
	ret->reference = text;
	return 0;
}

static int read_identity(const struct bk_doc_value *v, struct trust_identity *ret,
			 struct bk_err **err)
{
	static const struct {
		const char *type;
		enum trust_identity_kind kind;
		const char *members[4];
	} kinds[] = {
		{ "matchExact", TRUST_EXACT, { "type" } },
		{ "matchRepoDigestOrExact", TRUST_REPO_DIGEST_OR_EXACT, { "type" } },
		{ "matchRepository", TRUST_REPOSITORY, { "type" } },
		{ "exactReference", TRUST_EXACT_REFERENCE, { "type", "dockerReference" } },
		{ "exactRepository", TRUST_EXACT_REPOSITORY, { "type", "dockerRepository" } },
		{ "remapIdentity", TRUST_REMAP, { "type", "prefix", "signedPrefix" } },
	};
	char *type = NULL, *prefix = NULL, *signed_prefix = NULL;
	size_t i;
	int rc = v->node == BK_DOC_NODE_MAP ? 0 : bk_doc_value_error(v, err, "expected an object");

	if (rc == 0)
		rc = get_string(v, "type", true, &type, err);
	if (rc < 0)
		return rc;
	for (i = 0; i < BK_ARRAY_SIZE(kinds) && !bk_streq(kinds[i].type, type); i++)
		;
	if (i == BK_ARRAY_SIZE(kinds))
		return bk_doc_value_error(v, err, "signedIdentity of the type '%.100s'", type);
	rc = check_members(v, kinds[i].members, err);
	ret->kind = kinds[i].kind;
	if (rc == 0 && ret->kind == TRUST_EXACT_REFERENCE)
		rc = read_reference(v, "dockerReference", true, ret, err);
	if (rc == 0 && ret->kind == TRUST_EXACT_REPOSITORY)
		rc = read_reference(v, "dockerRepository", false, ret, err);
	if (rc < 0 || ret->kind != TRUST_REMAP)
		return rc;
	rc = get_string(v, "prefix", true, &prefix, err);
	if (rc == 0)
		rc = get_string(v, "signedPrefix", true, &signed_prefix, err);
	ret->reference = prefix;
	ret->signed_prefix = signed_prefix;
	return rc;
}

/* The keys, of which there must be one form. */
static int read_keys(struct bk_arena *arena, const struct bk_doc_value *v, const char *const *names,
		     struct trust_requirement *ret, struct bk_err **err)
{
	size_t forms = 0;
	int rc = 0;

	for (; rc == 0 && *names; names++) {
		bool many = bk_has_suffix(*names, "s");

		if (!member(v, *names))
			continue;
		forms++;
		if (bk_skip_prefix(*names, "keyPath"))
			rc = get_strings(arena, v, *names, many, &ret->key_paths, err);
		else if (bk_skip_prefix(*names, "keyData"))
			rc = get_strings(arena, v, *names, many, &ret->key_datas, err);
		else
			ret->what = *names;
	}
	if (rc == 0 && forms != 1)
		rc = bk_doc_value_error(v, err, "it needs one form of keys, and has %zu", forms);
	return rc;
}

static int read_signed(struct bk_arena *arena, const struct bk_doc_value *v, bool sigstore,
		       struct trust_requirement *ret, struct bk_err **err)
{
	static const char *const by[] = { "type",    "keyType", "keyPath", "keyPaths",
					  "keyData", "signedIdentity", NULL };
	static const char *const store[] = {
		"type",		       "keyPath",	      "keyPaths",
		"keyData",	       "keyDatas",	      "fulcio",
		"pki",		       "rekorPublicKeyPath",  "rekorPublicKeyPaths",
		"rekorPublicKeyData",  "rekorPublicKeyDatas", "signedIdentity",
		NULL
	};
	static const char *const by_keys[] = { "keyPath", "keyPaths", "keyData", NULL };
	static const char *const store_keys[] = { "keyPath",  "keyPaths", "keyData",
						  "keyDatas", "fulcio",   "pki", NULL };
	const struct bk_doc_value *identity = member(v, "signedIdentity");
	int rc = check_members(v, sigstore ? store : by, err);

	ret->kind = TRUST_SIGSTORE;
	if (rc == 0)
		rc = read_keys(arena, v, sigstore ? store_keys : by_keys, ret, err);
	if (rc == 0 && identity)
		rc = read_identity(identity, &ret->identity, err);
	for (size_t i = 0; rc == 0 && i < v->n; i++)
		if (bk_skip_prefix(v->keys[i], "rekorPublicKey"))
			ret->what = "rekorPublicKey";
	if (!sigstore)
		ret->what = "signedBy, a signature of GPG";
	if (ret->what)
		ret->kind = TRUST_UNSUPPORTED;
	return rc;
}

static int read_requirement(struct bk_arena *arena, const struct bk_doc_value *v,
			    struct trust_requirement *ret, struct bk_err **err)
{
	static const char *const plain[] = { "type", NULL };
	char *type = NULL;
	int rc = v->node == BK_DOC_NODE_MAP ? 0 : bk_doc_value_error(v, err, "expected an object");

	if (rc == 0)
		rc = get_string(v, "type", true, &type, err);
	if (rc < 0)
		return rc;
	if (bk_streq(type, "sigstoreSigned") || bk_streq(type, "signedBy"))
		return read_signed(arena, v, bk_streq(type, "sigstoreSigned"), ret, err);
	if (bk_streq(type, "insecureAcceptAnything"))
		ret->kind = TRUST_ACCEPT;
	else if (bk_streq(type, "reject"))
		ret->kind = TRUST_REJECT;
	else
		return bk_doc_value_error(v, err, "a requirement of the type '%.100s'", type);
	return check_members(v, plain, err);
}

static int read_rules(struct bk_arena *arena, const struct bk_doc_value *v, struct rules *ret,
		      struct bk_err **err)
{
	int rc = 0;

	if (v->node != BK_DOC_NODE_SEQ || v->n == 0)
		return bk_doc_value_error(v, err, "expected a list of requirements, at least one");
	ret->list = bk_arena_alloc(arena, v->n * sizeof(*ret->list));
	ret->n = v->n;
	for (size_t i = 0; rc == 0 && i < v->n; i++)
		rc = read_requirement(arena, &v->items[i], &ret->list[i], err);
	return rc;
}

/*
 * As containers/image has it: a scope that can't be met makes the policy invalid, where the transport knows. Files have absolute, clean
 * paths, for all of which there is the default, ""; what has no scopes has that alone.
 */
static int check_scope(const struct bk_doc_value *v, const char *transport, const char *scope, struct bk_err **err)
{
	static const char *const paths[] = { "dir", "oci", "oci-archive", NULL };
	static const char *const none[] = { "docker-archive", "tarball", NULL };
	bk_autofree char *clean = NULL;

	if (!*scope)
		return 0;
	if (bk_strv_has((char *const *)(uintptr_t)none, transport))
		return bk_doc_value_error(v, err, "scope '%.200s': %s has no scope but \"\"", scope, transport);
	if (!bk_strv_has((char *const *)(uintptr_t)paths, transport))
		return 0;
	clean = bk_path_clean(scope);
	if (scope[0] != '/' || !bk_streq(clean, scope))
		return bk_doc_value_error(v, err, "scope '%.200s': expected an absolute path, without '.', '..' or '/' too many",
					  scope);
	return bk_streq(scope, "/") ? bk_doc_value_error(v, err, "scope '/': say \"\"") : 0;
}

static int read_transport(struct bk_arena *arena, const struct bk_doc_value *v, char *name,
			  struct transport *ret, struct bk_err **err)
{
	int rc = 0;

	if (v->node != BK_DOC_NODE_MAP)
		return bk_doc_value_error(v, err, "expected an object of scopes");
	ret->name = name;
	ret->n = v->n;
	ret->rules = bk_arena_alloc(arena, (v->n + 1) * sizeof(*ret->rules));
	for (size_t i = 0; rc == 0 && i < v->n; i++) {
		struct rules *r = &ret->rules[i];

		r->scope = v->keys[i];
		r->shown = bk_arena_printf(arena, "%s '%s'", name, r->scope);
		rc = check_scope(v, name, r->scope, err);
		if (rc == 0)
			rc = read_rules(arena, &v->items[i], r, err);
	}
	return rc;
}

static int read_policy(struct trust_policy *p, const struct bk_doc_value *v, struct bk_err **err)
{
	static const char *const names[] = { "default", "transports", NULL };
	const struct bk_doc_value *m;
	int rc = check_members(v, names, err);

	if (rc < 0)
		return rc;
	m = member(v, "default");
	if (!m)
		return bk_doc_value_error(v, err, "'default' is missing");
	rc = read_rules(p->arena, m, &p->fallback, err);
	m = member(v, "transports");
	if (rc < 0 || !m)
		return rc;
	if (m->node != BK_DOC_NODE_MAP)
		return bk_doc_value_error(m, err, "expected an object of transports");
	p->n = m->n;
	p->transports = bk_arena_alloc(p->arena, (m->n + 1) * sizeof(*p->transports));
	for (size_t i = 0; rc == 0 && i < m->n; i++)
		rc = read_transport(p->arena, &m->items[i], m->keys[i], &p->transports[i], err);
	return rc;
}

int trust_policy_parse(const char *source, const char *text, size_t len, struct trust_policy **ret,
		       struct bk_err **err)
{
	bk_autotrustpolicy struct trust_policy *p = bk_calloc(1, sizeof(*p));
	struct bk_doc_limits limits = bk_doc_limits_oci;
	struct bk_doc_value v;
	int rc;

	limits.max_size = TRUST_POLICY_MAX;
	p->arena = bk_arena_new();
	p->source = bk_strdup(source);
	p->fallback.shown = "default";
	rc = bk_json_parse(source, text, len, &limits, p->arena, &v, err);
	if (rc == 0)
		rc = read_policy(p, &v, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "policy '%s'", source);
	*ret = bk_steal_ptr(&p);
	return 0;
}

void trust_policy_free(struct trust_policy *p)
{
	if (!p)
		return;
	bk_arena_free(p->arena);
	free(p->source);
	free(p);
}

int trust_policy_load(const char *path, struct trust_policy **ret, struct bk_err **err)
{
	const char *home = getenv("HOME");
	bk_autofree char *own = home && *home ? bk_path_join(home, USER_FILE) : NULL;
	const char *const files[] = { path ? path : own, path ? NULL : SYSTEM_FILE };

	for (size_t i = 0; i < BK_ARRAY_SIZE(files); i++) {
		bk_autobuf struct bk_buf text = BK_BUF_INIT(TRUST_POLICY_MAX);
		struct bk_err *why = NULL;
		int rc;

		if (!files[i])
			continue;
		rc = bk_file_read(AT_FDCWD, files[i], &text, &why);
		if (rc == -BK_ERR_NOT_FOUND && !path) {
			bk_err_clear(&why);
			continue;
		}
		if (rc < 0) {
			bk_err_move(err, why);
			return bk_err_wrap(err, rc, "policy");
		}
		return trust_policy_parse(files[i], bk_buf_str(&text), text.len, ret, err);
	}
	*ret = NULL;
	return 0;
}

const char *trust_policy_source(const struct trust_policy *p)
{
	return p->source;
}

/* ---- asking --------------------------------------------------------------------------------------- */

static const struct transport *find_transport(const struct trust_policy *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (bk_streq(p->transports[i].name, name))
			return &p->transports[i];
	return NULL;
}

/* Takes the rules of the scope that is the first len bytes of text. */
static bool take(const struct transport *t, const char *text, size_t len, struct trust_rules *ret)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct rules *r = &t->rules[i];

		if (strlen(r->scope) == len && memcmp(r->scope, text, len) == 0) {
			*ret = (struct trust_rules){ r->list, r->n, r->shown };
			return true;
		}
	}
	return false;
}

/* text, then what it is in: cut at each '/' from the end. */
static bool take_upward(const struct transport *t, const char *text, struct trust_rules *ret)
{
	for (size_t len = strlen(text); len > 0; len--)
		if ((text[len] == '\0' || text[len] == '/') && take(t, text, len, ret))
			return true;
	return false;
}

static void take_default(const struct trust_policy *p, const struct transport *t,
			 struct trust_rules *ret)
{
	if (!t || !take(t, "", 0, ret))
		*ret = (struct trust_rules){ p->fallback.list, p->fallback.n, p->fallback.shown };
}

void trust_policy_find(const struct trust_policy *p, const struct ref *ref, struct trust_rules *ret)
{
	const struct transport *t = find_transport(p, "docker");
	bk_autofree char *repo = bk_asprintf("%s/%s", ref->domain, ref->path);
	bk_autofree char *host = bk_strndup(ref->domain, strcspn(ref->domain, ":"));
	bk_autofree char *whole = NULL;

	if (!t) {
		take_default(p, t, ret);
		return;
	}
	/* A digest says more than a tag beside it. */
	whole = ref->digest ? bk_asprintf("%s@%s", repo, ref->digest) :
			      bk_asprintf("%s:%s", repo, ref->tag);
	if (take(t, whole, strlen(whole), ret) || take_upward(t, repo, ret))
		return;
	for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.')) {
		bk_autofree char *wild = bk_asprintf("*%s", dot);

		if (take(t, wild, strlen(wild), ret))
			return;
	}
	take_default(p, t, ret);
}

void trust_policy_find_path(const struct trust_policy *p, const char *transport, const char *path,
			    struct trust_rules *ret)
{
	const struct transport *t = find_transport(p, transport);

	if (!t || !path || !take_upward(t, path, ret))
		take_default(p, t, ret);
}
