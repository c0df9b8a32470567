/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_str.h"

/* ---- capabilities ------------------------------------------------------------------------------- */

/* To give files to others, to set any of their attributes (SYS_ADMIN: trusted.*), and to make devices. */
#define KEPT                                                                                      \
	(1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER | 1ull << CAP_FSETID | \
	 1ull << CAP_MKNOD | 1ull << CAP_SETFCAP | 1ull << CAP_SYS_ADMIN)

static int drop_capabilities(struct bk_err **err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read the capabilities");
	for (int i = 0; i < 2; i++) {
		uint32_t kept = (uint32_t)(KEPT >> (32 * i));

		data[i].effective &= kept;
		data[i].permitted &= kept;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "drop capabilities");
	return 0;
}

/* ---- Landlock ----------------------------------------------------------------------------------- */

/* linux/landlock.h of the machine that builds may be older than the kernel that runs. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif

#define LANDLOCK_VERSION     1u /* flag: what the kernel has */
#define LANDLOCK_PATH	     1	/* kind of rule */
#define LANDLOCK_ABI_MIN     2	/* before it hard links between directories can't be allowed */
#define FS_EXECUTE	     (1ull << 0)
#define FS_READ_FILE	     (1ull << 2)
#define FS_READ_DIR	     (1ull << 3)
#define FS_MAKE_SOCK	     (1ull << 9)
#define FS_IOCTL_DEV	     (1ull << 15)
#define FS_ABI_2	     ((1ull << 14) - 1) /* up to REFER */
#define FS_TRUNCATE	     (1ull << 14)	/* since 3 */
#define NET_BIND_AND_CONNECT 3ull		/* since 4 */
#define SCOPE_ALL	     3ull		/* since 6: abstract sockets and signals */

struct landlock_ruleset {
	uint64_t fs, net, scoped;
};

struct landlock_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static int landlock_allow(int ruleset, int fd, uint64_t allowed, struct bk_err **err)
{
	const struct landlock_path rule = { .allowed = allowed, .fd = fd };

	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PATH, &rule, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "add a rule to Landlock");
	return 0;
}

static int landlock_restrict(int root_fd, int store_fd, bool required, struct bk_err **err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
	struct landlock_ruleset r = { .fs = FS_ABI_2 };
	bk_autoclose int ruleset = -1;
	int rc;

	if (abi < LANDLOCK_ABI_MIN)
		return required ? bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
					     "the kernel's Landlock is off, or older than 5.19's")
				: 0;
	r.fs |= (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
	r.net = abi >= 4 ? NET_BIND_AND_CONNECT : 0;
	r.scoped = abi >= 6 ? SCOPE_ALL : 0;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &r,
			       abi >= 6	  ? sizeof(r)
			       : abi >= 4 ? 2 * sizeof(uint64_t)
					  : sizeof(uint64_t),
			       0);
	if (ruleset < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a ruleset of Landlock");
	rc = root_fd < 0 ? 0
			 : landlock_allow(ruleset, root_fd,
					  r.fs & ~(FS_EXECUTE | FS_MAKE_SOCK | FS_IOCTL_DEV), err);
	if (rc == 0 && store_fd >= 0)
		rc = landlock_allow(ruleset, store_fd, FS_READ_FILE | FS_READ_DIR, err);
	if (rc < 0)
		return rc;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "restrict by Landlock");
	return 0;
}

/* ---- seccomp ------------------------------------------------------------------------------------ */

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define THIS_ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef THIS_ARCH

