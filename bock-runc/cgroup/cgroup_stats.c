/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

#define NS_PER_US 1000U
#define HUGEPAGES "/sys/kernel/mm/hugepages"
#define HUGEPAGE_SIZES_MAX 16

/* NULL where there is no such file. */
static char *text_of(int dirfd, const char *file)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CGROUP_STATS_FILE_MAX);

	return bk_file_read(dirfd, file, &b, NULL) < 0 ? NULL : bk_buf_steal(&b);
}

/* The digits that text begins with. */
static uint64_t number(const char *text)
{
	uint64_t n = 0;

	if (bk_skip_prefix(text, "max"))
		return UINT64_MAX;
	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

uint64_t cgroup_stats_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text && *text) {
		if (strncmp(text, key, len) == 0 && (text[len] == ' ' || text[len] == '='))
			return number(text + len + 1);
		text += strcspn(text, " \n");
		text += strspn(text, " \n");
	}
	return 0;
}

bool cgroup_stats_number(int dirfd, const char *file, uint64_t *ret)
{
	bk_autofree char *text = text_of(dirfd, file);

	if (!text || !*text)
		return false;
	*ret = number(text);
	return true;
}

uint64_t cgroup_stats_oom_kills(int dirfd)
{
	bk_autofree char *text = text_of(dirfd, "memory.events");

	return cgroup_stats_value(text, "oom_kill");
}

/* ---- pressure ---- */

/* Whether these bytes are a number as JSON has it: no sign, no zeros in front, digits around the point. */
static bool is_number(const char *p, size_t len)
{
	const char *point = memchr(p, '.', len);

	if (len == 0 || p[0] == '.' || p[len - 1] == '.' || (point && point != memrchr(p, '.', len)))
		return false;
	return p[0] != '0' || len == 1 || p[1] == '.';
}

/* "avg10=0.00" */
static char *average(const char *line, const char *key, struct bk_arena *arena)
{
	const char *p = strstr(line, key);
	size_t len = p ? strspn(p + strlen(key), "0123456789.") : 0;

	if (!p || !is_number(p + strlen(key), len))
		return bk_arena_strdup(arena, "0");
	return bk_arena_strndup(arena, p + strlen(key), len);
}

static struct cgroup_psi_line *psi_line(const char *text, const char *kind, struct bk_arena *arena)
{
	struct cgroup_psi_line *l;
	bk_autofree char *line = NULL;

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		if (bk_skip_prefix(text, kind))
			break;
	}
	if (!text || !*text)
		return NULL;
	line = bk_strndup(text, strcspn(text, "\n"));
	l = bk_arena_alloc(arena, sizeof(*l));
	l->avg10 = average(line, "avg10=", arena);
	l->avg60 = average(line, "avg60=", arena);
	l->avg300 = average(line, "avg300=", arena);
	l->total = cgroup_stats_value(line, "total");
	return l;
}

struct cgroup_psi *cgroup_stats_psi(const char *text, struct bk_arena *arena)
{
	struct cgroup_psi *p;

	if (!text)
		return NULL;
	p = bk_arena_alloc(arena, sizeof(*p));
	p->some = psi_line(text, "some ", arena);
	p->full = psi_line(text, "full ", arena);
	return p;
}

static struct cgroup_psi *read_psi(int dirfd, const char *file, struct bk_arena *arena)
{
	/* a kernel that was booted without PSI has the file and refuses to read it */
	bk_autofree char *text = text_of(dirfd, file);

	return cgroup_stats_psi(text, arena);
}

/* ---- the controllers ---- */

static struct cgroup_stats_cpu *read_cpu(int dirfd, struct bk_arena *arena)
{
	struct cgroup_stats_cpu *c = bk_arena_alloc(arena, sizeof(*c));
	bk_autofree char *text = text_of(dirfd, "cpu.stat");

