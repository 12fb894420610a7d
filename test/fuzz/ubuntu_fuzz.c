/*
 * ubuntu_fuzz.c
 *    Any bytes as an OSV record or an OpenVEX document of Ubuntu's: whatever comes out are rows.
 *
 * The first byte chooses which of them.
 */
#include "feed_fuzz.h"

#include "../unit/tar_writer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *names[] = {"UBUNTU-CVE-2031-0007.json", "CVE-2031-0007.json"};
	UpdaterDocument document;
	TarWriter tar = {0};
	ClairBytes archive;

	if (size == 0)
		return 0;
	tar_add(&tar, '0', names[data[0] % 2], "", (ClairBytes){(const char *) data + 1, size - 1});
	archive = tar_end(&tar);
	document = fuzz_document("osv", (const uint8_t *) archive.data, archive.size);
	tar_free(&tar);
	fuzz_read("ubuntu", &document, 1, NULL);
	return 0;
}
