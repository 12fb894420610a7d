/*
 * choose.c
 *    Which of several package databases counts.
 *
 * rpm has one database; but it changed the form of it over the years, a conversion may leave
 * the old one beside the new one, and images have copies. Layers that change the form make the
 * newer database follow the older one, as if both had the same path.
 *
 * Documents of single packages count where no layer has an apk database. It does not matter
 * whether that is still there: so the layers of an image decide alone which of their documents
 * have to be kept (KnownLayers).
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"

#include "index/merge.h"

/* Of the forms that a database can have in one folder, the one that rpm prefers is greater. */
static int
RankOfForm(const MergeEntry *entry)
{
	static const char *const forms[] = {"/Packages", "/Packages.db", "/rpmdb.sqlite"};
	const char *wanted = entry->target != NULL ? entry->target : entry->path;
	const char *name = strrchr(wanted, '/');

	for (int i = 0; name != NULL && i < (int) lengthof(forms); i++)
	{
		if (strcmp(name, forms[i]) == 0)
			return i;
	}
	return -1;
}

/* What stands in for rpm's database only where that is not there: greater is worse. */
static int
RankOfFolder(const MergeEntry *entry)
{
	if (strstr(entry->location, "rpm-ostree-base-db") != NULL)
		return 1;
	return strstr(entry->location, "rpmmanifest") != NULL ||
				   strstr(entry->location, "bottlerocket") != NULL
			   ? 2
			   : 0;
}

static bool
IsRpm(const MergeEntry *entry)
{
	return entry->content != NULL && entry->canonical != NULL && strcmp(entry->role, "rpm") == 0;
}

/* Lets an entry be superseded by better ones of the same folder, since the first of them. */
static void
CompareInFolder(MergeEntry *entry, const MergeEntry *entries, int64 count)
{
	for (int64 i = 0; i < count; i++)
	{
		const MergeEntry *other = &entries[i];

		if (other == entry || !IsRpm(other) || !other->reachable ||
			strcmp(other->location, entry->location) != 0 || other->position < entry->position ||
			(other->position == entry->position && RankOfForm(other) < RankOfForm(entry)))
			continue;
		entry->superseded = true;
		if (other->position > entry->position &&
			(entry->until_position == 0 || other->position < entry->until_position))
			entry->until_position = other->position;
	}
}

static bool
IsApkDocument(const MergeEntry *entry)
{
	const char *wanted = entry->target != NULL ? entry->target : entry->path;

	return strncmp(wanted, APK_DOCUMENTS, strlen(APK_DOCUMENTS)) == 0;
}

bool
HasApkDatabase(const MergeEntry *entries, int64 count)
{
	for (int64 i = 0; i < count; i++)
	{
		if (entries[i].content != NULL && strcmp(entries[i].role, "apk") == 0 &&
			!IsApkDocument(&entries[i]))
			return true;
	}
	return false;
}

/* Lets documents of apk's packages be superseded. */
static void
SupersedeDocuments(MergeEntry *entries, int64 count)
{
	for (int64 i = 0; i < count; i++)
	{
		if (entries[i].content == NULL || !IsApkDocument(&entries[i]))
			continue;
		entries[i].superseded = true;
		entries[i].until_position = 0; /* nor has it counted in lower layers */
	}
}

void
ChooseDatabases(MergeEntry *entries, int64 count)
{
	int best = INT_MAX;

	for (int64 i = 0; i < count; i++)
	{
		MergeEntry *entry = &entries[i];
		char *slash;

		entry->shown = entry->canonical;
		if (IsDetected(entry) && entry->canonical != NULL)
			entry->shown = psprintf("%s:%s", entry->role, entry->canonical);
		entry->location = entry->shown;
		if (!IsRpm(entry))
			continue;
		entry->location = pstrdup(entry->canonical);
		slash = strrchr(entry->location, '/');
		if (slash != NULL)
			*slash = '\0';
	}
	for (int64 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!IsRpm(&entries[i]) || !entries[i].reachable)
			continue;
		CompareInFolder(&entries[i], entries, count);
		best = Min(best, RankOfFolder(&entries[i]));
	}
	for (int64 i = 0; i < count; i++)
	{
		if (IsRpm(&entries[i]) && entries[i].reachable && RankOfFolder(&entries[i]) > best)
			entries[i].superseded = true;
	}
	if (HasApkDatabase(entries, count))
		SupersedeDocuments(entries, count);
}
