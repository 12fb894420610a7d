/* Proves what is read of software bills of materials, whichever tool wrote them. */
#include "package/sbom.h"

#include "findings_text.h"

static ClairLimits limits = CLAIR_DEFAULT_LIMITS;

/*
 * What a document says: "role{what is found}" for each of its files, then the error, if there is
 * one. The text lives until the next call. For legibility "'" stands for a quotation mark.
 */
static ClairBytes
sbom_text(const char *document)
{
	static FindingsText text;
	Arena *arena = arena_create(SIZE_MAX);
	char *json = strdup(document);
	Sbom sbom;
	ClairError error = {.status = CLAIR_OK};
	ClairStatus status;

	for (char *quote = strchr(json, '\''); quote != NULL; quote = strchr(quote, '\''))
		*quote = '"';
	text = (FindingsText){.used = 0};
	status = sbom_read(clair_bytes(json), &limits, arena, &sbom, &error);
	for (size_t i = 0; i < SBOM_FILE_COUNT && status == CLAIR_OK; i++)
	{
		const Findings *findings = &sbom.files[i];

		if (findings->facts == NULL && findings->problems == NULL && sbom.count[i] == 0)
			continue;
		findings_text_add(&text, clair_bytes(sbom_roles[i]), "{");
		findings_text_add_all(&text, findings);
		findings_text_add(&text, CLAIR_LITERAL("}"), "");
	}
	if (status != CLAIR_OK)
		findings_text_add(&text, clair_bytes(error.message), "");
	free(json);
	arena_destroy(arena);
	return (ClairBytes){text.text, text.used};
}

#define CHECK_SBOM(document, expected, what) CHECK_TEXT(sbom_text(document), expected, what)

/* A document of these components, and what is said of it. */
#define CYCLONEDX(components)                                                                      \
	"{'bomFormat': 'CycloneDX', 'specVersion': '1.6', 'components': [" components "]}"
#define SPDX(packages) "{'spdxVersion': 'SPDX-2.3', 'packages': [" packages "]}"
#define IS_CYCLONEDX   "sbom{format=CycloneDX 1.6;}"
#define IS_SPDX		   "sbom{format=SPDX 2.3;}"

#define LIBRARY(purl) "{'type': 'library', 'name': 'x', 'version': '9', 'purl': '" purl "'}"
#define PURL(purl)	  "{'referenceType': 'purl', 'referenceLocator': '" purl "'}"
#define NO_SOURCE	  "?it does not say which sources its packages are built from;"

