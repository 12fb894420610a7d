/*
 * chainguard_osv_fuzz.c
 *    Any bytes as a record of Chainguard's archive in OSV: whatever comes out are rows.
 */
#include "feed_fuzz.h"

#include "../unit/tar_writer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document;
	TarWriter tar = {0};
	ClairBytes archive;

	tar_add(&tar, '0', "CGA-2222-3333-4444.json", "", (ClairBytes){(const char *) data, size});
	archive = tar_end(&tar);
	document = fuzz_document("osv", (const uint8_t *) archive.data, archive.size);
	tar_free(&tar);
	fuzz_read("chainguard-osv", &document, 1, NULL);
	return 0;
}
