/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packed program decides as the one that it was made of: compared, run by an interpreter, on the
 * default profile of bundles, on programs made at random, and on forms that are left alone.
 */
#include "bk_test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "bundle/bundle_seccomp.h"
#include "sec/sec_seccomp.h"
#include "sec/sec_seccomp_pack.h"

static uint32_t interpret(const struct sock_filter *f, size_t n, const struct seccomp_data *data)
{
	uint32_t a = 0xdeadbeef;

	for (size_t pc = 0;; pc++) {
		const struct sock_filter *i = &f[pc];
		bool taken;

		assert_true(pc < n);
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			assert_true(i->k % 4 == 0 && i->k < sizeof(*data));
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			continue;
		case BPF_ALU:
			a &= i->k;
			continue;
		case BPF_RET:
			return i->k;
		default:
			break;
		}
		switch (BPF_OP(i->code)) {
		case BPF_JA:
			pc += i->k;
			continue;
		case BPF_JEQ:
			taken = a == i->k;
			break;
		case BPF_JGT:
			taken = a > i->k;
			break;
		case BPF_JGE:
			taken = a >= i->k;
			break;
		default:
			taken = a & i->k;
			break;
		}
		pc += taken ? i->jt : i->jf;
	}
}

struct program {
	struct sock_filter *f;
	size_t n;
};

static void same(const struct program *a, const struct program *b, const struct seccomp_data *data)
{
	uint32_t x = interpret(a->f, a->n, data), y = interpret(b->f, b->n, data);

	if (x != y)
		fail_msg("arch %x nr %u (%llx %llx): 0x%x, packed 0x%x", data->arch,
			 (uint32_t)data->nr, (unsigned long long)data->args[0],
			 (unsigned long long)data->args[1], x, y);
}

static const uint64_t values[] = { 0,		1,	     2,		3,	    8,
				   10,		15,	     16,	38,	    39,
				   40,		41,	     0x11,	0x20000,    0x20008,
				   0x7e020000,	0x10000011,  0x1200011, UINT32_MAX, 0x100000000,
				   0x100000008, 0x100000001, UINT64_MAX };

/* All numbers that exist, and all places where a comparison could go wrong. */
static void same_everywhere(const struct program *a, const struct program *b, const uint32_t *archs,
			    size_t n_archs)
{
	for (size_t i = 0; i < n_archs; i++)
		for (uint32_t k = 0; k < 4096; k++) {
			/* low numbers, those of x32, and around every constant of the program */
			uint32_t nr = k < 1024	 ? k
				      : k < 2048 ? 0x40000000 + k - 1024
						 : a->f[k % a->n].k - 1 + k % 3;
			struct seccomp_data data = { .nr = (int)nr, .arch = archs[i] };

			same(a, b, &data);
			for (size_t v = 0; v < BK_ARRAY_SIZE(values); v++) {
				data.args[0] = values[v];
				data.args[1] = values[(v + k) % BK_ARRAY_SIZE(values)];
				data.args[2] = values[(v * 7 + k) % BK_ARRAY_SIZE(values)];
				same(a, b, &data);
			}
		}
}

/* What libseccomp itself makes of a profile. */
static struct program unpacked(const struct oci_seccomp *s)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(1));
	struct program p = { 0 };
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_non_null(ctx);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
	for (char **arch = s->architectures; *arch; arch++) {
		int value = 0;

		assert_true(bk_doc_name_find(sec_seccomp_archs, *arch, &value));
		(void)seccomp_arch_add(ctx, (uint32_t)value);
	}
	for (size_t i = 0; i < s->n_syscalls; i++)
		for (char **name = s->syscalls[i].names; *name; name++) {
			const struct oci_seccomp_arg *a = s->syscalls[i].args;
			int nr = seccomp_syscall_resolve_name(*name), op = 0;
			struct scmp_arg_cmp cmp = { 0 };

			if (nr == __NR_SCMP_ERROR || s->syscalls[i].has_errno_ret)
				continue;
			if (a) {
				assert_true(bk_doc_name_find(sec_seccomp_operators, a->op, &op));
				cmp = (struct scmp_arg_cmp){ a->index, (enum scmp_compare)op,
							     a->value, a->value_two };
			}
			assert_int_equal(
				seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, a ? 1 : 0, &cmp),
				0);
		}
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	p.n = (size_t)lseek(fd, 0, SEEK_END) / sizeof(*p.f);
	p.f = bk_calloc(p.n, sizeof(*p.f));
	assert_int_equal(pread(fd, p.f, p.n * sizeof(*p.f), 0), (ssize_t)(p.n * sizeof(*p.f)));
	seccomp_release(ctx);
	close(fd);
	return p;
}

#if defined(__x86_64__)
static void test_default_profile(void **state)
{
	static const uint32_t known[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386 };
	static const uint32_t asked[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0,
					  UINT32_MAX };
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct program a, b = { 0 };
	struct oci_seccomp *s = NULL;

	(void)state;
	bundle_seccomp_default(arena, NULL, &s);
	a = unpacked(s);
	assert_true(sec_seccomp_pack(a.f, a.n, known, BK_ARRAY_SIZE(known), &b.f, &b.n));
	assert_true(b.n < a.n / 2);
	same_everywhere(&a, &b, asked, BK_ARRAY_SIZE(asked));
	free(b.f);
	/* an architecture that the program tells apart must be given */
	assert_false(sec_seccomp_pack(a.f, a.n, known, 1, &b.f, &b.n));
	free(a.f);
}
#else
static void test_default_profile(void **state)
{
	(void)state;
	skip_because("the architectures of this test are x86_64's");
}
#endif

