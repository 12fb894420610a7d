/*
 * progress.c
 *    How far a statement is that has a helper work, in pg_stat_activity.
 *
 * The server's own views of progress know its own commands only, and a library that is not
 * preloaded has no shared memory to show anything in. What a session runs, though, is text that it
 * shows itself: here with what is done of it before it. A statement that fails keeps that until
 * the session's next one. The view clair.progress takes these texts apart.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"

#include "server/progress.h"

/* What is shown of a statement, at most. */
#define STATEMENT_SHOWN 900

/* Shows a text as what this session runs: the same statement, as its identifier says. */
static void
ShowActivity(const char *text)
{
	uint64 query_id = pgstat_get_my_query_id();

	pgstat_report_activity(STATE_RUNNING, text);
	pgstat_report_query_id(query_id, true);
}

void
ShowProgress(const char *what, const char *unit, const HelperFrame *frame)
{
	char activity[1024];
	int64 bytes;
	int64 count;

	/* Workers say themselves what they do. */
	if (debug_query_string == NULL || frame->count != 2 ||
		!wire_integer(frame->fields[0], &bytes) || !wire_integer(frame->fields[1], &count))
		return;
	snprintf(activity, sizeof(activity),
			 "clair: %s: " INT64_FORMAT " MB, " INT64_FORMAT " %s: %.*s", what, bytes >> 20, count,
			 unit,
			 pg_mbcliplen(debug_query_string, (int) strlen(debug_query_string), STATEMENT_SHOWN),
			 debug_query_string);
	ShowActivity(activity);
}

void
HideProgress(void)
{
	if (debug_query_string != NULL)
		ShowActivity(debug_query_string);
}
