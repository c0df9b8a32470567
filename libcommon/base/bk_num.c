/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_num.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Reads digits of `base` at s; *ret_end is behind them. False without a digit or on overflow. */
static bool read_digits(const char *s, unsigned int base, uint64_t *ret, const char **ret_end)
{
	const char *p = s;
	uint64_t value = 0;
	bool fits = true;

	for (; *p >= '0' && *p < (char)('0' + base); p++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			fits = false;
	*ret_end = p;
	if (p == s || !fits)
		return false;
	*ret = value;
	return true;
}

static int read_whole(const char *s, unsigned int base, uint64_t max, uint64_t *ret,
		      struct bk_err **err)
{
	uint64_t value = 0;
	const char *end;
	bool fits = read_digits(s, base, &value, &end);

	if (end == s || *end)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is not %s", s,
				  base == 8 ? "an octal number" : "a number");
	if (!fits || value > max)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  base == 8 ? "'%s' is larger than %#" PRIo64
					    : "'%s' is larger than %" PRIu64,
				  s, max);
	*ret = value;
	return 0;
}

int bk_num_u64(const char *s, uint64_t max, uint64_t *ret, struct bk_err **err)
{
	return read_whole(s, 10, max, ret, err);
}

int bk_num_u32(const char *s, uint32_t max, uint32_t *ret, struct bk_err **err)
{
	uint64_t value;
	int rc = read_whole(s, 10, max, &value, err);

	if (rc < 0)
		return rc;
	*ret = (uint32_t)value;
	return 0;
}

int bk_num_i64(const char *s, int64_t min, int64_t max, int64_t *ret, struct bk_err **err)
{
	bool negative = *s == '-';
	const char *digits = *s == '-' || *s == '+' ? s + 1 : s;
	uint64_t magnitude = 0;
	const char *end;
	bool fits = read_digits(digits, 10, &magnitude, &end);
	int64_t value;

	if (end == digits || *end)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is not a number", s);
	if (fits)
		fits = magnitude <= (uint64_t)INT64_MAX + (negative ? 1 : 0);
	/* In unsigned arithmetic, where the negative of 2^63 is itself. */
	value = fits ? (int64_t)(negative ? -magnitude : magnitude) : 0;
	if (!fits || value < min || value > max)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'%s' is not between %" PRId64 " and %" PRId64, s, min, max);
	*ret = value;
	return 0;
}

int bk_num_mode(const char *s, uint32_t max, uint32_t *ret, struct bk_err **err)
{
	uint64_t value;
	int rc = read_whole(s, 8, max, &value, err);

	if (rc < 0)
		return rc;
	*ret = (uint32_t)value;
	return 0;
}

int bk_num_size(const char *s, uint64_t *ret, struct bk_err **err)
{
	static const char units[] = "bkmgtp";
	uint64_t value = 0;
	const char *end, *unit;
	bool fits = read_digits(s, 10, &value, &end);
	unsigned int shift = 0;

	if (end == s)
		goto malformed;
	if (*end) {
		/* ASCII only, whatever the locale */
		unit = strchr(units, *end | 0x20);
		if (!unit)
			goto malformed;
		shift = 10 * (unsigned int)(unit - units);
		end++;
		if (shift && (*end | 0x20) == 'i' && (end[1] | 0x20) == 'b')
			end++;
		if (shift && (*end | 0x20) == 'b')
			end++;
		if (*end)
			goto malformed;
	}
	if (!fits || __builtin_mul_overflow(value, UINT64_C(1) << shift, &value))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "size '%s' is larger than 64 bits hold",
				  s);
	*ret = value;
	return 0;

malformed:
	return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is not a size such as 1048576, 512k or 1GiB",
			  s);
}

int bk_num_duration_ms(const char *s, uint64_t *ret, struct bk_err **err)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };
	const size_t n_units = sizeof(units) / sizeof(units[0]);
	size_t next = 0; /* each unit once, larger ones first */
	uint64_t total = 0, value = 0;
	const char *p = s;
	bool fits = true;

	do {
		const char *end;
		size_t i, len;

		if (!read_digits(p, 10, &value, &end))
			fits = false;
		if (end == p)
			goto malformed;
		len = strspn(end, "hms");
		/* a bare number is seconds, but not behind a unit */
		if (len == 0 && p == s && !*end)
			i = 2;
		else
			for (i = next; i < n_units; i++)
				if (strlen(units[i].name) == len &&
				    memcmp(units[i].name, end, len) == 0)
					break;
		if (i == n_units)
			goto malformed;
		if (__builtin_mul_overflow(value, units[i].ms, &value) ||
		    __builtin_add_overflow(total, value, &total))
			fits = false;
		next = i + 1;
		p = end + len;
	} while (*p);

	if (!fits)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "duration '%s' is too long", s);
	*ret = total;
	return 0;

malformed:
	return bk_err_set(err, BK_ERR_CONFIG, 0,
			  "'%s' is not a duration such as 90s, 500ms or 1m30s", s);
}

const char *bk_num_human(uint64_t bytes, char *buf, size_t size)
{
	static const char *const names[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	const size_t n_names = sizeof(names) / sizeof(names[0]);
	uint64_t unit = 1, tenths = 0;

	if (bytes < 1000) {
		(void)snprintf(buf, size, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (size_t i = 1; i < n_names; i++) {
		unit *= 1000;
		/* in tenths, rounded, without a product that could overflow */
		tenths = bytes / (unit / 10) + (bytes % (unit / 10) >= unit / 20);
		if (tenths < 10000 || i == n_names - 1) {
			(void)snprintf(buf, size, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10,
				       tenths % 10, names[i]);
			break;
		}
	}
	return buf;
}
