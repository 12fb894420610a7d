/* Fuzzes the reader of apk databases. */
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return package_fuzz(apk_installed_read, data, size);
}
