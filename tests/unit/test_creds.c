/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "creds/creds.h"

struct place {
	char dir[64];
	char *path;
};

static int setup(void **state)
{
	struct place *p = bk_calloc(1, sizeof(*p));

	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/bock-creds-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	p->path = bk_asprintf("%s/auth.json", p->dir);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	(void)bk_file_rmtree(AT_FDCWD, p->dir, NULL);
	free(p->path);
	free(p);
	return 0;
}

static void put(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(bk_file_write_atomic(AT_FDCWD, path, text, strlen(text), mode, false, NULL),
			 0);
}

/* "user:password" of key, "-" where there is none, "!" for an error; heap. */
static char *ask(struct creds *s, const char *key)
{
	bk_autocredential struct credential c = CREDENTIAL_INIT;
	bool found = false;

	if (creds_get(s, key, &c, &found, NULL) < 0)
		return bk_strdup("!");
	if (!found)
		return bk_strdup("-");
	if (c.identity_token)
		return bk_asprintf("id:%s", c.identity_token);
	if (c.registry_token)
		return bk_asprintf("token:%s", c.registry_token);
	return bk_asprintf("%s:%s", c.username, c.password);
}

static void assert_creds(struct creds *s, const char *key, const char *expected)
{
	bk_autofree char *text = ask(s, key);

	assert_string_equal(text, expected);
}

static void test_docker_auth(void **state)
{
	bk_autocredential struct credential c = CREDENTIAL_INIT;
	const struct credential plain = { .username = (char *)(uintptr_t)"bob",
					  .password = (char *)(uintptr_t)"se:cret" };
	bk_autofree char *auth = credential_to_docker_auth(&plain);
	struct bk_err *err = NULL;

	(void)state;
	assert_string_equal(auth, "Ym9iOnNlOmNyZXQ=");
	assert_ok(credential_from_docker_auth(auth, &c, &err), &err);
	assert_string_equal(c.username, "bob");
	assert_string_equal(c.password, "se:cret");
	credential_done(&c);
	/* "bob:x" and NULs, as old versions of Docker wrote */
	assert_ok(credential_from_docker_auth("Ym9iOngAAA==", &c, &err), &err);
	assert_string_equal(c.password, "x");
	credential_done(&c);
	assert_err(credential_from_docker_auth("Ym9i", &c, &err), &err, BK_ERR_CONFIG, "USER:PASSWORD");
	assert_err(credential_from_docker_auth("%%%", &c, &err), &err, BK_ERR_CONFIG, "not base64");
}