static void
test_package_urls(void)
{
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&"
								 "upstream=glibc") ", " LIBRARY("pkg:deb/debian/bash@5.2-2%2Bb8?"
																"upstream=bash%405.2-2")),
			   IS_CYCLONEDX "os-release{id=debian;name=debian;version_id=12;}"
							"dpkg{libc6 2.36-9 glibc 2.36-9 amd64;bash 5.2-2+b8 bash 5.2-2 -;}",
			   "dpkg's, by the way that Syft names sources");
	CHECK_SBOM(CYCLONEDX(
				   LIBRARY("pkg:deb/debian/bsdutils@2.38-5?epoch=1&distro=debian-12.5&"
						   "upstream=util-linux") ", " LIBRARY("pkg:deb/debian/x@2:1?epoch=1")),
			   IS_CYCLONEDX "os-release{id=debian;name=debian;version_id=12.5;}"
							"dpkg{bsdutils 1:2.38-5 util-linux 1:2.38-5 -;x 2:1 x 2:1 -;}",
			   "epochs");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:rpm/redhat/bind@9.11-1.el8?arch=x86_64&epoch=32&"
								 "distro=rhel-8.9&upstream=bind-9.11-1.el8.src.rpm&"
								 "rpmmod=a:b:80:c") ", " LIBRARY("pkg:rpm/redhat/a@1-2?"
																 "upstream=b%403:4-5&rpmmod=a:b")),
			   IS_CYCLONEDX "os-release{id=rhel;name=rhel;version_id=8.9;}"
							"rpm{bind 32:9.11-1.el8 bind 9.11-1.el8 x86_64 module a:b;"
							"a 1-2 b 3:4-5 - module a:b;}",
			   "rpm's, with modules");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:apk/wolfi/libcrypto3@3.1-r0?arch=x86_64&origin=openssl")),
			   IS_CYCLONEDX "os-release{id=wolfi;name=wolfi;}"
							"apk{libcrypto3 3.1-r0 openssl 3.1-r0 x86_64;}",
			   "apk's, of a distribution without releases");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:deb/debian/a") ", " LIBRARY("pkg:apk/a@1")),
			   IS_CYCLONEDX "os-release{id=debian;name=debian;}"
							"dpkg{a 9 a 9 -;" NO_SOURCE "}apk{a 1 a 1 -;" NO_SOURCE "}",
			   "versions beside the package URL; sources that are not told");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:rpm/redhat/a@1-2.module%2Bel8?upstream=a-1-2.src.rpm")),
			   IS_CYCLONEDX "os-release{id=rhel;name=redhat;}"
							"rpm{a 1-2.module+el8 a 1-2 -;"
							"?it does not say which modules 1 packages are of;}",
			   "modules that are not told");
	CHECK_SBOM(
		CYCLONEDX(LIBRARY("pkg:rpm/redhat/a@1-2?repository_id=baseos&upstream=a") ", " LIBRARY(
			"pkg:rpm/redhat/b@1-2?repository_id=appstream") ", " LIBRARY("pkg:rpm/redhat/"
																		 "c@1-2?repository_"
																		 "id=baseos")),
		IS_CYCLONEDX "os-release{id=rhel;name=redhat;}"
					 "content-manifest{repository=baseos;repository.1=appstream;}"
					 "rpm{a 1-2 a 1-2 -;b 1-2 b 1-2 -;c 1-2 c 1-2 -;}",
		"the repositories of packages");
}

static void
test_what_is_left_out(void)
{
	CHECK_SBOM(
		CYCLONEDX(LIBRARY("pkg:npm/left-pad@1.3.0") ", " LIBRARY("pkg:npm/x@1") ", " LIBRARY(
			"pkg:rpm/redhat/bash@5-1?arch=src") ", {'type': 'library', 'name': 'x'},"
												" {'type': 'file', 'name': 'x'},"
												" {'type': 'container', 'purl': 'pkg:oci/x@1'}"),
		"sbom{format=CycloneDX 1.6;passed_over.unknown=1;passed_over.source=1;"
		"passed_over.npm=2;}",
		"packages of other types are counted");
	CHECK_SBOM(
		CYCLONEDX(LIBRARY("pkg:deb") ", " LIBRARY("pkg:deb/debian/a%20b@1?upstream=a") ", " LIBRARY(
			"pkg:rpm/a@1-1?epoch=x&upstream=a")),
		"sbom{format=CycloneDX 1.6;"
		"?component 1: package URL \"pkg:deb\": it has no name;}"
		"os-release{id=debian;name=debian;}"
		"dpkg{?component 2: \"a b\" is not a package's name;}"
		"rpm{?component 3: its epoch is not a number;}",
		"what is broken is told");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:deb/debian/a@1?upstream=a") ", " LIBRARY(
				   "pkg:deb/debian/a@1?upstream=b")),
			   IS_CYCLONEDX "os-release{id=debian;name=debian;}dpkg{a 1 a 1 -;}",
			   "a package that is there twice");
	limits.max_features = 1;
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:apk/a@1") ", " LIBRARY("pkg:apk/b@1")),
			   "more than 1 packages", "a limit");
	limits.max_features = 500000;
}

