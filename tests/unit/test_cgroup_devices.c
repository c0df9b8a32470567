/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device program, run by a small interpreter of the instructions that it may hold, against a model
 * of what the rules mean. Whether the kernel takes the program is the last test, for root.
 */
#include "bk_test.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "cgroup/cgroup.h"
#include "cgroup/cgroup_devices.h"

#define R   BPF_DEVCG_ACC_READ
#define W   BPF_DEVCG_ACC_WRITE
#define M   BPF_DEVCG_ACC_MKNOD
#define RWM (R | W | M)

struct request {
	uint32_t type, access, major, minor;
};

/* Runs it as the kernel would; a step that the program must not take fails the test. */
static bool interpret(const struct bpf_insn *insns, size_t n, const struct request *q)
{
	const uint32_t ctx[3] = { q->access << 16 | q->type, q->major, q->minor };
	uint32_t reg[11] = { 0 };

	for (size_t pc = 0;;) {
		const struct bpf_insn *i;
		bool taken = false;

		assert_true(pc < n);
		i = &insns[pc++];
		assert_true(i->dst_reg <= 6 && i->src_reg <= 6);
		assert_false(i->dst_reg == 1); /* the context stays */
		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			assert_true(i->src_reg == 1 && i->off % 4 == 0 && i->off <= 8);
			reg[i->dst_reg] = ctx[i->off / 4];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			reg[i->dst_reg] = (uint32_t)i->imm;
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			reg[i->dst_reg] = reg[i->src_reg];
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			reg[i->dst_reg] &= (uint32_t)i->imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			reg[i->dst_reg] >>= i->imm;
			break;
		case BPF_ALU | BPF_LSH | BPF_K:
			reg[i->dst_reg] <<= i->imm;
			break;
		case BPF_ALU | BPF_OR | BPF_X:
			reg[i->dst_reg] |= reg[i->src_reg];
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			taken = reg[i->dst_reg] != (uint32_t)i->imm;
			break;
		case BPF_JMP32 | BPF_JEQ | BPF_K:
			taken = reg[i->dst_reg] == (uint32_t)i->imm;
			break;
		case BPF_JMP32 | BPF_JSET | BPF_K:
			taken = reg[i->dst_reg] & (uint32_t)i->imm;
			break;
		case BPF_JMP | BPF_JA:
			taken = true;
			break;
		case BPF_JMP | BPF_EXIT:
			return reg[0] == 1;
		default:
			fail_msg("instruction %zu has the code 0x%x", pc - 1, i->code);
		}
		if (taken) {
			assert_true(i->off >= 0);
			pc += (size_t)i->off;
		}
	}
}

/* What the rules mean: for each access on its own, the last rule that speaks about it. */
static bool model(const struct cgroup_device_rule *rules, size_t n, const struct request *q)
{
	for (uint32_t bit = 1; bit <= 4; bit <<= 1) {
		bool allowed = false;

		if (!(q->access & bit))
			continue;
		for (size_t i = 0; i < n; i++) {
			const struct cgroup_device_rule *r = &rules[i];

			if ((r->type == 'b' && q->type != BPF_DEVCG_DEV_BLOCK) ||
			    (r->type == 'c' && q->type != BPF_DEVCG_DEV_CHAR) ||
			    (r->major >= 0 && (uint32_t)r->major != q->major) ||
			    (r->minor >= 0 && (uint32_t)r->minor != q->minor) || !(r->access & bit))
				continue;
			allowed = r->allow;
		}
		if (!allowed)
			return false;
	}
	return true;
}

static void compare(const struct cgroup_device_rule *rules, size_t n)
{
	static const uint32_t numbers[] = { 0, 1, 2, 3, 5, 8, 10, 136, 200, 259, 0xfff };
	bk_autofree struct bpf_insn *insns = NULL;
	size_t n_insns = 0;

	cgroup_devices_compile(rules, n, &insns, &n_insns);
	for (size_t major = 0; major < BK_ARRAY_SIZE(numbers); major++)
		for (size_t minor = 0; minor < BK_ARRAY_SIZE(numbers); minor++)
			for (uint32_t type = 1; type <= 2; type++)
				for (uint32_t access = 1; access <= 7; access++) {
					struct request q = { type, access, numbers[major],
							     numbers[minor] };

					if (interpret(insns, n_insns, &q) == model(rules, n, &q))
						continue;
					fail_msg("type %u access %u %u:%u: the program says %d",
						 q.type, q.access, q.major, q.minor,
						 interpret(insns, n_insns, &q));
				}
}

