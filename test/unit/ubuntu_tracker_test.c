/*
 * ubuntu_tracker_test.c
 *    Proves that the files of Ubuntu's CVE tracker become the rows that they mean: statuses,
 *    priorities, channels and what follows from one for the other; which files of which archives
 *    are read; and that what is broken in a file is told, not fatal.
 */
#include "feed_sink.h"
#include "tar_writer.h"

#define CVE			   "CVE-2031-0007"
#define FILE_OF(lines) "Candidate: " CVE "\nPriority: medium\n" lines

/* Reads an archive, which is freed. */
static ClairStatus
read_tar(Recorder *recorder, TarWriter *tar)
{
	UpdaterDocument document = {CLAIR_LITERAL("index"), CLAIR_LITERAL("file:///srv/uct.tar"),
								memory_file(tar_end(tar))};

	recorder_clear(recorder);
	tar_free(tar);
	return feed_read("ubuntu-tracker", &document, 1, recorder);
}

/* Reads an archive with one file of the tracker. */
static void
read_file(Recorder *recorder, const char *lines)
{
	TarWriter tar = {0};

	tar_file(&tar, "active/" CVE, lines);
	CHECK_INT(read_tar(recorder, &tar), CLAIR_OK, lines);
	CHECK_INT(recorder->problems, 0, "rows are rows");
}

/* A row of the file's, from the namespace on. */
#define CHECK_RANGE(recorder, number, rest, what)                                                  \
	CHECK_ROW(recorder, "affected|" CVE "|" CVE "|" number "|" rest, what)

/* Reads a file with one line of the channel jammy: its only row, from the fix on. */
static void
check_status(const char *status, const char *rest)
{
	Recorder recorder = {0};
	char lines[512];
	char row[512];

	snprintf(lines, sizeof(lines), FILE_OF("jammy_foo: %s\n"), status);
	snprintf(row, sizeof(row), "affected|" CVE "|" CVE "|0|ubuntu:22.04|source|foo|dpkg|-|%s",
			 rest);
	read_file(&recorder, lines);
	CHECK_ROW(&recorder, row, status);
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "one range");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing broken");
	recorder_clear(&recorder);
}

static void
check_statuses(void)
{
	Recorder recorder = {0};

	check_status("needs-triage", "-|under_investigation|Medium");
	check_status("needed", "-|affected|Medium");
	check_status("needed (reported upstream)", "-|affected|Medium");
	check_status("active", "-|affected|Medium");
	check_status("in-progress", "-|affected|Medium");
	check_status("pending (1.2-3ubuntu0.1)", "-|affected|Medium");
	check_status("pending", "-|affected|Medium");
	check_status("deferred (2031-02-01)", "-|deferred|Medium");
	check_status("released (1.2-3ubuntu0.1)", "1.2-3ubuntu0.1|fixed|Medium");
	check_status("released(1:2-3)", "1:2-3|fixed|Medium");
	check_status(" released  (( 0.4-3 )\t", "0.4-3|fixed|Medium");
	check_status("released (1.0-9,1.0-10)", "1.0-10|fixed|Medium");
	check_status("released (2.0-1, 1.0-1)", "2.0-1|fixed|Medium");
	check_status("not-affected (1.5-1)", "-|not_affected|Medium");
	check_status("not-affected", "-|not_affected|Medium");
	check_status("ignored", "-|will_not_fix|Medium");
	check_status("ignored (changes too intrusive)", "-|will_not_fix|Medium");
	check_status("ignored (superseded by foo-2, was needed)", "-|will_not_fix|Medium");
	check_status("ignored (end of life)", "-|end_of_life|Medium");
	check_status("ignored (reached end-of-life)", "-|end_of_life|Medium");
	check_status("ignored (end of standard support, was needed)", "-|end_of_life|Medium");
	check_status("ignored (out of standard support)", "-|end_of_life|Medium");
	check_status("ignored (end of kernel support)", "-|end_of_life|Medium");

	read_file(&recorder, FILE_OF("jammy_foo: DNE\nupstream_foo: needed\ndevel_foo: needed\n"
								 "snap_foo: needed\nbluefield/jammy_foo: needed\n"
								 "vivid/ubuntu-core_foo: needed\n#jammy_bar: needed\n"
								 "Patches_jammy_baz: x\nTags_foo: universe-binary\n"
								 "Notes:\n jammy_foo: needed\n-- Tags_xen: universe-binary\n"));
	CHECK_INT(recorder.counts[WIRE_RECORD], 1, "a file that says nothing of a release");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "has no vulnerability");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "and is not broken");
	recorder_clear(&recorder);
}