static void
test_systems(void)
{
#define SYSTEM(name, version)                                                                      \
	"{'type': 'operating-system', 'name': '" name "', 'version': '" version "'}"

	CHECK_SBOM(CYCLONEDX(LIBRARY(
				   "pkg:deb/debian/a@1?distro=debian-11&upstream=a") ", " SYSTEM("debian", "12.5")),
			   IS_CYCLONEDX "os-release{id=debian;name=debian;version_id=12.5;}dpkg{a 1 a 1 -;}",
			   "what the document says comes before what packages say");
	CHECK_SBOM(CYCLONEDX(SYSTEM("redhat", "8.4") ", " SYSTEM("redhat", "8.4") ", " SYSTEM("alpine",
																						  "3.20")),
			   "sbom{format=CycloneDX 1.6;?it names the operating system \"alpine 3.20\" beside"
			   " \"redhat 8.4\";}os-release{id=rhel;name=redhat;version_id=8.4;}",
			   "two of them");
	CHECK_SBOM(CYCLONEDX(
				   "{'properties': [{'name': 'syft:distro:id', 'value': 'debian'}, {'name':"
				   " 'syft:distro:prettyName', 'value': 'Debian GNU/Linux trixie/sid'}, {'value':"
				   " 'linux', 'name': 'syft:distro:idLike:0'}, {'name': 'syft:distro:idLike:1',"
				   " 'value': 'unix'}, {'name': 'syft:distro:versionCodename', 'value': 'trixie'}],"
				   " 'type': 'operating-system', 'name': 'x'}"),
			   IS_CYCLONEDX "os-release{id=debian;name=debian;version_codename=trixie;"
							"pretty_name=Debian GNU/Linux trixie/sid;id_like= linux unix;}",
			   "Syft's properties");
	CHECK_SBOM(CYCLONEDX(SYSTEM("Red Hat Enterprise Linux", "9")),
			   IS_CYCLONEDX "os-release{name=Red Hat Enterprise Linux;version_id=9;}", "a title");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:deb/debian/a@1?distro=bookworm&upstream=a")),
			   IS_CYCLONEDX "os-release{id=debian;name=debian;version_id=bookworm;"
							"version_codename=bookworm;}dpkg{a 1 a 1 -;}",
			   "a code name");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:apk/alpine/a@1?distro=3.20.1&upstream=a")),
			   IS_CYCLONEDX "os-release{id=alpine;name=alpine;version_id=3.20.1;}apk{a 1 a 1 -;}",
			   "a version alone");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:rpm/opensuse/a@1-1?distro=opensuse-leap-15.5&upstream=a")),
			   IS_CYCLONEDX "os-release{id=opensuse-leap;name=opensuse-leap;version_id=15.5;}"
							"rpm{a 1-1 a 1-1 -;}",
			   "a name with a dash in it");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:deb/debian/a@1?distro=debian-11&upstream=a") ", " LIBRARY(
				   "pkg:deb/debian/b@1?distro=debian-12") ", " LIBRARY("pkg:deb/debian/c@1?distro="
																	   "debian-12")),
			   "sbom{format=CycloneDX 1.6;?its packages are of 2 distributions: all are taken for "
			   "those of debian-12;}os-release{id=debian;name=debian;version_id=12;}"
			   "dpkg{a 1 a 1 -;b 1 b 1 -;c 1 c 1 -;}",
			   "packages that do not agree");
}

