/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <string.h>

#include "base/bk_str.h"
#include "trust/trust_policy.h"

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"
#define SIGNED(more) "{\"default\":[{\"type\":\"sigstoreSigned\"" more "}]}"
#define SCOPE(transport, scope)                                                                   \
	"{\"default\":" ACCEPT ",\"transports\":{\"" transport "\":{\"" scope "\":" ACCEPT "}}}"
#define IDENTITY(more) SIGNED(",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":" more "}")

static struct trust_policy *parse(const char *text)
{
	struct trust_policy *p = NULL;
	struct bk_err *err = NULL;

	assert_ok(trust_policy_parse("policy", text, strlen(text), &p, &err), &err);
	return p;
}

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "{\"default\":" ACCEPT "}", true },
		{ "{\"default\":" REJECT ",\"transports\":{}}", true },
		{ "{\"default\":" REJECT ",\"transports\":{\"docker\":{\"\":" ACCEPT "}}}", true },
		{ SIGNED(",\"keyPath\":\"/k\""), true },
		{ SIGNED(",\"keyPaths\":[\"/k\",\"/l\"]"), true },
		{ SIGNED(",\"keyData\":\"QQ==\""), true },
		{ SIGNED(",\"keyDatas\":[\"QQ==\"]"), true },
		{ SIGNED(",\"fulcio\":{\"caPath\":\"/x\"},\"rekorPublicKeyPath\":\"/y\""), true },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}]}", true },
		{ IDENTITY("\"matchRepository\""), true },
		{ IDENTITY("\"exactReference\",\"dockerReference\":\"a.com/b:1\""), true },
		{ IDENTITY("\"exactRepository\",\"dockerRepository\":\"a.com/b\""), true },
		{ IDENTITY("\"remapIdentity\",\"prefix\":\"a.com\",\"signedPrefix\":\"b.com\""), true },
		{ "", false },
		{ "{}", false },
		{ "{\"default\":[]}", false },
		{ "{\"default\":{}}", false },
		{ "{\"default\":" ACCEPT ",\"default\":" ACCEPT "}", false },
		{ "{\"default\":" ACCEPT ",\"transport\":{}}", false },
		{ "{\"default\":[{\"type\":\"accept\"}]}", false },
		{ "{\"default\":[{}]}", false },
		{ "{\"default\":[\"reject\"]}", false },
		{ "{\"default\":[{\"type\":\"reject\",\"keyPath\":\"/k\"}]}", false },
		{ "{\"default\":" ACCEPT ",\"transports\":{\"docker\":" ACCEPT "}}", false },
		{ "{\"default\":" ACCEPT ",\"transports\":{\"docker\":{\"a.com\":[]}}}", false },
		{ SCOPE("oci", ""), true },
		{ SCOPE("oci", "/srv/a"), true },
		{ SCOPE("oci", "/"), false },
		{ SCOPE("oci", "srv/a"), false },
		{ SCOPE("oci", "/srv/a/"), false },
		{ SCOPE("oci-archive", "/srv//a"), false },
		{ SCOPE("dir", "/srv/../a"), false },
		{ SCOPE("docker-archive", ""), true },
		{ SCOPE("docker-archive", "/srv/a.tar"), false },
		{ SCOPE("tarball", "/srv/a.tar"), false },
		{ SCOPE("docker", "/"), true },
		{ SCOPE("nosuch", "x"), true },
		{ SIGNED(""), false },
		{ SIGNED(",\"keyPath\":\"\""), false },
		{ SIGNED(",\"keyPaths\":[]"), false },
		{ SIGNED(",\"keyPath\":\"/k\",\"keyData\":\"QQ==\""), false },
		{ SIGNED(",\"keypath\":\"/k\""), false },
		{ SIGNED(",\"keyPath\":\"/k\",\"signedidentity\":{\"type\":\"matchRepository\"}"), false },
		{ IDENTITY("\"matchAnything\""), false },
		{ IDENTITY("\"matchExact\",\"dockerReference\":\"a.com/b:1\""), false },
		{ IDENTITY("\"exactReference\""), false },
		{ IDENTITY("\"exactReference\",\"dockerReference\":\"a.com/b\""), false },
		{ IDENTITY("\"exactRepository\",\"dockerRepository\":\"a.com/b:1\""), false },
		{ IDENTITY("\"remapIdentity\",\"prefix\":\"a.com\""), false },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autotrustpolicy struct trust_policy *p = NULL;

		if ((trust_policy_parse("policy", rows[i].text, strlen(rows[i].text), &p, NULL) == 0) !=
		    rows[i].good)
			fail_msg("row %zu: %s", i, rows[i].text);
	}
}

