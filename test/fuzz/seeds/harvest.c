/*
 * harvest.c
 *    What the unit tests give to readers, as seeds for the fuzzers: inputs of ours, of every form
 *    that a reader knows, and always those of now.
 *
 * The unit tests are linked once more with this file, which stands in front of the readers
 * (-Wl,--wrap, see the Makefile): before a reader reads, its input is written into the folder that
 * CLAIR_FUZZ_SEEDS names, below the name of the fuzzers' target, in the form that this takes. Tars
 * become lists of members, so that they can be mutated without becoming broken (../fuzz.h).
 * Used by "make fuzz-seeds".
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/stream.h"
#include "feed/cpe.h"
#include "feed/cvss.h"
#include "feed/export_file.h"
#include "feed/listing.h"
#include "feed/timestamp.h"
#include "feed/vex.h"
#include "feed/yaml_lists.h"
#include "common/path.h"
#include "common/purl.h"
#include "common/text.h"
#include "image/image.h"
#include "package/package.h"
#include "package/rpm_header.h"
#include "package/sbom.h"
#include "package/sqlite_log.h"
#include "updaters/updater.h"
#include "version/version_key.h"

#define MAX_SEED	(64 * 1024)
#define MAX_TARGETS 128
#define MAX_SEEDS	100 /* for a target, by one test: some try everything that there is */
#define MAX_MEMBERS 16
#define BLOCK		512
#define SIZE_OFFSET 124
#define TYPE_OFFSET 156
#define LINK_OFFSET 157

static const char *const marks[] = {"\xF7\xF7\n", "\xF7\xF7\t", "\xF7\xF7\v"};

typedef struct Seed
{
	char bytes[MAX_SEED];
	size_t size;
	bool too_large;
} Seed;

static void
add(Seed *seed, ClairBytes bytes)
{
	if (bytes.size > MAX_SEED - seed->size)
	{
		seed->too_large = true;
		return;
	}
	if (bytes.size > 0)
		memcpy(seed->bytes + seed->size, bytes.data, bytes.size);
	seed->size += bytes.size;
}

static void
add_text(Seed *seed, const char *text)
{
	add(seed, clair_bytes(text));
}

/* Whether a target has had so many seeds that more are not wanted. */
static bool
has_enough(const char *target)
{
	static struct
	{
		char target[64];
		int seeds;
	} counts[MAX_TARGETS];
	size_t i = 0;

	while (i < MAX_TARGETS - 1 && counts[i].seeds > 0 && strcmp(counts[i].target, target) != 0)
		i++;
	snprintf(counts[i].target, sizeof(counts[i].target), "%s", target);
	return ++counts[i].seeds > MAX_SEEDS;
}

/* Writes the seed to a file that is called by its contents, and forgets it. */
static void
write_seed(Seed *seed, const char *target)
{
	const char *folder = getenv("CLAIR_FUZZ_SEEDS");
	uint64_t hash = UINT64_C(14695981039346656037);
	char path[4096];
	int length;
	int file;

	for (size_t i = 0; i < seed->size; i++)
		hash = (hash ^ (unsigned char) seed->bytes[i]) * UINT64_C(1099511628211);
	if (folder != NULL && !seed->too_large && !has_enough(target))
	{
		length = snprintf(path, sizeof(path), "%s/%s", folder, target);
		for (char *dash = path + strlen(folder); (dash = strchr(dash, '-')) != NULL;)
			*dash = '_';
		mkdir(path, 0755);
		snprintf(path + length, sizeof(path) - (size_t) length, "/%016llx",
				 (unsigned long long) hash);
		file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (file < 0 || write(file, seed->bytes, seed->size) != (ssize_t) seed->size)
		{
			perror(path);
			abort();
		}
		close(file);
	}
	*seed = (Seed){.size = 0};
}

static Seed seed; /* the one that is being made */

static void
write_bytes(const char *target, const char *before, ClairBytes bytes)
{
	add_text(&seed, before);
	add(&seed, bytes);
	write_seed(&seed, target);
}

/* All of a file; to be freed. */
static ClairBytes
read_whole(int descriptor)
{
	struct stat file;
	char *bytes = NULL;

	if (fstat(descriptor, &file) != 0 || (bytes = malloc((size_t) file.st_size + 1)) == NULL ||
		pread(descriptor, bytes, (size_t) file.st_size, 0) != file.st_size)
		abort();
	return (ClairBytes){bytes, (size_t) file.st_size};
}

