/* Proves what release files and lists of apt's sources are read as. */
#include "findings_text.h"

int
main(void)
{
	CHECK_FINDINGS(
		os_release_read,
		"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME='Debian'\nVERSION_ID=\"12\"\n"
		"# ID=comment\n\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL=\"x\"\n",
		"id=debian;version_id=12;version_codename=bookworm;"
		"pretty_name=Debian GNU/Linux 12 (bookworm);name=Debian;",
		"os-release");
	CHECK_FINDINGS(os_release_read, "ID=\"a\\\"b\\\\c\\$d\\`e\\f\"", "id=a\"b\\c$d`e\\f;",
				   "backslashes within double quotes");
	CHECK_FINDINGS(os_release_read, "ID='a\\b'", "id=a\\b;", "and within single ones");
	CHECK_FINDINGS(os_release_read, "ID=a\nID=b\n", "id=b;", "the last one counts");
	CHECK_FINDINGS(os_release_read, "ID\n=x\nID=\nID_LIKE=\"\"\nVERSION_ID=\"1\n", "version_id=1;",
				   "lines that are none, empty values, an open quote");
	CHECK_FINDINGS(os_release_read, "ID=a\xff\0z\r\n", "id=a\\xff\\x00z;",
				   "bytes that are not text are escaped");
	CHECK_FINDINGS(lsb_release_read,
				   "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nX=1\n",
				   "distrib_id=Ubuntu;distrib_release=22.04;distrib_codename=jammy;",
				   "lsb-release");
	CHECK_FINDINGS(one_line_release_read, " 12.5 \nmore\n", "version=12.5;", "the first line");
	CHECK_FINDINGS(one_line_release_read, "", "", "of nothing");

	CHECK_FINDINGS(
		apt_list_read,
		"# deb http://a b main\ndeb http://a/debian sid main contrib # main\n"
		"deb-src http://a src main\ndeb [arch=amd64 signed-by=/k] http://a testing main\n"
		"deb http://a other contrib\ndeb http://b sid main\ndeb http://c\n",
		"suite=sid;suite.1=testing;", "lines of sources.list");
	CHECK_FINDINGS(apt_sources_read,
				   "Types: deb deb-src\nURIs: http://a\nSuites: trixie trixie-updates\n"
				   "Components: main\n\nTypes: deb\nSuites: off\nComponents: main\nEnabled: no\n\n"
				   "Types: deb-src\nSuites: src\nComponents: main\n\n"
				   "Types: deb\nSuites:\n one\n two\nComponents:\n contrib\n main\n",
				   "suite=trixie;suite.1=trixie-updates;suite.2=one;suite.3=two;",
				   "stanzas of *.sources");
	return unit_result();
}
