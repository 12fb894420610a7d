/* Fuzzes the readers of release files and of apt's and apk's sources; the first byte chooses. */
#include "package_fuzz.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FileReader *const readers[] = {os_release_read,		 lsb_release_read,
										  one_line_release_read, apt_list_read,
										  apt_sources_read,		 release_line_read,
										  suse_release_read,	 release_cpe_read,
										  apk_repositories_read};

	if (size == 0)
		return 0;
	return package_fuzz(readers[data[0] % (sizeof(readers) / sizeof(readers[0]))], data + 1,
						size - 1);
}
