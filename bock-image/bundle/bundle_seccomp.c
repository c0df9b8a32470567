/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_seccomp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"

/*
 * Names that an architecture does not have are skipped when the filter is made, so one list
 * serves all: the 32-bit forms of i386 and ARM, and calls of one machine alone, stand among the
 * others.
 */
static const char *const always[] = {
	/* files by name */
	"access chdir chmod chown chown32 creat faccessat faccessat2 fchmodat fchmodat2 "
	"fchownat fstatat64 futimesat getcwd lchown lchown32 link linkat lstat lstat64 mkdir "
	"mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 readlink "
	"readlinkat rename renameat renameat2 rmdir stat stat64 statfs statfs64 statx symlink "
	"symlinkat truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 "
	"utimes",
	/* extended attributes */
	"fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr "
	"listxattrat llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr "
	"setxattrat",
	/* open files */
	"_llseek close close_range copy_file_range dup dup2 dup3 fadvise64 fadvise64_64 "
	"fallocate fchdir fchmod fchown fchown32 fcntl fcntl64 fdatasync flock fstat fstat64 "
	"fstatfs fstatfs64 fsync ftruncate ftruncate64 getdents getdents64 ioctl lseek pipe "
	"pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv sendfile "
	"sendfile64 splice sync sync_file_range syncfs tee vmsplice write writev",
	/* mounts, as far as one may look at them */
	"listmount statmount",
	/* waiting for files and for what happens to them */
	"_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait "
	"epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 fanotify_mark "
	"inotify_add_watch inotify_init inotify_init1 inotify_rm_watch poll ppoll "
	"ppoll_time64 pselect6 pselect6_time64 select",
	"io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup "
	"io_submit",
	/* sockets; socket itself is below */
	"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom "
	"recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown "
	"socketcall socketpair",
	/* memory */
	"brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore "
	"mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall "
	"munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages",
	/* processes and threads; clone is below */
	"execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getpgid "
	"getpgrp getpid getppid getsid gettid pidfd_open prctl process_vm_readv "
	"process_vm_writev ptrace restart_syscall rseq set_robust_list set_thread_area "
	"set_tid_address setpgid setsid uretprobe vfork wait4 waitid waitpid",
	"futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake",
	/* who one is, and what one may */
	"capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups "
	"getgroups32 getresgid getresgid32 getresuid getresuid32 getuid getuid32 "
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp setfsgid "
	"setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid "
	"setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid "
	"setuid32",
	/* signals */
	"kill pause pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask "
	"rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 "
	"rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn tgkill tkill",
	/* time */
	"adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 "
	"clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer "
	"gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun "
	"timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create "
	"timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times",
	/* System V and POSIX queues, semaphores, shared memory */
	"ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
	"mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget "
	"semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget",
	/* limits, priorities, the machine */
	"getpriority getrandom getrlimit getrusage ioprio_get ioprio_set prlimit64 "
	"sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr "
	"sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
	"sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield "
	"setpriority setrlimit sysinfo ugetrlimit uname",
/* one machine's own */
#if defined(__x86_64__) || defined(__i386__)
	"arch_prctl modify_ldt",
#elif defined(__aarch64__) || defined(__arm__)
	"arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
#elif defined(__powerpc64__)
	"swapcontext sync_file_range2",
#elif defined(__s390__)
	"s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr",
#elif defined(__riscv)
	"riscv_flush_icache",
#endif
	"riscv_hwprobe",
};

static const struct {
	const char *cap;
	const char *names;
} with_cap[] = {
	{ "CAP_BPF", "bpf" },
	{ "CAP_DAC_READ_SEARCH", "open_by_handle_at" },
	{ "CAP_PERFMON", "perf_event_open" },
	{ "CAP_SYSLOG", "syslog" },
	{ "CAP_SYS_ADMIN",
	  "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
	  "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount "
	  "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns "
	  "syslog umount umount2 unshare" },
	{ "CAP_SYS_BOOT", "reboot" },
	{ "CAP_SYS_CHROOT", "chroot" },
	{ "CAP_SYS_MODULE", "delete_module finit_module init_module" },
	{ "CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node" },
	{ "CAP_SYS_PACCT", "acct" },
	{ "CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise" },
	{ "CAP_SYS_RAWIO", "ioperm iopl" },
	{ "CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime" },
	{ "CAP_SYS_TTY_CONFIG", "vhangup" },
};

/*
 * Every address family but two: AF_ALG, whose kernel code no container needs and whose holes are
 * many, and AF_VSOCK, which no namespace keeps apart.
 */
_Static_assert(AF_ALG == 38 && AF_VSOCK == 40, "one family, 39, lies between them");

/*
 * What personality(2) may be asked for: PER_LINUX, PER_LINUX32, each with UNAME26, and "what is
 * it?".
 */
