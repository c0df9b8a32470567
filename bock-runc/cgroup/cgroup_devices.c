/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_devices.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define NUMBER_MAX UINT32_MAX
#define PROGRAM_NAME "bock_devices"
#define PROGRAMS_MAX 64 /* the kernel's own limit for one cgroup */
#define LOAD_TRIES   10

/* What every container gets, behind its own rules. */
static const struct cgroup_device_rule defaults[] = {
	{ true, 'c', BPF_DEVCG_ACC_MKNOD, -1, -1 },
	{ true, 'b', BPF_DEVCG_ACC_MKNOD, -1, -1 },
	{ true, 'c', ACCESS_ALL, 1, 3 },    /* null */
	{ true, 'c', ACCESS_ALL, 1, 5 },    /* zero */
	{ true, 'c', ACCESS_ALL, 1, 7 },    /* full */
	{ true, 'c', ACCESS_ALL, 1, 8 },    /* random */
	{ true, 'c', ACCESS_ALL, 1, 9 },    /* urandom */
	{ true, 'c', ACCESS_ALL, 5, 0 },    /* tty */
	{ true, 'c', ACCESS_ALL, 5, 2 },    /* ptmx */
	{ true, 'c', ACCESS_ALL, 136, -1 }, /* pts */
	{ true, 'c', ACCESS_ALL, 10, 200 }, /* net/tun */
};

/* Jumps have 16 bits: a rule is at most three instructions, in each of two sections. */
_Static_assert(2 * 3 * (CGROUP_DEVICE_RULES_MAX + BK_ARRAY_SIZE(defaults)) + 20 < INT16_MAX,
	       "every exit can be reached");

static int access_of(const char *text, size_t i, uint8_t *ret, struct bk_err **err)
{
	uint8_t access = 0;

	for (const char *p = text ? text : ""; *p; p++) {
		if (*p == 'r')
			access |= BPF_DEVCG_ACC_READ;
		else if (*p == 'w')
			access |= BPF_DEVCG_ACC_WRITE;
		else if (*p == 'm')
			access |= BPF_DEVCG_ACC_MKNOD;
		else
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.resources.devices[%zu].access: '%s' has something "
					  "else than r, w, m",
					  i, text);
	}
	*ret = access ? access : ACCESS_ALL;
	return 0;
}

static int number_of(const char *name, bool has, int64_t value, size_t i, int64_t *ret,
		     struct bk_err **err)
{
	if (!has || value == -1) {
		*ret = -1;
		return 0;
	}
	if (value < 0 || value > NUMBER_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.resources.devices[%zu].%s: %lld is no device number", i,
				  name, (long long)value);
	*ret = value;
	return 0;
}

static int rule_of(const struct oci_device_rule *r, size_t i, struct cgroup_device_rule *ret,
		   struct bk_err **err)
{
	int rc;

	ret->allow = r->allow;
	ret->type = r->type && r->type[0] ? r->type[0] : 'a';
	if ((r->type && r->type[0] && r->type[1]) || !strchr("abcu", ret->type))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.resources.devices[%zu].type: '%s' is not a, b or c", i,
				  r->type);
	if (ret->type == 'u')
		ret->type = 'c';
	rc = access_of(r->access, i, &ret->access, err);
	if (rc == 0)
		rc = number_of("major", r->has_major, r->major, i, &ret->major, err);
	if (rc == 0)
		rc = number_of("minor", r->has_minor, r->minor, i, &ret->minor, err);
	return rc;
}

int cgroup_devices_rules(const struct oci_device_rule *rules, size_t n,
			 struct cgroup_device_rule **ret, size_t *ret_n, struct bk_err **err)
{
	bk_autofree struct cgroup_device_rule *all = NULL;

	if (n > CGROUP_DEVICE_RULES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.resources.devices: more than %d rules",
				  CGROUP_DEVICE_RULES_MAX);
	all = bk_calloc(n + BK_ARRAY_SIZE(defaults), sizeof(*all));
	for (size_t i = 0; i < n; i++) {
		int rc = rule_of(&rules[i], i, &all[i], err);

		if (rc < 0)
			return rc;
	}
	memcpy(all + n, defaults, sizeof(defaults));
	*ret = bk_steal_ptr(&all);
	*ret_n = n + BK_ARRAY_SIZE(defaults);
	return 0;
}