static void
test_cyclonedx(void)
{
	CHECK_SBOM(
		"{'components': [{'components': [" LIBRARY(
			"pkg:apk/b@1") "], 'purl': 'pkg:apk/a@1', 'type': 'library', 'licenses': [{'license':"
						   " {'id': 'MIT'}}, {'license': {'name': 'BSD'}}, {'expression': 'A OR "
						   "B'}],"
						   " 'properties': [{'name': 'aquasecurity:trivy:SrcName', 'value': "
						   "'c'}]}],"
						   " 'specVersion': '1.2', 'metadata': {'timestamp': "
						   "'2031-01-01T00:00:00Z',"
						   " 'tools': [{'vendor': 'v', 'name': 'trivy', 'version': '0.5'}, {'name':"
						   " 'other'}], 'component': {'name': 'web:1', 'type': 'container', 'purl':"
						   " 'pkg:apk/no@1', 'properties': [{'name': 'clair:repository', 'value':"
						   " 'baseos'}]}}, 'bomFormat': 'CycloneDX'}",
		"sbom{format=CycloneDX 1.2;tool=trivy 0.5;subject=web:1;created=2031-01-01T00:00:00Z;}"
		"content-manifest{repository=baseos;}"
		"apk{b 1 b 1 -;a 1 c 1 - license MIT AND BSD AND A OR B;}",
		"what a document says of itself, and components in components");
	CHECK_SBOM(
		"{'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'metadata': {'tools': {'services': [],"
		" 'components': [{'name': 'syft', 'version': '1.18'}]}}, 'components': [{'purl':"
		" 'pkg:rpm/centos/openssl-libs@1.0.2k-16.el7?arch=x86_64&epoch=1', 'publisher': 'CentOS',"
		" 'properties': [{'name': 'aquasecurity:trivy:SrcName', 'value': 'openssl'}, {'name':"
		" 'aquasecurity:trivy:SrcVersion', 'value': '1.0.2k'}, {'name':"
		" 'aquasecurity:trivy:SrcRelease', 'value': '16.el7'}, {'name':"
		" 'aquasecurity:trivy:SrcEpoch', 'value': '1'}]}, {'purl': 'pkg:rpm/a@1-1', 'supplier':"
		" {'name': 'S'}, 'publisher': 'P', 'properties': [{'name': 'syft:metadata:sourceRpm',"
		" 'value': 'b-2-3.src.rpm'}, {'name': 'syft:metadata:modularityLabel', 'value':"
		" 'm:s:1:c'}, {'name': 'x'}]}]}",
		"sbom{format=CycloneDX 1.5;tool=syft 1.18;}os-release{id=centos;name=centos;}"
		"rpm{openssl-libs 1:1.0.2k-16.el7 openssl 1:1.0.2k-16.el7 x86_64 vendor CentOS;"
		"a 1-1 b 2-3 - module m:s vendor S;}",
		"properties of Trivy and Syft");
	CHECK_SBOM("{'bomFormat': 'SPDX', 'specVersion': '1.6'}",
			   "byte 21: it is not a CycloneDX document", "another format");
	CHECK_SBOM("{'bomFormat': 'CycloneDX', 'specVersion': '2.0'}",
			   "byte 48: documents of this version are not supported", "a version to come");
	CHECK_SBOM("{'bomFormat': 'CycloneDX', 'components': {}}", "byte 42: it is not an array",
			   "components that are no array");
	CHECK_SBOM(CYCLONEDX("{'purl': 5}"), "byte 74: it is not a string", "a number for a text");
	CHECK_SBOM(CYCLONEDX("{'purl': null, 'name': null, 'licenses': [], 'type': 'library'}"),
			   "sbom{format=CycloneDX 1.6;passed_over.unknown=1;}", "nothing is said");
	CHECK_SBOM("{'bomFormat': 'CycloneDX', 'specVersion': '1.6', 'specVersion': '1.5',"
			   " 'metadata': {}, 'metadata': {}}",
			   IS_CYCLONEDX, "members that are there twice");
}

