/*
 * timestamp.c
 *    Points in time as feeds write them; see timestamp.h.
 *
 * Days are counted as in the Gregorian calendar for all years, from a 1 March on, so that the
 * day which not all years have comes last. No function of the C library: those know locales,
 * zones and files.
 */
#include "feed/timestamp.h"

#include <stdio.h>

#define MINUTE (60 * TIMESTAMP_SECOND)

#define DAYS_OF_400_YEARS INT64_C(146097)
#define DAYS_TO_1970	  INT64_C(719468) /* from 1 March of the year 0 on */

/* Takes count digits off *rest. */
static bool
take_digits(ClairBytes *rest, size_t count, int *number)
{
	*number = 0;
	if (rest->size < count)
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (rest->data[i] < '0' || rest->data[i] > '9')
			return false;
		*number = *number * 10 + (rest->data[i] - '0');
	}
	*rest = clair_bytes_skip(*rest, count);
	return true;
}

/* Takes one of the bytes off *rest. */
static bool
take_byte(ClairBytes *rest, const char *bytes)
{
	if (rest->size == 0 || rest->data[0] == '\0' || strchr(bytes, rest->data[0]) == NULL)
		return false;
	*rest = clair_bytes_skip(*rest, 1);
	return true;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since the begin of 1970. */
static int64_t
days_from_civil(int year, int month, int day)
{
	int64_t years = month > 2 ? year : year - 1;
	int64_t era = years / 400;
	int64_t year_of_era = years - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_OF_400_YEARS + day_of_era - DAYS_TO_1970;
}

static bool
take_day(ClairBytes *rest, int64_t *days)
{
	int year;
	int month;
	int day;

	if (!take_digits(rest, 4, &year) || !take_byte(rest, "-") || !take_digits(rest, 2, &month) ||
		!take_byte(rest, "-") || !take_digits(rest, 2, &day) || year == 0 || month < 1 ||
		month > 12 || day < 1 || day > days_of_month(year, month))
		return false;
	*days = days_from_civil(year, month, day);
	return true;
}

/* Hours and minutes; seconds and a fraction of them may be there. A leap second is the next one. */
static bool
take_time(ClairBytes *rest, int64_t *milliseconds)
{
	int hour;
	int minute;
	int second = 0;
	int digit;
	int64_t fraction = 0;

	if (!take_digits(rest, 2, &hour) || !take_byte(rest, ":") || !take_digits(rest, 2, &minute) ||
		hour > 23 || minute > 59)
		return false;
	if (take_byte(rest, ":"))
	{
		if (!take_digits(rest, 2, &second) || second > 60)
			return false;
		if (take_byte(rest, "."))
		{
			if (!take_digits(rest, 1, &digit))
				return false;
			fraction = digit * 100;
			for (int weight = 10; take_digits(rest, 1, &digit); weight /= 10)
				fraction += digit * weight;
		}
	}
	*milliseconds = (hour * 60 + minute) * MINUTE + second * TIMESTAMP_SECOND + fraction;
	return true;
}

/* A zone's distance from UTC; none is UTC. */
static bool
take_zone(ClairBytes *rest, int64_t *milliseconds)
{
	bool west = rest->size > 0 && rest->data[0] == '-';
	int hours;
	int minutes = 0;

	*milliseconds = 0;
	if (rest->size == 0 || take_byte(rest, "Zz"))
		return true;
	if (!take_byte(rest, "+-") || !take_digits(rest, 2, &hours))
		return false;
	(void) take_byte(rest, ":");
	if ((rest->size > 0 && !take_digits(rest, 2, &minutes)) || hours > 23 || minutes > 59)
		return false;
	*milliseconds = (west ? -1 : 1) * (hours * 60 + minutes) * MINUTE;
	return true;
}

bool
timestamp_read(ClairBytes text, int64_t *milliseconds)
{
	int64_t days;
	int64_t time = 0;
	int64_t zone = 0;

	if (!take_day(&text, &days))
		return false;
	if (text.size > 0 &&
		(!take_byte(&text, "Tt ") || !take_time(&text, &time) || !take_zone(&text, &zone)))
		return false;
	*milliseconds = days * TIMESTAMP_DAY + time - zone;
	/* a zone may lead out of the years that can be written */
	return text.size == 0 && *milliseconds >= days_from_civil(1, 1, 1) * TIMESTAMP_DAY &&
		   *milliseconds < days_from_civil(10000, 1, 1) * TIMESTAMP_DAY;
}

ClairBytes
timestamp_write(int64_t milliseconds, char buffer[TIMESTAMP_SIZE])
{
	int64_t days = milliseconds / TIMESTAMP_DAY - (milliseconds % TIMESTAMP_DAY < 0);
	int64_t time = milliseconds - days * TIMESTAMP_DAY;
	int64_t shifted = days + DAYS_TO_1970;
	int64_t era = shifted / DAYS_OF_400_YEARS - (shifted < 0);
	int64_t day_of_era = shifted - era * DAYS_OF_400_YEARS;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
						   day_of_era / (DAYS_OF_400_YEARS - 1)) /
						  365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t months = (5 * day_of_year + 2) / 153; /* since March */
	int64_t year = year_of_era + era * 400 + (months >= 10);
	char text[64];
	int size = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int) year,
						(int) (months < 10 ? months + 3 : months - 9),
						(int) (day_of_year - (153 * months + 2) / 5 + 1), (int) (time / 3600000),
						(int) (time / 60000 % 60), (int) (time / 1000 % 60), (int) (time % 1000));

	memcpy(buffer, text, TIMESTAMP_SIZE);
	return (ClairBytes){buffer, size < (int) TIMESTAMP_SIZE ? (size_t) size : TIMESTAMP_SIZE - 1};
}

ClairBytes
timestamp_write_day(int64_t milliseconds, char buffer[TIMESTAMP_SIZE])
{
	ClairBytes text = timestamp_write(milliseconds, buffer);

	text.size = sizeof("2031-01-01") - 1;
	return text;
}
