/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "probe.h"

#define DEPTH_MAX 16

static FILE *out;
static char closing[DEPTH_MAX];
static int first[DEPTH_MAX];
static int depth;

void json_open(FILE *file)
{
	out = file;
	depth = 0;
	first[0] = 1;
}

static void quoted(const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void begin(const char *key)
{
	if (!first[depth])
		fputc(',', out);
	first[depth] = 0;
	if (key) {
		quoted(key);
		fputc(':', out);
	}
}

static void nest(const char *key, char open, char close)
{
	begin(key);
	fputc(open, out);
	if (depth < DEPTH_MAX - 1)
		depth++;
	closing[depth] = close;
	first[depth] = 1;
}

void json_object(const char *key)
{
	nest(key, '{', '}');
}

void json_array(const char *key)
{
	nest(key, '[', ']');
}

void json_end(void)
{
	fputc(closing[depth], out);
	depth--;
}

void json_string(const char *key, const char *value)
{
	begin(key);
	if (value)
		quoted(value);
	else
		fputs("null", out);
}

void json_number(const char *key, int64_t value)
{
	begin(key);
	fprintf(out, "%lld", (long long)value);
}

void json_unsigned(const char *key, uint64_t value)
{
	begin(key);
	fprintf(out, "%llu", (unsigned long long)value);
}

void json_bool(const char *key, int value)
{
	begin(key);
	fputs(value ? "true" : "false", out);
}

void json_file(const char *key, const char *path)
{
	char buf[8192];
	size_t len = 0;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0) {
		while (len < sizeof(buf) - 1 && (n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
			len += (size_t)n;
		close(fd);
	}
	if (n < 0 && !len) {
		json_string(key, NULL);
		return;
	}
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	json_string(key, buf);
}

void json_link(const char *key, const char *path)
{
	char buf[4096];
	ssize_t n = readlink(path, buf, sizeof(buf) - 1);

	if (n >= 0)
		buf[n] = '\0';
	json_string(key, n >= 0 ? buf : NULL);
}

const char *errno_name(int number)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { EINTR, "EINTR" }, { EIO, "EIO" },
		{ ENXIO, "ENXIO" }, { EBADF, "EBADF" }, { EAGAIN, "EAGAIN" }, { ENOMEM, "ENOMEM" },
		{ EACCES, "EACCES" }, { EFAULT, "EFAULT" }, { EBUSY, "EBUSY" }, { EEXIST, "EEXIST" },
		{ ENODEV, "ENODEV" }, { ENOTDIR, "ENOTDIR" }, { EISDIR, "EISDIR" }, { EINVAL, "EINVAL" },
		{ EMFILE, "EMFILE" }, { ENOTTY, "ENOTTY" }, { ENOSPC, "ENOSPC" }, { EROFS, "EROFS" },
		{ ENOSYS, "ENOSYS" }, { ELOOP, "ELOOP" }, { ECHILD, "ECHILD" }, { ESRCH, "ESRCH" },
		{ EPIPE, "EPIPE" }, { EOVERFLOW, "EOVERFLOW" }, { ENOTSUP, "ENOTSUP" },
		{ EADDRNOTAVAIL, "EADDRNOTAVAIL" }, { ENETUNREACH, "ENETUNREACH" }, { ENODATA, "ENODATA" },
	};
	static char other[16];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	snprintf(other, sizeof(other), "%d", number);
	return other;
}

long to_number(const char *s)
{
	long value = 0;
	int negative = s && *s == '-';

	for (s = s ? s + negative : ""; *s >= '0' && *s <= '9'; s++)
		value = value * 10 + (*s - '0');
	return negative ? -value : value;
}
