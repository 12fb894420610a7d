/*
 * vex_fuzz.c
 *    Any bytes as a VEX document: whatever comes out are rows, the document's first.
 */
#include <unistd.h>

#include "feed/vex.h"
#include "fuzz.h"

/* Counts the rows of the document. */
static ClairStatus
take_vex_row(void *context, WireRelation relation, const ClairBytes *fields, uint32_t count,
			 ClairError *error)
{
	int *documents = context;

	require(relation == WIRE_VEX_DOCUMENT || relation == WIRE_VEX || relation == WIRE_BROKEN);
	*documents += relation == WIRE_VEX_DOCUMENT;
	require(*documents == 1);
	if (relation == WIRE_VEX)
		require(fields[0].size > 0 && fields[3].size > 0 &&
				(fields[4].data != NULL || fields[5].data != NULL || fields[11].data != NULL));
	return fuzz_feed_sink.row(context, relation, fields, count, error);
}

FUZZ_TARGET(vex)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	int document = fuzz_file((ClairBytes){(const char *) data, size});
	int documents = 0;
	ClairSink sink = {.context = &documents, .row = take_vex_row};
	ClairError error;

	if (vex_read(&limits, document, &sink, &error) != CLAIR_OK)
		require(error.message[0] != '\0');
	close(document);
	return 0;
}
