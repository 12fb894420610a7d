/* Fuzzes the readers of content manifests and of dnf's history; the first byte chooses. */
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FileReader *const readers[] = {content_manifest_read, dnf4_history_read,
										  dnf5_history_read};

	if (size == 0)
		return 0;
	return package_fuzz(readers[data[0] % (sizeof(readers) / sizeof(readers[0]))], data + 1,
						size - 1);
}
