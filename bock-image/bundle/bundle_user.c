/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_user.h"

#include <stdbool.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

#define ID_MAX	   (UINT32_MAX - 1) /* the last one means "leave it" to the kernel */
#define FIELDS_MAX 7

/* The lines of /etc/passwd or /etc/group, one after the other; text is cut up on the way. */
struct table {
	char *next;
};

/* Splits the next line at its colons; the count of fields (the last keeps what is over), 0 at the end. */
static size_t next_line(struct table *t, char *fields[FIELDS_MAX])
{
	char *line = t->next;
	char *end;
	size_t n = 0;

	if (!line || !*line)
		return 0;
	end = strchr(line, '\n');
	t->next = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	for (;;) {
		char *colon = n < FIELDS_MAX - 1 ? strchr(line, ':') : NULL;

		fields[n++] = line;
		if (!colon)
			return n;
		*colon = '\0';
		line = colon + 1;
	}
}

static bool parse_id(const char *text, uint32_t *ret)
{
	return bk_num_u32(text, ID_MAX, ret, NULL) == 0;
}

static bool all_digits(const char *text)
{
	return bk_str_all_of(text, "0123456789");
}

struct passwd_line {
	char *name; /* NULL where nothing was found */
	char *home;
	uint32_t uid, gid;
};

/* The first line with that name, or (name NULL) that uid. */
static int find_passwd(const struct bk_root *rootfs, const char *name, uint32_t uid,
		       struct bk_arena *arena, struct passwd_line *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf buf = BK_BUF_INIT(BUNDLE_PASSWD_MAX);
	struct table t;
	char *f[FIELDS_MAX];
	size_t n;
	int rc = bk_root_read(rootfs, "/etc/passwd", &buf, err);

	*ret = (struct passwd_line){ 0 };
	if (rc < 0)
		return rc;
	t.next = buf.data;
	while ((n = next_line(&t, f)) > 0) {
		uint32_t line_uid, line_gid;

		if (n < 4 || !parse_id(f[2], &line_uid) || !parse_id(f[3], &line_gid))
			continue;
		if (name ? !bk_streq(f[0], name) : line_uid != uid)
			continue;
		ret->name = bk_arena_strdup(arena, f[0]);
		ret->home = n > 5 && f[5][0] == '/' ? bk_arena_strdup(arena, f[5]) : NULL;
		ret->uid = line_uid;
		ret->gid = line_gid;
		return 0;
	}
	return 0;
}

static int resolve_group(const char *text, const struct bk_root *rootfs, uint32_t *ret,
			 struct bk_err **err)
{
	bk_autobuf struct bk_buf buf = BK_BUF_INIT(BUNDLE_PASSWD_MAX);
	struct table t;
	char *f[FIELDS_MAX];
	size_t n;
	int rc;

	if (all_digits(text))
		return bk_num_u32(text, ID_MAX, ret, err);
	rc = bk_root_read(rootfs, "/etc/group", &buf, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "group '%s'", text);
	t.next = buf.data;
	while ((n = next_line(&t, f)) > 0)
		if (n >= 3 && bk_streq(f[0], text) && parse_id(f[2], ret))
			return 0;
	return bk_err_set(err, BK_ERR_CONFIG, 0, "group '%s' is not in the image's /etc/group",
			  text);
}

/* Whether a comma-separated list has the name. */
static bool is_member(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list) {
		size_t part = strcspn(list, ",");

		if (part == len && memcmp(list, name, len) == 0)
			return true;
		list += part;
		list += *list == ',';
	}
	return false;
}

static bool has_gid(const struct bundle_user *u, uint32_t gid)
{
	for (size_t i = 0; i < u->n_additional_gids; i++)
		if (u->additional_gids[i] == gid)
			return true;
	return false;
}

static void add_gid(struct bundle_user *u, struct bk_arena *arena, uint32_t gid)
{
	if (has_gid(u, gid))
		return;
	u->additional_gids = bk_arena_grow(arena, u->additional_gids, u->n_additional_gids,
					   sizeof(*u->additional_gids));
	u->additional_gids[u->n_additional_gids++] = gid;
}

/* The groups that list the user; the primary one is among them (CVE-2022-2989). */
static int add_groups(struct bundle_user *u, const struct bk_root *rootfs, struct bk_arena *arena,
		      struct bk_err **err)
{
	bk_autobuf struct bk_buf buf = BK_BUF_INIT(BUNDLE_PASSWD_MAX);
	struct bk_err *why = NULL;
	struct table t;
	char *f[FIELDS_MAX];
	uint32_t gid;
	size_t n;
	int rc = bk_root_read(rootfs, "/etc/group", &buf, &why);

	add_gid(u, arena, u->gid);
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, why);
		return rc;
	}
	t.next = buf.data;
	while ((n = next_line(&t, f)) > 0) {
		if (n < 4 || !is_member(f[3], u->name) || !parse_id(f[2], &gid))
			continue;
		add_gid(u, arena, gid);
		if (u->n_additional_gids > BUNDLE_GROUPS_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "user '%s' is in more than %d groups", u->name,
					  BUNDLE_GROUPS_MAX);
	}
	return 0;
}

/* "-1" and "+1" are numbers to some tools: here they are neither that nor a name. */
static int check_sign(const char *text, struct bk_err **err)
{
	if (*text == '-' || *text == '+')
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is neither a name nor an id", text);
	return 0;
}

/* A number needs no line in passwd; what can be learnt from one is taken. */
static int resolve_uid(const char *text, const struct bk_root *rootfs, struct bk_arena *arena,
		       struct bundle_user *u, struct bk_err **err)
{
	struct passwd_line line;
	int rc = bk_num_u32(text, ID_MAX, &u->uid, err);

	if (rc < 0)
		return rc;
	if (find_passwd(rootfs, NULL, u->uid, arena, &line, NULL) == 0 && line.name) {
		u->gid = line.gid;
		u->name = line.name;
		u->home = line.home;
	}
	return 0;
}

static int resolve_name(const char *text, const struct bk_root *rootfs, struct bk_arena *arena,
			struct bundle_user *u, struct bk_err **err)
{
	struct passwd_line line;
	int rc = find_passwd(rootfs, text, 0, arena, &line, err);

	if (rc < 0)
		return rc;
	if (!line.name)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "it is not in the image's /etc/passwd");
	u->uid = line.uid;
	u->gid = line.gid;
	u->name = line.name;
	u->home = line.home;
	return 0;
}

int bundle_user_resolve(const char *text, const struct bk_root *rootfs, struct bk_arena *arena,
			struct bundle_user *ret, struct bk_err **err)
{
	bk_autofree char *user = bk_strdup(text ? text : "");
	char *group = strchr(user, ':');
	struct bundle_user u = { 0 };
	bool by_name;
	int rc;

	if (group)
		*group++ = '\0';
	by_name = *user && !all_digits(user);
	rc = check_sign(user, err);
	if (rc == 0 && group)
		rc = check_sign(group, err);
	if (rc == 0)
		rc = by_name ? resolve_name(user, rootfs, arena, &u, err)
			     : resolve_uid(*user ? user : "0", rootfs, arena, &u, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "user '%s'", user);
	if (!*user)
		u.gid = 0;
	if (group && *group)
		rc = resolve_group(group, rootfs, &u.gid, err);
	else if (by_name)
		rc = add_groups(&u, rootfs, arena, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "user '%s'", text);
	*ret = u;
	return 0;
}
