/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bk_banned.h: calls that this project does without. Makefile.am puts this header in front of every
 * file (-include), so that using one of them stops the compiler at an undeclared name that says
 * what to use instead. The libc headers that declare them are included first, because a declaration
 * that follows the macro would trip over it. A macro with arguments leaves members of the same name
 * alone (`method->gets`).
 *
 * Nobody lifts a ban: tests/style/banned refuses an #undef of these names elsewhere.
 *
 * Uses: libc. Used by: everything.
 */
#ifndef BK_BANNED_H
#define BK_BANNED_H

#include <alloca.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* no bound on what they write */
#undef strcpy
#define strcpy(...) bk_banned_strcpy__use_bk_strdup_or_bk_buf()
#undef stpcpy
#define stpcpy(...) bk_banned_stpcpy__use_bk_strdup_or_bk_buf()
#undef strcat
#define strcat(...) bk_banned_strcat__use_bk_buf()
#undef sprintf
#define sprintf(...) bk_banned_sprintf__use_snprintf_or_bk_buf()
#undef vsprintf
#define vsprintf(...) bk_banned_vsprintf__use_vsnprintf_or_bk_buf()
#undef gets
#define gets(...) bk_banned_gets__use_getline()
#undef alloca
#define alloca(...) bk_banned_alloca__use_bk_malloc()

/* may leave a string without its end, or cut it without saying so */
#undef strncpy
#define strncpy(...) bk_banned_strncpy__use_snprintf_or_memcpy()
#undef strncat
#define strncat(...) bk_banned_strncat__use_bk_buf()

/* hidden state */
#undef strtok
#define strtok(...) bk_banned_strtok__use_strtok_r_or_bk_strv()

/* a shell between us and the program */
#undef system
#define system(...) bk_banned_system__use_bk_proc()
#undef popen
#define popen(...) bk_banned_popen__use_bk_proc()

/* a name that somebody else can take before we do */
#undef mktemp
#define mktemp(...) bk_banned_mktemp__use_bk_file()
#undef tmpnam
#define tmpnam(...) bk_banned_tmpnam__use_bk_file()
#undef tempnam
#define tempnam(...) bk_banned_tempnam__use_bk_file()

/* accept garbage behind the number, and overflow silently or by errno */
#undef atoi
#define atoi(...) bk_banned_atoi__use_bk_num()
#undef atol
#define atol(...) bk_banned_atol__use_bk_num()
#undef atoll
#define atoll(...) bk_banned_atoll__use_bk_num()
#undef strtol
#define strtol(...) bk_banned_strtol__use_bk_num()
#undef strtoul
#define strtoul(...) bk_banned_strtoul__use_bk_num()
#undef strtoll
#define strtoll(...) bk_banned_strtoll__use_bk_num()
#undef strtoull
#define strtoull(...) bk_banned_strtoull__use_bk_num()
#undef strtoimax
#define strtoimax(...) bk_banned_strtoimax__use_bk_num()
#undef strtoumax
#define strtoumax(...) bk_banned_strtoumax__use_bk_num()

#endif
