/* Proves which packages of an apk database are found, with which origins, and what is skipped. */
#include "findings_text.h"

int
main(void)
{
	CHECK_FINDINGS(apk_installed_read,
				   "C:Q1x=\nP:libssl3\nV:3.1.4-r0\nA:x86_64\no:openssl\nF:lib\nR:libssl.so.3\n\n"
				   "P:musl\nV:1.2.4-r1\nA:x86_64\n\n",
				   "libssl3 3.1.4-r0 openssl 3.1.4-r0 x86_64;musl 1.2.4-r1 musl 1.2.4-r1 x86_64;",
				   "an origin; none");
	CHECK_FINDINGS(apk_installed_read, "P:a\nV:1-r0\nL:MIT AND BSD-2-Clause\n\nP:b\nV:1-r0\nL:\n",
				   "a 1-r0 a 1-r0 - license MIT AND BSD-2-Clause;b 1-r0 b 1-r0 -;", "licenses");
	CHECK_FINDINGS(apk_installed_read, "P:a\nV:1-r0", "a 1-r0 a 1-r0 -;",
				   "no empty line and no line end at the end");
	CHECK_FINDINGS(apk_installed_read, "P:a\r\nV:1-r0\r\n\r\nP:b\r\nV:2-r0\r\n",
				   "a 1-r0 a 1-r0 -;b 2-r0 b 2-r0 -;", "CR LF");
	CHECK_FINDINGS(apk_installed_read, "\n\n\nP:a\nV:1-r0\n\n\n\n", "a 1-r0 a 1-r0 -;",
				   "more empty lines");
	CHECK_FINDINGS(apk_installed_read, "P:.build-deps\nV:20240101.1\n\nP:a\nV:1-r0\n",
				   "a 1-r0 a 1-r0 -;", "virtual packages are not listed");
	CHECK_FINDINGS(apk_installed_read, "P:a\n\nV:1-r0\n\nP:b\nV:1-r0\n",
				   "b 1-r0 b 1-r0 -;?line 1: package \"a\": its version is missing;"
				   "?line 3: the package's name is missing;",
				   "no version, no name");
	CHECK_FINDINGS(apk_installed_read, "P:a\nV:1-r0\nA:\no:\nnonsense\nX\n",
				   "a 1-r0 a 1-r0 -;?line 5 is not a field;?line 6 is not a field;",
				   "empty values; lines that are no fields");
	CHECK_FINDINGS(apk_installed_read, "P:n\0ul\nV:1-r0\n\nP:caf\xe9\nV:1-r0\n",
				   "?line 1: \"n\" is not a package's name;"
				   "?line 4: the package's name is not valid text;",
				   "NUL, and bytes that are not text");
	CHECK(strstr(findings_text(apk_installed_read, CLAIR_LITERAL("P:a\nV:x1\n")).data,
				 "a x1 a x1 - !version: ") != NULL,
		  "a version that is not valid is listed with the reason");
	CHECK_FINDINGS(apk_installed_read, "ADB.xxxx",
				   "??the database is in apk's binary form, which is not supported;",
				   "the binary form");
	CHECK_FINDINGS(apk_installed_read, "", "", "an empty file");
	return unit_result();
}
