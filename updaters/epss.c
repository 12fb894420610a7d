/*
 * epss.c
 *    EPSS, the Exploit Prediction Scoring System of FIRST:
 *    https://epss.empiricalsecurity.com/epss_scores-current.csv.gz
 *
 * One document of comma-separated values: a comment that says which edition it is,
 * "#model_version:v2031.01.01,score_date:2031-01-01T00:00:00+0000", a heading, and a line for each
 * CVE: "CVE-2031-0001,0.00123,0.45678". Most of the scores change every day, so there are no
 * records whose digests would say what is known: all rows are given, and compared by the server.
 * A line that is broken is told, and left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"
#include "feed/csv.h"
#include "feed/cve.h"
#include "feed/timestamp.h"
#include "updaters/updater.h"

#define MAX_FIELDS	   3  /* of a line */
#define MAX_NUMBER	   32 /* bytes of a score */
#define MAX_MODEL	   64 /* bytes of the model's version */
#define PROGRESS_EVERY 4096

#define MEMORY_PROBLEM "there is not enough memory for the scores"

typedef struct Epss
{
	RecordFeed *feed; /* for its arenas: keys has the CVEs so far, arena is reset for every line */
	char model[MAX_MODEL];
	char score_date[TIMESTAMP_SIZE];
	ClairBytes *cves;
	size_t count;
	size_t capacity;
	bool unordered;	 /* they are not in the order in which FIRST gives them */
	size_t expected; /* fields of a line */
	bool begun;		 /* the comment and the heading have passed */
} Epss;

/* The order in which FIRST gives CVEs: by year and number. */
static int
compare_cves(const void *left, const void *right)
{
	static const size_t year = sizeof("CVE-1999-") - 1;
	ClairBytes a = *(const ClairBytes *) left;
	ClairBytes b = *(const ClairBytes *) right;
	int order = memcmp(a.data, b.data, year);

	if (order == 0)
		order = (a.size > b.size) - (a.size < b.size);
	return order != 0 ? order : memcmp(a.data, b.data, a.size);
}

/* Remembers a CVE. */
static ClairStatus
note(Epss *epss, ClairBytes cve, ClairError *error)
{
	ClairBytes copy = arena_copy(epss->feed->keys, cve);

	epss->cves = arena_grow_array(epss->feed->keys, epss->cves, epss->count + 1, &epss->capacity,
								  sizeof(ClairBytes));
	if (copy.data == NULL || epss->cves == NULL)
		return clair_error(error, CLAIR_LIMIT, MEMORY_PROBLEM);
	if (epss->count > 0 && compare_cves(&epss->cves[epss->count - 1], &copy) >= 0)
		epss->unordered = true;
	epss->cves[epss->count++] = copy;
	return CLAIR_OK;
}

/* No CVE may be there twice: which of its scores were to be believed? */
static ClairStatus
check_cves(const Epss *epss, ClairError *error)
{
	if (!epss->unordered)
		return CLAIR_OK;
	qsort(epss->cves, epss->count, sizeof(ClairBytes), compare_cves);
	for (size_t i = 1; i < epss->count; i++)
		if (compare_cves(&epss->cves[i - 1], &epss->cves[i]) == 0)
			return clair_error(error, CLAIR_INVALID, "\"%s\" is there twice", epss->cves[i].data);
	return CLAIR_OK;
}

/*
 * Whether a field is a number from 0 to 1; one with an exponent is written anew without, so that
 * the server never finds it too small.
 */
static bool
settle_number(ClairBytes *field, char buffer[MAX_NUMBER])
{
	char *end;
	double value;

	if (field->size == 0 || field->size >= MAX_NUMBER || field->data[0] < '0' ||
		field->data[0] > '9')
		return false;
	memcpy(buffer, field->data, field->size);
	buffer[field->size] = '\0';
	if (strspn(buffer, "0123456789.eE+-") != field->size)
		return false;
	value = strtod(buffer, &end);
	if (*end != '\0' || !(value >= 0 && value <= 1))
		return false;
	if (strpbrk(buffer, "eE") != NULL)
		*field = (ClairBytes){buffer, (size_t) snprintf(buffer, MAX_NUMBER, "%.12f", value)};
	return true;
}