	c->usage = bk_arena_alloc(arena, sizeof(*c->usage));
	c->usage->total = cgroup_stats_value(text, "usage_usec") * NS_PER_US;
	c->usage->user = cgroup_stats_value(text, "user_usec") * NS_PER_US;
	c->usage->kernel = cgroup_stats_value(text, "system_usec") * NS_PER_US;
	c->throttling = bk_arena_alloc(arena, sizeof(*c->throttling));
	c->throttling->periods = cgroup_stats_value(text, "nr_periods");
	c->throttling->throttled_periods = cgroup_stats_value(text, "nr_throttled");
	c->throttling->throttled_time = cgroup_stats_value(text, "throttled_usec") * NS_PER_US;
	c->psi = read_psi(dirfd, "cpu.pressure", arena);
	return c;
}

static struct cgroup_stats_memory_entry *read_entry(int dirfd, const char *prefix,
						    struct bk_arena *arena)
{
	struct cgroup_stats_memory_entry *e = bk_arena_alloc(arena, sizeof(*e));
	char file[32];

	snprintf(file, sizeof(file), "%s.current", prefix);
	(void)cgroup_stats_number(dirfd, file, &e->usage);
	snprintf(file, sizeof(file), "%s.max", prefix);
	(void)cgroup_stats_number(dirfd, file, &e->limit);
	snprintf(file, sizeof(file), "%s.peak", prefix);
	(void)cgroup_stats_number(dirfd, file, &e->max);
	return e;
}

/* memory.stat, a word and a number a line, as an object. */
static char *raw_of(const char *text, struct bk_arena *arena)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(2 * CGROUP_STATS_FILE_MAX);
	const char *sep = "{";

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		size_t key = strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789");

		if (key == 0 || text[key] != ' ')
			continue;
		bk_buf_printf(&b, "%s\"%.*s\":%llu", sep, (int)key, text,
			      (unsigned long long)number(text + key + 1));
		sep = ",";
	}
	bk_buf_adds(&b, *sep == '{' ? "{}" : "}");
	return b.overflow ? NULL : bk_arena_strdup(arena, bk_buf_str(&b));
}

static struct cgroup_stats_memory *read_memory(int dirfd, struct bk_arena *arena)
{
	struct cgroup_stats_memory *m = bk_arena_alloc(arena, sizeof(*m));
	bk_autofree char *text = text_of(dirfd, "memory.stat");
	bk_autofree char *events = text_of(dirfd, "memory.events");

	m->usage = read_entry(dirfd, "memory", arena);
	m->usage->failcnt = cgroup_stats_value(events, "max");
	m->swap = read_entry(dirfd, "memory.swap", arena);
	/* as version 1 counted: memory and swap together */
	m->swap->usage += m->usage->usage;
	if (m->swap->limit != UINT64_MAX && m->usage->limit != UINT64_MAX)
		m->swap->limit += m->usage->limit;
	m->kernel = bk_arena_alloc(arena, sizeof(*m->kernel));
	m->kernel_tcp = bk_arena_alloc(arena, sizeof(*m->kernel_tcp));
	m->cache = cgroup_stats_value(text, "file");
	if (text)
		m->raw = raw_of(text, arena);
	m->psi = read_psi(dirfd, "memory.pressure", arena);
	return m;
}

static struct cgroup_stats_pids *read_pids(int dirfd, struct bk_arena *arena)
{
	struct cgroup_stats_pids *p = bk_arena_alloc(arena, sizeof(*p));

	(void)cgroup_stats_number(dirfd, "pids.current", &p->current);
	(void)cgroup_stats_number(dirfd, "pids.max", &p->limit);
	if (p->limit == UINT64_MAX)
		p->limit = 0;
	return p;
}