static void test_keys(void **state)
{
	static const char *const rows[][2] = {
		{ "docker.io", "docker.io" },
		{ "https://index.docker.io/v1/", "docker.io" },
		{ "index.docker.io/v1/", "docker.io" },
		{ "registry-1.docker.io", "docker.io" },
		{ "docker.io/library/x", "docker.io/library/x" },
		{ "https://quay.io", "quay.io" },
		{ "http://localhost:5000/v2/", "localhost:5000" },
		{ "quay.io/ns/", "quay.io/ns" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autofree char *key = creds_key(rows[i][0]);

		assert_string_equal(key, rows[i][1]);
	}
}

static void test_file_get(void **state)
{
	const struct place *p = *state;
	bk_autocreds struct creds *s = creds_file_new(p->path, false);

	assert_creds(s, "quay.io", "-");
	put(p->path,
	    "{\"auths\":{"
	    "\"https://index.docker.io/v1/\":{\"auth\":\"aHViOng=\"},"
	    "\"quay.io\":{\"username\":\"q\",\"password\":\"1\"},"
	    "\"quay.io/ns\":{\"auth\":\"bnM6Mg==\",\"future\":[1]},"
	    "\"id.io\":{\"identitytoken\":\"t\"},\"reg.io\":{\"registrytoken\":\"r\"},"
	    "\"empty.io\":{},\"bad.io\":{\"auth\":\"x\"}},\"HttpHeaders\":{\"a\":\"b\"}}",
	    0600);
	assert_creds(s, "docker.io/library/alpine", "hub:x");
	assert_creds(s, "quay.io/other/x", "q:1");
	assert_creds(s, "quay.io/ns/x", "ns:2");
	assert_creds(s, "quay.io.evil", "-");
	assert_creds(s, "io", "-");
	assert_creds(s, "id.io", "id:t");
	assert_creds(s, "reg.io", "token:r");
	assert_creds(s, "empty.io", "-");
	assert_creds(s, "bad.io", "!");
	assert_creds(s, "a b", "!");
	assert_creds(s, "a\nb", "!");
	put(p->path, "{\"auths\":[]}", 0600);
	assert_creds(s, "quay.io", "!");
}

static void test_legacy(void **state)
{
	const struct place *p = *state;
	bk_autocreds struct creds *s = creds_file_new(p->path, true);

	put(p->path, "{\"https://quay.io/v1/\":{\"auth\":\"cToxCg==\"}}", 0600);
	assert_creds(s, "quay.io/a", "q:1\n");
}

static void test_file_write(void **state)
{
	const struct place *p = *state;
	bk_autofree char *link = bk_asprintf("%s/link", p->dir);
	bk_autocreds struct creds *s = creds_file_new(link, false);
	const struct credential c = { .username = (char *)(uintptr_t)"u",
				      .password = (char *)(uintptr_t)"p" };
	bk_autobuf struct bk_buf text = BK_BUF_INIT(CREDS_FILE_MAX);
	bk_autostrv char **keys = NULL;
	struct bk_err *err = NULL;
	bool found = false;
	struct stat st;

	put(p->path,
	    "{\"HttpHeaders\":{\"a\":\"b\"},\"auths\":{\"x.io\":{\"auth\":\"eDp5\",\"email\":\"e\"}},\"n\":1.50}",
	    0644);
	assert_int_equal(symlink(p->path, link), 0);
	assert_ok(creds_store(s, "docker.io", &c, &err), &err);
	assert_ok(creds_store(s, "x.io", &c, &err), &err);
	/* a link stays one, what we don't know stays, nobody else reads it */
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(bk_file_read(AT_FDCWD, p->path, &text, &err), &err);
	assert_non_null(strstr(bk_buf_str(&text), "\"HttpHeaders\": {"));
	assert_non_null(strstr(bk_buf_str(&text), "1.50"));
	assert_non_null(strstr(bk_buf_str(&text), "\"email\": \"e\""));
	assert_non_null(strstr(bk_buf_str(&text), "https://index.docker.io/v1/"));
	assert_creds(s, "x.io", "u:p");
	assert_creds(s, "docker.io", "u:p");
	assert_ok(creds_erase(s, "https://x.io/", &found, &err), &err);
	assert_true(found);
	assert_ok(creds_erase(s, "x.io", &found, &err), &err);
	assert_false(found);
	assert_ok(creds_list(s, &keys, &err), &err);
	assert_int_equal(bk_strv_len(keys), 1);
	assert_string_equal(keys[0], "docker.io");
	assert_ok(creds_clear(s, &err), &err);
	assert_creds(s, "docker.io", "-");
	/* a file that is no object is not overwritten */
	put(p->path, "[1]", 0600);
	assert_err(creds_store(s, "x.io", &c, &err), &err, BK_ERR_CONFIG, "");
}

/* A helper that keeps what it is given in a file of its folder. */
static void write_helper(const struct place *p)
{
	bk_autofree char *path = bk_asprintf("%s/docker-credential-test", p->dir);
	bk_autofree char *text = bk_asprintf(
		"#!/bin/sh\ncd %s || exit 9\n"
		"case $1 in\n"
		"store) cat >kept;;\n"
		"get) read -r s; grep -q \"\\\"ServerURL\\\":\\\"$s\\\"\" kept 2>/dev/null && cat kept && exit 0\n"
		"  echo 'credentials not found in native keychain'; exit 1;;\n"
		"erase) rm -f kept;;\n"
		"list) [ -f kept ] && echo '{\"https://quay.io\":\"u\"}' || echo '{}';;\n"
		"*) echo broken; exit 1;;\nesac\n",
		p->dir);
	bk_autofree char *env = bk_asprintf("%s:/usr/bin:/bin", p->dir);

	put(path, text, 0755);
	assert_int_equal(setenv("PATH", env, 1), 0);
}

static void test_helper(void **state)
{
	const struct place *p = *state;
	bk_autofree char *before = bk_strdup(getenv("PATH"));
	bk_autocreds struct creds *s = NULL, *file = creds_file_new(p->path, false);
	const struct credential c = { .username = (char *)(uintptr_t)"u",
				      .password = (char *)(uintptr_t)"p" };
	const struct credential id = { .identity_token = (char *)(uintptr_t)"tok" };
	bk_autostrv char **keys = NULL;
	struct bk_err *err = NULL;
	bool found = true;

	write_helper(p);
	assert_err(creds_helper_new("../x", &s, &err), &err, BK_ERR_CONFIG, "no name of a credential helper");
	assert_ok(creds_helper_new("test", &s, &err), &err);
	assert_creds(s, "quay.io", "-");
	assert_ok(creds_erase(s, "quay.io", &found, &err), &err);
	assert_false(found);
	assert_ok(creds_store(s, "quay.io", &c, &err), &err);
	assert_creds(s, "quay.io/a/b", "u:p");
	assert_ok(creds_list(s, &keys, &err), &err);
	assert_string_equal(keys[0], "quay.io");
	assert_ok(creds_erase(s, "quay.io", &found, &err), &err);
	assert_true(found);
	assert_ok(creds_store(s, "docker.io", &id, &err), &err);
	assert_creds(s, "docker.io", "id:tok");
	/* a file that names it: for reading and for writing */
	put(p->path, "{\"credHelpers\":{\"quay.io\":\"test\"},\"credsStore\":\"absent\"}", 0600);
	assert_ok(creds_store(file, "quay.io", &c, &err), &err);
	assert_creds(file, "quay.io/x", "u:p");
	assert_creds(file, "other.io", "!");
	assert_ok(creds_erase(file, "quay.io", &found, &err), &err);
	assert_true(found);
	(void)setenv("PATH", before, 1);
}

static void test_env(void **state)
{
	bk_autocreds struct creds *s = creds_env_new();
	struct bk_err *err = NULL;
	bool found;

	(void)state;
	assert_creds(s, "localhost:5000", "-");
	(void)setenv("BOCK_REGISTRY_LOCALHOST_5000_USERNAME", "u", 1);
	assert_creds(s, "localhost:5000/x", "!");
	(void)setenv("BOCK_REGISTRY_LOCALHOST_5000_PASSWORD", "p", 1);
	assert_creds(s, "localhost:5000/x", "u:p");
	(void)setenv("BOCK_REGISTRY_LOCALHOST_5000_TOKEN", "t", 1);
	assert_creds(s, "localhost:5000", "token:t");
	(void)setenv("DOCKER_AUTH_CONFIG", "{\"auths\":{\"quay.io\":{\"auth\":\"cTox\"}}}", 1);
	assert_creds(s, "quay.io/a", "q:1");
	assert_err(creds_erase(s, "quay.io", &found, &err), &err, BK_ERR_UNSUPPORTED, "environment");
	(void)unsetenv("DOCKER_AUTH_CONFIG");
	(void)unsetenv("BOCK_REGISTRY_LOCALHOST_5000_USERNAME");
	(void)unsetenv("BOCK_REGISTRY_LOCALHOST_5000_PASSWORD");
	(void)unsetenv("BOCK_REGISTRY_LOCALHOST_5000_TOKEN");
}

static void test_manager(void **state)
{
	const struct place *p = *state;
	const struct credential c = { .username = (char *)(uintptr_t)"u",
				      .password = (char *)(uintptr_t)"p" };
	bk_autofree char *docker = bk_asprintf("%s/config.json", p->dir);
	bk_autofree char *own = bk_asprintf("%s/containers/auth.json", p->dir);
	bk_autocreds struct creds *s = NULL;
	struct bk_err *err = NULL;

	(void)setenv("XDG_RUNTIME_DIR", p->dir, 1);
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)setenv("HOME", p->dir, 1);
	(void)setenv("DOCKER_CONFIG", p->dir, 1);
	(void)unsetenv("REGISTRY_AUTH_FILE");
	put(docker, "{\"auths\":{\"quay.io\":{\"auth\":\"cTox\"}}}", 0600);
	s = creds_manager_new(NULL);
	assert_string_equal(creds_name(s), "manager");
	assert_creds(s, "quay.io", "q:1");
	/* written to the first file, which is asked before the other */
	assert_ok(creds_store(s, "quay.io", &c, &err), &err);
	assert_int_equal(access(own, R_OK), 0);
	assert_creds(s, "quay.io", "u:p");
}

BK_TEST_MAIN(cmocka_unit_test(test_docker_auth), cmocka_unit_test(test_keys),
	     cmocka_unit_test_setup_teardown(test_file_get, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_legacy, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_file_write, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_helper, setup, teardown),
	     cmocka_unit_test(test_env),
	     cmocka_unit_test_setup_teardown(test_manager, setup, teardown))
