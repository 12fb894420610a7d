/* Fuzzes the reader of rpm's headers, and that of manifests. */
#include "package/rpm_header.h"
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ClairStatus
read_header(ClairBytes file, Findings *findings, ClairError *error)
{
	return rpm_header_read(file, 1, findings, error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	package_fuzz(read_header, data, size);
	return package_fuzz(rpm_manifest_read, data, size);
}
