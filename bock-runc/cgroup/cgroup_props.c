/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_props.h"

#include <inttypes.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cgroup/cgroup_mask.h"

#define USEC_PER_SEC	 UINT64_C(1000000)
#define QUOTA_STEP_USEC	 UINT64_C(10000)	/* systemd's resolution of a CPU quota */
#define CPU_WEIGHT_NONE	 "100"

/* "max", or a number as the kernel reads it, with a unit. */
static bool read_bytes(const char *text, uint64_t *ret)
{
	if (bk_streq(text, "max")) {
		*ret = UINT64_MAX;
		return true;
	}
	return bk_num_size(text, ret, NULL) == 0;
}

static void add_u64(char ***props, const char *name, uint64_t value)
{
	bk_strv_push(props, bk_asprintf("%s:t:%" PRIu64, name, value));
}

static void number(const char *name, const char *value, char ***props)
{
	uint64_t n;

	if (read_bytes(value, &n))
		add_u64(props, name, n);
}

/* A weight of 0 is idle; what an idle one goes back to is the default, unless a weight follows. */
static void idle(const char *name, const char *value, char ***props)
{
	bk_strv_push(props, bk_asprintf("%s%s", name, bk_streq(value, "1") ? "0" : CPU_WEIGHT_NONE));
}

/* "QUOTA PERIOD": how much of a second. */
static void cpu_max(const char *name, const char *value, char ***props)
{
	const char *space = strchr(value, ' ');
	bk_autofree char *quota = bk_strndup(value, strcspn(value, " "));
	uint64_t q, p, usec = UINT64_MAX;

	if (!space || bk_num_u64(space + 1, UINT64_MAX, &p, NULL) < 0 || !p)
		return;
	if (!bk_streq(quota, "max")) {
		if (bk_num_u64(quota, UINT64_MAX / USEC_PER_SEC - QUOTA_STEP_USEC, &q, NULL) < 0)
			return;
		usec = (q * USEC_PER_SEC + p - 1) / p;
		usec = (usec + QUOTA_STEP_USEC - 1) / QUOTA_STEP_USEC * QUOTA_STEP_USEC;
	}
	add_u64(props, name, usec);
	add_u64(props, "CPUQuotaPeriodUSec>=242", p);
}

static void mask(const char *name, const char *value, char ***props)
{
	bk_autofree char *hex = cgroup_mask_hex(value, CGROUP_PROPS_CPUS_MAX);

	if (hex)
		bk_strv_push(props, bk_asprintf("%s:ay:%s", name, hex));
}

/* "default 100", or "8:0 100" of one device. */
static void io_weight(const char *name, const char *value, char ***props)
{
	const char *text = strchr(value, ' ');
	bk_autofree char *key = bk_strndup(value, strcspn(value, " "));
	uint64_t n;

	if (bk_num_u64(text ? text + 1 : value, UINT64_MAX, &n, NULL) < 0)
		return;
	if (!text || bk_streq(key, "default"))
		add_u64(props, name, n);
	else
		bk_strv_push(props, bk_asprintf("IODeviceWeight:a(st):/dev/block/%s %" PRIu64, key, n));
}

/* "8:0 rbps=1048576 wiops=max" */
static void io_max(const char *name, const char *value, char ***props)
{
	static const struct {
		const char *key, *name;
	} kinds[] = { { "rbps=", "IOReadBandwidthMax" },
		      { "wbps=", "IOWriteBandwidthMax" },
		      { "riops=", "IOReadIOPSMax" },
		      { "wiops=", "IOWriteIOPSMax" } };
	bk_autostrv char **words = bk_strv_split(value, " ");

	(void)name;
	for (size_t w = 1; words && w < bk_strv_len(words); w++) {
		for (size_t k = 0; k < BK_ARRAY_SIZE(kinds); k++) {
			const char *rate = bk_skip_prefix(words[w], kinds[k].key);
			uint64_t n;

			if (rate && read_bytes(rate, &n))
				bk_strv_push(props, bk_asprintf("%s:a(st):/dev/block/%s %" PRIu64,
								kinds[k].name, words[0], n));
		}
	}
}

static const struct {
	const char *file, *name;
	void (*add)(const char *name, const char *value, char ***props);
} files[] = {
	{ "memory.max", "MemoryMax", number },
	{ "memory.high", "MemoryHigh", number },
	{ "memory.low", "MemoryLow", number },
	{ "memory.min", "MemoryMin", number },
	{ "memory.swap.max", "MemorySwapMax", number },
	{ "memory.zswap.max", "MemoryZSwapMax>=253", number },
	{ "pids.max", "TasksMax", number },
	{ "cpu.weight", "CPUWeight", number },
	{ "cpu.idle", "CPUWeight>=252:t:", idle },
	{ "cpu.max", "CPUQuotaPerSecUSec", cpu_max },
	{ "cpuset.cpus", "AllowedCPUs>=244", mask },
	{ "cpuset.mems", "AllowedMemoryNodes>=244", mask },
	{ "io.weight", "IOWeight", io_weight },
	{ "io.max", "", io_max },
};

void cgroup_props_limits(const struct cgroup_limits *limits, char ***props)
{
	for (size_t i = 0; i < limits->n; i++) {
		const struct cgroup_limit *limit = &limits->list[i];

		for (size_t f = 0; f < BK_ARRAY_SIZE(files); f++) {
			if (bk_streq(limit->file, files[f].file))
				files[f].add(files[f].name, limit->value, props);
		}
	}
}

