/* Proves what becomes of an rpm header, sound or not, and of the lines of a manifest. */
#include "package/rpm_header.h"
#include "rpm_test.h"

static HeaderWriter header;

static ClairStatus
read_header(ClairBytes file, Findings *findings, ClairError *error)
{
	findings->unit = "record";
	return rpm_header_read(file, 7, findings, error);
}

/* Whether the header that was written gives this. */
#define CHECK_HEADER(expected, what)                                                               \
	CHECK_TEXT(findings_text(read_header, header_bytes(&header)), expected, what)

static void
test_fields(void)
{
	header_start(&header, "bash");
	CHECK_HEADER("bash 1.0-2.el9 bash 1.0-2.el9 x86_64;", "the least that a package has");
	header_number(&header, HEADER_EPOCH, 0);
	CHECK_HEADER("bash 1.0-2.el9 bash 1.0-2.el9 x86_64;", "an epoch of 0 is none");
	header_start(&header, "bash");
	header_number(&header, HEADER_EPOCH, 4000000000);
	header_text(&header, HEADER_VENDOR, HEADER_STRING, "Red Hat, Inc.");
	header_text(&header, HEADER_MODULE, HEADER_STRING, "perl:5.24:8020:0d58");
	header_text(&header, HEADER_LICENSE, HEADER_STRING, "GPLv3+ and MIT");
	CHECK_HEADER("bash 4000000000:1.0-2.el9 bash 4000000000:1.0-2.el9 x86_64 module perl:5.24"
				 " vendor Red Hat, Inc. license GPLv3+ and MIT;",
				 "epoch, vendor, module and license");
	header_start(&header, "bash");
	header_text(&header, HEADER_MODULE, HEADER_STRING, "perl:5.24");
	CHECK_HEADER("bash 1.0-2.el9 bash 1.0-2.el9 x86_64;", "a label with one colon");
	header_start(&header, "bash");
	header_text(&header, HEADER_NAME, HEADER_I18N_STRING, "zsh");
	CHECK_HEADER("zsh 1.0-2.el9 zsh 1.0-2.el9 x86_64;", "the last entry of a tag counts");
	header_start(&header, "gpg-pubkey");
	CHECK_HEADER("", "a key is no package");
	header = (HeaderWriter){.entries = 0};
	header_text(&header, 63, HEADER_BIN, "region");
	header_text(&header, HEADER_NAME, HEADER_STRING, "gpg-pubkey");
	CHECK_HEADER("", "a region at the beginning");
}

static void
test_sources(void)
{
	static const struct
	{
		const char *rpm;
		const char *nevr;
		const char *expected;
	} sources[] = {
		{"perl-5.26-3.el8.src.rpm", NULL, "perl 5.26-3.el8"},
		{"java-1.8.0-openjdk-1.8-3.nosrc.rpm", NULL, "java-1.8.0-openjdk 1.8-3"},
		{"perl-5.26-3.el8.src.rpm", "perl-4:5.26-3.el8", "perl 4:5.26-3.el8"},
		{NULL, "perl-0:5.26-3.el8", "perl 5.26-3.el8"},
		{"perl-5.26-3.el8.src.rpm", "nonsense", "perl 5.26-3.el8"},
		{"(none)", NULL, "bash 1.0-2.el9"},
		{"perl-5.26.src.rpm", NULL, "bash 1.0-2.el9"},
		{"-5.26-1.src.rpm", NULL, "bash 1.0-2.el9"},
		{"", "", "bash 1.0-2.el9"},
	};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
	{
		char expected[200];

		header_start(&header, "bash");
		if (sources[i].rpm != NULL)
			header_text(&header, HEADER_SOURCE_RPM, HEADER_STRING, sources[i].rpm);
		if (sources[i].nevr != NULL)
			header_text(&header, HEADER_SOURCE_NEVR, HEADER_STRING, sources[i].nevr);
		snprintf(expected, sizeof(expected), "bash 1.0-2.el9 %s x86_64;", sources[i].expected);
		CHECK_HEADER(expected, sources[i].rpm != NULL ? sources[i].rpm : sources[i].nevr);
	}
}

static void
test_broken_fields(void)
{
	header = (HeaderWriter){.entries = 0};
	header_text(&header, HEADER_VERSION, HEADER_STRING, "1");
	CHECK_HEADER("?record 7: \"\" is not a package's name;", "no name");
	header_start(&header, "a b");
	CHECK_HEADER("?record 7: \"a b\" is not a package's name;", "a blank in a name");
	header_start(&header, "caf\xe9");
	CHECK_HEADER("?record 7: the package's name is not valid text;", "a name that is not text");
	header_start(&header, "bash");
	header_text(&header, HEADER_RELEASE, HEADER_STRING, "");
	CHECK_HEADER("?record 7: package \"bash\": its version is missing or too long;", "no release");
	header_start(&header, "bash");
	header_text(&header, HEADER_NAME, HEADER_ARRAY, "zsh");
	CHECK_HEADER("?record 7: \"\" is not a package's name;", "an array as the name");
	header_start(&header, "bash");
	header_text(&header, HEADER_EPOCH, HEADER_STRING, "1");
	CHECK_HEADER("?record 7: its epoch is not a number;", "a text as the epoch");
	header_start(&header, "bash");
	header_entry(&header, HEADER_NAME, HEADER_STRING, (uint32_t) header.data_size, 1);
	header.data[header.data_size++] = 'x';
	CHECK_HEADER("?record 7: \"\" is not a package's name;", "a text without end");
	header_start(&header, "bash");
	header_text(&header, HEADER_VENDOR, HEADER_STRING, "caf\xe9");
	CHECK_HEADER("bash 1.0-2.el9 bash 1.0-2.el9 x86_64 vendor caf\\xe9;", "a vendor is escaped");
}

