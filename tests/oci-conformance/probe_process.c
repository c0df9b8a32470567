/* SPDX-License-Identifier: Apache-2.0 */
/* What the process itself was given: ids, capabilities, limits, scheduling, signals, arguments. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/* by number, from linux/capability.h */
static const char *const cap_names[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
	"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

#define CAPS (sizeof(cap_names) / sizeof(cap_names[0]))

static void strings(const char *key, char **v)
{
	json_array(key);
	for (; *v; v++)
		json_string(NULL, *v);
	json_end();
}

static void cap_set(const char *key, uint64_t set)
{
	json_array(key);
	for (unsigned int i = 0; i < 64; i++) {
		if (set >> i & 1)
			json_string(NULL, i < CAPS ? cap_names[i] : "unknown");
	}
	json_end();
}

static void capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t bounding = 0, ambient = 0;

	syscall(SYS_capget, &header, data);
	for (unsigned int i = 0; i < 64; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			bounding |= 1ULL << i;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			ambient |= 1ULL << i;
	}
	json_object("caps");
	cap_set("effective", (uint64_t)data[1].effective << 32 | data[0].effective);
	cap_set("permitted", (uint64_t)data[1].permitted << 32 | data[0].permitted);
	cap_set("inheritable", (uint64_t)data[1].inheritable << 32 | data[0].inheritable);
	cap_set("bounding", bounding);
	cap_set("ambient", ambient);
	json_end();
	json_number("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
}

static void limits(void)
{
	static const struct {
		int id;
		const char *name;
	} kinds[] = {
		{ RLIMIT_AS, "RLIMIT_AS" }, { RLIMIT_CORE, "RLIMIT_CORE" }, { RLIMIT_CPU, "RLIMIT_CPU" },
		{ RLIMIT_DATA, "RLIMIT_DATA" }, { RLIMIT_FSIZE, "RLIMIT_FSIZE" },
		{ RLIMIT_LOCKS, "RLIMIT_LOCKS" }, { RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK" },
		{ RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE" }, { RLIMIT_NICE, "RLIMIT_NICE" },
		{ RLIMIT_NOFILE, "RLIMIT_NOFILE" }, { RLIMIT_NPROC, "RLIMIT_NPROC" },
		{ RLIMIT_RSS, "RLIMIT_RSS" }, { RLIMIT_RTPRIO, "RLIMIT_RTPRIO" },
		{ RLIMIT_RTTIME, "RLIMIT_RTTIME" }, { RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING" },
		{ RLIMIT_STACK, "RLIMIT_STACK" },
	};

	json_object("rlimits");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct rlimit r;

		if (getrlimit((__rlimit_resource_t)kinds[i].id, &r))
			continue;
		json_object(kinds[i].name);
		json_unsigned("soft", r.rlim_cur);
		json_unsigned("hard", r.rlim_max);
		json_end();
	}
	json_end();
}

static void user(void)
{
	uid_t r = 0, e = 0, s = 0;
	gid_t gr = 0, ge = 0, gs = 0, groups[256];
	mode_t mask = umask(0);
	int n = getgroups(256, groups);

	umask(mask);
	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	json_array("uids");
	json_number(NULL, r);
	json_number(NULL, e);
	json_number(NULL, s);
	json_end();
	json_array("gids");
	json_number(NULL, gr);
	json_number(NULL, ge);
	json_number(NULL, gs);
	json_end();
	json_array("groups");
	for (int i = 0; i < n; i++)
		json_number(NULL, groups[i]);
	json_end();
	json_number("umask", mask);
}

/* as sched_getattr(2) fills it; the headers that have it don't go with sched.h */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t clamp_min, clamp_max;
};

static void scheduling(void)
{
	struct attributes a = { .size = sizeof(a) };
	cpu_set_t cpus;
	unsigned long nodes[16] = { 0 };
	int mode = -1;

	if (!syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0)) {
		json_object("scheduler");
		json_number("policy", a.policy);
		json_unsigned("flags", a.flags);
		json_number("nice", a.nice);
		json_number("priority", a.priority);
		json_unsigned("runtime", a.runtime);
		json_unsigned("deadline", a.deadline);
		json_unsigned("period", a.period);
		json_end();
	}
	json_array("cpus");
	if (!sched_getaffinity(0, sizeof(cpus), &cpus)) {
		for (int i = 0; i < CPU_SETSIZE; i++) {
			if (CPU_ISSET(i, &cpus))
				json_number(NULL, i);
		}
	}
	json_end();
	json_number("ioprio", syscall(SYS_ioprio_get, 1, 0));
	json_number("personality", personality(0xffffffff));
	json_object("mempolicy");
	if (!syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0)) {
		json_number("mode", mode);
		json_unsigned("nodes", nodes[0]);
	}
	json_end();
}

static void signals(void)
{
	sigset_t blocked;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	json_array("blocked");
	for (int i = 1; i < 65; i++) {
		if (sigismember(&blocked, i) == 1)
			json_number(NULL, i);
	}
	json_end();
	json_array("ignored");
	for (int i = 1; i < 65; i++) {
		struct sigaction act;

		if (!sigaction(i, NULL, &act) && act.sa_handler == SIG_IGN)
			json_number(NULL, i);
	}
	json_end();
}

static void keyring(void)
{
	/* GET_KEYRING_ID of the session's, DESCRIBE */
	long id = syscall(SYS_keyctl, 0, -3, 0, 0, 0);
	char text[256] = "";

	if (id < 0) {
		json_string("keyring", NULL);
		return;
	}
	if (syscall(SYS_keyctl, 6, id, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	json_object("keyring");
	json_number("id", id);
	json_string("description", text);
	json_end();
}

void report_process(char **argv)
{
	char cwd[4096];
	int death = 0, subreaper = 0;

	strings("args", argv);
	strings("env", environ);
	json_string("cwd", getcwd(cwd, sizeof(cwd)));
	json_link("exe", "/proc/self/exe");
	json_number("pid", getpid());
	json_number("ppid", getppid());
	json_number("pgid", getpgrp());
	json_number("sid", getsid(0));
	user();
	capabilities();
	limits();
	scheduling();
	signals();
	keyring();
	json_number("nnp", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	json_number("seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	json_number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	json_number("deathsig", death);
	prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
	json_number("subreaper", subreaper);
	json_file("oom_score_adj", "/proc/self/oom_score_adj");
	json_file("label", "/proc/self/attr/current");
	json_file("status", "/proc/self/status");
}