static void add_io(struct cgroup_stats_blkio_entry **list, size_t *n, uint64_t major, uint64_t minor,
		   const char *op, uint64_t value, struct bk_arena *arena)
{
	*list = bk_arena_grow(arena, *list, *n, sizeof(**list));
	(*list)[(*n)++] = (struct cgroup_stats_blkio_entry){
		.major = major, .minor = minor, .value = value, .op = bk_arena_strdup(arena, op) };
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" */
void cgroup_stats_io(const char *text, struct bk_arena *arena, struct cgroup_stats_blkio *ret)
{
	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		bk_autofree char *line = bk_strndup(text, strcspn(text, "\n"));
		const char *colon = strchr(line, ':');
		uint64_t major = number(line), minor;

		if (!colon || *line < '0' || *line > '9')
			continue;
		minor = number(colon + 1);
		add_io(&ret->bytes, &ret->n_bytes, major, minor, "Read",
		       cgroup_stats_value(line, "rbytes"), arena);
		add_io(&ret->bytes, &ret->n_bytes, major, minor, "Write",
		       cgroup_stats_value(line, "wbytes"), arena);
		add_io(&ret->ops, &ret->n_ops, major, minor, "Read",
		       cgroup_stats_value(line, "rios"), arena);
		add_io(&ret->ops, &ret->n_ops, major, minor, "Write",
		       cgroup_stats_value(line, "wios"), arena);
	}
}

static struct cgroup_stats_blkio *read_blkio(int dirfd, struct bk_arena *arena)
{
	struct cgroup_stats_blkio *b = bk_arena_alloc(arena, sizeof(*b));
	bk_autofree char *text = text_of(dirfd, "io.stat");

	cgroup_stats_io(text, arena, b);
	b->psi = read_psi(dirfd, "io.pressure", arena);
	return b;
}

/* "hugepages-2048kB" is "2MB" in the names of the files. */
static bool page_size(const char *name, char *buf, size_t size)
{
	const char *digits = bk_skip_prefix(name, "hugepages-");
	uint64_t kb = digits ? number(digits) : 0;

	if (kb == 0)
		return false;
	if (kb >= 1048576)
		snprintf(buf, size, "%lluGB", (unsigned long long)(kb / 1048576));
	else if (kb >= 1024)
		snprintf(buf, size, "%lluMB", (unsigned long long)(kb / 1024));
	else
		snprintf(buf, size, "%lluKB", (unsigned long long)kb);
	return true;
}

static void read_hugetlb(int dirfd, struct bk_arena *arena, struct cgroup_stats *ret)
{
	bk_autoclosedir DIR *d = opendir(HUGEPAGES);
	const struct dirent *e;

	while (d && ret->n_hugetlb < HUGEPAGE_SIZES_MAX && (e = readdir(d))) {
		bk_autofree char *events = NULL;
		struct cgroup_stats_hugetlb h = { .key = NULL };
		char size[24], file[64];

		if (!page_size(e->d_name, size, sizeof(size)))
			continue;
		snprintf(file, sizeof(file), "hugetlb.%s.current", size);
		if (!cgroup_stats_number(dirfd, file, &h.usage))
			continue;
		snprintf(file, sizeof(file), "hugetlb.%s.events", size);
		events = text_of(dirfd, file);
		h.failcnt = cgroup_stats_value(events, "max");
		h.key = bk_arena_strdup(arena, size);
		ret->hugetlb = bk_arena_grow(arena, ret->hugetlb, ret->n_hugetlb, sizeof(h));
		ret->hugetlb[ret->n_hugetlb++] = h;
	}
}

void cgroup_stats_read(int dirfd, struct bk_arena *arena, struct cgroup_stats *ret)
{
	*ret = (struct cgroup_stats){
		.cpu = read_cpu(dirfd, arena),
		.cpuset = bk_arena_strdup(arena, "{}"),
		.memory = read_memory(dirfd, arena),
		.pids = read_pids(dirfd, arena),
		.blkio = read_blkio(dirfd, arena),
		.intel_rdt = bk_arena_strdup(arena, "{}"),
		.network_interfaces = bk_arena_strdup(arena, "null"),
	};
	read_hugetlb(dirfd, arena, ret);
}
