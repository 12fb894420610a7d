/*
 * settings.c
 *    The settings that bound what helpers may use; only a superuser may raise them.
 *
 * Each limit of common/limits.h has a setting of its name. Sizes are set in units of 1 kB
 * (PostgreSQL's integers have 31 bits) and sent to helpers in bytes.
 */
#include "postgres.h"

#include <limits.h>

#include "server/clair.h"
#include "server/compat.h"
#include "server/settings.h"
#include "server/transfer.h"

char *clair_image_directories;
int clair_helper_timeout;

/* In the words of a job, which are those of the setting. */
static const struct config_enum_entry sandbox_modes[] = {
	{"auto", 0, false}, {"required", 1, false}, {"off", 2, false}, {NULL, 0, false}};

static int sandbox_mode;

typedef struct LimitSetting
{
	const char *name;
	const char *description;
	int minimum; /* in the setting's unit */
	bool is_size;
	int value;
} LimitSetting;

#define KILOBYTE 1024

enum
{
#define LIMIT_INDEX(name, value) LIMIT_##name,
	CLAIR_LIMITS(LIMIT_INDEX)
#undef LIMIT_INDEX
};

#define SIZE_LIMIT(limit, minimum_kb, words)                                                       \
	[LIMIT_##limit] = {                                                                            \
		.name = "clair." #limit, .description = words, .minimum = minimum_kb, .is_size = true}
#define COUNT_LIMIT(limit, words)                                                                  \
	[LIMIT_##limit] = {.name = "clair." #limit, .description = words, .minimum = 1}

static LimitSetting limit_settings[] = {
	SIZE_LIMIT(max_layer_size, 1, "Greatest size of a layer, inflated."),
	SIZE_LIMIT(max_file_size, 1, "Greatest size of a file of a layer that is read."),
	COUNT_LIMIT(max_entries, "Greatest number of entries of a layer or an archive."),
	COUNT_LIMIT(max_ratio, "Greatest number of bytes that one compressed byte may become."),
	COUNT_LIMIT(max_features, "Greatest number of features of a package database."),
	COUNT_LIMIT(max_layers, "Greatest number of layers of an image."),
	SIZE_LIMIT(max_document_size, 1, "Greatest size of a document of a feed, inflated."),
	SIZE_LIMIT(max_record_size, 1, "Greatest size of a record of a feed."),
	COUNT_LIMIT(max_documents, "Greatest number of documents of an update run."),
	SIZE_LIMIT(reader_memory, 128 * KILOBYTE, "Address space of a clair-reader process."),
};

static void
DefineLimit(LimitSetting *setting, int64 default_value)
{
	DefineCustomIntVariable(setting->name, setting->description, NULL, &setting->value,
							(int) (setting->is_size ? default_value / KILOBYTE : default_value),
							setting->minimum, INT_MAX, PGC_SUSET,
							setting->is_size ? GUC_UNIT_KB : 0, NULL, NULL, NULL);
}

void
ServerInit(void)
{
#define DEFINE_LIMIT(name, value) DefineLimit(&limit_settings[LIMIT_##name], value);
	CLAIR_LIMITS(DEFINE_LIMIT)
#undef DEFINE_LIMIT
	DefineCustomStringVariable("clair.image_directories",
							   "Directories below which images and mirrors may be read.",
							   "A comma-separated list; when empty, any file of the server.",
							   &clair_image_directories, "", PGC_SUSET,
							   GUC_LIST_INPUT | GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomIntVariable("clair.helper_timeout",
							"Time after which a helper process that says nothing is ended.", NULL,
							&clair_helper_timeout, 300, 1, INT_MAX / 1000, PGC_SUSET, GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomEnumVariable("clair.sandbox",
							 "Whether helper processes give up system calls and files.",
							 "auto: as far as the kernel has seccomp and Landlock; required: they "
							 "fail without; off: not at all.",
							 &sandbox_mode, 0, sandbox_modes, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineFetchSettings();
}

static int64
LimitValue(const LimitSetting *setting)
{
	return setting->is_size ? (int64) setting->value * KILOBYTE : setting->value;
}

ClairLimits
CurrentLimits(void)
{
#define LIMIT_VALUE(name, value) .name = LimitValue(&limit_settings[LIMIT_##name]),
	return (ClairLimits){CLAIR_LIMITS(LIMIT_VALUE)};
#undef LIMIT_VALUE
}

const char *
SandboxMode(void)
{
	return sandbox_modes[sandbox_mode].name;
}
