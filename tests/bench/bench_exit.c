/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's program: ends at once, or (bench_exit wait) never. Where it is built without a C library,
 * whose start would be a good part of what is measured, it is bench_exit; with one, bench_empty.
 */
#ifdef BENCH_FREESTANDING
#include <asm/unistd.h>

#ifndef __x86_64__
#error "this machine's system call is not known here"
#endif

static long call(long nr, long a)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a) : "rcx", "r11", "memory");
	return ret;
}

__attribute__((used)) static _Noreturn void run(const long *stack)
{
	while (stack[0] > 1)
		(void)call(__NR_pause, 0);
	for (;;)
		(void)call(__NR_exit_group, 0);
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall run\n");

#else
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	while (argc > 1)
		(void)pause();
	return 0;
}
#endif