static void test_scopes(void **state)
{
	static const struct {
		const char *name, *scope;
	} rows[] = {
		{ "r.example.com:5000/ns/a:1", "docker 'r.example.com:5000/ns/a:1'" },
		{ "r.example.com:5000/ns/a:2", "docker 'r.example.com:5000/ns/a'" },
		{ "r.example.com:5000/ns/a@sha256:" HEX, "docker 'r.example.com:5000/ns/a@sha256:" HEX "'" },
		{ "r.example.com:5000/ns/b/c:2", "docker 'r.example.com:5000/ns'" },
		{ "r.example.com:5000/nsx/b:2", "docker 'r.example.com:5000'" },
		{ "r.example.com/ns/a:1", "docker '*.example.com'" },
		{ "s.r.example.com:444/ns/a:1", "docker '*.example.com'" },
		{ "example.com/ns/a:1", "docker '*.com'" },
		{ "busybox", "docker 'docker.io/library/busybox'" },
		{ "localhost/x", "docker ''" },
	};
	bk_autotrustpolicy struct trust_policy *p = parse(
		"{\"default\":" REJECT ",\"transports\":{\"docker\":{\"\":" REJECT
		",\"r.example.com:5000\":" REJECT ",\"r.example.com:5000/ns\":" REJECT
		",\"r.example.com:5000/ns/a\":" REJECT ",\"r.example.com:5000/ns/a:1\":" REJECT
		",\"r.example.com:5000/ns/a@sha256:" HEX "\":" REJECT ",\"*.example.com\":" REJECT
		",\"*.com\":" REJECT ",\"docker.io/library/busybox\":" REJECT
		"},\"oci\":{\"/var/a\":" REJECT "}}}");
	struct trust_rules rules;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autoref struct ref ref = REF_INIT;

		assert_int_equal(ref_parse(rows[i].name, &ref, NULL), 0);
		trust_policy_find(p, &ref, &rules);
		assert_string_equal(rules.scope, rows[i].scope);
	}
	trust_policy_find_path(p, "oci", "/var/a/b", &rules);
	assert_string_equal(rules.scope, "oci '/var/a'");
	trust_policy_find_path(p, "oci", "/var/ab", &rules);
	assert_string_equal(rules.scope, "default");
	trust_policy_find_path(p, "docker-archive", NULL, &rules);
	assert_string_equal(rules.scope, "default");
}

static void test_identity(void **state)
{
	static const struct {
		enum trust_identity_kind kind;
		const char *reference, *prefix; /* of the policy */
		const char *image, *said;
		bool good;
	} rows[] = {
		{ TRUST_EXACT, NULL, NULL, "a.com/b:1", "a.com/b:1", true },
		{ TRUST_EXACT, NULL, NULL, "a.com/b:1", "a.com/b:2", false },
		{ TRUST_EXACT, NULL, NULL, "a.com/b:latest", "a.com/b", false },
		{ TRUST_EXACT, NULL, NULL, "busybox:1", "docker.io/library/busybox:1", true },
		{ TRUST_EXACT, NULL, NULL, "a.com/b@sha256:" HEX, "a.com/b:1", false },
		{ TRUST_REPO_DIGEST_OR_EXACT, NULL, NULL, "a.com/b:1", "a.com/b:1", true },
		{ TRUST_REPO_DIGEST_OR_EXACT, NULL, NULL, "a.com/b:1", "a.com/b", false },
		{ TRUST_REPO_DIGEST_OR_EXACT, NULL, NULL, "a.com/b@sha256:" HEX, "a.com/b:7", true },
		{ TRUST_REPO_DIGEST_OR_EXACT, NULL, NULL, "a.com/b@sha256:" HEX, "a.com/c:7", false },
		{ TRUST_REPOSITORY, NULL, NULL, "a.com/b:1", "a.com/b", true },
		{ TRUST_REPOSITORY, NULL, NULL, "a.com/b:1", "a.com/bc", false },
		{ TRUST_REPOSITORY, NULL, NULL, "a.com:1/b:1", "a.com/b", false },
		{ TRUST_REPOSITORY, NULL, NULL, "a.com/b:1", "not A name", false },
		{ TRUST_EXACT_REFERENCE, "x.com/y:1", NULL, "a.com/b:1", "x.com/y:1", true },
		{ TRUST_EXACT_REFERENCE, "x.com/y:1", NULL, "a.com/b:1", "a.com/b:1", false },
		{ TRUST_EXACT_REFERENCE, "x.com/y:latest", NULL, "a.com/b:1", "x.com/y", false },
		{ TRUST_EXACT_REFERENCE, "x.com/y:1", NULL, NULL, "x.com/y:1", true },
		{ TRUST_EXACT_REPOSITORY, "x.com/y", NULL, "a.com/b:1", "x.com/y:9", true },
		{ TRUST_EXACT_REPOSITORY, "x.com/y", NULL, NULL, "x.com/z:9", false },
		{ TRUST_REPOSITORY, NULL, NULL, NULL, "a.com/b", false },
		{ TRUST_REMAP, "m.com/p", "a.com", "m.com/p/b:1", "a.com/b:1", true },
		{ TRUST_REMAP, "m.com/p", "a.com", "m.com/pb/b:1", "a.com/b:1", false },
		{ TRUST_REMAP, "m.com/p", "a.com", "m.com/pb/b:1", "m.com/pb/b:1", true },
		{ TRUST_REMAP, "m.com", "a.com", "m.com/b@sha256:" HEX, "a.com/b:2", true },
		{ TRUST_REMAP, "m.com", "a.com", "m.com:80/b:1", "a.com:80/b:1", false },
		{ TRUST_REMAP, "m.com/b", "a.com/c", "m.com/b:1", "a.com/c:1", true },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		const struct trust_identity id = { rows[i].kind, rows[i].reference, rows[i].prefix };
		bk_autoref struct ref ref = REF_INIT;
		int rc;

		if (rows[i].image)
			assert_int_equal(ref_parse(rows[i].image, &ref, NULL), 0);
		rc = trust_identity_check(&id, rows[i].image ? &ref : NULL, rows[i].said, NULL);
		if ((rc == 0) != rows[i].good)
			fail_msg("row %zu: %s as %s", i, rows[i].image, rows[i].said);
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_forms), cmocka_unit_test(test_scopes),
	     cmocka_unit_test(test_identity))
