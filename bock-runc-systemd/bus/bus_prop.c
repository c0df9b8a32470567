/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bus_prop.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

static const char *const types[] = { "b", "s", "t", "u", "x", "i", "as", "ay", "a(st)", NULL };

static int malformed(const char *word, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "property '%s': not NAME[>=VERSION]:TYPE:VALUE", word);
}

int bus_prop_parse(const char *word, struct bus_prop *ret, struct bk_err **err)
{
	struct bus_prop p = { .version = 0 };
	const char *type = strchr(word, ':');
	const char *value = type ? strchr(type + 1, ':') : NULL;
	const char *least = strstr(word, ">=");
	size_t len;

	if (!value)
		return malformed(word, err);
	if (least && least < type) {
		bk_autofree char *text = bk_strndup(least + 2, (size_t)(type - least) - 2);

		if (bk_num_u32(text, UINT32_MAX, &p.version, NULL) < 0)
			return malformed(word, err);
	} else {
		least = type;
	}
	len = (size_t)(least - word);
	if (len == 0 || len >= sizeof(p.name) || (size_t)(value - type) > sizeof(p.type))
		return malformed(word, err);
	memcpy(p.name, word, len);
	memcpy(p.type, type + 1, (size_t)(value - type) - 1);
	p.value = value + 1;
	if (!bk_strv_has((char *const *)types, p.type))
		return malformed(word, err);
	*ret = p;
	return 0;
}

static int number(struct sd_bus_message *m, const struct bus_prop *p, const char *text)
{
	uint64_t u;
	int64_t i;

	switch (p->type[0]) {
	case 't':
		return bk_num_u64(text, UINT64_MAX, &u, NULL) < 0 ? -EINVAL : sd_bus_message_append(m, "t", u);
	case 'u':
		if (bk_num_u64(text, UINT32_MAX, &u, NULL) < 0)
			return -EINVAL;
		return sd_bus_message_append(m, "u", (uint32_t)u);
	case 'x':
		return bk_num_i64(text, INT64_MIN, INT64_MAX, &i, NULL) < 0 ? -EINVAL : sd_bus_message_append(m, "x", i);
	default:
		if (bk_num_i64(text, INT32_MIN, INT32_MAX, &i, NULL) < 0)
			return -EINVAL;
		return sd_bus_message_append(m, "i", (int32_t)i);
	}
}

static int bytes(struct sd_bus_message *m, const char *text)
{
	unsigned char out[BUS_PROP_BYTES_MAX];
	size_t n = strlen(text) / 2;

	if (strlen(text) % 2 || n > sizeof(out) || text[strspn(text, "0123456789abcdef")])
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const char *digits = "0123456789abcdef";

		out[i] = (unsigned char)((strchr(digits, text[2 * i]) - digits) << 4 |
					 (strchr(digits, text[2 * i + 1]) - digits));
	}
	return sd_bus_message_append_array(m, 'y', out, n);
}

static int pair(struct sd_bus_message *m, char *line)
{
	char *space = strrchr(line, ' ');
	uint64_t u;

	if (!space || bk_num_u64(space + 1, UINT64_MAX, &u, NULL) < 0)
		return -EINVAL;
	*space = '\0';
	return sd_bus_message_append(m, "(st)", line, u);
}

static int lines(struct sd_bus_message *m, const struct bus_prop *p)
{
	bk_autostrv char **list = bk_strv_split(p->value, "\n");
	bool pairs = p->type[1] == '(';
	int r = sd_bus_message_open_container(m, 'a', p->type + 1);

	for (char **line = list; r >= 0 && line && *line; line++)
		r = pairs ? pair(m, *line) : sd_bus_message_append(m, "s", *line);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int value(struct sd_bus_message *m, const struct bus_prop *p)
{
	if (p->type[0] == 's')
		return sd_bus_message_append(m, "s", p->value);
	if (p->type[0] == 'b') {
		if (!bk_streq(p->value, "true") && !bk_streq(p->value, "false"))
			return -EINVAL;
		return sd_bus_message_append(m, "b", bk_streq(p->value, "true"));
	}
	if (p->type[0] != 'a')
		return number(m, p, p->value);
	return p->type[1] == 'y' ? bytes(m, p->value) : lines(m, p);
}

int bus_prop_append(struct sd_bus_message *m, const struct bus_prop *p, struct bk_err **err)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", p->name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', p->type);
	if (r >= 0)
		r = value(m, p);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		return 0;
	return bk_err_set(err, r == -EINVAL ? BK_ERR_CONFIG : BK_ERR_INTERNAL, -r,
			  "property '%s' of type '%s': '%s'", p->name, p->type, p->value);
}
