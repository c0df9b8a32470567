/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "digest/bk_digest.h"
#include "lib/bock_priv.h"
#include "lib/image.h"
#include "ref/ref.h"
#include "registry/registry.h"
#include "registry/registry_manifest.h"
#include "registry/registry_pull.h"
#include "registry/registry_trust.h"
#include "store/store_blob.h"
#include "store/store_gc.h"
#include "store/store_index.h"
#include "store/store_repair.h"
#include "trust/trust_policy.h"

#define BLOB_MAX ((size_t)64 << 20) /* unless the caller says more */

struct bock_registry {
	struct registry_client *client;
	struct registry *r;
};

int bock_registry_new(const char *base_url, const struct bock_registry_options *options,
		      struct bock_registry **ret_registry, struct bk_err **err)
{
	static const struct bock_registry_options none = { .ctx = NULL };
	const struct bock_registry_options *o = options ? options : &none;
	const char *https = bk_skip_prefix(base_url, "https://");
	const char *http = bk_skip_prefix(base_url, "http://");
	const char *rest = https ? https : http ? http : base_url;
	size_t len = strcspn(rest, "/");
	bk_autofree char *domain = bk_strndup(rest, len);
	bk_autoregistryclient struct registry_client *client = NULL;
	const struct registry_opts ro = {
		.creds = o->credentials ? o->credentials->creds : NULL,
		.cert_dir = o->cert_dir,
		.insecure = o->insecure,
		.plain_http = http != NULL,
		.refuse_foreign = o->refuse_foreign,
		.notice = o->notice,
		.ctx = o->ctx,
	};
	struct bock_registry *registry;
	struct registry *r;
	int rc;

	if (rest[len] == '/' && rest[len + 1])
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "registry '%s': a path has no meaning here", base_url);
	rc = registry_client_new(&ro, &client, err);
	if (rc == 0)
		rc = registry_open(client, domain, &r, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "registry '%s'", base_url);
	registry = bk_calloc(1, sizeof(*registry));
	registry->client = bk_steal_ptr(&client);
	registry->r = r;
	*ret_registry = registry;
	return 0;
}

int bock_registry_docker_hub(const struct bock_registry_options *options,
			     struct bock_registry **ret_registry, struct bk_err **err)
{
	return bock_registry_new(REF_DEFAULT_DOMAIN, options, ret_registry, err);
}

void bock_registry_free(struct bock_registry *registry)
{
	if (!registry)
		return;
	registry_client_free(registry->client);
	free(registry);
}

/* What becomes a part of a URL is a repository, and a tag or a digest. */
static int check_name(const char *name, const char *reference, struct bk_err **err)
{
	bool digest = reference && strchr(reference, ':');
	bk_autofree char *text = bk_asprintf("%s/%s%s%s", REF_DEFAULT_DOMAIN, name,
					     !reference ? ""
					     : digest	? "@"
							: ":",
					     reference ? reference : "");
	bk_autoref struct ref ref = REF_INIT;
	int rc = ref_parse(text, &ref, err);

	return rc < 0 ? bk_err_wrap(err, rc, "repository '%s'", name) : 0;
}

int bock_registry_get_manifest(struct bock_registry *registry, const char *name,
			       const char *reference, char **ret_text, size_t *ret_size,
			       char **ret_media_type, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	struct oci_descriptor d;
	int rc = check_name(name, reference, err);

	if (rc == 0)
		rc = registry_manifest_read(registry->r, name, reference, NULL, &text, arena, &d,
					    err);
	if (rc < 0)
		return rc;
	if (ret_size)
		*ret_size = text.len;
	if (ret_media_type)
		*ret_media_type = bk_strdup(d.media_type);
	*ret_text = bk_buf_steal(&text);
	return 0;
}

int bock_registry_get_blob(struct bock_registry *registry, const char *name, const char *digest,
			   size_t max_size, void **ret_data, size_t *ret_size, struct bk_err **err)
{
	const struct registry_scope scope = { .repo = name, .actions = "pull" };
	bk_autofree char *path = bk_asprintf("/v2/%s/blobs/%s", name, digest);
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const struct bk_http_req req = { .method = "GET",
					 .max_body = max_size ? max_size : BLOB_MAX };
	char found[BK_DIGEST_TEXT_SIZE];
	enum bk_digest_alg alg;
	int rc = bk_digest_parse(digest, &alg, NULL, err);

	if (rc == 0)
		rc = check_name(name, NULL, err);
	if (rc == 0)
		rc = registry_do(registry->r, &scope, path, &req, &resp, err);
	if (rc == 0 && resp.status != 200)
		rc = registry_failed(&resp, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "blob %s of %s/%s", digest,
				   registry_domain(registry->r), name);
	bk_digest_of(alg, bk_buf_str(&resp.body), resp.body.len, found);
	if (!bk_streq(found, digest))
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "blob %s of %s/%s has the digest %s",
				  digest, registry_domain(registry->r), name, found);
	*ret_size = resp.body.len;
	*ret_data = bk_buf_steal(&resp.body);
	return 0;
}

int bock_registry_list_tags(struct bock_registry *registry, const char *name, char ***ret_tags,
			    struct bk_err **err)
{
	char **tags = NULL;
	int rc = check_name(name, NULL, err);

