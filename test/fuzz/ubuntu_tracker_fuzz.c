/*
 * ubuntu_tracker_fuzz.c
 *    Any bytes as a file of Ubuntu's CVE tracker, or as its archive: whatever comes out are rows.
 *
 * The first byte chooses which of them.
 */
#include "feed_fuzz.h"

#include "../unit/tar_writer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument document;
	TarWriter tar = {0};
	ClairBytes archive;

	if (size == 0)
		return 0;
	if (data[0] == 'a')
		document = fuzz_document("index", data + 1, size - 1);
	else
	{
		tar_add(&tar, '0', "active/CVE-2031-0007", "",
				(ClairBytes){(const char *) data + 1, size - 1});
		archive = tar_end(&tar);
		document = fuzz_document("index", (const uint8_t *) archive.data, archive.size);
		tar_free(&tar);
	}
	fuzz_read("ubuntu-tracker", &document, 1, NULL);
	return 0;
}
