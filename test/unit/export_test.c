/*
 * export_test.c
 *    Proves that of an export the lines of one updater become rows, whatever pieces they come in;
 * that what is not the file that was written is refused, and where; and that positions are kept to.
 */
#include "feed/export_file.h"
#include "feed_sink.h"

#define HEAD                                                                                       \
	"{\"clair\":\"updates\",\"version\":1,\"site\":\"7-5\",\"position\":12,\"updaters\":["         \
	"{\"name\":\"a\",\"since\":null,\"as_of\":\"2031-01-01\"},{\"name\":\"b\",\"since\":7}]}\n"
#define OPTIONS "{\"updater\":\"a\",\"site\":\"7-5\",\"position\":\"12\""
#define RECORD                                                                                     \
	"{\"record\":\"p\",\"rows\":[{\"vulnerability\":{\"name\":\"CVE-2031-1\",\"digest\":\"d\"}},"  \
	"{\"affected\":{\"number\":0,\"namespace\":\"debian:12\",\"kind\":\"source\",\"package\":"     \
	"\"p\",\"format\":\"dpkg\",\"status\":\"affected\",\"severity\":\"Low\"}}]}\n"

/* The text with the last line that belongs to it. */
static char *
with_end(const char *text)
{
	char digest[DIGEST_TEXT_SIZE];
	char *whole = malloc(strlen(text) + 256);
	int lines = 0;
	ClairError error;

	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	digest_of(DIGEST_SHA256, clair_bytes(text), digest, &error);
	sprintf(whole, "%s{\"end\":%d,\"sha256\":\"%s\"}\n", text, lines, digest + 7);
	return whole;
}

static ClairStatus
read_part(Recorder *recorder, const char *text, const char *options, const char *state)
{
	UpdaterDocument document = feed_text("export", "file:///export", text);

	recorder_clear(recorder);
	recorder->options = options;
	recorder->state = state;
	return feed_read("export", &document, 1, recorder);
}

static void
check_part(void)
{
	char *text = with_end(
		HEAD "{\"updater\":\"b\"}\n{\"record\":\"other\",\"rows\":[]}\n"
			 "{\"updater\":\"a\"}\n{\"frozen\":{\"namespace\":\"debian:10\"}}\n" RECORD
			 "{\"gone\":{\"record\":\"q\"}}\n"
			 "{\"record\":\"CVE-2031-2\",\"rows\":[{\"kev\":{\"date_added\":\"2031-01-02\","
			 "\"ransomware\":1,\"name\":\"n\"}}]}\n");
	Recorder recorder = {0};

	CHECK_INT(read_part(&recorder, text, OPTIONS "}", NULL), CLAIR_OK, "it is read");
	CHECK_ROW(&recorder, "record|export|p|*", "a record");
	CHECK_ROW(&recorder, "vulnerability|p|CVE-2031-1|d", "what it says");
	CHECK_ROW(&recorder, "affected|p|CVE-2031-1|0|debian:12|source|p|dpkg|-|-|affected|Low",
			  "of what it says it");
	CHECK_ROW(&recorder, "kev|CVE-2031-2|2031-01-02|-|1|-|-|n",
			  "a row that is named after its record");
	CHECK_ROW(&recorder, "frozen|debian:10", "a row beside records");
	CHECK_ROW(&recorder, "gone|q", "another one");
	CHECK_ROW(&recorder, "state|7-5 12", "how far that is");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "nothing of another updater");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	free(text);
	recorder_clear(&recorder);
}

static void
check_inspection(void)
{
	char *text = with_end(HEAD "{\"updater\":\"a\"}\n" RECORD);
	UpdaterDocument document = feed_text("export", "file:///export", text);
	Recorder recorder = {0};
	ClairSink sink = {.context = &recorder, .row = recorder_row, .progress = recorder_progress};
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairError error;

	CHECK_INT(export_inspect(&limits, document.descriptor, &sink, &error), CLAIR_OK, "it fits");
	CHECK_ROW(&recorder, "export|a|7-5|12|-|2031-01-01", "all of an updater");
	CHECK_ROW(&recorder, "export|b|7-5|12|7", "what changed of another one");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "its content is not read");
	free(text);
	recorder_clear(&recorder);
}

