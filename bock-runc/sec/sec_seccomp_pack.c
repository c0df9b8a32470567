/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/sec_seccomp_pack.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"

/* Ranges in one chunk: jumps have 8 bits, and a chunk has one node a range and its exits. */
#define CHUNK_RANGES 96

/* What the program does for an interval of numbers: returns a value, or goes on at an instruction. */
#define GOES_ON (UINT64_C(1) << 32)

struct range {
	uint32_t from;
	uint64_t outcome; /* a return value, or GOES_ON | number of the instruction */
};

struct pack {
	const struct sock_filter *in;
	size_t n;
	uint32_t *points; /* where an interval may begin, ascending; the first is 0 */
	size_t n_points;
	struct sock_filter *out;
	size_t n_out, cap;
	struct fixup {
		size_t at;     /* in out: a jump to the copy of ... */
		size_t target; /* ... this instruction of in */
	} * fixups;
	size_t n_fixups;
};

static void done(struct pack *p)
{
	free(p->points);
	free(p->out);
	free(p->fixups);
}

static size_t emit(struct pack *p, struct sock_filter insn)
{
	if (p->n_out == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 256;
		p->out = bk_reallocarray(p->out, p->cap, sizeof(*p->out));
	}
	p->out[p->n_out] = insn;
	return p->n_out++;
}

static struct sock_filter stmt(unsigned int code, uint32_t k)
{
	return (struct sock_filter)BPF_STMT((unsigned short)code, k);
}

static struct sock_filter jump(unsigned int code, uint32_t k, size_t jt, size_t jf)
{
	return (struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | code | BPF_K), k,
					    (unsigned char)jt, (unsigned char)jf);
}

/* Only these are understood; and jumps must stay inside. */
static bool understood(const struct sock_filter *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t left = n - i - 1;

		switch (in[i].code) {
		case BPF_LD | BPF_W | BPF_ABS:
		case BPF_ALU | BPF_AND | BPF_K:
			if (left == 0)
				return false;
			break;
		case BPF_JMP | BPF_JA:
			if (in[i].k >= left)
				return false;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (in[i].jt >= left || in[i].jf >= left)
				return false;
			break;
		case BPF_RET | BPF_K:
			break;
		default:
			return false;
		}
	}
	return true;
}

static bool compare(unsigned int op, uint32_t a, uint32_t k)
{
	if (op == BPF_JEQ)
		return a == k;
	return op == BPF_JGT ? a > k : a >= k;
}

static bool known_arch(uint32_t arch, const uint32_t *archs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (archs[i] == arch)
			return true;
	return false;
}

/*
 * Runs the program for one number of one architecture until it returns or loads anything else. False:
 * it treats them otherwise than by comparison (architectures: by equality with the known ones).
 */
static bool run(const struct pack *p, uint32_t arch, uint32_t nr, const uint32_t *archs,
		size_t n_archs, uint64_t *ret)
{
	enum { NOTHING, NUMBER, ARCH } loaded = NOTHING;

	for (size_t pc = 0;; pc++) {
		const struct sock_filter *i = &p->in[pc];
		uint32_t a = loaded == ARCH ? arch : nr;

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			if (i->k == offsetof(struct seccomp_data, nr)) {
				loaded = NUMBER;
			} else if (i->k == offsetof(struct seccomp_data, arch)) {
				loaded = ARCH;
			} else {
				*ret = GOES_ON | pc;
				return true;
			}
			break;
		case BPF_RET:
			*ret = i->k;
			return true;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA) {
				pc += i->k;
				break;
			}
			if (loaded == NOTHING || BPF_OP(i->code) == BPF_JSET)
				return false;
			if (loaded == ARCH &&
			    (BPF_OP(i->code) != BPF_JEQ || !known_arch(i->k, archs, n_archs)))
				return false;
			pc += compare(BPF_OP(i->code), a, i->k) ? i->jt : i->jf;
			break;
		default:
			return false;
		}
	}
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Comparisons with k tell numbers apart at k and behind it, and nowhere else. */
static void find_points(struct pack *p)
{
	size_t n = 0, unique = 0;

	p->points = bk_calloc(2 * p->n + 1, sizeof(*p->points));
	p->points[n++] = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (BPF_CLASS(p->in[i].code) != BPF_JMP || BPF_OP(p->in[i].code) == BPF_JA)
			continue;
		p->points[n++] = p->in[i].k;
		if (p->in[i].k < UINT32_MAX)
			p->points[n++] = p->in[i].k + 1;
	}
	qsort(p->points, n, sizeof(*p->points), by_value);
	for (size_t i = 1; i < n; i++)
		if (p->points[i] != p->points[unique])
			p->points[++unique] = p->points[i];
	p->n_points = unique + 1;
}