static void
test_spdx(void)
{
	CHECK_SBOM(
		"{'spdxVersion': 'SPDX-2.2', 'name': 'web:1', 'creationInfo': {'created':"
		" '2031-01-01T00:00:00Z', 'creators': ['Organization: x', 'Tool: trivy-0.5']}, 'packages':"
		" [{'SPDXID': 'SPDXRef-OperatingSystem-1', 'name': 'centos', 'versionInfo': '7.6'},"
		" {'SPDXID': 'SPDXRef-ContainerImage-1', 'name': 'web:1'}, {'name': 'openssl-libs',"
		" 'sourceInfo': 'built package from: openssl 1:1.0.2k-16.el7', 'licenseDeclared':"
		" 'NOASSERTION', 'licenseConcluded': 'LicenseRef-1', 'supplier': 'Organization: CentOS',"
		" 'externalRefs': [{'referenceType': 'cpe23Type', 'referenceLocator': 'x'}, " PURL(
			"pkg:rpm/centos/openssl-libs@1.0.2k-16.el7?epoch=1") "]}], "
																 "'hasExtractedLicensingInfos':"
																 " [{'licenseId': 'LicenseRef-1',"
																 " 'extractedText': 'OpenSSL'}]}",
		"sbom{format=SPDX 2.2;subject=web:1;created=2031-01-01T00:00:00Z;tool=trivy-0.5;}"
		"os-release{id=centos;name=centos;version_id=7.6;}"
		"rpm{openssl-libs 1:1.0.2k-16.el7 openssl 1:1.0.2k-16.el7 - vendor CentOS license"
		" OpenSSL;}",
		"a document of Trivy");
	CHECK_SBOM(
		SPDX(
			"{'primaryPackagePurpose': 'OPERATING-SYSTEM', 'name': 'alpine', 'versionInfo':"
			" '3.20'}, {'primaryPackagePurpose': 'CONTAINER', 'externalRefs': [" PURL(
				"pkg:oci/x@1") ", {'referenceType': 'clair-repository', 'referenceLocator':"
							   " 'baseos'}]}, {'licenseDeclared': 'MIT', 'supplier': 'NOASSERTION',"
							   " 'externalRefs': [" PURL("pkg:apk/alpine/a@1?upstream=a") ", " PURL(
								   "pkg:apk/alpine/"
								   "b@1") "]}, {'name': 'x'},"
										  " {'name': 'x', 'primaryPackagePurpose': 'FILE'}"),
		"sbom{format=SPDX 2.3;passed_over.unknown=1;}"
		"os-release{id=alpine;name=alpine;version_id=3.20;}content-manifest{repository=baseos;}"
		"apk{a 1 a 1 - license MIT;}",
		"purposes, and what clair itself writes");
	CHECK_SBOM("{'spdxVersion': 'SPDX-3.0'}",
			   "byte 27: documents of this version are not supported", "a version to come");
	CHECK_SBOM("{'spdxVersion': 'SPDX-2.3'}", IS_SPDX, "no packages");
}

static void
test_documents(void)
{
	CHECK_SBOM("{'_type': 'https://in-toto.io/Statement/v1', 'predicateType':"
			   " 'https://spdx.dev/Document', 'predicate': " SPDX(
				   "{'externalRefs': [" PURL("pkg:apk/a@1?upstream=a") "]}") "}",
			   IS_SPDX "apk{a 1 a 1 -;}", "the predicate of an in-toto statement");
	CHECK_SBOM("{'sbom': " CYCLONEDX("") "}", IS_CYCLONEDX, "a document in a member");
	CHECK_SBOM("{'predicate': {'predicate': " CYCLONEDX("") "}}",
			   "the document is neither CycloneDX nor SPDX 2 in JSON", "but no deeper");
	CHECK_SBOM("{'spdx': 1}", "the document is neither CycloneDX nor SPDX 2 in JSON",
			   "something else");
	CHECK_SBOM("[]", "byte 1: it is not an object", "no object");
	CHECK_SBOM("", "byte 1: it ends too early", "nothing at all");
	CHECK_SBOM("{'bomFormat': 'CycloneDX', 'specVersion': '1.6', 'components': [",
			   "byte 65: it ends too early", "a document that is cut");
	CHECK_SBOM(CYCLONEDX(LIBRARY("pkg:apk/a\\u0000@1")),
			   "byte 141: a string is not UTF-8, or has a NUL in it", "a NUL");
}

/* Components within components, deeper than JSON may nest. */
static void
test_depth(void)
{
	char document[4096] = "{\"bomFormat\": \"CycloneDX\"";

	for (int i = 0; i < 40; i++)
		strcat(document, ", \"components\": [{\"type\": \"file\"");
	for (int i = 0; i < 40; i++)
		strcat(document, "}]");
	strcat(document, "}");
	CHECK(strstr(sbom_text(document).data, "nested") != NULL, "nesting is bounded");
}

int
main(void)
{
	test_package_urls();
	test_what_is_left_out();
	test_systems();
	test_cyclonedx();
	test_spdx();
	test_documents();
	test_depth();
	return unit_result();
}
