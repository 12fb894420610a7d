/*
 * photon_metadata_fuzz.c
 *    Any bytes as a document of Photon OS's CVE metadata, as its list of branches, or as a listing:
 *    whatever comes out are rows.
 */
#include "feed_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UpdaterDocument documents[] = {fuzz_document("index", data, size),
								   fuzz_document("cve_data_photon5.0.json", data, size)};

	fuzz_read("photon-metadata", &documents[0], 1, NULL);
	fuzz_read("photon-metadata", &documents[1], 1, NULL);
	return 0;
}
