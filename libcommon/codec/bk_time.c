/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_num.h"

/* What four digits of year can say: 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
#define TIME_MIN ((int64_t)-62167219200)
#define TIME_MAX ((int64_t)253402300799)

#define DAY	 86400
#define ERA_DAYS 146097 /* of 400 years */

struct civil {
	int year, month, day;
};

/*
 * Days since 1970-01-01 of a Gregorian date, and back. A year is counted from March, so that the
 * leap day is its last. Own arithmetic, because gmtime(3) and timegm(3) differ on what they take.
 */
static int64_t days_of(struct civil c)
{
	int64_t year = c.month <= 2 ? c.year - 1 : c.year;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (c.month > 2 ? c.month - 3 : c.month + 9) + 2) / 5 + c.day - 1;

	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_of(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t of_era = z - era * ERA_DAYS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA_DAYS - 1)) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	struct civil c = { .day = (int)(of_year - (153 * month + 2) / 5 + 1) };

	c.month = (int)(month < 10 ? month + 3 : month - 9);
	c.year = (int)(year + era * 400 + (c.month <= 2));
	return c;
}

const char *bk_time_print(const struct timespec *t, char buf[BK_TIME_SIZE])
{
	int64_t sec = t->tv_sec;
	long nsec = t->tv_nsec;
	struct civil c;
	int64_t days;
	int of_day;
	int n;

	if (sec < TIME_MIN)
		sec = TIME_MIN;
	if (sec > TIME_MAX)
		sec = TIME_MAX;
	days = sec / DAY;
	of_day = (int)(sec % DAY);
	if (of_day < 0) {
		of_day += DAY;
		days--;
	}
	c = civil_of(days);
	n = snprintf(buf, BK_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day,
		     of_day / 3600, of_day / 60 % 60, of_day % 60);
	if (nsec > 0 && nsec < 1000000000)
		(void)snprintf(buf + n, BK_TIME_SIZE - (size_t)n, ".%09ldZ", nsec);
	else
		(void)snprintf(buf + n, BK_TIME_SIZE - (size_t)n, "Z");
	return buf;
}

const char *bk_time_now(char buf[BK_TIME_SIZE])
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return bk_time_print(&now, buf);
}

/* Takes `digits` digits, and then the byte `end` if it is not 0. */
static bool take(const char **p, int digits, char end, int *ret)
{
	int v = 0;

	for (int i = 0; i < digits; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		v = v * 10 + (**p - '0');
	}
	*ret = v;
	if (end == '\0')
		return true;
	return *(*p)++ == end;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Digits behind the point; those after the ninth are cut. */
static bool take_fraction(const char **p, long *ret_nsec)
{
	long nsec = 0;
	long unit = 100000000;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		nsec += (**p - '0') * unit;
		unit /= 10;
	}
	*ret_nsec = nsec;
	return true;
}

/* "Z" or "+hh:mm", in seconds east of UTC. */
static bool take_offset(const char **p, int *ret)
{
	char sign = *(*p)++;
	int hours, minutes;

	if (sign == 'Z' || sign == 'z') {
		*ret = 0;
		return true;
	}
	if (sign != '+' && sign != '-')
		return false;
	if (!take(p, 2, ':', &hours) || !take(p, 2, '\0', &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
	return true;
}

static bool take_date(const char **p, int64_t *ret_days)
{
	struct civil c;

	if (!take(p, 4, '-', &c.year) || !take(p, 2, '-', &c.month) || !take(p, 2, '\0', &c.day))
		return false;
	if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > days_in(c.year, c.month))
		return false;
	*ret_days = days_of(c);
	return true;
}

static bool parse(const char *p, struct timespec *ret)
{
	int hour, minute, second, offset;
	int64_t days, sec;
	long nsec = 0;

	if (!take_date(&p, &days) || (*p != 'T' && *p != 't'))
		return false;
	p++;
	if (!take(&p, 2, ':', &hour) || !take(&p, 2, ':', &minute) || !take(&p, 2, '\0', &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	if (*p == '.') {
		p++;
		if (!take_fraction(&p, &nsec))
			return false;
	}
	if (!take_offset(&p, &offset) || *p != '\0')
		return false;
	sec = days * DAY + hour * 3600 + minute * 60 + second - offset;
	/* Second 60 is the leap second at the end of a day of UTC; it is counted as the next one. */
	if (second == 60 && sec % DAY != 0)
		return false;
	*ret = (struct timespec){ .tv_sec = (time_t)sec, .tv_nsec = nsec };
	return true;
}

int bk_time_parse(const char *text, struct timespec *ret, struct bk_err **err)
{
	if (!parse(text, ret))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%.64s' is not an RFC 3339 time", text);
	return 0;
}

int bk_time_source_date(struct timespec *ret, bool *ret_set, struct bk_err **err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t sec;
	int rc;

	if (!text) {
		(void)clock_gettime(CLOCK_REALTIME, ret);
		*ret_set = false;
		return 0;
	}
	rc = bk_num_u64(text, (uint64_t)TIME_MAX, &sec, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "SOURCE_DATE_EPOCH");
	*ret = (struct timespec){ .tv_sec = (time_t)sec };
	*ret_set = true;
	return 0;
}