/* The exits of a chunk stand behind its nodes; each is there once. Where `outcome` is among them. */
static size_t exit_of(uint64_t *exits, size_t *n, uint64_t outcome)
{
	for (size_t i = 0; i < *n; i++)
		if (exits[i] == outcome)
			return i;
	exits[*n] = outcome;
	return (*n)++;
}

struct chunk {
	const struct range *ranges;
	uint64_t exits[CHUNK_RANGES];
	size_t n_exits;
	size_t first_exit; /* in out */
};

/* The tree over n ranges is n - 1 nodes; a single range is its exit. */
static void emit_tree(struct pack *p, struct chunk *c, size_t from, size_t n)
{
	size_t half = n / 2, at = p->n_out, jt, jf = 0;

	if (n < 2)
		return;
	/* left: what is below the middle; it follows this node, and the right one follows it */
	jt = half - 1;
	if (half == 1)
		jf = c->first_exit + exit_of(c->exits, &c->n_exits, c->ranges[from].outcome) - at -
		     1;
	if (n - half == 1)
		jt = c->first_exit +
		     exit_of(c->exits, &c->n_exits, c->ranges[from + half].outcome) - at - 1;
	emit(p, jump(BPF_JGE, c->ranges[from + half].from, jt, jf));
	emit_tree(p, c, from, half);
	emit_tree(p, c, from + half, n - half);
}

static void add_fixup(struct pack *p, size_t at, size_t target)
{
	p->fixups = bk_reallocarray(p->fixups, p->n_fixups + 1, sizeof(*p->fixups));
	p->fixups[p->n_fixups++] = (struct fixup){ .at = at, .target = target };
}

static void emit_chunk(struct pack *p, const struct range *ranges, size_t n)
{
	struct chunk c = { .ranges = ranges, .first_exit = p->n_out + n - 1 };

	if (n == 1)
		(void)exit_of(c.exits, &c.n_exits, ranges[0].outcome);
	emit_tree(p, &c, 0, n);
	for (size_t i = 0; i < c.n_exits; i++) {
		if (c.exits[i] & GOES_ON) {
			size_t at = emit(p, stmt(BPF_JMP | BPF_JA, 0));

			add_fixup(p, at, (size_t)(c.exits[i] & ~GOES_ON));
		} else {
			emit(p, stmt(BPF_RET | BPF_K, (uint32_t)c.exits[i]));
		}
	}
}

/* Chunks by halves: a far jump is made of two instructions. */
static void emit_ranges(struct pack *p, const struct range *ranges, size_t n)
{
	size_t half = n / 2, far;

	if (n <= CHUNK_RANGES) {
		emit_chunk(p, ranges, n);
		return;
	}
	emit(p, jump(BPF_JGE, ranges[half].from, 0, 1));
	far = emit(p, stmt(BPF_JMP | BPF_JA, 0));
	emit_ranges(p, ranges, half);
	p->out[far].k = (uint32_t)(p->n_out - far - 1);
	emit_ranges(p, ranges + half, n - half);
}

