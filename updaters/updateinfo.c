/*
 * updateinfo.c
 *    Any source in updateinfo.xml: for updaters of the user's own.
 *
 * The URL is that of an updateinfo.xml, or of what leads to it: see rpm_repositories.h. Its option
 * "namespace" says of which distribution release the packages are; those that were built for
 * another one are passed over. "repositories" are those that images must have for what is said to
 * be about them, and "link" stands before an update's id in its link.
 */
#include "feed/name_list.h"
#include "updaters/options.h"
#include "updaters/rpm_repositories.h"

#define MEMORY_PROBLEM "there is not enough memory for the options"

static ClairStatus
read_options(const UpdaterJob *job, Arena *arena, UpdateinfoSource *updates, ClairError *error)
{
	ClairBytes *repositories = NULL;
	size_t count = 0;
	ClairStatus status = updater_option(job, arena, "namespace", &updates->namespace, error);

	if (status == CLAIR_OK && updates->namespace.size == 0)
		status = clair_error(error, CLAIR_PROTOCOL, "malformed job: it has no namespace");
	if (status == CLAIR_OK)
		status = updater_option(job, arena, "link", &updates->pages, error);
	if (status == CLAIR_OK)
		status = updater_option_list(job, arena, "repositories", &repositories, &count, error);
	if (status != CLAIR_OK || count == 0)
		return status;
	count = name_list_order(repositories, count);
	updates->repositories = name_list_join(arena, repositories, count);
	return updates->repositories.data != NULL ? CLAIR_OK
											  : clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
}

static ClairStatus
updateinfo_source_read(const UpdaterJob *job, ClairError *error)
{
	RpmRepositories repositories = {.updates = {.has_modules = true}};
	Arena *arena = arena_create(record_feed_memory(job->limits));
	ClairStatus status;

	if (arena == NULL)
		return clair_error(error, CLAIR_MEMORY, MEMORY_PROBLEM);
	status = read_options(job, arena, &repositories.updates, error);
	if (status == CLAIR_OK)
		status = rpm_repositories_read(&repositories, job, error);
	arena_destroy(arena);
	return status;
}

const Updater updater_updateinfo = {"updateinfo", updateinfo_source_read};
