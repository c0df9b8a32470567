/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program that is linked with musl has beside it:
 *
 * - the checked functions that code compiled against glibc's headers calls (_FORTIFY_SOURCE): that of
 *   libyajl_s.a and libseccomp.a as distributions have them, and our own, by bk_fortify.h. They
 *   are what the Linux Standard Base says of them (LSB 5.0, core, "Interfaces for libc").
 * - an abort() that ends the process which calls it. musl's sends the signal to the thread that it remembers,
 *   and a process made by clone3(2) remembers its parent's.
 * - RELRO: a static program makes its relocated tables read-only itself, and musl leaves it out.
 *
 * configure includes this file in its probe, so it stands by itself.
 */
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* No header says these. */
_Noreturn void __chk_fail(void);
void *__memcpy_chk(void *restrict to, const void *restrict from, size_t n, size_t room);
void *__memmove_chk(void *to, const void *from, size_t n, size_t room);
void *__memset_chk(void *to, int byte, size_t n, size_t room);
int __vsnprintf_chk(char *restrict to, size_t n, int flag, size_t room, const char *restrict format,
		    va_list args);
int __snprintf_chk(char *restrict to, size_t n, int flag, size_t room, const char *restrict format,
		   ...);
int __sprintf_chk(char *restrict to, int flag, size_t room, const char *restrict format, ...);
int __fprintf_chk(FILE *restrict to, int flag, const char *restrict format, ...);

_Noreturn void abort(void)
{
	static const unsigned long dfl[16]; /* SIG_DFL, in the kernel's structure, whatever its layout */
	const uint64_t abrt = UINT64_C(1) << (SIGABRT - 1);

	(void)syscall(SYS_rt_sigaction, SIGABRT, dfl, NULL, sizeof(abrt));
	(void)syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &abrt, NULL, sizeof(abrt));
	(void)syscall(SYS_tgkill, (long)getpid(), syscall(SYS_gettid), SIGABRT);
	/* the first process of a pid namespace takes no signal of its own, but this one */
	__builtin_trap();
}

_Noreturn void __chk_fail(void)
{
	static const char text[] = "*** buffer overflow detected ***: terminated\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		abort();
	abort();
}

static void check(size_t n, size_t room)
{
	if (n > room)
		__chk_fail();
}

void *__memcpy_chk(void *restrict to, const void *restrict from, size_t n, size_t room)
{
	check(n, room);
	return memcpy(to, from, n);
}

void *__memmove_chk(void *to, const void *from, size_t n, size_t room)
{
	check(n, room);
	return memmove(to, from, n);
}

void *__memset_chk(void *to, int byte, size_t n, size_t room)
{
	check(n, room);
	return memset(to, byte, n);
}

int __vsnprintf_chk(char *restrict to, size_t n, int flag, size_t room, const char *restrict format,
		    va_list args)
{
	(void)flag; /* that %n is to be refused in formats that can be written; our formats are constants */
	check(n, room);
	return vsnprintf(to, n, format, args);
}

int __snprintf_chk(char *restrict to, size_t n, int flag, size_t room, const char *restrict format,
		   ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = __vsnprintf_chk(to, n, flag, room, format, args);
	va_end(args);
	return len;
}

int __sprintf_chk(char *restrict to, int flag, size_t room, const char *restrict format, ...)
{
	/* an object whose size is not known has as much room as a length can be */
	size_t n = room > INT32_MAX ? INT32_MAX : room;
	va_list args;
	int len;

	(void)flag;
	va_start(args, format);
	len = vsnprintf(to, n, format, args);
	va_end(args);
	if (len >= 0)
		check((size_t)len + 1, n);
	return len;
}

int __fprintf_chk(FILE *restrict to, int flag, const char *restrict format, ...)
{
	va_list args;
	int len;

	(void)flag;
	va_start(args, format);
	len = vfprintf(to, format, args);
	va_end(args);
	return len;
}

/* The linker's name for where the file begins in memory. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* Before main(). The linker has aligned the end of the segment to a page. */
__attribute__((constructor)) static void protect_relro(void)
{
	const uintptr_t page = getauxval(AT_PAGESZ), file = (uintptr_t)&__ehdr_start;
	const ElfW(Phdr) *headers = (const void *)(file + __ehdr_start.e_phoff);
	uintptr_t base = 0; /* what addresses in the file are to be added to */

	for (size_t i = 0; i < __ehdr_start.e_phnum; i++)
		if (headers[i].p_type == PT_LOAD && headers[i].p_offset == 0)
			base = file - headers[i].p_vaddr;
	for (size_t i = 0; i < __ehdr_start.e_phnum; i++) {
		uintptr_t from, to;

		if (headers[i].p_type != PT_GNU_RELRO)
			continue;
		from = (base + headers[i].p_vaddr) & ~(page - 1);
		to = (base + headers[i].p_vaddr + headers[i].p_memsz) & ~(page - 1);
		if (to > from && mprotect((void *)from, to - from, PROT_READ) < 0)
			abort();
	}
}
