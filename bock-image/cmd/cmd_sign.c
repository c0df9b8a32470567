/* SPDX-License-Identifier: Apache-2.0 */
/* sign, verify: signatures in cosign's form, by keys. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_target.h"
#include "codec/bk_base64.h"
#include "digest/bk_sign.h"
#include "oci/oci_media.h"
#include "registry/registry_push.h"
#include "registry/registry_signature.h"
#include "registry/registry_trust.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_referrers.h"
#include "trust/trust_payload.h"

#define PASS_MAX 4096 /* bytes of a pass phrase's file */
#define PASS_ENV "COSIGN_PASSWORD"

/* As the row's choices. */
enum form { FORM_TAG, FORM_REFERRERS, FORM_BOTH };

static void forget(struct bk_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	bk_buf_done(b);
}

/* The pass phrase: the first line of a file or descriptor, or a variable. *ret_there false: none was given. */
static int read_pass(const struct cmd_sign_opts *o, struct bk_buf *b, bool *ret_there,
		     struct bk_err **err)
{
	const char *env = getenv(PASS_ENV);
	int rc = 0;

	*ret_there = o->passphrase_file || o->passphrase_fd >= 0 || env;
	if (o->passphrase_file && o->passphrase_fd >= 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--passphrase-file and --passphrase-fd exclude each other");
	if (o->passphrase_file)
		rc = bk_file_read(AT_FDCWD, o->passphrase_file, b, err);
	else if (o->passphrase_fd >= 0)
		rc = bk_fd_read_buf((int)o->passphrase_fd, b, "the pass phrase", err);
	else if (env)
		bk_buf_adds(b, env);
	if (rc < 0)
		return bk_err_wrap(err, rc, "pass phrase");
	if (b->data)
		b->data[strcspn(b->data, "\n")] = '\0';
	return 0;
}

static int load_key(const struct cmd_sign_opts *o, struct bk_key **ret, struct bk_err **err)
{
	struct bk_buf pem = BK_BUF_INIT(BK_SIGN_PEM_MAX), pass = BK_BUF_INIT(PASS_MAX);
	bool there = false;
	int rc = bk_file_read(AT_FDCWD, o->key, &pem, err);

	if (rc == 0)
		rc = read_pass(o, &pass, &there, err);
	if (rc == 0)
		rc = bk_key_private(o->key, bk_buf_str(&pem), pem.len,
				    there ? bk_buf_str(&pass) : NULL, ret, err);
	if (rc == -BK_ERR_PERMISSION && !there)
		rc = bk_err_hint(err, rc, "give it by --passphrase-file, --passphrase-fd or $" PASS_ENV);
	forget(&pem);
	forget(&pass);
	return rc < 0 ? bk_err_wrap(err, rc, "--key") : 0;
}

/* What the signature calls the image: --identity, or its name, in full. Heap. */
static int identity(const struct cmd_target *t, const char *given, char **ret, struct bk_err **err)
{
	bk_autoref struct ref ref = REF_INIT;
	int rc;

	if (given) {
		rc = ref_parse(given, &ref, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "--identity");
		*ret = bk_strdup(given);
		return 0;
	}
	if (!t->ref.domain) {
		rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				"the image has no name that a registry could give it");
		return bk_err_hint(err, rc, "say by --identity what the signature shall call it");
	}
	*ret = t->ref.digest ? bk_asprintf("%s/%s", t->ref.domain, t->ref.path) : ref_text(&t->ref);
	return 0;
}

struct sign {
	struct cmd_target t;
	const struct cmd_sign_opts *o;
	struct bk_key *key;
	char *reference;
	struct bk_buf *out;
};

/* Whether a signature of this key, for that image under that name, is there already. */
static bool is_signed(const struct sign *s, const struct trust_signature *list, size_t n,
		      const char *payload, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		bk_autofree unsigned char *der = NULL;
		size_t der_len;

		if (list[i].payload_len == len && memcmp(list[i].payload, payload, len) == 0 &&
		    bk_base64_decode(list[i].signature, strlen(list[i].signature), &der, &der_len,
				     NULL) == 0 &&
		    bk_sign_verify(s->key, payload, len, der, der_len, NULL) == 0)
			return true;
	}
	return false;
}

