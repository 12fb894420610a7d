/*
 * health.c
 *    Whether the helpers work here: clair.check_helper().
 *
 * A helper is started as for any job, limits and sandbox included, and is given nothing to do.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "server/helper.h"
#include "server/settings.h"
#include "server/transfer.h"

PG_FUNCTION_INFO_V1(check_helper);

static void
CheckReader(void)
{
	Helper *reader = StartHelper(HELPER_READER, -1);
	JobFields *job = BeginJob();
	HelperFrame frame;

	AddToJob(job, "job", "check");
	SendJob(reader, job);
	ReceiveFrame(reader, &frame);
	if (frame.type != WIRE_DONE)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("clair-reader sent an unexpected frame of type %d", frame.type)));
}

static void
CheckFetch(void)
{
	TransferOptions options = {.proxy = FetchProxy(),
							   .user_agent = FetchUserAgent(),
							   .hosts = "",
							   .parallel = FetchParallel(),
							   .max_size = CurrentLimits().max_document_size};
	Helper *fetch = StartTransfers(&options, NULL, 0);
	TransferAnswer answer;

	while (NextAnswer(fetch, 0, &answer))
		;
}

Datum
check_helper(PG_FUNCTION_ARGS)
{
	char *program = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (strcmp(program, HELPER_READER) == 0)
		CheckReader();
	else if (strcmp(program, HELPER_FETCH) == 0)
		CheckFetch();
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("helper \"%s\" does not exist", program),
						errhint("Helpers are %s and %s.", HELPER_READER, HELPER_FETCH)));
	PG_RETURN_VOID();
}