static const int calls[] = {
	/* files */
	SYS_read,
	SYS_write,
	SYS_pread64,
	SYS_pwrite64,
	SYS_readv,
	SYS_writev,
	SYS_lseek,
	SYS_openat,
	SYS_openat2,
	SYS_close,
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_fchown,
	SYS_fchownat,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_utimensat,
	SYS_mkdirat,
	SYS_mknodat,
	SYS_symlinkat,
	SYS_linkat,
	SYS_unlinkat,
	SYS_renameat2,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_setxattr,
	SYS_fsetxattr,
	SYS_getxattr,
	SYS_fgetxattr,
	SYS_listxattr,
	SYS_flistxattr,
	SYS_removexattr,
	SYS_fremovexattr,
	SYS_readlinkat,
	SYS_getdents64,
	SYS_fcntl,
	SYS_dup,
	SYS_fsync,
	SYS_fdatasync,
	SYS_syncfs,
	SYS_fadvise64,
	SYS_statfs,
	SYS_fstatfs,
	SYS_umask,
#ifdef SYS_chmod
	SYS_chmod,
	SYS_readlink,
	SYS_poll,
	SYS_stat,
	SYS_lstat,
	SYS_access,
#endif
	/* memory, threads, time */
	SYS_munmap,
	SYS_mremap,
	SYS_brk,
	SYS_madvise,
	SYS_futex,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_gettid,
	SYS_getpid,
	SYS_sched_getaffinity,
	SYS_sched_yield,
	SYS_exit,
	SYS_exit_group,
	SYS_rt_sigprocmask,
	SYS_rt_sigaction,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_getrandom,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_restart_syscall,
	SYS_ppoll,
	SYS_sysinfo,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
};

#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
/* The lower half of an argument: both architectures with a table are little-endian. */
#define LOAD_ARG(n)		 BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define IF_EQUAL(value, skip_no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip_no))
#define IF_ANY(bits, skip_no)	 BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (skip_no))
#define RETURN(what)		 BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE			 (SECCOMP_RET_ERRNO | ENOSYS)

static int restrict_calls(bool required, struct bk_err **err)
{
	const struct sock_filter head[] = {
		LOAD(arch),
		IF_EQUAL(THIS_ARCH, 1),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		/* no memory becomes executable */
		IF_EQUAL(SYS_mmap, 4),
		LOAD_ARG(2),
		IF_ANY(PROT_EXEC, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
		IF_EQUAL(SYS_mprotect, 4),
		LOAD_ARG(2),
		IF_ANY(PROT_EXEC, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
		/* threads, and nothing else; clone3(2), whose flags can't be seen, is refused below */
		IF_EQUAL(SYS_clone, 4),
		LOAD_ARG(0),
		IF_ANY(CLONE_THREAD, 1),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(REFUSE),
	};
	struct sock_filter code[BK_ARRAY_SIZE(head) + 2 * BK_ARRAY_SIZE(calls) + 1];
	struct sock_fprog program = { .filter = code };

	for (size_t i = 0; i < BK_ARRAY_SIZE(head); i++)
		code[program.len++] = head[i];
	for (size_t i = 0; i < BK_ARRAY_SIZE(calls); i++) {
		code[program.len++] = (struct sock_filter)IF_EQUAL((unsigned int)calls[i], 1);
		code[program.len++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	code[program.len++] = (struct sock_filter)RETURN(REFUSE);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return 0;
	if (errno == EINVAL && !required)
		return 0;
	return bk_err_set(err, errno == EINVAL ? BK_ERR_UNSUPPORTED : BK_ERR_IO, errno,
			  "load a seccomp filter");
}

#else

static int restrict_calls(bool required, struct bk_err **err)
{
	return required ? bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				     "no list of system calls for this machine")
			: 0;
}

#endif

int layer_confine(int root_fd, int store_fd, bool required, struct bk_err **err)
{
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set no_new_privs");
	rc = drop_capabilities(err);
	if (rc == 0)
		rc = landlock_restrict(root_fd, store_fd, required, err);
	if (rc == 0)
		rc = restrict_calls(required, err);
	if (rc < 0)
		rc = bk_err_hint(err, rc, "--confine none goes without");
	return rc < 0 ? bk_err_wrap(err, rc, "confine the process that reads layers") : 0;
}
