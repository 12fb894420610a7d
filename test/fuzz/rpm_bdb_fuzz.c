/* Fuzzes the reader of rpm's hash tables of Berkeley DB. */
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return package_fuzz(rpm_bdb_read, data, size);
}
