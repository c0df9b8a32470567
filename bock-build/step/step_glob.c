/* SPDX-License-Identifier: Apache-2.0 */
#include "step/step_glob.h"

#include <fnmatch.h>
#include <string.h>

#include "base/bk_mem.h"
#include "snap/snap_dir.h"

#define NAME_MAX_BYTES 256

bool step_glob_is_pattern(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}

/* The component that s begins with, copied; false where it is longer than any name. */
static bool component(const char *s, char part[NAME_MAX_BYTES])
{
	size_t len = strcspn(s, "/");

	if (len >= NAME_MAX_BYTES)
		return false;
	memcpy(part, s, len);
	part[len] = '\0';
	return true;
}

static const char *next(const char *s)
{
	s += strcspn(s, "/");
	return s + strspn(s, "/");
}

/*
 * Both by components; one place to come back to is enough, as for `*` in a line: where a later `**`
 * was reached, what an earlier one took need not be looked at again.
 */
bool step_glob_match(const char *pattern, const char *path)
{
	const char *retry_pattern = NULL;
	const char *retry_path = NULL;
	char want[NAME_MAX_BYTES];
	char name[NAME_MAX_BYTES];

	while (*path) {
		if (!component(pattern, want) || !component(path, name))
			return false;
		if (bk_streq(want, "**")) {
			retry_pattern = next(pattern);
			retry_path = path;
			pattern = retry_pattern;
			if (!*pattern)
				return true;
		} else if (*want && fnmatch(want, name, 0) == 0) {
			pattern = next(pattern);
			path = next(path);
		} else if (retry_pattern) {
			pattern = retry_pattern;
			path = retry_path = next(retry_path);
		} else {
			return false;
		}
	}
	while (bk_skip_prefix(pattern, "**") && component(pattern, want) && bk_streq(want, "**"))
		pattern = next(pattern);
	return *pattern == '\0';
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct search {
	const struct bk_root *root;
	const char *pattern;
	size_t levels; /* how deep a match can lie; STEP_GLOB_DEPTH_MAX with `**` */
	char **found;
	size_t n;
};

/* The components in front of the first with a special character: no search is needed there. */
static char *fixed_part(const char *pattern)
{
	const char *p = pattern;

	while (*p) {
		char part[NAME_MAX_BYTES];

		if (!component(p, part) || step_glob_is_pattern(part))
			break;
		p = next(p);
	}
	while (p > pattern && p[-1] == '/')
		p--;
	return bk_strndup(pattern, (size_t)(p - pattern));
}

static int search(struct search *s, const char *dir, size_t level, struct bk_err **err)
{
	bk_autostrv char **names = NULL;
	int rc;

	if (level >= s->levels)
		return 0;
	rc = snap_dir_names(s->root, dir, &names, err);
	for (size_t i = 0; rc == 0 && names && names[i]; i++) {
		bk_autofree char *path = bk_asprintf("%s%s%s", dir, *dir ? "/" : "", names[i]);
		struct stat st;

		if (step_glob_match(s->pattern, path)) {
			if (s->n++ >= STEP_GLOB_MATCHES_MAX)
				return bk_err_set(err, BK_ERR_CONFIG, 0,
						  "more than %d files are like '%s'",
						  STEP_GLOB_MATCHES_MAX, s->pattern);
			bk_strv_add(&s->found, path);
		}
		rc = bk_root_lstat(s->root, path, &st, err);
		if (rc == 0 && S_ISDIR(st.st_mode))
			rc = search(s, path, level + 1, err);
	}
	return rc;
}

static size_t levels_of(const char *pattern)
{
	size_t n = 0;
	char part[NAME_MAX_BYTES];

	for (const char *p = pattern; *p; p = next(p)) {
		if (component(p, part) && bk_streq(part, "**"))
			return STEP_GLOB_DEPTH_MAX;
		n++;
	}
	return n;
}

int step_glob_find(const struct bk_root *root, const char *pattern, char ***ret,
		   struct bk_err **err)
{
	bk_autofree char *start = fixed_part(pattern);
	struct search s = { .root = root, .pattern = pattern, .levels = levels_of(pattern) };
	struct bk_err *why = NULL;
	size_t level = *start ? levels_of(start) : 0;
	int rc = search(&s, start, level, &why);

	/* where the fixed part is not there, nothing is like the pattern */
	if (rc == -BK_ERR_NOT_FOUND || (rc < 0 && bk_err_errno(why) == ENOTDIR)) {
		bk_err_clear(&why);
		rc = 0;
	}
	if (rc < 0) {
		bk_strv_free(s.found);
		bk_err_move(err, why);
		return rc;
	}
	if (s.found)
		qsort(s.found, s.n, sizeof(*s.found), compare_names);
	*ret = s.found;
	return 0;
}