/* What is decided for one architecture; false as run() has it. */
static bool emit_arch(struct pack *p, uint32_t arch, const uint32_t *archs, size_t n_archs)
{
	bk_autofree struct range *ranges = bk_calloc(p->n_points, sizeof(*ranges));
	size_t n = 0;

	for (size_t i = 0; i < p->n_points; i++) {
		uint64_t outcome;

		if (!run(p, arch, p->points[i], archs, n_archs, &outcome))
			return false;
		if (n && ranges[n - 1].outcome == outcome)
			continue;
		ranges[n++] = (struct range){ .from = p->points[i], .outcome = outcome };
	}
	if (n > 1)
		emit(p, stmt(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	emit_ranges(p, ranges, n);
	return true;
}

/* A value of seccomp_data.arch that is none of the known ones. */
static uint32_t other_arch(const uint32_t *archs, size_t n)
{
	uint32_t other = 0;

	while (known_arch(other, archs, n))
		other++;
	return other;
}

static bool emit_archs(struct pack *p, const uint32_t *archs, size_t n)
{
	emit(p, stmt(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	for (size_t i = 0; i < n; i++) {
		size_t far;

		emit(p, jump(BPF_JEQ, archs[i], 1, 0));
		far = emit(p, stmt(BPF_JMP | BPF_JA, 0));
		if (!emit_arch(p, archs[i], archs, n))
			return false;
		p->out[far].k = (uint32_t)(p->n_out - far - 1);
	}
	return emit_arch(p, other_arch(archs, n), archs, n);
}

/*
 * Copies what can be reached from the fixups' targets. The order stays, and an instruction that is gone
 * only brings others nearer, so every jump still reaches.
 */
static void emit_rest(struct pack *p)
{
	bk_autofree bool *reached = bk_calloc(p->n, sizeof(*reached));
	bk_autofree size_t *place = bk_calloc(p->n, sizeof(*place));
	size_t next = p->n_out;

	for (size_t i = 0; i < p->n_fixups; i++)
		reached[p->fixups[i].target] = true;
	for (size_t i = 0; i < p->n; i++) {
		const struct sock_filter *f = &p->in[i];

		if (!reached[i])
			continue;
		place[i] = next++;
		if (BPF_CLASS(f->code) == BPF_RET)
			continue;
		if (BPF_CLASS(f->code) != BPF_JMP)
			reached[i + 1] = true;
		else if (BPF_OP(f->code) == BPF_JA)
			reached[i + 1 + f->k] = true;
		else
			reached[i + 1 + f->jt] = reached[i + 1 + f->jf] = true;
	}
	for (size_t i = 0; i < p->n; i++) {
		struct sock_filter f = p->in[i];

		if (!reached[i])
			continue;
		if (BPF_CLASS(f.code) == BPF_JMP && BPF_OP(f.code) == BPF_JA) {
			f.k = (uint32_t)(place[i + 1 + f.k] - place[i] - 1);
		} else if (BPF_CLASS(f.code) == BPF_JMP) {
			f.jt = (unsigned char)(place[i + 1 + f.jt] - place[i] - 1);
			f.jf = (unsigned char)(place[i + 1 + f.jf] - place[i] - 1);
		}
		emit(p, f);
	}
	for (size_t i = 0; i < p->n_fixups; i++) {
		size_t at = p->fixups[i].at;

		p->out[at].k = (uint32_t)(place[p->fixups[i].target] - at - 1);
	}
}

bool sec_seccomp_pack(const struct sock_filter *in, size_t n, const uint32_t *archs, size_t n_archs,
		      struct sock_filter **ret, size_t *ret_n)
{
	bk_auto(done) struct pack p = { .in = in, .n = n };

	if (n == 0 || !understood(in, n))
		return false;
	find_points(&p);
	if (!emit_archs(&p, archs, n_archs))
		return false;
	emit_rest(&p);
	if (p.n_out >= n)
		return false;
	*ret = bk_steal_ptr(&p.out);
	*ret_n = p.n_out;
	return true;
}