static int list_signatures(struct sign *s, const char *digest, struct trust_signature **ret,
			   size_t *ret_n, struct bk_err **err)
{
	struct oci_descriptor *layers;
	int rc;

	if (s->t.registry)
		return registry_signatures(s->t.registry, s->t.repo, digest, s->t.arena, ret, ret_n,
					   err);
	rc = registry_signatures_stored(s->t.store, digest, s->t.arena, &layers, ret_n, err);
	return rc < 0 ? rc : registry_signatures_read(s->t.store, layers, *ret_n, s->t.arena, ret, err);
}

/* The signed text as a layer of the store. */
static int make_layer(struct sign *s, const struct bk_buf *payload, struct oci_descriptor *ret,
		      struct bk_err **err)
{
	bk_autofree unsigned char *der = NULL;
	bk_autofree char *text = NULL;
	size_t len;
	int rc = bk_sign(s->key, bk_buf_str(payload), payload->len, &der, &len, err);

	if (rc == 0)
		rc = store_blob_add(s->t.store, TRUST_PAYLOAD_MEDIA, bk_buf_str(payload), payload->len,
				    s->t.arena, ret, err);
	if (rc < 0)
		return rc;
	text = bk_base64_encode(der, len);
	bk_doc_pair_set(s->t.arena, &ret->annotations, &ret->n_annotations, TRUST_SIGNATURE_KEY, text);
	return 0;
}

static int put_referrer(struct sign *s, const struct oci_descriptor *subject,
			const struct oci_descriptor *layer, struct bk_err **err)
{
	const struct registry_push_opts po = { 0 };
	const struct store_artifact a = {
		.type = TRUST_ARTIFACT_TYPE,
		.layers = layer,
		.n_layers = 1,
		.subject = subject,
	};
	struct oci_descriptor d;
	int rc = store_artifact_put(s->t.store, &a, s->t.arena, &d, err);

	if (rc < 0)
		return rc;
	if (s->t.registry)
		return registry_push(s->t.registry, s->t.repo, NULL, s->t.store, &d, &po, err);
	return store_referrer_add(s->t.store, &d, s->t.arena, err);
}

static int sign_one(struct sign *s, const struct oci_descriptor *d, struct bk_err **err)
{
	bk_autobuf struct bk_buf payload = BK_BUF_INIT(TRUST_PAYLOAD_MAX);
	struct trust_signature *list = NULL;
	struct oci_descriptor layer;
	bool local = !s->t.registry;
	size_t n = 0;
	int rc = list_signatures(s, d->digest, &list, &n, err);

	trust_payload_print(&payload, d->digest, s->reference);
	if (rc == 0)
		rc = bk_buf_check(&payload, "the text to be signed", err);
	if (rc < 0)
		return rc;
	if (!is_signed(s, list, n, bk_buf_str(&payload), payload.len)) {
		rc = make_layer(s, &payload, &layer, err);
		if (rc == 0 && (local || s->o->form != FORM_TAG))
			rc = put_referrer(s, d, &layer, err);
		if (rc == 0 && !local && s->o->form != FORM_REFERRERS)
			rc = registry_signatures_tag_add(s->t.registry, s->t.repo, d->digest,
							 s->t.store, &layer, 1, err);
	}
	if (rc == 0 && !s->o->quiet)
		bk_buf_printf(s->out, "%s %s\n", d->digest, s->reference);
	return rc;
}

static int sign_all(struct sign *s, struct bk_err **err)
{
	struct oci_index index = { .n_manifests = 0 };
	int rc = sign_one(s, &s->t.d, err);

	if (rc == 0 && s->o->recursive && oci_media_kind_of(s->t.d.media_type) == OCI_MEDIA_KIND_INDEX)
		rc = store_manifests_read(s->t.store, &s->t.d, s->t.arena, &index, err);
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
		if (oci_media_kind_of(index.manifests[i].media_type) == OCI_MEDIA_KIND_MANIFEST)
			rc = sign_one(s, &index.manifests[i], err);
	return rc;
}