static ClairStatus
tell_broken(const Epss *epss, const FeedRecord *line, ClairBytes cve, const char *problem,
			ClairError *error)
{
	return advisory_broken(&epss->feed->writer, cve, error, "line %" PRId64 ": %s", line->number,
						   problem);
}

/* Takes what the comment says of the edition; a date that is none is told. */
static ClairStatus
take_comment(Epss *epss, const FeedRecord *line, ClairError *error)
{
	static const ClairBytes model = CLAIR_LITERAL("model_version:");
	static const ClairBytes date = CLAIR_LITERAL("score_date:");
	ClairBytes rest = clair_bytes_skip(line->value, 1);
	ClairStatus status = CLAIR_OK;

	while (rest.size > 0 && status == CLAIR_OK)
	{
		const char *comma = memchr(rest.data, ',', rest.size);
		size_t size = comma != NULL ? (size_t) (comma - rest.data) : rest.size;
		ClairBytes part = text_trim((ClairBytes){rest.data, size});
		int64_t time;

		rest = clair_bytes_skip(rest, size < rest.size ? size + 1 : size);
		if (clair_bytes_start_with(part, model))
			text_printable(clair_bytes_skip(part, model.size), epss->model, sizeof(epss->model));
		else if (!clair_bytes_start_with(part, date))
			continue;
		else if (timestamp_read(clair_bytes_skip(part, date.size), &time))
			epss->score_date[timestamp_write(time, epss->score_date).size] = '\0';
		else
			status = tell_broken(epss, line, CLAIR_NULL_BYTES, "the date of the scores is none",
								 error);
	}
	return status;
}

/*
 * Takes the heading, which may be missing. Older editions have no percentile. False when the line
 * is neither a heading nor one of scores.
 */
static bool
take_heading(Epss *epss, const ClairBytes *fields, size_t count, bool *is_heading)
{
	*is_heading = clair_bytes_equal(fields[0], CLAIR_LITERAL("cve"));
	epss->expected = *is_heading ? count : MAX_FIELDS;
	epss->begun = true;
	if (!*is_heading)
		return cve_is_name(fields[0]);
	return count >= 2 && clair_bytes_equal(fields[1], CLAIR_LITERAL("epss")) &&
		   (count == 2 || clair_bytes_equal(fields[2], CLAIR_LITERAL("percentile")));
}

/* Gives the scores of a line. */
static ClairStatus
take_scores(Epss *epss, const FeedRecord *line, ClairBytes fields[MAX_FIELDS], size_t count,
			ClairError *error)
{
	const ClairSink *sink = epss->feed->sink;
	char numbers[2][MAX_NUMBER];
	ClairStatus status;

	if (count != epss->expected)
		return tell_broken(epss, line, fields[0], "it has too few fields", error);
	if (!cve_is_name(fields[0]))
		return tell_broken(epss, line, fields[0], "it is about something that is no CVE", error);
	if (!settle_number(&fields[1], numbers[0]) ||
		(count == MAX_FIELDS && !settle_number(&fields[2], numbers[1])))
		return tell_broken(epss, line, fields[0], "a score is no number from 0 to 1", error);
	status = note(epss, fields[0], error);
	if (status != CLAIR_OK)
		return status;
	if (count < MAX_FIELDS)
		fields[2] = CLAIR_NULL_BYTES;
	return sink->row(sink->context, WIRE_EPSS, fields, MAX_FIELDS, error);
}