static void
test_broken_entries(void)
{
	static const struct
	{
		uint32_t entry[4];
		const char *fault;
	} entries[] = {
		{{63, 7, 0, 1}, "its tag is invalid"},
		{{99, 6, 0, 1}, "its tag is invalid"},
		{{0x80000000, 6, 0, 1}, "its tag is invalid"},
		{{2000, 10, 0, 1}, "its type is invalid"},
		{{2000, 0xffffffff, 0, 1}, "its type is invalid"},
		{{2000, 6, 0, 0}, "its count is invalid"},
		{{2000, 8, 0, 0x7fffffff}, "its count is invalid"},
		{{2000, 6, 0xffffffff, 1}, "its offset is invalid"},
		{{2000, 6, 22, 1}, "its offset is invalid"},
		{{2000, 4, 2, 1}, "its offset is invalid"},
		{{2000, 5, 4, 1}, "its offset is invalid"},
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
	{
		const uint32_t *entry = entries[i].entry;
		char expected[200];

		header_start(&header, "bash");
		header_entry(&header, entry[0], entry[1], entry[2], entry[3]);
		snprintf(expected, sizeof(expected), "?record 7: entry 5 of the header: %s;",
				 entries[i].fault);
		CHECK_HEADER(expected, entries[i].fault);
	}
}

static void
test_sizes(void)
{
	ClairBytes bytes;

	header_start(&header, "bash");
	bytes = header_bytes(&header);
	for (size_t size = 0; size < bytes.size; size++)
	{
		/* In memory of exactly that size, so that tools see what is read behind it. */
		char *copy = malloc(size + (size == 0));
		ClairBytes found;

		memcpy(copy, bytes.data, size);
		found = findings_text(read_header, (ClairBytes){copy, size});
		if (!clair_bytes_start_with(found, CLAIR_LITERAL("?record 7: ")))
			CHECK(false, "a header that is cut");
		free(copy);
	}
	CHECK_TEXT(findings_text(read_header, (ClairBytes){bytes.data, 7}),
			   "?record 7: 7 bytes are not a header of 0 entries and 0 bytes;", "seven bytes");
	header.bytes[bytes.size] = 0;
	CHECK_TEXT(findings_text(read_header, (ClairBytes){bytes.data, bytes.size + 1}),
			   "?record 7: 95 bytes are not a header of 4 entries and 22 bytes;", "one too many");
	write_u32(header.bytes, 0x10000004, true);
	CHECK_TEXT(findings_text(read_header, bytes),
			   "?record 7: 94 bytes are not a header of 268435460 entries and 22 bytes;",
			   "more entries than there are bytes");
}

static void
test_manifest(void)
{
	CHECK_FINDINGS(rpm_manifest_read,
				   "vim\t9.0-1.cm2\t1\t2\tMicrosoft Corporation\t2\t45\tx86_64\t2\tvim-9.0-1.cm2"
				   ".src.rpm\n\nlibs\t1-1\t1\t2\t(none)\t(none)\t45\tnoarch\t0\tall-1-1.src.rpm",
				   "vim 2:9.0-1.cm2 vim 9.0-1.cm2 x86_64 vendor Microsoft Corporation;"
				   "libs 1-1 all 1-1 noarch;",
				   "two packages");
	CHECK_FINDINGS(rpm_manifest_read,
				   "vim\t9.0\t1\t2\tv\t2\t45\tx86_64\t2\tvim-9.0-1.cm2.src.rpm\nvim\t9.0-1\n"
				   "vim\t9.0-1\t1\t2\tv\t-1\t45\tx86_64\t2\tvim-9.0-1.cm2.src.rpm\n"
				   "vim\t9.0-1\t1\t2\tv\t4294967296\t45\tx86_64\t2\tvim-9.0-1.cm2.src.rpm\n"
				   "vim\t9.0-1\t1\t2\tv\t1\t45\tx86_64\t2\tvim-9.0-1.cm2.src.rpm\tmore\n",
				   "?line 1: package \"vim\": its version is missing or too long;"
				   "?line 2 has not 10 fields;?line 3: its epoch is not a number;"
				   "?line 4: its epoch is not a number;?line 5 has not 10 fields;",
				   "lines that are none");
	CHECK_FINDINGS(rpm_manifest_read, "", "", "an empty manifest");
}

int
main(void)
{
	test_fields();
	test_sources();
	test_broken_fields();
	test_broken_entries();
	test_sizes();
	test_manifest();
	return unit_result();
}