static uint32_t next(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 8) % below;
}

static const uint32_t fake_archs[] = { 100, 200 };

/*
 * A random program of the understood kind: arch first, then comparisons of numbers and arguments, with
 * returns here and there, and one at the end.
 */
static void make_random(uint32_t *seed, struct program *p)
{
	static const unsigned short ops[] = { BPF_JEQ, BPF_JGT, BPF_JGE };
	unsigned int loaded = 1; /* 0 number, 1 arch, 2 argument */

	p->n = 20 + next(seed, 300);
	p->f = bk_calloc(p->n, sizeof(*p->f));
	p->f[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4);
	for (size_t i = 1; i < p->n; i++) {
		size_t left = p->n - i - 1;
		uint32_t what = left ? next(seed, 10) : 0, k = next(seed, 64);

		if (what == 0) {
			p->f[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, next(seed, 4));
		} else if (what <= 3 || loaded == 1) {
			/* every path through the program loads before it compares: no jump in between */
			loaded = next(seed, 5) == 0 ? 2 : 0;
			p->f[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							       loaded ? 16 : 0);
		} else if (what == 4 && left > 1) {
			p->f[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
							       next(seed, (uint32_t)left));
		} else {
			uint32_t reach = left < 30 ? (uint32_t)left : 30;

			p->f[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | ops[next(seed, 3)] | BPF_K,
							       k, (unsigned char)next(seed, reach),
							       (unsigned char)next(seed, reach));
		}
	}
}

/* Most are packed smaller or not at all; what comes back must be the same. */
static void test_random(void **state)
{
	uint32_t seed = 4711;
	unsigned int packed = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct program a, b = { 0 };

		make_random(&seed, &a);
		if (sec_seccomp_pack(a.f, a.n, fake_archs, 2, &b.f, &b.n)) {
			packed++;
			assert_true(b.n < a.n);
			for (uint32_t arch = 0; arch < 3; arch++)
				for (uint32_t nr = 0; nr < 70; nr++)
					for (uint64_t arg = 0; arg < 66; arg += 1 + arg / 8) {
						struct seccomp_data data = { .nr = (int)nr,
									     .arch = 100 * arch,
									     .args = { arg } };

						same(&a, &b, &data);
					}
			free(b.f);
		}
		free(a.f);
	}
	assert_true(packed > 200);
}

static void refuse(const struct sock_filter *f, size_t n)
{
	struct sock_filter *out = NULL;
	size_t n_out = 0;

	assert_false(sec_seccomp_pack(f, n, fake_archs, 2, &out, &n_out));
	assert_null(out);
}

static void test_refused(void **state)
{
	const struct sock_filter ret = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_filter nr = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	const struct sock_filter arch = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4);
	struct sock_filter f[600];

	(void)state;
	refuse(&ret, 0);
	refuse(&ret, 1); /* nothing to win */
	for (size_t i = 0; i < BK_ARRAY_SIZE(f); i++)
		f[i] = ret;
	/* it would be packed well, were it not for its first two instructions */
	f[0] = nr;
	f[1] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 1);
	refuse(f, BK_ARRAY_SIZE(f));
	f[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 0);
	refuse(f, BK_ARRAY_SIZE(f));
	f[1] = (struct sock_filter)BPF_STMT(BPF_ST, 0);
	refuse(f, BK_ARRAY_SIZE(f));
	f[1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 600);
	refuse(f, BK_ARRAY_SIZE(f));
	f[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 1, 0, 0);
	refuse(f, BK_ARRAY_SIZE(f));
	f[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0,
					    0); /* nothing loaded */
	f[1] = ret;
	refuse(f, BK_ARRAY_SIZE(f));
	f[0] = arch;
	f[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 100, 0, 0);
	refuse(f, BK_ARRAY_SIZE(f));
	f[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 300, 0, 1);
	refuse(f, BK_ARRAY_SIZE(f));
	f[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 100, 0, 1);
	{
		struct sock_filter *out = NULL;
		size_t n_out = 0;

		assert_true(sec_seccomp_pack(f, BK_ARRAY_SIZE(f), fake_archs, 2, &out, &n_out));
		free(out);
	}
	f[599] = nr; /* runs over its end */
	refuse(f, BK_ARRAY_SIZE(f));
}

/* More ranges than one chunk holds, each with an exit of its own: far jumps. */
static void test_many_ranges(void **state)
{
	static struct sock_filter f[6 * 700 + 2];
	struct program a = { f, 0 }, b = { 0 };

	(void)state;
	f[a.n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	for (uint32_t i = 0; i < 700; i++) {
		f[a.n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2 * i, 0, 4);
		f[a.n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, i);
		for (int j = 0; j < 3; j++) /* room for packing to win */
			f[a.n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	}
	f[a.n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
	assert_true(sec_seccomp_pack(a.f, a.n, fake_archs, 0, &b.f, &b.n));
	for (uint32_t nr = 0; nr < 1500; nr++) {
		struct seccomp_data data = { .nr = (int)nr, .arch = 7 };

		same(&a, &b, &data);
	}
	free(b.f);
}

BK_TEST_MAIN(cmocka_unit_test(test_default_profile), cmocka_unit_test(test_random),
	     cmocka_unit_test(test_refused), cmocka_unit_test(test_many_ranges))
