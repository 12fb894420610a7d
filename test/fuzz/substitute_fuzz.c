/* Fuzzes the readers of what stands in for a package database; the first byte chooses. */
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FileReader *const readers[] = {apk_sbom_read, bottlerocket_read, chisel_manifest_read};

	if (size == 0)
		return 0;
	return package_fuzz(readers[data[0] % (sizeof(readers) / sizeof(readers[0]))], data + 1,
						size - 1);
}
