/* SPDX-License-Identifier: Apache-2.0 */
#include "step/step_ignore.h"

#include <ctype.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "step/step_glob.h"

static const char *const names[] = { ".bockignore", ".dockerignore" };

void step_ignore_done(struct step_ignore *ignore)
{
	bk_strv_free(ignore->lines);
	*ignore = (struct step_ignore)STEP_IGNORE_INIT;
}

static void add_line(struct step_ignore *ignore, const char *line, size_t len)
{
	bk_autofree char *text = NULL;
	bk_autofree char *clean = NULL;
	const char *pattern;
	bool exception;

	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	while (len > 0 && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	if (len == 0 || *line == '#')
		return;
	exception = *line == '!';
	text = bk_strndup(line + exception, len - exception);
	clean = bk_path_clean(text);
	pattern = clean + strspn(clean, "/");
	if (!*pattern || bk_streq(pattern, "."))
		return;
	ignore->exceptions |= exception;
	bk_strv_push(&ignore->lines, bk_asprintf("%s%s", exception ? "!" : "", pattern));
}

void step_ignore_parse(struct step_ignore *ignore, const char *text)
{
	/* a byte order mark is no part of the first pattern */
	const char *p = bk_skip_prefix(text, "\xef\xbb\xbf");

	for (p = p ? p : text; *p; p += *p == '\n') {
		size_t len = strcspn(p, "\n");

		add_line(ignore, p, len);
		p += len;
	}
}

int step_ignore_load(struct step_ignore *ignore, const struct bk_root *context, struct bk_err **err)
{
	for (size_t i = 0; i < BK_ARRAY_SIZE(names); i++) {
		bk_autobuf struct bk_buf text = BK_BUF_INIT(STEP_IGNORE_SIZE_MAX);
		struct bk_err *why = NULL;
		int rc = bk_root_read(context, names[i], &text, &why);

		if (rc == 0) {
			step_ignore_parse(ignore, bk_buf_str(&text));
			return 0;
		}
		if (rc != -BK_ERR_NOT_FOUND) {
			bk_err_move(err, why);
			return rc;
		}
		bk_err_clear(&why);
	}
	return 0;
}

/* Is path, or a directory that holds it, like the pattern? */
static bool covers(const char *pattern, const char *path)
{
	bk_autofree char *part = bk_strdup(path);
	char *slash;

	for (;;) {
		if (step_glob_match(pattern, part))
			return true;
		slash = strrchr(part, '/');
		if (!slash)
			return false;
		*slash = '\0';
	}
}

bool step_ignore_has(const struct step_ignore *ignore, const char *path)
{
	bool ignored = false;

	for (size_t i = 0; ignore->lines && ignore->lines[i]; i++) {
		const char *line = ignore->lines[i];
		bool exception = *line == '!';

		if (ignored == exception && covers(line + exception, path))
			ignored = !exception;
	}
	return ignored;
}
