/* Fuzzes the reader of rpm's databases called ndb. */
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return package_fuzz(rpm_ndb_read, data, size);
}
