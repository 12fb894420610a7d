/*
 * oval_text.h
 *    OVAL documents as literals, and reading them, for unit tests.
 */
#ifndef CLAIR_OVAL_TEXT_H
#define CLAIR_OVAL_TEXT_H

#include "feed/xml.h"
#include "feed_sink.h"

#define DOCUMENT(definitions, rest)                                                                \
	"<?xml version=\"1.0\"?>\n<oval_definitions xmlns=\"http://x/\" xmlns:l=\"http://y/\">"        \
	"<generator/><definitions>" definitions "</definitions>" rest "</oval_definitions>"

#define CRITERION(comment) "<criterion test_ref='oval:x:tst:1' comment='" comment "'/>"
#define AND(criteria)	   "<criteria operator='AND'>" criteria "</criteria>"
#define OR(criteria)	   "<criteria operator='OR'>" criteria "</criteria>"

/* Has an updater read one document. */
static inline ClairStatus
read_oval(Recorder *recorder, const char *updater, const char *name, const char *text)
{
	UpdaterDocument document = feed_text(name, "https://x/", text);

	recorder_clear(recorder);
	return feed_read(updater, &document, 1, recorder);
}

/* Has an updater read a file of the test data: how many of its definitions, and broken ones. */
static inline void
check_oval_sample(Recorder *recorder, const char *updater, const char *file, int64_t records,
				  int64_t broken)
{
	const char *path = unit_data(file);
	UpdaterDocument document;

	if (path == NULL)
		return;
	document = feed_file(strrchr(file, '/') + 1, path);
	recorder_clear(recorder);
	CHECK_INT(feed_read(updater, &document, 1, recorder), CLAIR_OK, file);
	CHECK_INT(recorder->counts[WIRE_RECORD], records, "its definitions");
	CHECK_INT(recorder->counts[WIRE_BROKEN], broken, "broken ones");
	CHECK_INT(recorder->problems, 0, "rows are rows");
}

#endif