/* ---- annotations ------------------------------------------------------------------------------ */

/* What bock-runc itself sets; another value would take the container out of its own hands. */
static const char *const own[] = { "PIDs", "Slice", "Delegate", "DefaultDependencies", "Description", NULL };

static int refuse(const char *name, const char *why, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "annotations: " CGROUP_PROPS_ANNOTATION "%s: %s", name, why);
}

/* Reads a quoted text at *s, which is moved behind it; heap string, NULL: there is none. */
static char *quoted(const char **s)
{
	char quote = **s;
	bk_autofree char *out = NULL;
	const char *p = *s + 1;
	size_t n = 0;

	if (quote != '\'' && quote != '"')
		return NULL;
	out = bk_malloc(strlen(p) + 1);
	for (; *p && *p != quote; p++) {
		if (*p == '\\' && p[1])
			p++;
		out[n++] = *p;
	}
	if (!*p)
		return NULL;
	out[n] = '\0';
	*s = p + 1;
	return bk_steal_ptr(&out);
}

/* "['a', 'b']", as the lines that it is told by; an item with a line break of its own can't be told. */
static char *list(const char *value)
{
	bk_autostrv char **items = NULL;
	const char *s = value + 1;

	for (;;) {
		char *item;

		s += strspn(s, " ");
		if (*s == ']')
			break;
		item = quoted(&s);
		if (!item)
			return NULL;
		bk_strv_push(&items, item);
		if (strchr(item, '\n'))
			return NULL;
		s += strspn(s, " ");
		if (*s == ',')
			s++;
		else if (*s != ']')
			return NULL;
	}
	if (s[1])
		return NULL;
	return items ? bk_strv_join(items, "\n") : bk_strdup("");
}

/* A number with its type in front, int32 where there is none. */
static char *typed_number(const char *value, const char **ret_type)
{
	static const struct {
		const char *word, *type;
	} types[] = { { "uint64 ", "t" }, { "uint32 ", "u" }, { "int64 ", "x" }, { "int32 ", "i" }, { "", "i" } };

	for (size_t i = 0; i < BK_ARRAY_SIZE(types); i++) {
		const char *digits = bk_skip_prefix(value, types[i].word);
		uint64_t u;
		int64_t n;
		bool ok;

		if (!digits)
			continue;
		if (types[i].type[0] == 't' || types[i].type[0] == 'u')
			ok = bk_num_u64(digits, types[i].type[0] == 't' ? UINT64_MAX : UINT32_MAX, &u, NULL) == 0;
		else
			ok = bk_num_i64(digits, types[i].type[0] == 'x' ? INT64_MIN : INT32_MIN,
					types[i].type[0] == 'x' ? INT64_MAX : INT32_MAX, &n, NULL) == 0;
		*ret_type = types[i].type;
		return ok ? bk_strdup(digits) : NULL;
	}
	return NULL;
}

/* The D-Bus type and the text of a value; NULL: none that we read. */
static char *variant(const char *value, const char **ret_type)
{
	if (bk_streq(value, "true") || bk_streq(value, "false")) {
		*ret_type = "b";
		return bk_strdup(value);
	}
	if (*value == '\'' || *value == '"') {
		const char *rest = value;
		char *text = quoted(&rest);

		*ret_type = "s";
		if (text && !*rest)
			return text;
		free(text);
		return NULL;
	}
	value = bk_skip_prefix(value, "@as ") ? value + strlen("@as ") : value;
	if (*value == '[') {
		*ret_type = "as";
		return list(value);
	}
	return typed_number(value, ret_type);
}

static int add_annotation(const char *name, const char *value, char ***props, struct bk_err **err)
{
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	bk_autofree char *text = NULL;
	const char *type = NULL;
	uint64_t seconds;

	if (!*name || *name < 'A' || *name > 'Z' || !bk_str_all_of(name, letters) || strlen(name) > 100)
		return refuse(name, "not the name of a property", err);
	if (bk_strv_has((char *const *)own, name))
		return refuse(name, "is the runtime's own to set", err);
	text = variant(value, &type);
	if (!text)
		return refuse(name, "its value is neither true, false, a number with its type, 'text', nor a list of texts",
			      err);
	if (bk_has_suffix(name, "Sec") && !bk_has_suffix(name, "USec") && type[0] != 's' && type[0] != 'b' &&
	    type[0] != 'a') {
		if (bk_num_u64(text, UINT64_MAX / USEC_PER_SEC, &seconds, NULL) < 0)
			return refuse(name, "too many seconds", err);
		bk_strv_push(props, bk_asprintf("%.*sUSec:t:%" PRIu64, (int)(strlen(name) - 3), name,
						seconds * USEC_PER_SEC));
		return 0;
	}
	bk_strv_push(props, bk_asprintf("%s:%s:%s", name, type, text));
	return 0;
}

int cgroup_props_annotations(const struct bk_doc_pair *annotations, size_t n, char ***props,
			     struct bk_err **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *name = bk_skip_prefix(annotations[i].key, CGROUP_PROPS_ANNOTATION);

		if (name)
			rc = add_annotation(name, annotations[i].value, props, err);
	}
	return rc;
}
