/*
 * chainguard_osv_test.c
 *    Proves that records of Chainguard's archive in OSV become rows of sources and of packages that
 *    are not called like theirs, what is false in them none, and that what is broken is told.
 */
#include "feed_sink.h"
#include "tar_writer.h"

#define CGA "CGA-2222-3333-4444"
#define RECORD(upstream, ecosystem, purl, events)                                                  \
	"{\"id\":\"" CGA "\",\"upstream\":[" upstream                                                  \
	"],\"affected\":[{\"package\":{\"ecosystem\":\"" ecosystem                                     \
	"\",\"name\":\"foo\",\"purl\":\"" purl "\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","              \
	"\"events\":[{\"introduced\":\"0\"}" events                                                    \
	"]}],\"ecosystem_specific\":{\"components\":[]}}]}"
#define CVE			   "\"CVE-2031-0007\""
#define PURL		   "pkg:apk/wolfi/foo?arch=x86_64"
#define FIXED(version) ",{\"fixed\":\"" version "\"}"
#define ROW(namespace, name, number, rest)                                                         \
	"affected|" CGA "|" name "|" number "|" namespace ":rolling|" rest

static Recorder recorder;

static void
read_file(const char *path, const char *text)
{
	TarWriter tar = {0};
	UpdaterDocument document = {CLAIR_LITERAL("osv"), CLAIR_LITERAL("https://example.org/osv.tar"),
								-1};

	recorder_clear(&recorder);
	tar_file(&tar, path, text);
	document.descriptor = memory_file(tar_end(&tar));
	tar_free(&tar);
	CHECK_INT(feed_read("chainguard-osv", &document, 1, &recorder), CLAIR_OK, text);
	CHECK_INT(recorder.problems, 0, "rows are rows");
}

static void
check_records(void)
{
	read_file("osv/" CGA ".json", RECORD(CVE, "Wolfi", PURL, FIXED("1.0-r2")));
	CHECK_ROW(&recorder, "record|osv|" CGA "|*", "a file is a record");
	CHECK_ROW(&recorder,
			  ROW("wolfi", "CVE-2031-0007", "1",
				  "source|foo|apk|-|1.0-r2|fixed|Unknown|x86_64|-|-|-|" CGA),
			  "a fix of a source, for an architecture");
	CHECK_ROW(&recorder,
			  ROW("wolfi", "CVE-2031-0007", "0",
				  "binary|foo|apk|-|1.0-r2|fixed|Unknown|x86_64|-|subpackage|-|" CGA),
			  "and of a package of another source");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "and nothing else");
	read_file(CGA ".json", RECORD(CVE, "Chainguard", PURL, ""));
	CHECK_ROW(&recorder,
			  ROW("chainguard", "CVE-2031-0007", "1",
				  "source|foo|apk|-|-|affected|Unknown|x86_64*"),
			  "what is not fixed");
	read_file(CGA ".json", RECORD("\"GHSA-fghj-mpqr-vwxc\"", "Wolfi", PURL, FIXED("1.0-r2")));
	CHECK_ROW(&recorder, ROW("wolfi", "GHSA-fghj-mpqr-vwxc", "1", "source|foo|*"),
			  "without a CVE it is named for what it is upstream");
	read_file(CGA ".json", RECORD("\"\"", "Wolfi", PURL, FIXED("1.0-r2")));
	CHECK_ROW(&recorder, ROW("wolfi", CGA, "1", "source|foo|*"), "and at last for itself");
	read_file(CGA ".json", RECORD(CVE, "Wolfi", PURL, FIXED("0")));
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 0, "what is false affects nothing");
	CHECK_INT(recorder.counts[WIRE_RECORD], 1, "but is a record");
}

static void
check_broken(void)
{
	read_file("all.json", RECORD(CVE, "Wolfi", PURL, FIXED("1.0-r2")));
	CHECK_INT(recorder.counts[WIRE_RECORD], 0, "another file is none");
	read_file(CGA ".json", "{\"id\":");
	CHECK_ROW(&recorder, "broken|osv|" CGA "|*", "what is no JSON is told");
	read_file(CGA ".json", RECORD(CVE, "Wolfi", PURL, FIXED("nonsense")));
	CHECK_ROW(&recorder, "broken|osv|" CGA "|foo: *", "what is no version is told, once");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 0, "and left out");
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_records();
	check_broken();
	recorder_clear(&recorder);
	return unit_result();
}
