/* Proves what release files and lists of apt's and apk's sources are read as. */
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

	CHECK_FINDINGS(os_release_read,
				   "UBUNTU_CODENAME=jammy\nPLATFORM_ID=\"platform:el9\"\nSUPPORT_END=2032-06-01\n",
				   "ubuntu_codename=jammy;platform_id=platform:el9;support_end=2032-06-01;",
				   "what derivatives say of themselves");

	CHECK_FINDINGS(release_line_read, "CentOS Linux release 7.6.1810 (Core) \n",
				   "release=CentOS Linux 7.6.1810;", "a release in words");
	CHECK_FINDINGS(release_line_read, "AlmaLinux release 8.4 (Electric Cheetah)",
				   "release=AlmaLinux 8.4;", "without an end of line");
	CHECK_FINDINGS(release_line_read, "VMware Photon OS 3.0\nPHOTON_BUILD_NUMBER=1\n",
				   "release=VMware Photon OS 3.0;", "without the word");
	CHECK_FINDINGS(release_line_read,
				   "\nWelcome to Alpine Linux 3.19_alpha20230901 (edge)\nKernel\n",
				   "release=Alpine Linux 3.19_alpha20230901;", "a greeting");
	CHECK_FINDINGS(release_line_read,
				   "\nWelcome to SUSE Linux Enterprise Server 15 SP3  (x86_64)\n",
				   "release=SUSE Linux Enterprise Server 15.3;", "a service pack");
	CHECK_FINDINGS(release_line_read, "\\S\nKernel \\r on an \\m\n", "", "one that says nothing");
	CHECK_FINDINGS(release_line_read, "7.6\n", "", "a version of nothing");
	CHECK_FINDINGS(release_line_read, "", "", "nothing");
	CHECK_FINDINGS(suse_release_read, "openSUSE 13.2 (x86_64)\nVERSION = 13.2\n",
				   "release=openSUSE 13.2;", "SuSE-release");
	CHECK_FINDINGS(suse_release_read,
				   "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
				   "release=SUSE Linux Enterprise Server 11.4;", "with a service pack");
	CHECK_FINDINGS(release_cpe_read, "cpe:/o:centos:linux:6:GA\n", "release=centos:linux 6;",
				   "a CPE");
	CHECK_FINDINGS(release_cpe_read, "cpe:/o:centos:linux:\n", "", "without a version");
	CHECK_FINDINGS(release_cpe_read, "cpe:/a:centos:linux:6\n", "", "of something else");

	CHECK_FINDINGS(apk_repositories_read,
				   "http://mirror.example.org/alpine/v3.18/main\n# http://a/alpine/v3.1/main\n"
				   "@edge http://a/alpine/edge/main\nhttps://a/b/alpine/edge/community\n"
				   "/media/cdrom/apks\nhttps://packages.example.org/os\nhttp://a/alpine/v3.18\n",
				   "release=v3.18;release.1=edge;", "repositories of apk");

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
