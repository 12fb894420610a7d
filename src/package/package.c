/*
 * package.c
 *    The files of a layer that are wanted: where they are, what they are, who reads them.
 */
#include "package/package.h"

/* The readers of all roles, among them appc images' manifests (aci.c) and documents (sbom.h). */
static const struct
{
	const char *role;
	int version;
} versions[] = {
	{"dpkg", 1},
	{"apk", 2},
	{"rpm", 2},
	{"sqlite-log", 1},
	{"os-release", 1},
	{"lsb-release", 1},
	{"alpine-release", 1},
	{"debian_version", 1},
	{"release", 1},
	{"release-cpe", 1},
	{"issue", 1},
	{"apk-repositories", 1},
	{"apt-sources", 1},
	{"content-manifest", 1},
	{"dnf-history", 1},
	{"manifest", 1},
	{"sbom", 1},
};

/* clang-format off */
/* An SQLite database, and the changes to it that are not in it yet. */
#define SQLITE_FILE(path, role, is_database, read) \
	{path, false, NULL, NULL, role, is_database, read}, \
	{path "-wal", false, NULL, NULL, "sqlite-log", false, NULL}

/* A folder that rpm may keep its database in, and the forms that the database may have. */
#define RPM_FOLDER(folder) \
	SQLITE_FILE(folder "/rpmdb.sqlite", "rpm", true, rpm_sqlite_read), \
	{folder "/Packages.db", false, NULL, NULL, "rpm", true, rpm_ndb_read}, \
	{folder "/Packages", false, NULL, NULL, "rpm", true, rpm_bdb_read}

/* A file at its own path, or in the root that Bottlerocket has for each kind of machine. */
#define BOTTLEROCKET_FILE(path, role, is_database, read) \
	{path, false, NULL, NULL, role, is_database, read}, \
	{"x86_64-bottlerocket-linux-gnu/sys-root/" path, false, NULL, NULL, role, is_database, read}, \
	{"aarch64-bottlerocket-linux-gnu/sys-root/" path, false, NULL, NULL, role, is_database, read}

const WantedFile wanted_files[] = {
	/* package databases */
	{"var/lib/dpkg/status", false, NULL, NULL, "dpkg", true, dpkg_status_read},
	{"var/lib/dpkg/status.d", true, NULL, ".md5sums", "dpkg", true, dpkg_status_d_read},
	{"usr/lib/sysimage/var/lib/dpkg/status", false, NULL, NULL, "dpkg", true, dpkg_status_read},
	{"lib/apk/db/installed", false, NULL, NULL, "apk", true, apk_installed_read},
	{"usr/lib/apk/db/installed", false, NULL, NULL, "apk", true, apk_installed_read},
	/* opkg's have the form of dpkg's, and so have its versions */
	{"usr/lib/opkg/status", false, NULL, NULL, "dpkg", true, dpkg_status_read},
	{"var/lib/opkg/status", false, NULL, NULL, "dpkg", true, dpkg_status_read},
	RPM_FOLDER("var/lib/rpm"),
	RPM_FOLDER("usr/lib/sysimage/rpm"),
	RPM_FOLDER("usr/share/rpm"),
	RPM_FOLDER("usr/lib/sysimage/rpm-ostree-base-db"),
	{"var/lib/rpmmanifest/container-manifest-2", false, NULL, NULL, "rpm", true, rpm_manifest_read},
	BOTTLEROCKET_FILE("usr/share/bottlerocket/application-inventory.json", "rpm", true, bottlerocket_read),
	{"var/lib/chisel/manifest.wall", false, NULL, NULL, "dpkg", true, chisel_manifest_read},
	{"var/lib/db/sbom", true, ".spdx.json", NULL, "apk", true, apk_sbom_read},

	/* release files */
	{"etc/os-release", false, NULL, NULL, "os-release", false, os_release_read},
	BOTTLEROCKET_FILE("usr/lib/os-release", "os-release", false, os_release_read),
	{"etc/lsb-release", false, NULL, NULL, "lsb-release", false, lsb_release_read},
	{"etc/alpine-release", false, NULL, NULL, "alpine-release", false, one_line_release_read},
	{"etc/debian_version", false, NULL, NULL, "debian_version", false, one_line_release_read},
	{"etc/SuSE-release", false, NULL, NULL, "release", false, suse_release_read},
	{"etc", true, "-release", NULL, "release", false, release_line_read},
	{"usr/lib", true, "-release", NULL, "release", false, release_line_read},
	{"etc/system-release-cpe", false, NULL, NULL, "release-cpe", false, release_cpe_read},
	{"usr/lib/system-release-cpe", false, NULL, NULL, "release-cpe", false, release_cpe_read},
	{"etc/issue", false, NULL, NULL, "issue", false, release_line_read},
	{"usr/lib/issue", false, NULL, NULL, "issue", false, release_line_read},
	{"etc/apk/repositories", false, NULL, NULL, "apk-repositories", false, apk_repositories_read},
	{"etc/apt/sources.list", false, NULL, NULL, "apt-sources", false, apt_list_read},
	{"etc/apt/sources.list.d", true, ".list", NULL, "apt-sources", false, apt_list_read},
	{"etc/apt/sources.list.d", true, ".sources", NULL, "apt-sources", false, apt_sources_read},

	/* which repositories Red Hat's packages are from */
	{"root/buildinfo/content_manifests", true, ".json", NULL, "content-manifest", false, content_manifest_read},
	{"usr/share/buildinfo/content_manifests", true, ".json", NULL, "content-manifest", false, content_manifest_read},
	{"usr/share/buildinfo", true, ".json", NULL, "content-manifest", false, content_manifest_read},
	SQLITE_FILE("var/lib/dnf/history.sqlite", "dnf-history", false, dnf4_history_read),
	SQLITE_FILE("usr/lib/sysimage/libdnf5/transaction_history.sqlite", "dnf-history", false, dnf5_history_read),
	{NULL, false, NULL, NULL, NULL, false, NULL}
};
/* clang-format on */

bool
wanted_in_directory(const WantedFile *wanted, ClairBytes name)
{
	return (wanted->ending == NULL || clair_bytes_end_with(name, clair_bytes(wanted->ending))) &&
		   (wanted->except == NULL || !clair_bytes_end_with(name, clair_bytes(wanted->except)));
}

int
reader_version(const char *role)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
	{
		if (strcmp(versions[i].role, role) == 0)
			return versions[i].version;
	}
	return 0;
}