/* Takes the next member off a tar; false when there is none, or it is more than a simple one. */
static bool
next_member(ClairBytes *tar, ClairBytes *header, ClairBytes *content)
{
	char digits[13] = {0};
	size_t padded;

	if (tar->size < BLOCK || memcmp(tar->data + 257, "ustar", 5) != 0)
		return false;
	*header = (ClairBytes){tar->data, BLOCK};
	memcpy(digits, tar->data + SIZE_OFFSET, 12);
	content->size = strtoull(digits, NULL, 8);
	padded = (content->size + BLOCK - 1) / BLOCK * BLOCK;
	if (padded > tar->size - BLOCK)
		return false;
	content->data = tar->data + BLOCK;
	*tar = clair_bytes_skip(*tar, BLOCK + padded);
	return true;
}

/* Whether bytes are a tar that can be written as a list of members. */
static bool
is_simple_tar(ClairBytes bytes)
{
	ClairBytes header;
	ClairBytes content;
	int members = 0;

	while (next_member(&bytes, &header, &content))
		if (++members > MAX_MEMBERS || memchr("01256", header.data[TYPE_OFFSET], 5) == NULL)
			return false;
	return members > 0 && (bytes.size == 0 || bytes.data[0] == '\0');
}

static void
add_content(ClairBytes bytes, int level)
{
	ClairBytes header;
	ClairBytes content;
	bool first = true;

	if (level > 2 || !is_simple_tar(bytes))
	{
		add(&seed, bytes);
		return;
	}
	add_text(&seed, "\xF7t");
	while (next_member(&bytes, &header, &content))
	{
		add_text(&seed, first ? "" : marks[level]);
		first = false;
		add(&seed, (ClairBytes){header.data + TYPE_OFFSET, 1});
		add(&seed, (ClairBytes){header.data, strnlen(header.data, 100)});
		if (header.data[LINK_OFFSET] != '\0')
		{
			add_text(&seed, "\n");
			add(&seed,
				(ClairBytes){header.data + LINK_OFFSET, strnlen(header.data + LINK_OFFSET, 100)});
		}
		add_text(&seed, marks[level]);
		add_content(content, level + 1);
	}
}

/* ---------------------------------------------------------------------------
 * Updaters
 * --------------------------------------------------------------------------- */

static const Updater *real;

static ClairStatus
read_and_write(const UpdaterJob *job, ClairError *error)
{
	char target[64];

	add(&seed, job->state);
	add_text(&seed, marks[0]);
	add(&seed, job->options);
	for (size_t i = 0; i < job->count; i++)
	{
		ClairBytes content = read_whole(job->documents[i].descriptor);

		add_text(&seed, marks[0]);
		add(&seed, job->documents[i].name);
		add_text(&seed, marks[0]);
		add(&seed, job->documents[i].url);
		add_text(&seed, marks[0]);
		add_content(content, 1);
		free((char *) content.data);
	}
	snprintf(target, sizeof(target), "updater_%s", real->name);
	write_seed(&seed, target);
	return real->read(job, error);
}

extern const Updater *__real_updater_by_name(ClairBytes name);
extern const Updater *__wrap_updater_by_name(ClairBytes name);

const Updater *
__wrap_updater_by_name(ClairBytes name)
{
	static Updater ours = {.read = read_and_write};

	real = __real_updater_by_name(name);
	if (real == NULL)
		return NULL;
	ours.name = real->name;
	return &ours;
}

/* ---------------------------------------------------------------------------
 * Files of layers
 * --------------------------------------------------------------------------- */

