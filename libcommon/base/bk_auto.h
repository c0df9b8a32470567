/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cleanup attributes: every owned pointer and descriptor carries one, starts as NULL or -1, and
 * leaves its scope alive only by steal.
 *
 *	bk_autofree char *p = NULL;
 *	bk_autoclose int fd = -1;
 *	...
 *	*ret_fd = bk_steal_fd(&fd);
 */
#ifndef BK_AUTO_H
#define BK_AUTO_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define bk_auto(fn) __attribute__((cleanup(fn)))

static inline void bk_auto_free_(void *p)
{
	free(*(void **)p);
}

/* Keeps errno, so that a cleanup never hides why a function failed. */
static inline void bk_auto_close_(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		(void)close(*fd);
		errno = saved;
	}
}

static inline void bk_auto_fclose_(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static inline void bk_auto_closedir_(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

#define bk_autofree bk_auto(bk_auto_free_)
#define bk_autoclose bk_auto(bk_auto_close_)
#define bk_autofclose bk_auto(bk_auto_fclose_)
#define bk_autoclosedir bk_auto(bk_auto_closedir_)

/* Defines bk_auto_NAME for owned `struct NAME *`: BK_DEFINE_AUTO(bk_arena, bk_arena_free). */
#define BK_DEFINE_AUTO(name, fn)                               \
	static inline void bk_auto_##name##_(struct name **p) \
	{                                                      \
		if (*p)                                        \
			fn(*p);                                \
	}                                                      \
	struct name

/* Gives ownership away: the variable is NULL (or -1) afterwards. */
#define bk_steal_ptr(pp)                        \
	({                                      \
		__typeof__(*(pp)) stolen_ = *(pp); \
		*(pp) = NULL;                   \
		stolen_;                        \
	})

static inline int bk_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* Closes *fd if it is open and sets it to -1; errno is kept. */
static inline void bk_close(int *fd)
{
	bk_auto_close_(fd);
	*fd = -1;
}

#define BK_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
