/*
 * timestamp_test.c
 *    Proves that times in the usual forms of ISO 8601 are read as what they mean, that whatever is
 *    none is refused, and that every day is written as it was read.
 */
#include "feed/timestamp.h"
#include "unit.h"

static void
check(const char *text, const char *expected)
{
	char buffer[TIMESTAMP_SIZE];
	int64_t time;
	bool read = timestamp_read(clair_bytes(text), &time);

	CHECK_TEXT(read ? timestamp_write(time, buffer) : CLAIR_NULL_BYTES, expected, text);
}

static void
check_forms(void)
{
	check("2031-01-02", "2031-01-02T00:00:00.000Z");
	check("2031-01-02T03:04Z", "2031-01-02T03:04:00.000Z");
	check("2031-01-02t03:04:05z", "2031-01-02T03:04:05.000Z");
	check("2031-01-02 03:04:05.6789", "2031-01-02T03:04:05.678Z");
	check("2031-01-02T03:04:05.067000001Z", "2031-01-02T03:04:05.067Z");
	check("2031-01-01T00:00:00+0000", "2031-01-01T00:00:00.000Z");
	check("2031-01-01T03:00:01-05:00", "2031-01-01T08:00:01.000Z");
	check("2031-01-01T00:30:00+02", "2030-12-31T22:30:00.000Z");
	check("2030-12-31T23:59:60Z", "2031-01-01T00:00:00.000Z");
	check("2032-02-29", "2032-02-29T00:00:00.000Z");
	check("2000-02-29", "2000-02-29T00:00:00.000Z");
	check("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
	check("0001-01-01", "0001-01-01T00:00:00.000Z");
	check("9999-12-31T23:59:59.999", "9999-12-31T23:59:59.999Z");
}

static void
check_refused(void)
{
	static const char *const texts[] = {
		"",
		"not a date",
		"2031",
		"2031-1-2",
		"2031-13-01",
		"2031-00-01",
		"2031-02-29",
		"2100-02-29",
		"2031-04-31",
		"2031-01-00",
		"0000-01-01",
		"2031-01-02T",
		"2031-01-02T03",
		"2031-01-02T24:00",
		"2031-01-02T03:60",
		"2031-01-02T03:04:61",
		"2031-01-02T03:04:05.",
		"2031-01-02T03:04:05,5",
		"2031-01-02T03:04+24:00",
		"0001-01-01T01:00+02:00", /* in UTC it is not in a year that there is */
		"9999-12-31T23:00-02:00",
		"9999-12-31T23:59:60Z",
		"2031-01-02T03:04+1",
		"2031-01-02T03:04Z ",
		" 2031-01-02",
		"2031-01-02Z",
		"2031-01-02T03:04:05 UTC",
		"-031-01-02",
		"99999-01-01",
	};

	int64_t time;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check(texts[i], NULL);
	CHECK(!timestamp_read(CLAIR_NULL_BYTES, &time), "no value");
}

/* 400 years of days: each is written as it was read, and a day after the one before it. */
static void
check_days(void)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t expected = INT64_C(-135140) * TIMESTAMP_DAY; /* of 1 January 1600 */
	int64_t wrong = 0;
	int64_t days = 0;

	for (int year = 1600; year < 2000; year++)
		for (int month = 1; month <= 12; month++)
		{
			bool leap = year % 4 == 0 && (year % 100 != 0 || year == 1600);

			for (int day = 1; day <= lengths[month - 1] + (month == 2 && leap); day++, days++)
			{
				char text[40];
				char buffer[TIMESTAMP_SIZE];
				int64_t time = 0;

				snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
				if (!timestamp_read(clair_bytes(text), &time) || time != expected ||
					!clair_bytes_equal(timestamp_write_day(time, buffer), clair_bytes(text)))
					wrong++;
				expected += TIMESTAMP_DAY;
			}
		}
	CHECK_INT(days, 146097, "days of 400 years");
	CHECK_INT(wrong, 0, "each follows the one before it");
}

int
main(void)
{
	int64_t time = -1;

	check_forms();
	check_refused();
	check_days();
	CHECK(timestamp_read(clair_bytes("1970-01-01T00:00:00.001"), &time), "the begin of 1970");
	CHECK_INT(time, 1, "is what milliseconds are counted from");
	return unit_result();
}
