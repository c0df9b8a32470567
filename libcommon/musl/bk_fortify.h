/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bk_fortify.h: what glibc's headers do for _FORTIFY_SOURCE, for musl's, which have nothing of it. A call that
 * writes into an object whose size the compiler knows is checked against it, when the program is
 * compiled or while it runs; too much ends the program (bk_musl.c: "buffer overflow detected"). The
 * calls are those that this project makes. Bounds of the third level, of objects whose size is known
 * only when they are made, come from __builtin_dynamic_object_size.
 *
 * It stands behind bk_musl.h, in front of everything else.
 *
 * Uses: musl. Used by: everything in a program linked with musl that is optimized.
 */
#ifndef BK_FORTIFY_H
#define BK_FORTIFY_H

#ifdef __OPTIMIZE__

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BK_FORTIFIED                                                                               \
	extern __inline __attribute__((__always_inline__, __gnu_inline__, __artificial__))
/* how many bytes there are from p to the end of its object; (size_t)-1: nobody knows */
#define BK_FORTIFY_ROOM(p) __builtin_dynamic_object_size(p, 0)

/* Ends the program if a call is about to write n bytes where there are `room`. */
BK_FORTIFIED void bk_fortify(size_t n, size_t room);

/* Says "buffer overflow detected" and aborts. */
_Noreturn void __chk_fail(void);

BK_FORTIFIED void bk_fortify(size_t n, size_t room)
{
	if (room != (size_t)-1 && n > room)
		__chk_fail();
}

BK_FORTIFIED void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	return __builtin___memcpy_chk(to, from, n, BK_FORTIFY_ROOM(to));
}

BK_FORTIFIED void *memmove(void *to, const void *from, size_t n)
{
	return __builtin___memmove_chk(to, from, n, BK_FORTIFY_ROOM(to));
}

BK_FORTIFIED void *memset(void *to, int byte, size_t n)
{
	return __builtin___memset_chk(to, byte, n, BK_FORTIFY_ROOM(to));
}

BK_FORTIFIED void *mempcpy(void *restrict to, const void *restrict from, size_t n)
{
	return (char *)memcpy(to, from, n) + n;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* it is the caller's, and is checked there */
BK_FORTIFIED __attribute__((__format__(__printf__, 3, 0))) int
vsnprintf(char *restrict to, size_t n, const char *restrict format, va_list args)
{
	return __builtin___vsnprintf_chk(to, n, 0, BK_FORTIFY_ROOM(to), format, args);
}

#ifndef __clang__ /* which has no way to hand arguments on */
BK_FORTIFIED __attribute__((__format__(__printf__, 3, 4))) int
snprintf(char *restrict to, size_t n, const char *restrict format, ...)
{
	return __builtin___snprintf_chk(to, n, 0, BK_FORTIFY_ROOM(to), format,
					__builtin_va_arg_pack());
}
#endif
#pragma GCC diagnostic pop

/* What the kernel writes: the C library's own function, behind a check. */
#define BK_FORTIFY_BEHIND(name, type, parameters)                                                   \
	extern type bk_fortify_real_##name parameters __asm__(#name)

BK_FORTIFY_BEHIND(read, ssize_t, (int, void *, size_t));
BK_FORTIFIED ssize_t read(int fd, void *to, size_t n)
{
	bk_fortify(n, BK_FORTIFY_ROOM(to));
	return bk_fortify_real_read(fd, to, n);
}

BK_FORTIFY_BEHIND(pread, ssize_t, (int, void *, size_t, off_t));
BK_FORTIFIED ssize_t pread(int fd, void *to, size_t n, off_t offset)
{
	bk_fortify(n, BK_FORTIFY_ROOM(to));
	return bk_fortify_real_pread(fd, to, n, offset);
}

BK_FORTIFY_BEHIND(recv, ssize_t, (int, void *, size_t, int));
BK_FORTIFIED ssize_t recv(int fd, void *to, size_t n, int flags)
{
	bk_fortify(n, BK_FORTIFY_ROOM(to));
	return bk_fortify_real_recv(fd, to, n, flags);
}

BK_FORTIFY_BEHIND(readlink, ssize_t, (const char *restrict, char *restrict, size_t));
BK_FORTIFIED ssize_t readlink(const char *restrict path, char *restrict to, size_t n)
{
	bk_fortify(n, BK_FORTIFY_ROOM(to));
	return bk_fortify_real_readlink(path, to, n);
}

BK_FORTIFY_BEHIND(readlinkat, ssize_t, (int, const char *restrict, char *restrict, size_t));
BK_FORTIFIED ssize_t readlinkat(int dir, const char *restrict path, char *restrict to, size_t n)
{
	bk_fortify(n, BK_FORTIFY_ROOM(to));
	return bk_fortify_real_readlinkat(dir, path, to, n);
}

BK_FORTIFY_BEHIND(getcwd, char *, (char *, size_t));
BK_FORTIFIED char *getcwd(char *to, size_t n)
{
	if (to)
		bk_fortify(n, BK_FORTIFY_ROOM(to));
	return bk_fortify_real_getcwd(to, n);
}

#endif /* __OPTIMIZE__ */

#endif
