/*
 * updater.c
 *    What updaters say besides records: further documents, and how far they have come.
 */
#include "updaters/updater.h"

ClairStatus
updater_further(const UpdaterJob *job, const UpdaterDocument *by, ClairBytes name, ClairBytes url,
				bool optional, const char *mode, ClairError *error)
{
	ClairBytes fields[] = {by->name, name, url, optional ? CLAIR_LITERAL("1") : CLAIR_LITERAL("0"),
						   clair_bytes(mode)};

	return job->sink->row(job->sink->context, WIRE_FURTHER, fields, 5, error);
}

ClairStatus
updater_state(const UpdaterJob *job, ClairBytes state, ClairError *error)
{
	return job->sink->row(job->sink->context, WIRE_STATE, &state, 1, error);
}
