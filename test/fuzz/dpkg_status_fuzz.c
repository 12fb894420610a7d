/* Fuzzes the reader of dpkg databases. */
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return package_fuzz(dpkg_status_read, data, size);
}
