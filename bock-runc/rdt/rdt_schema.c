/* SPDX-License-Identifier: Apache-2.0 */
#include "rdt/rdt_schema.h"

#include <string.h>
#include <strings.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

/* Cuts spaces, "0x" and leading zeros off; "0" and "" stay what they are. */
static const char *plain(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len && strchr(" \t\r", s[len - 1]))
		s[--len] = '\0';
	if (strncasecmp(s, "0x", 2) == 0)
		s += 2;
	while (s[0] == '0' && s[1])
		s++;
	return s;
}

/* Splits "ID=VALUE". */
static int split_pair(char *pair, const char **ret_id, const char **ret_value)
{
	char *eq = strchr(pair, '=');

	if (!eq)
		return -1;
	*eq = '\0';
	*ret_id = plain(pair);
	*ret_value = plain(eq + 1);
	return **ret_id && **ret_value ? 0 : -1;
}

/* The value of domain id of a resource in the file's text; heap, NULL: not there. */
static char *look_up(const char *schemata, const char *resource, const char *id)
{
	bk_autofree char *copy = bk_strdup(schemata);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *pairs = strchr(line, ':'), *pair;
		const char *got_id, *value;

		if (!pairs)
			continue;
		*pairs++ = '\0';
		if (!bk_streq(plain(line), resource))
			continue;
		while ((pair = strsep(&pairs, ";"))) {
			if (split_pair(pair, &got_id, &value) == 0 && bk_streq(got_id, id))
				return bk_strdup(value);
		}
	}
	return NULL;
}

static int check_pair(const char *resource, char *pair, const char *schemata, struct bk_err **err)
{
	bk_autofree char *got = NULL;
	const char *id, *value;

	if (split_pair(pair, &id, &value) < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is not DOMAIN=VALUE", pair);
	got = look_up(schemata, resource, id);
	if (!got)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s:%s=%s does not match the group that is there, which has no such domain",
				  resource, id, value);
	if (strcasecmp(got, value) != 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s:%s=%s does not match the group that is there, which has %s", resource,
				  id, value, got);
	return 0;
}

static int check_line(char *line, const char *schemata, struct bk_err **err)
{
	char *pairs = strchr(line, ':'), *pair;
	const char *resource;

	if (!pairs)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is not RESOURCE:DOMAIN=VALUE;...", line);
	*pairs++ = '\0';
	resource = plain(line);
	while ((pair = strsep(&pairs, ";"))) {
		int rc;

		if (!*pair)
			continue;
		rc = check_pair(resource, pair, schemata, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int rdt_schema_within(const char *schema, const char *schemata, struct bk_err **err)
{
	bk_autofree char *copy = bk_strdup(schema);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		int rc;

		if (!line[strspn(line, " \t\r")])
			continue;
		rc = check_line(line, schemata, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
