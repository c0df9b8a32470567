/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_str.h"
#include "registry/registry_conf.h"

static struct registry_conf *parse(const char *text)
{
	struct registry_conf *c = registry_conf_new();
	struct bk_err *err = NULL;

	assert_ok(registry_conf_add(c, "conf", text, strlen(text), &err), &err);
	return c;
}

/* "mirror!/repo host/repo": '!' marks insecure ones; "-" what is blocked. */
static void assert_where(struct registry_conf *c, const char *name, bool for_pull, const char *expected)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autoref struct ref ref = REF_INIT;
	struct registry_endpoint *e = NULL;
	size_t n = 0;

	assert_int_equal(ref_parse(name, &ref, NULL), 0);
	if (registry_conf_resolve(c, &ref, for_pull, &e, &n, NULL) < 0)
		bk_buf_adds(&b, "-");
	for (size_t i = 0; i < n; i++)
		bk_buf_printf(&b, "%s%s%s/%s", i ? " " : "", e[i].domain, e[i].insecure ? "!" : "",
			      e[i].repo);
	assert_string_equal(bk_buf_str(&b), expected);
}

static void assert_names(const struct registry_conf *c, const char *name, const char *expected)
{
	bk_autostrv char **names = NULL;
	bk_autofree char *text = NULL;
	struct bk_err *err = NULL;

	assert_ok(registry_conf_names(c, name, &names, &err), &err);
	text = bk_strv_join(names, " ");
	assert_string_equal(text, expected);
}

static void test_where(void **state)
{
	bk_autoregistryconf struct registry_conf *c = parse(
		"# a comment\n"
		"[[registry]]\n"
		"prefix = \"example.com/foo\"\n"
		"location = 'internal:5000/bar' # moved\n"
		"insecure = true\n"
		"[[registry.mirror]]\n"
		"location = \"m1/x\"\n"
		"[[registry.mirror]]\n"
		"location = \"m2.io/x\"\n"
		"insecure = true\n"
		"pull-from-mirror = \"digest-only\"\n"
		"\n"
		"[[registry]]\nlocation = \"bad.io\"\nblocked = true\n"
		"[[registry]]\nlocation = \"bad.io/good\"\n"
		"[[registry]]\nprefix = \"*.wild.io\"\nlocation = \"wild.org\"\n"
		"[[registry]]\nprefix = \"b.wild.io\"\n"
		"[[registry]]\nprefix = \"docker.io\"\nlocation = \"hub.local/docker\"\n");

	(void)state;
	assert_where(c, "other.io/a:1", true, "other.io/a");
	assert_where(c, "example.com/foo/img:1", false, "internal:5000!/bar/img");
	assert_where(c, "example.com/foobar:1", true, "example.com/foobar");
	assert_where(c, "bad.io/x", true, "-");
	assert_where(c, "bad.io/good/x", true, "bad.io/good/x");
	assert_where(c, "a.wild.io/x", true, "wild.org/x");
	assert_where(c, "a.b.wild.io/x", true, "wild.org/x");
	assert_where(c, "b.wild.io/x", true, "b.wild.io/x");
	assert_where(c, "wild.io/x", true, "wild.io/x");
	assert_where(c, "alpine", true, "hub.local/docker/library/alpine");
	/* "m1/x" names no registry */
	assert_where(c, "example.com/foo/img:1", true, "-");
}

static void test_mirrors(void **state)
{
	bk_autoregistryconf struct registry_conf *c = parse(
		"[[registry]]\nprefix='r.io'\nmirror-by-digest-only = true\n"
		"  [[registry.mirror]]\n  location='m.io/cache'\n"
		"  [[registry.mirror]]\n  location='n.io'\n  pull-from-mirror='tag-only'\n"
		"[[registry]]\nprefix='s.io/a:1'\nlocation='t.io/b'\n");

	(void)state;
	assert_where(c, "r.io/a:1", true, "n.io/a r.io/a");
	assert_where(c,
		     "r.io/a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		     true, "m.io/cache/a r.io/a");
	assert_where(c, "r.io/a:1", false, "r.io/a");
	assert_where(c, "s.io/a:1", true, "t.io/b");
	assert_where(c, "s.io/a:12", true, "s.io/a");
}

static void test_names(void **state)
{
	bk_autoregistryconf struct registry_conf *none = registry_conf_new();
	bk_autoregistryconf struct registry_conf *c = parse(
		"unqualified-search-registries = [ 'one.io', # first\n 'docker.io',\n]\n"
		"short-name-mode = \"enforcing\"\n"
		"[aliases]\n\"fedora\" = \"registry.fedoraproject.org/fedora\"\nubi8=\"\"\n"
		"debian='docker.io/library/debian'\n");

	(void)state;
	assert_names(none, "alpine:3", "alpine:3");
	assert_names(c, "alpine:3", "one.io/alpine:3 alpine:3");
	assert_names(c, "fedora:40", "registry.fedoraproject.org/fedora:40");
	assert_names(c, "x.io/fedora", "x.io/fedora");
	assert_names(c, "localhost/fedora", "localhost/fedora");
	assert_names(c, "debian:12", "debian:12");
	assert_names(c, "ubi8", "one.io/ubi8 ubi8");
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"a", "a =", "a = \"", "a = \"x\ny\"", "[a", "[[a]", "[a]\n[a]", "a=1\na=2", "a = 1.5",
		"a = {b=1}", "a.b = 1", "a = \"\"\"x\"\"\"", "a = 'x' y", "a = [1", "a = 01", "a = 1979-05-27",
		"a = \"\\q\"", "= 1", "\xff = 1", "a=1\n[a]", "a=[1]\n[[a]]", "a = truE",
		"[[registry]]\nblocked = true", "[[registry]]\nprefix = \"*.x/y\"",
		"[[registry]]\nprefix = \"x\"\nblocked = \"yes\"", "[registries.search]\nregistries=['x']",
		"[[registry]]\nprefix='x.io'\n[[registry.mirror]]\nlocation='y.io'\npull-from-mirror='never'",
		"[[registry]]\nprefix='x.io'\n[[registry.mirror]]\ninsecure=true",
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		bk_autoregistryconf struct registry_conf *c = registry_conf_new();

		if (registry_conf_add(c, "conf", bad[i], strlen(bad[i]), NULL) == 0) {
			print_error("taken: %s\n", bad[i]);
			fail();
		}
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_where), cmocka_unit_test(test_mirrors),
	     cmocka_unit_test(test_names), cmocka_unit_test(test_refused))