static void test_sets(void **state)
{
	static const struct cgroup_device_rule sets[][5] = {
		{ { false, 'a', RWM, -1, -1 } },
		{ { true, 'a', RWM, -1, -1 } },
		{ { true, 'a', RWM, -1, -1 }, { false, 'c', W, 1, 5 } },
		{ { false, 'c', W, 1, 5 }, { true, 'a', RWM, -1, -1 } },
		{ { true, 'c', R, 1, 5 }, { true, 'c', W, 1, 5 } },
		{ { true, 'b', RWM, 8, -1 }, { false, 'b', M, 8, 0 }, { true, 'b', R | M, -1, 0 } },
		{ { true, 'a', R, -1, -1 }, { false, 'a', R | W, 1, -1 }, { true, 'a', W, 1, 3 } },
		{ { true, 'c', RWM, 5, 2 },
		  { false, 'a', RWM, -1, -1 },
		  { true, 'c', RWM, 5, 2 },
		  { false, 'c', M, -1, 2 },
		  { true, 'c', M, 5, -1 } },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(sets); i++) {
		size_t n = 0;

		while (n < 5 && sets[i][n].type)
			n++;
		compare(sets[i], n);
	}
	compare(NULL, 0);
}

static uint32_t next(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 16) % below;
}

static void test_random_sets(void **state)
{
	static const int64_t numbers[] = { -1, -1, 0, 1, 5, 136, 0x100000 };
	uint32_t seed = 12345;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct cgroup_device_rule rules[8];
		size_t n;

		n = next(&seed, 9);
		for (size_t i = 0; i < n; i++) {
			rules[i].allow = next(&seed, 2);
			rules[i].type = "abc"[next(&seed, 3)];
			rules[i].access = (uint8_t)(1 + next(&seed, 7));
			rules[i].major = numbers[next(&seed, 7)];
			rules[i].minor = numbers[next(&seed, 7)];
		}
		compare(rules, n);
	}
}

static const struct oci_device_rule deny_all = { .allow = false, .access = (char *)"rwm" };

static bool allowed(const struct oci_device_rule *config, size_t n, uint32_t type, uint32_t access,
		    uint32_t major, uint32_t minor)
{
	bk_autofree struct cgroup_device_rule *rules = NULL;
	bk_autofree struct bpf_insn *insns = NULL;
	struct request q = { type, access, major, minor };
	struct bk_err *err = NULL;
	size_t n_rules = 0, n_insns = 0;

	assert_ok(cgroup_devices_rules(config, n, &rules, &n_rules, &err), &err);
	cgroup_devices_compile(rules, n_rules, &insns, &n_insns);
	return interpret(insns, n_insns, &q);
}

static void test_defaults(void **state)
{
	static const uint32_t always[][2] = { { 1, 3 },	   { 1, 5 },   { 1, 7 }, { 1, 8 },
					      { 1, 9 },	   { 5, 0 },   { 5, 2 }, { 136, 0 },
					      { 136, 77 }, { 10, 200 } };

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(always); i++)
		assert_true(
			allowed(&deny_all, 1, BPF_DEVCG_DEV_CHAR, RWM, always[i][0], always[i][1]));
	assert_true(allowed(&deny_all, 1, BPF_DEVCG_DEV_BLOCK, M, 8, 0));
	assert_true(allowed(&deny_all, 1, BPF_DEVCG_DEV_CHAR, M, 4, 64));
	assert_false(allowed(&deny_all, 1, BPF_DEVCG_DEV_BLOCK, R, 8, 0));
	assert_false(allowed(&deny_all, 1, BPF_DEVCG_DEV_BLOCK, RWM, 8, 0));
	assert_false(allowed(&deny_all, 1, BPF_DEVCG_DEV_BLOCK, RWM, 1, 3));
	assert_false(allowed(&deny_all, 1, BPF_DEVCG_DEV_CHAR, R, 1, 1)); /* mem */
	assert_false(allowed(&deny_all, 1, BPF_DEVCG_DEV_CHAR, R, 5, 1)); /* console */
	/* without any rule it is the same */
	assert_false(allowed(NULL, 0, BPF_DEVCG_DEV_CHAR, R, 1, 1));
	assert_true(allowed(NULL, 0, BPF_DEVCG_DEV_CHAR, RWM, 1, 3));
}

static void test_config(void **state)
{
	bk_autofree struct cgroup_device_rule *rules = NULL;
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	struct oci_device_rule rule = { .allow = true,
					.type = (char *)"b",
					.has_major = true,
					.major = 8,
					.has_minor = true,
					.minor = -1,
					.access = (char *)"mr" };
	struct bk_err *err = NULL;
	size_t n = 0;

	(void)state;
	assert_ok(cgroup_devices_rules(&rule, 1, &rules, &n, &err), &err);
	cgroup_devices_print(&rules[0], &text);
	assert_string_equal(bk_buf_str(&text), "allow b 8:* rm");
	assert_int_equal(n, 12);
	rule.access = (char *)"rx";
	assert_err(cgroup_devices_rules(&rule, 1, &rules, &n, &err), &err, BK_ERR_CONFIG,
		   "linux.resources.devices[0].access: 'rx'");
	rule.access = NULL;
	rule.type = (char *)"p";
	assert_err(cgroup_devices_rules(&rule, 1, &rules, &n, &err), &err, BK_ERR_CONFIG,
		   "linux.resources.devices[0].type: 'p'");
	rule.type = (char *)"c";
	rule.major = -2;
	assert_err(cgroup_devices_rules(&rule, 1, &rules, &n, &err), &err, BK_ERR_CONFIG,
		   "linux.resources.devices[0].major: -2");
	assert_err(cgroup_devices_rules(&rule, CGROUP_DEVICE_RULES_MAX + 1, &rules, &n, &err), &err,
		   BK_ERR_CONFIG, "more than 1024 rules");
	/* access that is absent is all of it; type that is absent is all */
	rule = (struct oci_device_rule){ .allow = true };
	free(rules);
	assert_ok(cgroup_devices_rules(&rule, 1, &rules, &n, &err), &err);
	bk_buf_reset(&text);
	cgroup_devices_print(&rules[0], &text);
	assert_string_equal(bk_buf_str(&text), "allow a *:* rwm");
}