	if (rc == 0)
		rc = registry_tags(registry->r, name, &tags, err);
	if (rc == 0)
		*ret_tags = tags ? tags : bk_calloc(1, sizeof(*tags));
	return rc;
}

struct teller {
	void (*progress)(void *ctx, const char *digest, uint64_t done, uint64_t size);
	void *ctx;
};

static void tell(void *ctx, enum registry_event event, const struct oci_descriptor *d, int64_t done)
{
	const struct teller *t = ctx;
	bool all = event == REGISTRY_EXISTS || event == REGISTRY_DONE;

	t->progress(t->ctx, d->digest, (uint64_t)(all ? d->size : done), (uint64_t)d->size);
}

/* An image under way, for the policy. */
struct wanted {
	const struct trust_policy *policy;
	struct ref ref;
	struct registry *r;
	const char *repo;
};

static int check_policy(void *ctx, const struct oci_descriptor *top, const struct oci_descriptor *image,
			struct bk_err **err)
{
	const struct wanted *w = ctx;
	const struct registry_trust_image i = {
		.ref = &w->ref,
		.digest = top->digest,
		.image_digest = image->digest,
		.r = w->r,
		.repo = w->repo,
	};
	struct trust_rules rules;

	trust_policy_find(w->policy, &w->ref, &rules);
	return registry_trust_check(w->policy, &rules, &i, err);
}

/*
 * What the policy calls the image. Not by the text DOMAIN/NAME, which begins with a folder of Docker Hub where the domain has no dot;
 * and Docker Hub by another of its host names is Docker Hub.
 */
static int policy_ref(const struct bock_registry *registry, const char *name, const char *reference, struct ref *ret,
		      struct bk_err **err)
{
	bk_autofree char *text = bk_asprintf("%s/%s%s%s", REF_DEFAULT_DOMAIN, name,
					     strchr(reference, ':') ? "@" : ":", reference);
	const char *domain = registry_domain(registry->r);
	int rc = ref_parse(text, ret, err);

	if (rc < 0 || bk_streq(domain, REF_DEFAULT_DOMAIN) || bk_streq(domain, "index.docker.io") ||
	    bk_streq(domain, "registry-1.docker.io"))
		return rc;
	free(ret->domain);
	free(ret->path);
	ret->domain = bk_strdup(domain);
	ret->path = bk_strdup(name);
	return 0;
}

/* registry_pull, of what the policy takes: of that file, or (NULL) the one that pull has. */
static int pull_wanted(struct bock_registry *registry, const char *name, const char *reference, struct store *s,
		       const char *policy_path, const struct registry_pull_opts *opts, struct bk_arena *arena,
		       struct oci_descriptor *ret, struct oci_descriptor *ret_image, char ***added, struct bk_err **err)
{
	bk_autotrustpolicy struct trust_policy *policy = NULL;
	struct wanted w = { .ref = REF_INIT, .r = registry->r, .repo = name };
	struct registry_pull_opts po = *opts;
	int rc = trust_policy_load(policy_path, &policy, err);

	if (rc == 0)
		rc = policy_ref(registry, name, reference, &w.ref, err);
	if (policy) {
		w.policy = policy;
		po.check = check_policy;
		po.ctx = &w;
	}
	if (rc == 0)
		rc = registry_pull(registry->r, name, reference, s, &po, arena, ret, ret_image, added, err);
	ref_done(&w.ref);
	return rc;
}

int bock_registry_pull(struct bock_registry *registry, const char *name, const char *reference,
		       struct bock_store *store, const char *store_reference,
		       const struct bock_pull_options *options, struct bock_image **ret_image,
		       struct bk_err **err)
{
	static const struct bock_pull_options none = { .ctx = NULL };
	const struct bock_pull_options *o = options ? options : &none;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autostrv char **added = NULL;
	struct teller teller = { o->progress, o->ctx };
	const struct registry_progress progress = { .event = tell, .ctx = &teller };
	struct registry_pull_opts po = {
		.all_platforms = o->all_platforms,
		.jobs = o->jobs,
		.progress = o->progress ? &progress : NULL,
	};
	struct oci_platform platform;
	struct oci_descriptor d = { 0 }, image = { 0 };
	int rc = check_name(name, reference, err);

	if (rc == 0 && o->jobs > REGISTRY_JOBS_MAX)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "at most %d jobs", REGISTRY_JOBS_MAX);
	if (rc == 0 && o->platform) {
		rc = store_platform_parse(o->platform, arena, &platform, err);
		po.platform = &platform;
	}
	if (rc == 0)
		rc = pull_wanted(registry, name, reference, store->s, o->policy, &po, arena, &d, &image, &added, err);
	if (po.platform)
		d = image;
	if (rc == 0) {
		store_source_note(&d, registry_domain(registry->r), name, arena);
		rc = store_name_set(store->s, store_reference, &d, err);
	}
	if (rc < 0) {
		/* what broke off is gone on with at the next try */
		if (rc != -BK_ERR_NETWORK)
			store_gc_discard(store->s, added);
		return bk_err_wrap(err, rc, "pull '%s'", name);
	}
	return ret_image ? bock_store_load(store, store_reference, ret_image, err) : 0;
}
