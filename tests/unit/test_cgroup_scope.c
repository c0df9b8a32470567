/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "cgroup/cgroup_scope.h"

static void check(const char *path, bool rootless, const char *slice, const char *unit, const char *cgroup)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct cgroup_scope s;

	assert_ok(cgroup_scope_parse(path, "web", rootless, arena, &s, &err), &err);
	assert_string_equal(s.slice, slice);
	assert_string_equal(s.unit, unit);
	assert_string_equal(s.path, cgroup);
}

static void refused(const char *path, const char *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct cgroup_scope s;

	assert_err(cgroup_scope_parse(path, "web", false, arena, &s, &err), &err, BK_ERR_CONFIG, words);
}

static void test_names(void **state)
{
	(void)state;
	check(NULL, false, "system.slice", "bock-runc-web.scope", "/system.slice/bock-runc-web.scope");
	check("", true, "user.slice", "bock-runc-web.scope", "/user.slice/bock-runc-web.scope");
	check("machine.slice:libpod:0a1b", false, "machine.slice", "libpod-0a1b.scope",
	      "/machine.slice/libpod-0a1b.scope");
	check("::x", false, "system.slice", "x.scope", "/system.slice/x.scope");
	check("-:a:b", false, "-.slice", "a-b.scope", "/a-b.scope");
	check("-.slice:a:b", false, "-.slice", "a-b.scope", "/a-b.scope");
}

static void test_slices(void **state)
{
	(void)state;
	check("a-b.slice:p:n", false, "a-b.slice", "p-n.scope", "/a.slice/a-b.slice/p-n.scope");
	check("kubepods-burstable-pod1_2.slice:cri-containerd:77", false, "kubepods-burstable-pod1_2.slice",
	      "cri-containerd-77.scope",
	      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-77.scope");
	refused("machine:p:n", "does not end in .slice");
	refused("-a.slice:p:n", "empty part");
	refused("a-.slice:p:n", "empty part");
	refused("a--b.slice:p:n", "empty part");
	refused(".slice:p:n", "empty part");
	refused("a/b.slice:p:n", "character");
}

static void test_escapes(void **state)
{
	(void)state;
	check("_x.slice:memory.y:n", false, "_x.slice", "memory.y-n.scope", "/__x.slice/_memory.y-n.scope");
	check("::.n", false, "system.slice", ".n.scope", "/system.slice/_.n.scope");
	check("::memoryless.n", false, "system.slice", "memoryless.n.scope", "/system.slice/memoryless.n.scope");
}

static void test_refused(void **state)
{
	char name[CGROUP_UNIT_MAX + 16] = "::";

	(void)state;
	refused("/a/b", "expected \"slice:prefix:name\" for systemd, found '/a/b'");
	refused("a", "expected");
	refused("a.slice:b", "expected");
	refused("a.slice:b:", "expected");
	refused("a.slice:b:c:d", "expected");
	refused("a.slice:b:c/d", "character");
	refused("a.slice:b:c d", "character");
	refused("a.slice:b:c.slice", "is a slice's");
	/* with .scope, 255 bytes are the most */
	memset(name + 2, 'x', CGROUP_UNIT_MAX - strlen(".scope"));
	{
		bk_autoarena struct bk_arena *arena = bk_arena_new();
		struct bk_err *err = NULL;
		struct cgroup_scope s;

		assert_ok(cgroup_scope_parse(name, "web", false, arena, &s, &err), &err);
	}
	name[strlen(name)] = 'x';
	refused(name, "more than 255 bytes");
}

BK_TEST_MAIN(cmocka_unit_test(test_names), cmocka_unit_test(test_slices), cmocka_unit_test(test_escapes),
	     cmocka_unit_test(test_refused))