static void test_kernel_takes_it(void **state)
{
	struct oci_device_rule rules[64];
	struct cgroup_host host;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;
	bool attached = false;
	size_t top_len = 0;

	(void)state;
	cgroup_find(&host);
	if (geteuid() != 0)
		skip_because("bpf(2) needs root, and this is uid %u", geteuid());
	if (host.kind == CGROUP_NONE)
		skip_because(
			"no cgroup version 2 hierarchy on /sys/fs/cgroup or its unified folder");
	for (size_t i = 0; i < BK_ARRAY_SIZE(rules); i++)
		rules[i] = (struct oci_device_rule){ .allow = i % 3,
						     .type = (char *)(i % 2 ? "c" : "b"),
						     .has_major = true,
						     .major = (int64_t)i,
						     .access = (char *)(i % 5 ? "rw" : "m") };
	assert_ok(cgroup_make(&host, "/bock-test-devices", &fd, &top_len, &err), &err);
	assert_ok(cgroup_devices_apply(fd, rules, BK_ARRAY_SIZE(rules), false, &attached, &err),
		  &err);
	assert_true(attached);
	assert_ok(cgroup_remove(&host, "/bock-test-devices", 0, 1000, &err), &err);
}

/* In a child: 0, or the number of the open that the rules decided wrongly. */
static int opens(const struct cgroup_host *host, const char *node)
{
	const struct oci_device_rule rules[] = {
		deny_all,
		{ .allow = true,
		  .type = (char *)"c",
		  .has_major = true,
		  .major = 1,
		  .has_minor = true,
		  .minor = 11,
		  .access = (char *)"w" },
	};
	bool attached = false;
	size_t top_len = 0;
	int fd = -1;

	if (cgroup_make(host, "/bock-test-devices", &fd, &top_len, NULL) < 0 ||
	    cgroup_join(fd, getpid(), NULL) < 0 ||
	    cgroup_devices_apply(fd, rules, 2, false, &attached, NULL) < 0)
		return 1;
	if (open(node, O_WRONLY | O_CLOEXEC) < 0)
		return 2;
	if (open(node, O_RDONLY | O_CLOEXEC) >= 0 || open(node, O_RDWR | O_CLOEXEC) >= 0)
		return 3;
	return open("/dev/null", O_RDWR | O_CLOEXEC) < 0 ? 4 : 0;
}

static void test_kernel_obeys_it(void **state)
{
	char dir[] = "/tmp/bock-devices-XXXXXX"; /* machine-path-ok */
	struct cgroup_host host;
	struct bk_err *err = NULL;
	bk_autofree char *node = NULL;
	bool usable;
	int status = 0;
	pid_t pid;

	(void)state;
	cgroup_find(&host);
	if (geteuid() != 0)
		skip_because("bpf(2) needs root, and this is uid %u", geteuid());
	if (host.kind == CGROUP_NONE)
		skip_because(
			"no cgroup version 2 hierarchy on /sys/fs/cgroup or its unified folder");
	assert_non_null(mkdtemp(dir));
	node = bk_asprintf("%s/kmsg", dir);
	usable = mknod(node, S_IFCHR | 0600, makedev(1, 11)) == 0 &&
		 open(node, O_RDONLY | O_CLOEXEC) >= 0 && open(node, O_RDWR | O_CLOEXEC) >= 0;
	if (usable) {
		pid = fork();
		if (pid == 0)
			_exit(opens(&host, node));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_ok(cgroup_remove(&host, "/bock-test-devices", 0, 1000, &err), &err);
	}
	assert_ok(bk_file_rmtree(AT_FDCWD, dir, &err), &err);
	if (!usable)
		skip_because("the device 1:11 cannot be made and opened below /tmp");
	assert_int_equal(status, 0);
}

BK_TEST_MAIN(cmocka_unit_test(test_sets), cmocka_unit_test(test_random_sets),
	     cmocka_unit_test(test_defaults), cmocka_unit_test(test_config),
	     cmocka_unit_test(test_kernel_takes_it), cmocka_unit_test(test_kernel_obeys_it))