static const uint32_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

/* CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET: clone(2) may make no namespace. */
#define CLONE_NAMESPACES 0x7e020000U
#ifdef __s390__
#define CLONE_FLAGS_ARG 1
#else
#define CLONE_FLAGS_ARG 0
#endif

static const char *const architectures[] = {
#if defined(__x86_64__)
	"SCMP_ARCH_X86_64",
	"SCMP_ARCH_X86",
	"SCMP_ARCH_X32",
#elif defined(__i386__)
	"SCMP_ARCH_X86",
#elif defined(__aarch64__)
	"SCMP_ARCH_AARCH64",
	"SCMP_ARCH_ARM",
#elif defined(__arm__)
	"SCMP_ARCH_ARM",
#elif defined(__s390x__)
	"SCMP_ARCH_S390X",
	"SCMP_ARCH_S390",
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	"SCMP_ARCH_PPC64LE",
#elif defined(__riscv) && __riscv_xlen == 64
	"SCMP_ARCH_RISCV64",
#elif defined(__loongarch64)
	"SCMP_ARCH_LOONGARCH64",
#endif
	NULL,
};

static struct oci_seccomp_syscall *add_rule(struct bk_arena *arena, struct oci_seccomp *s)
{
	struct oci_seccomp_syscall *rule;

	s->syscalls = bk_arena_grow(arena, s->syscalls, s->n_syscalls, sizeof(*s->syscalls));
	rule = &s->syscalls[s->n_syscalls++];
	rule->action = bk_arena_strdup(arena, "SCMP_ACT_ALLOW");
	return rule;
}

static void add_names(struct bk_arena *arena, char ***v, const char *names)
{
	bk_autostrv char **each = bk_strv_split(names, " ");

	for (char **name = each; name && *name; name++)
		if (!bk_strv_has(*v, *name))
			bk_doc_strv_add(arena, v, *name);
}

static void allow_if(struct bk_arena *arena, struct oci_seccomp *s, const char *name,
		     uint32_t index, const char *op, uint64_t value)
{
	struct oci_seccomp_syscall *rule = add_rule(arena, s);

	bk_doc_strv_add(arena, &rule->names, name);
	rule->args = bk_arena_alloc(arena, sizeof(*rule->args));
	rule->n_args = 1;
	rule->args[0].index = index;
	rule->args[0].op = bk_arena_strdup(arena, op);
	rule->args[0].value = value;
}

/* Without CAP_SYS_ADMIN: threads and processes, but no namespaces. */
static void restrict_clone(struct bk_arena *arena, struct oci_seccomp *s)
{
	struct oci_seccomp_syscall *rule;

	allow_if(arena, s, "clone", CLONE_FLAGS_ARG, "SCMP_CMP_MASKED_EQ", CLONE_NAMESPACES);
	/* its flags lie in memory, where a filter cannot look: libraries fall back to clone */
	rule = add_rule(arena, s);
	bk_doc_strv_add(arena, &rule->names, "clone3");
	rule->action = bk_arena_strdup(arena, "SCMP_ACT_ERRNO");
	rule->errno_ret = ENOSYS;
	rule->has_errno_ret = true;
}

void bundle_seccomp_default(struct bk_arena *arena, char *const *caps, struct oci_seccomp **ret)
{
	struct oci_seccomp *s = bk_arena_alloc(arena, sizeof(*s));
	struct oci_seccomp_syscall *rule;
	char **names = NULL;

	s->default_action = bk_arena_strdup(arena, "SCMP_ACT_ERRNO");
	s->default_errno_ret = EPERM;
	s->has_default_errno_ret = true;
	for (size_t i = 0; architectures[i]; i++)
		bk_doc_strv_add(arena, &s->architectures, architectures[i]);
	for (size_t i = 0; i < BK_ARRAY_SIZE(always); i++)
		add_names(arena, &names, always[i]);
	for (size_t i = 0; i < BK_ARRAY_SIZE(with_cap); i++)
		if (bk_strv_has(caps, with_cap[i].cap))
			add_names(arena, &names, with_cap[i].names);
	rule = add_rule(arena, s);
	rule->names = names;
	if (!bk_strv_has(caps, "CAP_SYS_ADMIN"))
		restrict_clone(arena, s);
	allow_if(arena, s, "socket", 0, "SCMP_CMP_LT", AF_ALG);
	allow_if(arena, s, "socket", 0, "SCMP_CMP_EQ", AF_ALG + 1);
	allow_if(arena, s, "socket", 0, "SCMP_CMP_GT", AF_VSOCK);
	for (size_t i = 0; i < BK_ARRAY_SIZE(personalities); i++)
		allow_if(arena, s, "personality", 0, "SCMP_CMP_EQ", personalities[i]);
	*ret = s;
}