/* A text that is refused, with these words in the error. */
static void
check_refusal(const char *text, const char *options, const char *state, const char *words)
{
	Recorder recorder = {0};

	CHECK(read_part(&recorder, text, options, state) != CLAIR_OK, words);
	CHECK(strstr(recorder.error.message, words) != NULL, recorder.error.message);
	recorder_clear(&recorder);
}

/* The same of a text whose last line is added. */
static void
check_content(const char *content, const char *words)
{
	char whole[2048];
	char *text;

	snprintf(whole, sizeof(whole), HEAD "{\"updater\":\"a\"}\n%s\n", content);
	text = with_end(whole);
	check_refusal(text, OPTIONS "}", NULL, words);
	free(text);
}

static void
check_refusals(void)
{
	char *text = with_end(HEAD "{\"updater\":\"a\"}\n" RECORD);

	check_refusal("", OPTIONS "}", NULL, "line 1: the export is cut off");
	check_refusal(HEAD, OPTIONS "}", NULL, "line 2: the export is cut off");
	check_refusal(HEAD "{\"upda", OPTIONS "}", NULL, "line 2: the export is cut off");
	check_refusal("{}\n", OPTIONS "}", NULL, "it is not an export of clair");
	check_refusal("{\"clair\":\"updates\",\"version\":12}\n", OPTIONS "}", NULL,
				  "of version 12, not 1");
	check_refusal(HEAD "{\"end\":1,\"sha256\":\"00\"}\n", OPTIONS "}", NULL,
				  "line 2: the export is damaged");
	check_refusal(text, OPTIONS ",\"since\":\"7\"}", NULL,
				  "tells only what changed since position 7");
	check_refusal(text, OPTIONS ",\"since\":\"7\"}", "7-5 6",
				  "tells only what changed since position 7");
	check_refusal(text, OPTIONS ",\"since\":\"7\"}", "8-5 7",
				  "tells only what changed since position 7");
	check_refusal(text, OPTIONS "}", "7-5 13", "it has position 12, and position 13 was reached");
	check_refusal(text, "{}", NULL, "whose part of the export");
	check_content("{\"updater\":\"\"}", "line 3: a section does not name its updater");
	check_content("{\"record\":7}", "is not a string");
	check_content("{\"layer\":{}}", "a row is of a kind that does not belong here");
	check_content("{\"vulnerability\":{}}", "a row is of a kind that does not belong here");
	check_content("{\"gone\":{\"record\":\"a\"},\"frozen\":{}}", "a row is of two kinds");
	check_content("{\"gone\":{\"recording\":\"a\"}}", "a row has a column that is not known");
	check_content("{\"record\":\"a\",\"rows\":[{\"kev\":{\"ransomware\":\"x\"}}]}",
				  "a column of a row has no such value");
	check_content("{\"record\":\"a\",\"rows\":[{}]}", "a row is empty");
	free(text);
}

static void
check_positions(void)
{
	char *text = with_end(HEAD "{\"updater\":\"a\"}\n" RECORD);
	Recorder recorder = {0};

	CHECK_INT(read_part(&recorder, text, OPTIONS ",\"since\":\"7\"}", "7-5 7"), CLAIR_OK,
			  "the position was reached");
	CHECK_INT(read_part(&recorder, text, OPTIONS ",\"since\":\"7\"}", "7-5 12"), CLAIR_OK,
			  "so was all of it");
	CHECK_INT(read_part(&recorder, text, OPTIONS "}", "8-5 99"), CLAIR_OK,
			  "positions of another database do not matter to an export of everything");
	free(text);
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_part();
	check_inspection();
	check_refusals();
	check_positions();
	return unit_result();
}
