/* Fuzzes the reading of image archives: lists, manifests, configs, layers. */
#include <sys/mman.h>
#include <unistd.h>

#include "common/digest.h"
#include "image/image.h"
#include "image_fuzz.h"

extern int LLVMFuzzerInitialize(int *argc, char ***argv);
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	ClairError error;

	(void) argc;
	(void) argv;
	if (digest_initialize(&error) != CLAIR_OK || image_initialize(&error) != CLAIR_OK)
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ClairLimits limits = CLAIR_DEFAULT_LIMITS;
	static const char *const formats[] = {NULL, "Docker", "ACI"};
	ImageJob job = {.input = memfd_create("fuzz", MFD_CLOEXEC),
					.layer_format = formats[size % 3],
					.platform = "all",
					.architecture = "amd64"};
	ClairError error;
	char *tar = fuzz_tar(data, size);

	limits.max_layer_size = 64 << 20;
	limits.max_file_size = 16 << 20;
	if (job.input < 0 || write(job.input, tar, size) != (ssize_t) size)
		abort();
	image_index(&job, &limits, &fuzz_sink, &error);
	close(job.input);
	free(tar);
	return 0;
}
