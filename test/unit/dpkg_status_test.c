/* Proves which packages of a dpkg database count, which sources they have, and what is skipped. */
#include "findings_text.h"

#define INSTALLED "Status: install ok installed\n"

static void
test_fields(void)
{
	CHECK_FINDINGS(dpkg_status_read,
				   "Package: bash\n" INSTALLED "Architecture: amd64\nVersion: 5.2-1+b2\n"
				   "Source: bash (5.2-1)\nDescription: shell\n more: text\n .\n\n",
				   "bash 5.2-1+b2 bash 5.2-1 amd64;", "a source with a version");
	CHECK_FINDINGS(dpkg_status_read, "Package: libc6\n" INSTALLED "Version: 2.36\nSource: glibc\n",
				   "libc6 2.36 glibc 2.36 -;", "a source without one; no empty line at the end");
	CHECK_FINDINGS(dpkg_status_read, "Package: a\n" INSTALLED "Version: 1", "a 1 a 1 -;",
				   "no source; no line end at the end");
	CHECK_FINDINGS(dpkg_status_read, "pACKAGE:a\nSTATUS:install ok installed\nversion:\t1 \n",
				   "a 1 a 1 -;", "names in any case, any white space");
	CHECK_FINDINGS(dpkg_status_read,
				   "Package: a\r\nStatus: install ok installed\r\nVersion: 1\r\n\r\n"
				   "Package: b\r\nStatus: install ok installed\r\nVersion: 2\r\n",
				   "a 1 a 1 -;b 2 b 2 -;", "CR LF");
	CHECK_FINDINGS(dpkg_status_read,
				   "\n \t\n\nPackage: a\n" INSTALLED "Version: 1\n  \nPackage: b\n" INSTALLED
				   "Version: 2\n",
				   "a 1 a 1 -;b 2 b 2 -;", "blank lines with blanks part stanzas");
	CHECK_FINDINGS(dpkg_status_read,
				   "Package: a\n" INSTALLED "Conffiles:\n Version: 9\n Package: x\nVersion: 1\n",
				   "a 1 a 1 -;", "a continuation is no field");
	CHECK_FINDINGS(dpkg_status_read, "", "", "an empty file");
}

