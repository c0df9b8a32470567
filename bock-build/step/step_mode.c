/* SPDX-License-Identifier: Apache-2.0 */
#include "step/step_mode.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bk_num.h"

#define USER	04700
#define GROUP	02070
#define OTHER	01007
#define ALL_RWX 0777

static mode_t who_mask(const char **p)
{
	mode_t mask = 0;

	for (;; (*p)++) {
		switch (**p) {
		case 'u':
			mask |= USER;
			break;
		case 'g':
			mask |= GROUP;
			break;
		case 'o':
			mask |= OTHER;
			break;
		case 'a':
			mask |= USER | GROUP | OTHER;
			break;
		default:
			return mask ? mask : USER | GROUP | OTHER;
		}
	}
}

/* One class of mode's permissions, for all three. */
static mode_t spread(mode_t mode, unsigned int shift)
{
	return (mode >> shift & 7) * 0111;
}

/* False where the letter is none of a permission. */
static bool permission(char c, mode_t mode, mode_t *perm)
{
	switch (c) {
	case 'r':
		*perm |= 0444;
		return true;
	case 'w':
		*perm |= 0222;
		return true;
	case 'x':
		*perm |= 0111;
		return true;
	case 'X':
		*perm |= S_ISDIR(mode) || (mode & 0111) ? 0111 : 0;
		return true;
	case 's':
		*perm |= S_ISUID | S_ISGID;
		return true;
	case 't':
		*perm |= S_ISVTX;
		return true;
	case 'u':
		*perm |= spread(mode, 6);
		return true;
	case 'g':
		*perm |= spread(mode, 3);
		return true;
	case 'o':
		*perm |= spread(mode, 0);
		return true;
	default:
		return false;
	}
}

/* WHO OP PERMISSIONS [OP PERMISSIONS]... */
static bool clause(const char **p, mode_t *mode)
{
	mode_t mask = who_mask(p);

	if (!**p || !strchr("+-=", **p))
		return false;
	while (**p && strchr("+-=", **p)) {
		char op = *(*p)++;
		mode_t perm = 0;

		while (permission(**p, *mode, &perm))
			(*p)++;
		perm &= mask;
		if (op == '=') /* a directory keeps its set-id bits, as chmod(1) has it */
			*mode &= ~(mask & (S_ISDIR(*mode) ? ALL_RWX | S_ISVTX : 07777));
		if (op == '-')
			*mode &= ~perm;
		else
			*mode |= perm;
	}
	return true;
}

int step_mode_apply(const char *spec, mode_t mode, mode_t *ret, struct bk_err **err)
{
	const char *p = spec;
	uint32_t octal = 0;
	int rc;

	if (isdigit((unsigned char)*spec)) {
		rc = bk_num_mode(spec, 07777, &octal, err);
		if (rc == 0)
			*ret = octal;
		return rc;
	}
	do {
		if (!clause(&p, &mode))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "'%.64s' is no mode, as in 0644 or u=rwX,go=rX", spec);
	} while (*p == ',' && *p++);
	if (*p)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'%.64s' is no mode, as in 0644 or u=rwX,go=rX", spec);
	*ret = mode & 07777;
	return 0;
}