int cmd_sign_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	struct sign s = { .o = call->opts, .out = &out };
	int rc = 0;

	(void)ret_status;
	if (!s.o->key)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "--key is needed: the private key to sign with");
	if (rc == 0)
		rc = load_key(s.o, &s.key, err);
	if (rc == 0)
		rc = cmd_target_open(&s.t, call, call->args[0], &s.o->registry, s.o->platform, true, err);
	if (rc == 0)
		rc = identity(&s.t, s.o->identity, &s.reference, err);
	if (rc == 0)
		rc = sign_all(&s, err);
	if (rc == 0)
		rc = cmd_out_flush(&out, err);
	bk_key_free(s.key);
	free(s.reference);
	cmd_target_done(&s.t);
	return rc;
}

/* ---- verify -------------------------------------------------------------------------------------- */

static int by_keys(const struct cmd_verify_opts *o, const struct registry_trust_image *image,
		   struct bk_buf *out, struct bk_err **err)
{
	const char *slash = o->identity ? strrchr(o->identity, '/') : NULL;
	bool exact = o->identity && strpbrk(slash ? slash : o->identity, ":@");
	struct trust_requirement req = {
		.kind = TRUST_SIGSTORE,
		.key_paths = o->keys,
		.identity = { .kind = TRUST_REPOSITORY, .reference = o->identity },
	};
	bk_autoref struct ref ref = REF_INIT;
	bk_autofree char *reference = NULL;
	int rc = o->identity ? ref_parse(o->identity, &ref, err) : 0;

	if (rc < 0)
		return bk_err_wrap(err, rc, "--identity");
	if (o->identity)
		req.identity.kind = exact ? TRUST_EXACT_REFERENCE : TRUST_EXACT_REPOSITORY;
	rc = registry_trust_verify(&req, image, &reference, err);
	if (rc < 0)
		return image->ref || o->identity ?
			       rc :
			       bk_err_hint(err, rc, "say by --identity what it must be called");
	bk_buf_printf(out, "%s ", image->digest);
	cmd_out_text(out, reference);
	bk_buf_addc(out, '\n');
	return 0;
}

static int by_policy(const struct cmd_verify_opts *o, const struct registry_trust_image *image,
		     struct bk_buf *out, struct bk_err **err)
{
	bk_autotrustpolicy struct trust_policy *p = NULL;
	struct trust_rules rules;
	int rc = trust_policy_load(o->policy, &p, err);

	if (rc < 0)
		return rc;
	if (!image->ref)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--policy: the image has no name that a registry could give it");
	trust_policy_find(p, image->ref, &rules);
	rc = registry_trust_check(p, &rules, image, err);
	if (rc == 0)
		bk_buf_printf(out, "%s %s\n", image->digest, rules.scope);
	return rc;
}

int cmd_verify_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	const struct cmd_verify_opts *o = call->opts;
	cmd_autotarget struct cmd_target t = { 0 };
	struct registry_trust_image image;
	int rc;

	(void)ret_status;
	if (!o->keys == !o->policy)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "either --key or --policy is needed: what to verify with");
	if (o->policy && o->identity)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--identity: with --policy, that says it");
	rc = cmd_target_open(&t, call, call->args[0], &o->registry, o->platform, false, err);
	if (rc < 0)
		return rc;
	image = (struct registry_trust_image){
		.ref = t.ref.domain ? &t.ref : NULL,
		.digest = t.d.digest,
		.r = t.registry,
		.repo = t.repo,
		.s = t.store,
	};
	rc = o->keys ? by_keys(o, &image, &out, err) : by_policy(o, &image, &out, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "verify '%s'", call->args[0]);
	return o->quiet ? 0 : cmd_out_flush(&out, err);
}