static void
check_priorities(void)
{
	Recorder recorder = {0};

	read_file(&recorder, "Candidate:" CVE "\n"
						 "Priority_foo: low\n"
						 "Priority_foo_focal: negligible\n"
						 "Priority_foo_esm-infra/xenial: critical (because)\n"
						 "Priority: high\n because\n"
						 "focal_foo: needed\njammy_foo: needed\njammy_bar: needed\n"
						 "esm-infra/xenial_foo: needed\n");
	CHECK_RANGE(&recorder, "0", "ubuntu:22.04|source|bar|dpkg|-|-|affected|High",
				"the vulnerability's priority");
	CHECK_RANGE(&recorder, "3", "ubuntu:20.04|source|foo|dpkg|-|-|affected|Negligible",
				"that of a package in one channel");
	CHECK_RANGE(&recorder, "4", "ubuntu:22.04|source|foo|dpkg|-|-|affected|Low",
				"that of a package in all others");
	CHECK_RANGE(&recorder, "2", "ubuntu:16.04|source|foo|dpkg|-|-|affected|Critical|-|-|esm",
				"that of a package in a channel of Pro");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 0, "nothing broken");

	read_file(&recorder, "Candidate: " CVE "\nPriority: untriaged\njammy_foo: needed\n");
	CHECK_RANGE(&recorder, "0", "ubuntu:22.04|source|foo|dpkg|-|-|affected|Unknown", "no priority");
	read_file(&recorder, "Candidate: " CVE "\nPriority: urgent\njammy_foo: needed\n");
	CHECK_RANGE(&recorder, "0", "ubuntu:22.04|source|foo|dpkg|-|-|affected|Unknown",
				"a word that is none");
	read_file(&recorder, "Candidate: " CVE "\njammy_foo: needed\n");
	CHECK_RANGE(&recorder, "0", "ubuntu:22.04|source|foo|dpkg|-|-|affected|Unknown", "none at all");
	recorder_clear(&recorder);
}