#define FILE_READER(name)                                                                          \
	extern FileReader __real_##name##_read;                                                        \
	extern FileReader __wrap_##name##_read;                                                        \
	ClairStatus __wrap_##name##_read(ClairBytes file, Findings *findings, ClairError *error)       \
	{                                                                                              \
		write_bytes("file_" #name, "", file);                                                      \
		return __real_##name##_read(file, findings, error);                                        \
	}

FILE_READER(apk_installed)
FILE_READER(apk_repositories)
FILE_READER(apk_sbom)
FILE_READER(apt_list)
FILE_READER(apt_sources)
FILE_READER(bottlerocket)
FILE_READER(chisel_manifest)
FILE_READER(content_manifest)
FILE_READER(dnf4_history)
FILE_READER(dnf5_history)
FILE_READER(dpkg_status)
FILE_READER(dpkg_status_d)
FILE_READER(lsb_release)
FILE_READER(one_line_release)
FILE_READER(os_release)
FILE_READER(release_cpe)
FILE_READER(release_line)
FILE_READER(rpm_bdb)
FILE_READER(rpm_manifest)
FILE_READER(rpm_ndb)
FILE_READER(rpm_sqlite)
FILE_READER(suse_release)

/* ---------------------------------------------------------------------------
 * Others: WRAP(its type, its name, its parameters, their names) { what is written }
 * --------------------------------------------------------------------------- */

#define WRAP(type, name, parameters, arguments, ...)                                               \
	extern type __real_##name parameters;                                                          \
	extern type __wrap_##name parameters;                                                          \
	type __wrap_##name parameters                                                                  \
	{                                                                                              \
		__VA_ARGS__                                                                                \
		return __real_##name arguments;                                                            \
	}

WRAP(ClairStatus, rpm_header_read,
	 (ClairBytes header, int64_t record, Findings *findings, ClairError *error),
	 (header, record, findings, error), write_bytes("file_rpm_header", "", header);)

WRAP(ClairStatus, sqlite_log_apply,
	 (ClairBytes log, char **database, size_t *size, Findings *findings, ClairError *error),
	 (log, database, size, findings, error), add(&seed, (ClairBytes){*database, *size});
	 add_text(&seed, marks[0]); add(&seed, log); write_seed(&seed, "sqlite_log");)

WRAP(const char *, cpe_read, (Arena * arena, ClairBytes text, Cpe *cpe), (arena, text, cpe),
	 write_bytes("cpe", "", text);)

WRAP(const char *, cvss_read, (ClairBytes text, Cvss *cvss), (text, cvss),
	 write_bytes("cvss", "", text);)

WRAP(const char *, purl_read, (Arena * arena, ClairBytes text, Purl *purl), (arena, text, purl),
	 write_bytes("purl", "", text);)

WRAP(bool, timestamp_read, (ClairBytes text, int64_t *time), (text, time),
	 write_bytes("timestamp", "", text);)

WRAP(ClairStatus, yaml_lists_read,
	 (Arena * arena, ClairBytes document, YamlItem **items, size_t *count, ClairError *error),
	 (arena, document, items, count, error), write_bytes("yaml_lists", "", document);)

WRAP(ClairStatus, listing_read,
	 (Arena * arena, ClairBytes document, ClairBytes **names, size_t *count, ClairError *error),
	 (arena, document, names, count, error), write_bytes("listing", "", document);)

WRAP(bool, path_clean, (ClairBytes name, char *buffer, ClairBytes *path), (name, buffer, path),
	 write_bytes("path", "", name);)

WRAP(ClairBytes, text_escape, (Arena * arena, ClairBytes bytes), (arena, bytes),
	 write_bytes("text", "", bytes);)

WRAP(bool, version_encode,
	 (VersionFormat format, ClairBytes text, unsigned char *key, size_t *size,
	  VersionProblem *problem),
	 (format, text, key, size, problem), char before[] = {(char) format, (char) 0xFF, '\0'};
	 add(&seed, (ClairBytes){before, 2}); write_bytes("version", "", text);)

WRAP(ClairStatus, sbom_read,
	 (ClairBytes document, const ClairLimits *limits, Arena *arena, Sbom *sbom, ClairError *error),
	 (document, limits, arena, sbom, error), write_bytes("sbom", "", document);)

/* Whatever is in memory and comes piece by piece: some of it is for whom it is written. */
WRAP(ClairStatus, stream_open_bytes, (ClairBytes bytes, ClairStream **stream, ClairError *error),
	 (bytes, stream, error), write_bytes("stream", "\x0E", bytes);
	 write_bytes("xml", "\x04\x0E", bytes); write_bytes("json_records", "\x0E", bytes);
	 write_bytes("file_records", "", bytes); write_bytes("layer", "", bytes);)

/* Inputs that are files. */
#define WRAP_FILE(name, target)                                                                    \
	WRAP(ClairStatus, name,                                                                        \
		 (const ClairLimits *limits, int descriptor, const ClairSink *sink, ClairError *error),    \
		 (limits, descriptor, sink, error), ClairBytes bytes = read_whole(descriptor);             \
		 write_bytes(target, "", bytes); free((char *) bytes.data);)

WRAP_FILE(vex_read, "vex")
WRAP_FILE(export_inspect, "export")

extern ClairStatus __real_image_index(const ImageJob *job, const ClairLimits *limits,
									  const ClairSink *sink, ClairError *error);
extern ClairStatus __wrap_image_index(const ImageJob *job, const ClairLimits *limits,
									  const ClairSink *sink, ClairError *error);

ClairStatus
__wrap_image_index(const ImageJob *job, const ClairLimits *limits, const ClairSink *sink,
				   ClairError *error)
{
	if (!job->directory)
	{
		ClairBytes bytes = read_whole(job->input);

		add(&seed, clair_bytes(job->layer_format));
		add_text(&seed, job->digest != NULL ? "d" : "");
		add_text(&seed, marks[0]);
		add(&seed, clair_bytes(job->platform));
		add_text(&seed, marks[0]);
		add(&seed, job->detectors);
		add_text(&seed, marks[0]);
		add_content(bytes, 1);
		write_seed(&seed, "image");
		add(&seed, job->detectors);
		add_text(&seed, marks[0]);
		add_content(bytes, 1);
		write_seed(&seed, "layer");
		write_bytes("file_records", "", bytes);
		write_bytes("stream", "\x0E", bytes);
		free((char *) bytes.data);
	}
	return __real_image_index(job, limits, sink, error);
}