void cgroup_devices_print(const struct cgroup_device_rule *rule, struct bk_buf *out)
{
	bk_buf_printf(out, "%s %c ", rule->allow ? "allow" : "deny", rule->type);
	if (rule->major < 0)
		bk_buf_adds(out, "*:");
	else
		bk_buf_printf(out, "%lld:", (long long)rule->major);
	if (rule->minor < 0)
		bk_buf_adds(out, "* ");
	else
		bk_buf_printf(out, "%lld ", (long long)rule->minor);
	if (rule->access & BPF_DEVCG_ACC_READ)
		bk_buf_addc(out, 'r');
	if (rule->access & BPF_DEVCG_ACC_WRITE)
		bk_buf_addc(out, 'w');
	if (rule->access & BPF_DEVCG_ACC_MKNOD)
		bk_buf_addc(out, 'm');
}

/*
 * The program. Rules are tried from the last to the first, so that the first one that speaks about an
 * access is the one that wins. LEFT holds the accesses that are asked for and that no rule has allowed
 * yet. It is made for the kernel's verifier, whose time is the whole cost of a short program: one
 * comparison a rule where that is enough, all of them to the same two exits, and block and character
 * devices apart, so that a device is one 32-bit number.
 */
enum {
	R_RESULT = BPF_REG_0,
	R_CONTEXT = BPF_REG_1,
	R_TYPE = BPF_REG_2,
	R_LEFT = BPF_REG_3,
	R_MAJOR = BPF_REG_4,
	R_MINOR = BPF_REG_5,
	R_DEVICE = BPF_REG_6, /* major << 20 | minor, as in the kernel's own dev_t */
};

#define MINOR_BITS 20
#define MAJOR_MAX  0xfff
#define MINOR_MAX  0xfffff

/* Runs twice: first without `out`, to learn where the exits will be. */
struct emitter {
	struct bpf_insn *out;
	size_t n;
	size_t allow, deny;
	bool allows, denies; /* somebody goes there: the verifier refuses what nobody reaches */
};

static void emit(struct emitter *e, struct bpf_insn insn)
{
	if (e->out)
		e->out[e->n] = insn;
	e->n++;
}

static void emit_load(struct emitter *e, unsigned char dst, size_t offset)
{
	emit(e, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
				   .dst_reg = dst & 0xf,
				   .src_reg = R_CONTEXT,
				   .off = (short)offset });
}

static void emit_alu(struct emitter *e, unsigned char op, unsigned char dst, uint32_t imm)
{
	emit(e, (struct bpf_insn){ .code = (unsigned char)(BPF_ALU | op | BPF_K),
				   .dst_reg = dst & 0xf,
				   .imm = (int32_t)imm });
}

static void emit_alu_reg(struct emitter *e, unsigned char op, unsigned char dst, unsigned char src)
{
	emit(e, (struct bpf_insn){ .code = (unsigned char)(BPF_ALU | op | BPF_X),
				   .dst_reg = dst & 0xf,
				   .src_reg = src & 0xf });
}

/* 32-bit comparison with a constant (class JMP32, kernel 5.1) and jump to an instruction. */
static void emit_jump(struct emitter *e, unsigned char op, unsigned char reg, uint32_t imm,
		      size_t to)
{
	emit(e, (struct bpf_insn){ .code = (unsigned char)(BPF_JMP32 | op | BPF_K),
				   .dst_reg = reg & 0xf,
				   .off = (short)(to - e->n - 1),
				   .imm = (int32_t)imm });
}

static void emit_goto(struct emitter *e, size_t to)
{
	emit(e, (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = (short)(to - e->n - 1) });
}