static void
test_states(void)
{
	static const struct
	{
		const char *status;
		bool listed;
	} states[] = {
		{"install ok installed", true},		   {"hold ok installed", true},
		{"deinstall ok installed", true},	   {"install reinstreq half-installed", true},
		{"install ok unpacked", true},		   {"install ok half-configured", true},
		{"install ok triggers-awaited", true}, {"install ok triggers-pending", true},
		{"deinstall ok config-files", false},  {"purge ok not-installed", false},
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
	{
		char file[200];

		snprintf(file, sizeof(file), "Package: a\nStatus: %s\nVersion: 1\n", states[i].status);
		CHECK_TEXT(findings_text(dpkg_status_read, clair_bytes(file)),
				   states[i].listed ? "a 1 a 1 -;" : "", states[i].status);
	}
	CHECK_FINDINGS(dpkg_status_read, "Package: a\nVersion: 1\n",
				   "?line 1: package \"a\" has no valid status;", "no status");
	CHECK_FINDINGS(dpkg_status_read, "Package: a\nStatus: installed\nVersion: 1\n",
				   "?line 1: package \"a\" has no valid status;", "a status of one word");
	CHECK_FINDINGS(dpkg_status_read, "Package: a\nStatus: install ok installed twice\nVersion: 1\n",
				   "?line 1: package \"a\" has no valid status;", "a status of four words");
	CHECK_FINDINGS(dpkg_status_d_read, "Package: a\nVersion: 1\n", "a 1 a 1 -;",
				   "no status, in status.d");
	CHECK_FINDINGS(dpkg_status_d_read,
				   "Package: a\nStatus: deinstall ok config-files\nVersion: 1\n", "",
				   "a status in status.d counts");
}

static void
test_duplicates(void)
{
	CHECK_FINDINGS(dpkg_status_read,
				   "Package: a\n" INSTALLED "Version: 1\nArchitecture: amd64\n\n"
				   "Package: a\n" INSTALLED "Version: 1\nArchitecture: i386\n\n"
				   "Package: a\n" INSTALLED "Version: 1\nArchitecture: amd64\n",
				   "a 1 a 1 amd64;a 1 a 1 i386;", "the same again; another architecture");
}

static void
test_broken(void)
{
	CHECK_FINDINGS(dpkg_status_read,
				   "Package: a\n" INSTALLED "\nPackage: b\n" INSTALLED
				   "Version:\n\nPackage: c\n" INSTALLED "Version: 1\n",
				   "c 1 c 1 -;?line 1: package \"a\": its version is missing;"
				   "?line 4: package \"b\": its version is missing;",
				   "no version");
	CHECK_FINDINGS(dpkg_status_read, "Package: a b\n" INSTALLED "Version: 1\n",
				   "?line 1: \"a b\" is not a package's name;", "a blank in a name");
	CHECK_FINDINGS(dpkg_status_read, "Package: a\0b\n" INSTALLED "Version: 1\n",
				   "?line 1: \"a\" is not a package's name;", "a NUL in a name");
	CHECK_FINDINGS(dpkg_status_read, "Package: caf\xe9\n" INSTALLED "Version: 1\n",
				   "?line 1: \"caf\\xe9\" is not a package's name;", "a name that is not text");
	CHECK_FINDINGS(dpkg_status_read, "Version: 1\n" INSTALLED,
				   "?line 1: \"\" is not a package's name;", "no name");
	CHECK_FINDINGS(dpkg_status_read, "Package: a\nnonsense\n" INSTALLED "Version: 1\n",
				   "a 1 a 1 -;?line 2 is not a field;", "a line that is no field");
	CHECK_FINDINGS(dpkg_status_read, "Package: a\n" INSTALLED "Version: 1\nSource: (2)\n",
				   "?line 1: package \"a\": its source is missing;", "a source without a name");
	CHECK(findings_text(dpkg_status_read, CLAIR_LITERAL("Package: a\n" INSTALLED "Version: 1 2\n"))
				  .size > strlen("a 1 2 a 1 2 - !version: "),
		  "a version that is not valid is listed with the reason");
	CHECK_FINDINGS(dpkg_status_read,
				   "Package: a\n" INSTALLED "Version: 1\n\nPackage: b\n" INSTALLED
				   "Version: 1\n\nPackage: c\n" INSTALLED "Version: 1\n\nPackage: d\n" INSTALLED
				   "Version: 1\n\nPackage: e\n" INSTALLED "Version: 1\n\nPackage: f\n" INSTALLED
				   "Version: 1\n",
				   "a 1 a 1 -;b 1 b 1 -;c 1 c 1 -;d 1 d 1 -;e 1 e 1 -;"
				   "more than 5 packages (error)",
				   "more packages than the limit");
}

static void
test_opkg(void)
{
	CHECK_FINDINGS(dpkg_status_read,
				   "Package: libc\nVersion: 1.2.4-4\nDepends: libgcc1\n"
				   "Status: install user installed\nEssential: yes\nArchitecture: x86_64\n"
				   "Conffiles:\n /etc/a 0123\nInstalled-Time: 1700000000\n\n"
				   "Package: dnsmasq\nVersion: 2.90-2\nStatus: install hold,user installed\n"
				   "Architecture: x86_64\n\n"
				   "Package: gone\nVersion: 1\nStatus: deinstall ok not-installed\n",
				   "libc 1.2.4-4 libc 1.2.4-4 x86_64;"
				   "dnsmasq 2.90-2 dnsmasq 2.90-2 x86_64;",
				   "a database of opkg");
}

static void
test_many_problems(void)
{
	static char file[100000];
	ClairBytes found;
	size_t problems = 0;

	for (size_t at = 0; at + 2 < sizeof(file); at += 2)
		memcpy(file + at, "x\n", 2);
	found = findings_text(dpkg_status_read, clair_bytes(file));
	for (size_t i = 0; i < found.size; i++)
		problems += found.data[i] == '?';
	CHECK_INT((int64_t) problems, 51, "problems of a file of garbage are not all listed");
}

int
main(void)
{
	test_fields();
	test_states();
	test_duplicates();
	test_broken();
	test_opkg();
	test_many_problems();
	return unit_result();
}
