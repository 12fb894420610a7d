/*
 * files_fuzz.c
 *    A target for each reader of a file of a layer, "file_dpkg_status" and so on: whatever is found
 *    is text, and nothing but the limits is an error.
 */
#include "common/text.h"
#include "fuzz.h"
#include "package/package.h"
#include "package/rpm_header.h"

typedef struct Reader
{
	const char *name; /* of its target */
	FileReader *read;
} Reader;

static ClairStatus
read_rpm_header(ClairBytes file, Findings *findings, ClairError *error)
{
	return rpm_header_read(file, 1, findings, error);
}

static const Reader readers[] = {
	{"file_apk_installed", apk_installed_read},
	{"file_apk_repositories", apk_repositories_read},
	{"file_apk_sbom", apk_sbom_read},
	{"file_apt_list", apt_list_read},
	{"file_apt_sources", apt_sources_read},
	{"file_bottlerocket", bottlerocket_read},
	{"file_chisel_manifest", chisel_manifest_read},
	{"file_content_manifest", content_manifest_read},
	{"file_dnf4_history", dnf4_history_read},
	{"file_dnf5_history", dnf5_history_read},
	{"file_dpkg_status", dpkg_status_read},
	{"file_dpkg_status_d", dpkg_status_d_read},
	{"file_lsb_release", lsb_release_read},
	{"file_one_line_release", one_line_release_read},
	{"file_os_release", os_release_read},
	{"file_release_cpe", release_cpe_read},
	{"file_release_line", release_line_read},
	{"file_rpm_bdb", rpm_bdb_read},
	{"file_rpm_header", read_rpm_header},
	{"file_rpm_manifest", rpm_manifest_read},
	{"file_rpm_ndb", rpm_ndb_read},
	{"file_rpm_sqlite", rpm_sqlite_read},
	{"file_suse_release", suse_release_read},
};

#define READERS (sizeof(readers) / sizeof(readers[0]))

static void
check_features(const Feature *feature)
{
	for (; feature != NULL; feature = feature->next)
		require(text_is_valid(feature->name) && text_is_valid(feature->version) &&
				text_is_valid(feature->source_name) && text_is_valid(feature->source_version) &&
				text_is_valid(feature->architecture) && text_is_valid(feature->module) &&
				text_is_valid(feature->vendor) && text_is_valid(feature->license) &&
				text_is_valid(feature->problem));
}

static int
run_reader(const FuzzTarget *target, const uint8_t *data, size_t size)
{
	const Reader *reader = target->subject;
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	Arena *arena = arena_create((size_t) 256 << 20);
	Findings findings;
	ClairError error;
	ClairStatus status;

	findings_start(&findings, arena, &limits);
	status = reader->read((ClairBytes){(const char *) data, size}, &findings, &error);
	require(status == CLAIR_OK || status == CLAIR_LIMIT);
	check_features(findings.features);
	for (const Fact *fact = findings.facts; fact != NULL; fact = fact->next)
		require(text_is_valid(fact->key) && text_is_valid(fact->value));
	for (const Problem *problem = findings.problems; problem != NULL; problem = problem->next)
		require(text_is_valid(problem->reason));
	arena_destroy(arena);
	return 0;
}

static bool
is_listed(FileReader *read)
{
	for (size_t i = 0; i < READERS; i++)
		if (readers[i].read == read)
			return true;
	return false;
}

__attribute__((constructor)) static void
register_readers(void)
{
	static FuzzTarget targets[READERS];

	for (size_t i = 0; i < READERS; i++)
	{
		targets[i] = (FuzzTarget){NULL, readers[i].name, run_reader, &readers[i]};
		fuzz_register(&targets[i]);
	}
	/* A new reader needs a line above. */
	for (const WantedFile *wanted = wanted_files; wanted->path != NULL; wanted++)
		require(wanted->read == NULL || is_listed(wanted->read));
}