static void emit_exit(struct emitter *e)
{
	emit(e, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

/* The register and number that say whether a rule is for this device; false: it is for every one. */
static bool device_of(const struct cgroup_device_rule *r, unsigned char *ret_reg,
		      uint32_t *ret_number)
{
	if (r->major >= 0 && r->minor >= 0) {
		*ret_reg = R_DEVICE;
		*ret_number = (uint32_t)r->major << MINOR_BITS | (uint32_t)r->minor;
	} else if (r->major >= 0) {
		*ret_reg = R_MAJOR;
		*ret_number = (uint32_t)r->major;
	} else if (r->minor >= 0) {
		*ret_reg = R_MINOR;
		*ret_number = (uint32_t)r->minor;
	} else {
		return false;
	}
	return true;
}

/* True where nothing in front of this rule can be heard any more. */
static bool emit_rule(struct emitter *e, const struct cgroup_device_rule *r)
{
	size_t exit = r->allow ? e->allow : e->deny;
	unsigned char reg = 0;
	uint32_t number = 0;
	bool one = device_of(r, &reg, &number);

	if (r->allow)
		e->allows = true;
	else
		e->denies = true;
	if (r->access == ACCESS_ALL) {
		if (one)
			emit_jump(e, BPF_JEQ, reg, number, exit);
		else
			emit_goto(e, exit);
		return !one;
	}
	if (one)
		emit_jump(e, BPF_JNE, reg, number, e->n + (r->allow ? 3 : 2));
	if (r->allow) {
		emit_alu(e, BPF_AND, R_LEFT, ~(uint32_t)r->access);
		emit_jump(e, BPF_JEQ, R_LEFT, 0, exit);
	} else {
		emit_jump(e, BPF_JSET, R_LEFT, r->access, exit);
	}
	return false;
}

/* All that is said about devices of one type ('b' or 'c'). */
static void emit_section(struct emitter *e, char type, const struct cgroup_device_rule *rules,
			 size_t n)
{
	for (size_t i = n; i > 0; i--) {
		const struct cgroup_device_rule *r = &rules[i - 1];

		/* a number that no device has */
		if ((r->type != 'a' && r->type != type) || r->major > MAJOR_MAX ||
		    r->minor > MINOR_MAX)
			continue;
		if (emit_rule(e, r))
			return;
	}
	e->denies = true;
	emit_goto(e, e->deny);
}

static void emit_program(struct emitter *e, const struct cgroup_device_rule *rules, size_t n,
			 size_t *block)
{
	e->n = 0;
	emit_load(e, R_LEFT, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(e, R_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(e, R_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit_alu_reg(e, BPF_MOV, R_TYPE, R_LEFT);
	emit_alu(e, BPF_AND, R_TYPE, 0xffff);
	emit_alu(e, BPF_RSH, R_LEFT, 16);
	emit_alu_reg(e, BPF_MOV, R_DEVICE, R_MAJOR);
	emit_alu(e, BPF_LSH, R_DEVICE, MINOR_BITS);
	emit_alu_reg(e, BPF_OR, R_DEVICE, R_MINOR);
	emit_jump(e, BPF_JEQ, R_TYPE, BPF_DEVCG_DEV_BLOCK, *block);
	emit_section(e, 'c', rules, n);
	*block = e->n;
	emit_section(e, 'b', rules, n);
	e->allow = e->n;
	if (e->allows) {
		emit_alu(e, BPF_MOV, R_RESULT, 1);
		emit_exit(e);
	}
	e->deny = e->n;
	if (e->denies) {
		emit_alu(e, BPF_MOV, R_RESULT, 0);
		emit_exit(e);
	}
}

void cgroup_devices_compile(const struct cgroup_device_rule *rules, size_t n, struct bpf_insn **ret,
			    size_t *ret_n)
{
	struct emitter e = { .out = NULL };
	size_t block = 0;

	emit_program(&e, rules, n, &block);
	e.out = bk_calloc(e.n, sizeof(*e.out));
	emit_program(&e, rules, n, &block);
	*ret = e.out;
	*ret_n = e.n;
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int load_program(const struct bpf_insn *insns, size_t n, int *ret_fd, struct bk_err **err)
{
	union bpf_attr attr;
	int fd = -1;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uintptr_t) "Apache-2.0";
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof(PROGRAM_NAME));
	/* the verifier gives up where a signal is pending (a debugger's among them), which is taken on the way back */
	for (int tries = 0; tries < LOAD_TRIES; tries++) {
		fd = bpf(BPF_PROG_LOAD, &attr);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno,
				  "linux.resources.devices: load the program");
	*ret_fd = fd;
	return 0;
}

/* 1 if the program is one of ours, 0 if not, -errno. */
static int is_ours(int prog_fd)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)prog_fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0)
		return -errno;
	return strcmp(info.name, PROGRAM_NAME) == 0;
}

/* The program that a create attached; *ret_fd is -1 where there is none. */
static int find_attached(int dirfd, int *ret_fd, struct bk_err **err)
{
	uint32_t ids[PROGRAMS_MAX] = { 0 };
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)dirfd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = PROGRAMS_MAX;
	if (bpf(BPF_PROG_QUERY, &attr) < 0)
		return bk_err_set(err, BK_ERR_IO, errno,
				  "linux.resources.devices: ask for the programs of the cgroup");
	for (uint32_t i = 0, n = attr.query.prog_cnt; i < n; i++) {
		bk_autoclose int fd = -1;
		int ours;

		memset(&attr, 0, sizeof(attr));
		attr.prog_id = ids[i];
		fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		if (fd < 0 && errno == ENOENT)
			continue; /* detached meanwhile */
		ours = fd < 0 ? -errno : is_ours(fd);
		/* overlooked, ours would stay beside the new one, and still forbid what that allows */
		if (ours < 0)
			return bk_err_set(err, BK_ERR_IO, -ours,
					  "linux.resources.devices: look at a program of the cgroup");
		if (ours) {
			*ret_fd = bk_steal_fd(&fd);
			return 0;
		}
	}
	*ret_fd = -1;
	return 0;
}