/* What is said of ordinary builds, of those for extended maintenance, and of those for FIPS. */
static void
check_channels(void)
{
	Recorder recorder = {0};

	read_file(&recorder, FILE_OF("xenial_foo: ignored (end of standard support)\n"
								 "esm-infra/xenial_foo: released (1.0-2ubuntu0.1+esm1)\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:16.04|source|foo|dpkg|-|-|end_of_life|Medium|-|-|",
				"ordinary builds stay unfixed");
	CHECK_RANGE(&recorder, "1",
				"ubuntu:16.04|source|foo|dpkg|-|1.0-2ubuntu0.1+esm1|fixed|Medium|-|-|esm",
				"those for Pro are fixed");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "nothing else");

	read_file(&recorder, FILE_OF("trusty/esm_foo: released (1.0-2~esm1)\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:14.04|source|foo|dpkg|-|-|will_not_fix|Medium|-|-|",
				"ordinary builds of which nothing is said will not be fixed");
	read_file(&recorder, FILE_OF("esm-infra-legacy/trusty_foo: needed\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:14.04|source|foo|dpkg|-|-|will_not_fix|Medium|-|-|",
				"whether the others are or not");
	read_file(&recorder, FILE_OF("trusty/esm_foo: needs-triage\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:14.04|source|foo|dpkg|-|-|under_investigation|Medium",
				"what nobody knows yet is so for all");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "in one range");
	read_file(&recorder, FILE_OF("trusty/esm_foo: not-affected\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:14.04|source|foo|dpkg|-|-|not_affected|Medium|-|-|esm",
				"nothing follows from builds that are not affected");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "nothing else");
	read_file(&recorder, FILE_OF("trusty_foo: DNE\ntrusty/esm_foo: needed\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:14.04|source|foo|dpkg|-|-|affected|Medium|-|-|esm",
				"nor for a package that is not there otherwise");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "nothing else");

	read_file(&recorder, FILE_OF("trusty_foo: ignored (end of life)\n"
								 "trusty/esm_foo: released (1.0-2ubuntu3)\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:14.04|source|foo|dpkg|-|1.0-2ubuntu3|fixed|Medium",
				"a version that does not tell that it is from Pro is one for all");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "in one range");
	read_file(&recorder, FILE_OF("trusty_foo: released (1.0-2ubuntu3)\n"
								 "trusty/esm_foo: released (1.0-2ubuntu3)\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:14.04|source|foo|dpkg|-|1.0-2ubuntu3|fixed|Medium",
				"the same said of all builds");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 1, "is one range, too");

	read_file(&recorder, FILE_OF("esm-infra/focal_foo: needed\n"
								 "esm-apps/focal_foo: released (1.0-2+esm9)\n"
								 "fips/focal_foo: released (1.0-2.fips.10)\n"
								 "fips-updates/focal_foo: released (1.0-2.fips.9)\n"
								 "focal_foo: needed\n"));
	CHECK_RANGE(&recorder, "0", "ubuntu:20.04|source|foo|dpkg|-|-|affected|Medium|-|-|",
				"ordinary builds");
	CHECK_RANGE(&recorder, "1", "ubuntu:20.04|source|foo|dpkg|-|1.0-2+esm9|fixed|Medium|-|-|esm",
				"of two channels a fix counts");
	CHECK_RANGE(&recorder, "2",
				"ubuntu:20.04|source|foo|dpkg|-|1.0-2.fips.10|fixed|Medium|-|-|fips",
				"of two fixes the higher one");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 3, "one range of each flavour");
	recorder_clear(&recorder);
}

static void
check_texts(void)
{
	Recorder recorder = {0};

	read_file(&recorder, "Candidate: " CVE "\r\nReferences:\r\n https://x/ \n"
						 " https://ubuntu.com/security/notices/USN-9002-1\n"
						 " https://ubuntu.com/security/notices/USN-9001-1 and USN-9002-1\n"
						 " USN-12\n USN-x-1\nDescription:\n bar mishandles\n\n a\tl\xc3\xa9ngth.\n"
						 "Ubuntu-Description:\n It was discovered.\nNotes:\n who> USN-9003-1\n"
						 "jammy_foo: released (1-2)\n");
	CHECK(strstr(recorder.rows, "|bar mishandles a\tl\xc3\xa9ngth.|https://ubuntu.com/security/" CVE
								"|USN-9001-1 USN-9002-1\n") != NULL,
		  "description, link and notices");
	CHECK_RANGE(&recorder, "0", "ubuntu:22.04|source|foo|dpkg|-|1-2|fixed|Unknown",
				"a fix that two notices may have brought");

	read_file(&recorder,
			  "Candidate: " CVE "\nReferences: USN-9001-1\nDescription:\n"
			  "Ubuntu-Description: It \xff was\n discovered.\njammy_foo: released (1-2)\n"
			  "focal_foo: needed\n");
	CHECK(strstr(recorder.rows, "|It \\xff was discovered.|https://ubuntu.com/security/" CVE
								"|USN-9001-1\n") != NULL,
		  "another description, and bytes that are no text");
	CHECK_RANGE(&recorder, "1",
				"ubuntu:22.04|source|foo|dpkg|-|1-2|fixed|Unknown|-|-|-|-|USN-9001-1",
				"a fix that one notice brought");
	CHECK_RANGE(&recorder, "0", "ubuntu:20.04|source|foo|dpkg|-|-|affected|Unknown",
				"brings nothing where there is no fix");
	recorder_clear(&recorder);
}

static void
check_broken(void)
{
	Recorder recorder = {0};
	char many[16384] = "Candidate: " CVE "\n";
	size_t size = strlen(many);

	read_file(&recorder, FILE_OF("jammy_a: released\njammy_b: released (5.7 only)\n"
								 "jammy_c: released (1.0,)\njammy_d: postponed\njammy_e:\n"
								 "zany_f: needed\nzany_g: needed\nesm-infra/zany_f: needed\n"
								 "jammy_h!: needed\njammy_i: needed\njammy_i: ignored\n"
								 "jammy_j: released (1.0,a b)\njammy_: needed\n"
								 "jammy_k: released (1.0\x80)\n"));
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_a: it is fixed without a version", "no fix");
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_b: *", "a fix that is no version");
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_j: *", "one of two that is none");
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_k: its version is not text",
			  "one that is no text, though dpkg would take it");
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_d: its status is not known", "a new word");
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_e: its status is not known", "no word");
	CHECK_ROW(&recorder,
			  "broken|index|" CVE "|zany_f: the release is not known; its entries are left out",
			  "a codename that is not known");
	CHECK_ROW(&recorder, "broken|index|" CVE "|esm-infra/zany_f: the release is not known; *",
			  "in a channel, too");
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_h!: its package has an invalid name",
			  "a name that is none");
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_: its package has an invalid name", "no name");
	CHECK_ROW(&recorder, "broken|index|" CVE "|jammy_i: it is there twice: the first is left out",
			  "a line that is there twice");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 11, "each is told once");
	CHECK_RANGE(&recorder, "0", "ubuntu:22.04|source|c|dpkg|-|1.0|fixed|Medium",
				"a comma too many does no harm");
	CHECK_RANGE(&recorder, "1", "ubuntu:22.04|source|i|dpkg|-|-|will_not_fix|Medium",
				"of two lines the last one counts");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "nothing else");

	read_file(&recorder, "<html>Come back later</html>");
	CHECK_ROW(&recorder, "broken|index|" CVE "|its \"Candidate\" is not " CVE,
			  "a file that is something else");
	read_file(&recorder, "Candidate: CVE-2031-0008\njammy_foo: needed\n");
	CHECK_ROW(&recorder, "broken|index|" CVE "|its \"Candidate\" is not " CVE,
			  "a file of another vulnerability");
	CHECK_INT(recorder.counts[WIRE_VULNERABILITY], 0, "says nothing");

	for (int i = 0; i < 257; i++)
		size += (size_t) snprintf(many + size, sizeof(many) - size, "Priority_p%d: low\n", i);
	snprintf(many + size, sizeof(many) - size, "jammy_p255: needed\njammy_p256: needed\n");
	read_file(&recorder, many);
	CHECK_ROW(&recorder,
			  "broken|index|" CVE "|Priority_p256: there are too many priorities; it is left out",
			  "a priority too many");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 1, "is told");
	CHECK_RANGE(&recorder, "0", "ubuntu:22.04|source|p255|dpkg|-|-|affected|Low",
				"and the others count");
	recorder_clear(&recorder);
}

