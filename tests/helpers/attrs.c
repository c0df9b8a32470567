/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attrs: what the kernel really has for the process that runs it, as lines "NAME VALUE...": for the bats
 * files, which build it static and put it into a container.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

#define BITS 65536
#define WORD (8 * sizeof(unsigned long))

static void print_set(const char *name, const unsigned long *mask, size_t n)
{
	printf("%s", name);
	for (size_t i = 0; i < n; i++) {
		if (mask[i / WORD] >> i % WORD & 1)
			printf(" %zu", i);
	}
	printf("\n");
}

int main(void)
{
	static unsigned long mask[BITS / WORD];
	struct attr a = { 0 };
	int mode = -1;
	long n;

	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) < 0)
		perror("sched_getattr");
	printf("sched policy=%u flags=%llu nice=%d priority=%u runtime=%llu deadline=%llu period=%llu\n",
	       a.policy, (unsigned long long)a.flags, a.nice, a.priority,
	       (unsigned long long)a.runtime, (unsigned long long)a.deadline,
	       (unsigned long long)a.period);
	printf("ioprio %ld\n", syscall(SYS_ioprio_get, 1, 0));
	printf("personality %#x\n", (unsigned int)personality(0xffffffff));
	n = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	print_set("cpus", mask, n > 0 ? 8 * (size_t)n : 0);
	memset(mask, 0, sizeof(mask));
	if (syscall(SYS_get_mempolicy, &mode, mask, 32768, NULL, 0) < 0) {
		perror("get_mempolicy");
		return 0;
	}
	printf("mempolicy %#x\n", (unsigned int)mode);
	print_set("nodes", mask, 32768);
	return 0;
}