/* replace_fd: the program whose place it takes, in one step (kernel 5.6); -1: none. */
static int attach(int dirfd, int prog_fd, int replace_fd, struct bk_err **err)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.target_fd = (uint32_t)dirfd;
	attr.attach_bpf_fd = (uint32_t)prog_fd;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replace_fd >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replace_fd;
	}
	if (bpf(BPF_PROG_ATTACH, &attr) < 0)
		return bk_err_set(err, BK_ERR_IO, errno,
				  "linux.resources.devices: attach the program to the cgroup");
	return 0;
}

/* A rule that decides about everything. */
static bool decides_all(const struct cgroup_device_rule *r)
{
	return r->type == 'a' && r->access == ACCESS_ALL && r->major < 0 && r->minor < 0;
}

/* True where the rules take nothing away but "all", which an ordinary user's rights do anyway. */
static bool may_skip(const struct cgroup_device_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!rules[i].allow && !decides_all(&rules[i]))
			return false;
	return true;
}

void cgroup_devices_put_back(int dirfd, int new_fd, int old_fd)
{
	union bpf_attr attr;

	if (new_fd < 0)
		return;
	if (old_fd >= 0) {
		(void)attach(dirfd, old_fd, new_fd, NULL);
		return;
	}
	memset(&attr, 0, sizeof(attr));
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.target_fd = (uint32_t)dirfd;
	attr.attach_bpf_fd = (uint32_t)new_fd;
	(void)bpf(BPF_PROG_DETACH, &attr);
}

int cgroup_devices_replace(int dirfd, const struct oci_device_rule *rules, size_t n, int *ret_new,
			   int *ret_old, struct bk_err **err)
{
	bk_autofree struct cgroup_device_rule *all = NULL;
	bk_autofree struct bpf_insn *insns = NULL;
	bk_autoclose int fd = -1, old = -1;
	size_t n_all = 0, n_insns = 0;
	int rc;

	rc = cgroup_devices_rules(rules, n, &all, &n_all, err);
	if (rc == 0)
		rc = find_attached(dirfd, &old, err);
	if (rc < 0)
		return rc;
	cgroup_devices_compile(all, n_all, &insns, &n_insns);
	rc = load_program(insns, n_insns, &fd, err);
	if (rc == 0)
		rc = attach(dirfd, fd, old, err);
	if (rc < 0)
		return rc;
	*ret_new = bk_steal_fd(&fd);
	*ret_old = bk_steal_fd(&old);
	return 0;
}

int cgroup_devices_apply(int dirfd, const struct oci_device_rule *rules, size_t n, bool rootless,
			 bool *ret_attached, struct bk_err **err)
{
	bk_autofree struct cgroup_device_rule *all = NULL;
	bk_autofree struct bpf_insn *insns = NULL;
	bk_autoclose int fd = -1;
	struct bk_err *failure = NULL;
	size_t n_all = 0, n_insns = 0;
	int rc;

	rc = cgroup_devices_rules(rules, n, &all, &n_all, err);
	if (rc < 0)
		return rc;
	cgroup_devices_compile(all, n_all, &insns, &n_insns);
	rc = load_program(insns, n_insns, &fd, &failure);
	if (rc == 0)
		rc = attach(dirfd, fd, -1, &failure);
	if (rc == -BK_ERR_PERMISSION && rootless && may_skip(all, n_all)) {
		bk_err_clear(&failure);
		*ret_attached = false;
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, failure);
		return rc;
	}
	*ret_attached = true;
	return 0;
}