static void
check_archives(void)
{
	Recorder recorder = {0};
	TarWriter tar = {0};
	UpdaterDocument listing = feed_text("index", "file:///srv/feeds",
										"clair directory listing\nactive.tar.xz\nREADME\nold/\n"
										"retired.tgz\nx.zip\nx.xml.bz2\n");
	UpdaterDocument page = feed_text("index", "https://example.org/feeds/",
									 "\n<!DOCTYPE html><a href=\"x.xml\">x</a>");

	tar_directory(&tar, "uct/active");
	tar_file(&tar, "uct/active/CVE-2031-0001", "Candidate: CVE-2031-0001\njammy_foo: needed\n");
	tar_file(&tar, "uct/active/00boilerplate.CVE-2", "Candidate:\njammy_foo: needed\n");
	tar_file(&tar, "uct/retired/CVE-2031-0002", "Candidate: CVE-2031-0002\njammy_foo: needed\n");
	tar_file(&tar, "uct/ignored/CVE-2031-0003", "Candidate: CVE-2031-0003\njammy_foo: needed\n");
	tar_file(&tar, "uct/inactive/CVE-2031-0004", "Candidate: CVE-2031-0004\njammy_foo: needed\n");
	tar_file(&tar, "CVE-2031-0005", "Candidate: CVE-2031-0005\njammy_foo: needed\n");
	CHECK_INT(read_tar(&recorder, &tar), CLAIR_OK, "an archive with folders above its own");
	CHECK_INT(recorder.counts[WIRE_RECORD], 2, "what is active or retired counts");
	CHECK_ROW(&recorder, "record|index|CVE-2031-0001|*", "by its own name");
	CHECK_ROW(&recorder, "record|index|CVE-2031-0002|*", "whatever folder it is in");
	CHECK_INT(recorder.counts[WIRE_AFFECTED], 2, "nothing else");

	tar_file(&tar, "active/" CVE, "Candidate: " CVE "\n");
	tar_file(&tar, "retired/" CVE, "Candidate: " CVE "\n");
	CHECK_INT(read_tar(&recorder, &tar), CLAIR_INVALID, "the same vulnerability twice");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": record \"" CVE "\" is there twice", "is one too many");

	recorder_clear(&recorder);
	CHECK_INT(feed_read("ubuntu-tracker", &listing, 1, &recorder), CLAIR_OK, "a folder");
	CHECK_TEXT(clair_bytes(recorder.rows),
			   "\nfurther|index|active.tar.xz|active.tar.xz|0|plain\n"
			   "\nfurther|index|retired.tgz|retired.tgz|0|plain\n"
			   "\nfurther|index|x.zip|x.zip|0|plain\n",
			   "names its archives");
	recorder_clear(&recorder);
	CHECK_INT(feed_read("ubuntu-tracker", &page, 1, &recorder), CLAIR_INVALID, "any other page");
	CHECK_TEXT(clair_bytes(recorder.error.message),
			   "document \"index\": the listing names no archive", "is no feed");
	recorder_clear(&recorder);
}

static void
check_data(void)
{
	Recorder recorder = {0};
	const char *active = unit_data("feeds/ubuntu/ubuntu-cve-tracker-active.tar.xz");
	UpdaterDocument document;

	if (active == NULL)
		return;
	document = feed_file("active", active);
	CHECK_INT(feed_read("ubuntu-tracker", &document, 1, &recorder), CLAIR_OK,
			  "the tracker's files");
	CHECK_INT(recorder.counts[WIRE_RECORD], 8904, "of which there are so many");
	CHECK_INT(recorder.counts[WIRE_BROKEN], 3, "three lines are released without a version");
	CHECK_INT(recorder.problems, 0, "rows are rows");
	recorder_clear(&recorder);
}

int
main(void)
{
	ClairError error;

	CHECK_INT(digest_initialize(&error), CLAIR_OK, "digests");
	check_statuses();
	check_priorities();
	check_channels();
	check_texts();
	check_broken();
	check_archives();
	check_data();
	return unit_result();
}