static ClairStatus
take_line(Epss *epss, const FeedRecord *line, ClairError *error)
{
	ClairBytes fields[MAX_FIELDS];
	size_t count = 0;
	const char *problem;
	bool is_heading = false;

	arena_reset(epss->feed->arena);
	if (line->value.size > 0 && line->value.data[0] == '#')
		return epss->begun ? CLAIR_OK : take_comment(epss, line, error);
	problem = csv_fields(epss->feed->arena, line->value, fields, MAX_FIELDS, &count);
	if (problem == NULL && count == 0)
		return clair_error(error, CLAIR_LIMIT, MEMORY_PROBLEM);
	if (!epss->begun && (problem != NULL || !take_heading(epss, fields, count, &is_heading)))
		return clair_error(error, CLAIR_INVALID,
						   "line %" PRId64 ": there is no heading \"cve,epss,percentile\"",
						   line->number);
	if (problem != NULL)
		return tell_broken(epss, line, CLAIR_NULL_BYTES, problem, error);
	return is_heading ? CLAIR_OK : take_scores(epss, line, fields, count, error);
}

static ClairStatus
read_lines(Epss *epss, void *lines, ClairError *error)
{
	RecordFeed *feed = epss->feed;
	ClairStatus status = CLAIR_OK;
	FeedRecord line;
	bool found = true;

	while (status == CLAIR_OK && found)
	{
		status = csv_record_cutter.next(lines, &line, &found, error);
		if (status == CLAIR_OK && found)
			status = take_line(epss, &line, error);
		if (status == CLAIR_OK && ++feed->records % PROGRESS_EVERY == 0)
			status = feed->sink->progress(feed->sink->context, csv_record_cutter.size(lines),
										  feed->records, error);
	}
	if (status == CLAIR_OK && !epss->begun)
		return clair_error(error, CLAIR_INVALID, "the document is empty");
	return status == CLAIR_OK ? check_cves(epss, error) : status;
}

/* Says which edition has been read. */
static ClairStatus
write_edition(const Epss *epss, ClairBytes document, ClairError *error)
{
	const ClairSink *sink = epss->feed->sink;
	ClairBytes fields[] = {document,
						   epss->model[0] != '\0' ? clair_bytes(epss->model) : CLAIR_NULL_BYTES,
						   epss->score_date[0] != '\0' ? clair_bytes(epss->score_date)
													   : CLAIR_NULL_BYTES};

	return sink->row(sink->context, WIRE_EPSS_EDITION, fields, 3, error);
}

static ClairStatus
read_scores(Epss *epss, const UpdaterDocument *document, ClairError *error)
{
	ClairStream *stream;
	void *lines = NULL;
	ClairStatus status = record_feed_stream(epss->feed->limits, document->descriptor, &stream,
											error);

	if (status != CLAIR_OK)
		return status;
	epss->feed->writer.document = document->name;
	status = csv_record_cutter.open(stream, NULL, epss->feed->limits, &lines, error);
	if (status == CLAIR_OK)
		status = read_lines(epss, lines, error);
	csv_record_cutter.close(lines);
	stream->close(stream);
	return status == CLAIR_OK ? write_edition(epss, document->name, error) : status;
}

static ClairStatus
epss_read(const UpdaterJob *job, ClairError *error)
{
	RecordFeed feed;
	Epss epss = {.feed = &feed};
	ClairStatus status;

	if (job->count != 1)
		return clair_error(error, CLAIR_INVALID, "the scores are one document, not %zu",
						   job->count);
	status = record_feed_open(&feed, job->limits, job->sink, error);
	if (status != CLAIR_OK)
		return status;
	status = read_scores(&epss, &job->documents[0], error);
	record_feed_close(&feed);
	if (status == CLAIR_OK || status == CLAIR_STOPPED || status == CLAIR_PROTOCOL)
		return status;
	return clair_error_in(error, "document \"%.*s\"", (int) job->documents[0].name.size,
						  job->documents[0].name.data);
}

const Updater updater_epss = {"epss", epss_read};
