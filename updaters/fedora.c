/*
 * fedora.c
 *    Fedora Linux: https://dl.fedoraproject.org/pub/fedora/linux/updates/
 *
 * First document, "index": the listing of that folder, which has one for each release that is
 * supported: "41/Everything/x86_64/", a repository, and once "41/Modular/x86_64/". Of a copy, any
 * folder with another name is a repository itself.
 *
 * A record is an update (FEDORA-2031-...). Its CVEs are in the titles of the bugs that it refers
 * to; its own title is the packages that it brings, so its notes describe it.
 */
#include <stdio.h>

#include "common/limits.h"
#include "updaters/rpm_repositories.h"

#define PAGES CLAIR_LITERAL("https://bodhi.fedoraproject.org/updates/")

static bool
may_lack(ClairBytes place)
{
	return place.size > 0 && !clair_bytes_end_with(place, CLAIR_LITERAL("/Everything/"));
}

/* Whether a folder is that of a release, "41/". */
static bool
is_release(ClairBytes folder)
{
	for (size_t i = 0; i + 1 < folder.size; i++)
		if (folder.data[i] < '0' || folder.data[i] > '9')
			return false;
	return folder.size > 1;
}

/* "41/Everything/" is of release 41, whatever its packages were built for. */
static ClairStatus
complete(ClairBytes place, Arena *arena, UpdateinfoSource *updates, ClairError *error)
{
	const char *slash = place.size > 0 ? memchr(place.data, '/', place.size) : NULL;
	ClairBytes folder = {place.data, slash != NULL ? (size_t) (slash + 1 - place.data) : 0};

	if (folder.size == 0 || !is_release(folder))
		return CLAIR_OK;
	updates->namespace = arena_printf(arena, "fedora:%.*s", (int) folder.size - 1, folder.data);
	return updates->namespace.data != NULL
			   ? CLAIR_OK
			   : clair_error(error, CLAIR_MEMORY, "there is not enough memory for the updates");
}

static ClairStatus
name_repository(const UpdaterJob *job, const UpdaterDocument *listing, ClairBytes folder,
				const char *part, const char *below, ClairError *error)
{
	char place[CLAIR_MAX_NAME + 64];
	char url[sizeof(place) + 64];

	snprintf(place, sizeof(place), "%.*s%s", (int) folder.size, folder.data, part);
	snprintf(url, sizeof(url), "%s%srepodata/repomd.xml", place, below);
	return rpm_repository_name(job, listing, clair_bytes(place), "repomd.xml", clair_bytes(url),
							   true, error);
}

static ClairStatus
name_folder(const UpdaterJob *job, const UpdaterDocument *listing, ClairBytes folder,
			ClairError *error)
{
	ClairStatus status;

	if (!is_release(folder))
		return name_repository(job, listing, folder, "", "", error);
	status = name_repository(job, listing, folder, "Everything/", "x86_64/", error);
	if (status != CLAIR_OK)
		return status;
	return name_repository(job, listing, folder, "Modular/", "x86_64/", error);
}

static ClairBytes
describe(const XmlElement *update, ClairBytes name)
{
	XmlElement description = xml_child(update, "description");

	(void) name;
	return xml_text(&description);
}

static ClairStatus
fedora_read(const UpdaterJob *job, ClairError *error)
{
	static const RpmRepositories repositories = {.updates = {.namespace = CLAIR_LITERAL("fedora"),
															 .has_modules = true,
															 .describe = describe,
															 .pages = PAGES},
												 .complete = complete,
												 .may_lack = may_lack,
												 .name_folder = name_folder};

	return rpm_repositories_read(&repositories, job, error);
}

const Updater updater_fedora = {"fedora", fedora_read};
