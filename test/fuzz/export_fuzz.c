/*
 * export_fuzz.c
 *    Any bytes as an export, which is looked over as a whole, and of which a part is read: whatever
 *    comes out are rows.
 */
#include "feed/export_file.h"
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document = fuzz_document("export", data, size);
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	ClairSink sink = {.row = take_row, .known = answer, .progress = take_progress};
	ClairError error;

	if (export_inspect(&limits, document.descriptor, &sink, &error) != CLAIR_OK)
		require(error.message[0] != '\0');
	fuzz_read_with("export", &document, 1, NULL,
				   CLAIR_LITERAL("{\"updater\":\"a\",\"site\":\"s\",\"position\":\"1\"}"));
	return 0;
}
