/*
 * layers.c
 *    Layers: which are known, and storing what the others say.
 *
 * A layer is stored by its diff id, once for all images; under which digests its bytes have
 * been seen is stored too, so that bytes seen before are never inflated again.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "common/fault.h"
#include "index/merge.h"
#include "index/store.h"

/*
 * A layer is known when what it says is there in full, as the newest readers would say it: its
 * features hang on package databases.
 * Documents of apk's packages need not be there when one of the layers asked for has an apk
 * database: they do not count then, and are not stored.
 */
#define KNOWN_BLOBS                                                                                \
	"(SELECT blob.digest, blob.layer"                                                              \
	" FROM clair.layer_blob AS blob"                                                               \
	" WHERE blob.digest = ANY ($1)"                                                                \
	"     AND (SELECT count(*) FROM clair.outdated_layer AS outdated"                              \
	"          WHERE outdated.layer = blob.layer) = 0"                                             \
	"     AND NOT EXISTS (SELECT FROM clair.layer_entry AS entry"                                  \
	"                         LEFT JOIN clair.package_database AS base"                            \
	"                             ON base.content = entry.content AND base.format = entry.role"    \
	"                     WHERE entry.layer = blob.layer AND entry.content IS NOT NULL"            \
	"                         AND base.id IS NULL"                                                 \
	"                         AND NOT (starts_with(COALESCE(entry.target, entry.path),"            \
	"                                      '" APK_DOCUMENTS "')"                                   \
	"                             AND EXISTS (SELECT FROM clair.layer_blob AS asked"               \
	"                                             JOIN clair.layer_entry AS database"              \
	"                                                 ON database.layer = asked.layer"             \
	"                                         WHERE asked.digest = ANY ($1)"                       \
	"                                             AND database.role = 'apk'"                       \
	"                                             AND database.content IS NOT NULL"                \
	"                                             AND NOT starts_with(COALESCE(database.target,"   \
	"                                                 database.path), '" APK_DOCUMENTS "')))))"

ClairBytes *
KnownLayers(const ClairBytes *digests, uint32 count)
{
	SqlParameters parameters = {0};
	ClairBytes *answers = palloc0(sizeof(ClairBytes) * Max(count, 1));

	AddTextArray(&parameters, digests, count);
	/* The order of the locks is that of their keys: the same in every session. */
	RunSql("SELECT pg_advisory_xact_lock('clair.layer'::regclass::oid::integer, lock.key)"
		   " FROM (SELECT DISTINCT hashtext(wanted.digest) AS key"
		   "       FROM unnest($1) AS wanted(digest)"
		   "           LEFT JOIN " KNOWN_BLOBS " AS blob ON blob.digest = wanted.digest"
		   "       WHERE blob.digest IS NULL"
		   "       ORDER BY key"
		   "       OFFSET 0) AS lock",
		   &parameters);
	FAULT_POINT("index-claimed");
	/* Another session may have stored some while we waited for our locks. */
	RunSql("SELECT wanted.number - 1, blob.layer"
		   " FROM unnest($1) WITH ORDINALITY AS wanted(digest, number)"
		   "     JOIN " KNOWN_BLOBS " AS blob ON blob.digest = wanted.digest",
		   &parameters);
	for (uint64 row = 0; row < SPI_processed; row++)
		answers[ResultInteger(row, 1)] = clair_bytes(ResultText(row, 2));
	SPI_freetuptable(SPI_tuptable);
	return answers;
}

/* The digests that the last statement returned, behind those that are there. */
static int64
TakeDigests(ClairBytes *digests, int64 count)
{
	for (uint64 row = 0; row < SPI_processed; row++)
		digests[count++] = clair_bytes(ResultText(row, 1));
	return count;
}

/* Forgets what outdated layers say that have been read again. How many digests there are then. */
static int64
ForgetOutdated(const SqlParameters *layers, ClairBytes *digests, int64 count)
{
	static const char *const statements[] = {
		"DELETE FROM clair.layer_entry WHERE layer = ANY ($1)",
		"DELETE FROM clair.layer_fact WHERE layer = ANY ($1)",
		"DELETE FROM clair.layer_problem WHERE layer = ANY ($1)",
	};
	SqlParameters outdated = {0};
	int64 new_count;

	RunSql("UPDATE clair.layer AS stored"
		   " SET version = read.version::integer, reading = stored.reading + 1, detectors = $7,"
		   "     indexed_at = now()"
		   " FROM unnest($1, $2, $3, $4, $5, $6)"
		   "         AS read(layer, stored_digest, size, stored_size, entries, version)"
		   " WHERE stored.digest = read.layer"
		   "     AND (SELECT count(*) FROM clair.outdated_layer AS outdated"
		   "          WHERE outdated.layer = stored.digest) > 0"
		   " RETURNING stored.digest",
		   layers);
	new_count = TakeDigests(digests, count);
	AddTextArray(&outdated, digests + count, new_count - count);
	for (size_t i = 0; i < lengthof(statements) && new_count > count; i++)
		RunSql(statements[i], &outdated);
	return new_count;
}

void
StoreLayers(const IndexRows *rows)
{
	SqlParameters layers = {0};
	SqlParameters said;
	int64 read_count = rows->relations[WIRE_LAYER]->count;
	int64 new_count;
	ClairBytes *new_layers = palloc(sizeof(ClairBytes) * Max(read_count, 1));

	AddRows(&layers, rows->relations[WIRE_LAYER]);
	AddInteger(&layers, rows->detectors);
	RunSql("INSERT INTO clair.layer (digest, size, entries, version, detectors)"
		   " SELECT DISTINCT ON (layer) layer, size::bigint, entries::bigint, version::integer, $7"
		   " FROM unnest($1, $2, $3, $4, $5, $6)"
		   "     AS read(layer, stored_digest, size, stored_size, entries, version)"
		   " ORDER BY layer"
		   " ON CONFLICT (digest) DO NOTHING"
		   " RETURNING digest",
		   &layers);
	new_count = TakeDigests(new_layers, 0);
	FAULT_POINT("index-layers");
	if (new_count < read_count)
		new_count = ForgetOutdated(&layers, new_layers, new_count);
	RunSql("INSERT INTO clair.layer_blob (digest, layer, size)"
		   " SELECT DISTINCT ON (stored_digest) stored_digest, layer, stored_size::bigint"
		   " FROM unnest($1, $2, $3, $4, $5, $6)"
		   "     AS read(layer, stored_digest, size, stored_size, entries, version)"
		   " ORDER BY stored_digest"
		   " ON CONFLICT (digest) DO NOTHING",
		   &layers);

	memset(&said, 0, sizeof(said));
	AddRows(&said, rows->relations[WIRE_LAYER_ENTRY]);
	AddTextArray(&said, new_layers, new_count);
	RunSql("INSERT INTO clair.layer_entry"
		   " (layer, number, version, path, type, target, role, content)"
		   " SELECT layer, number::integer, version::integer, path, type, target, role, content"
		   " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)"
		   "     AS entry(layer, number, version, path, type, target, role, content)"
		   " WHERE layer = ANY ($9)",
		   &said);

	FAULT_POINT("index-entries");
	memset(&said, 0, sizeof(said));
	AddRows(&said, rows->relations[WIRE_LAYER_FACT]);
	AddTextArray(&said, new_layers, new_count);
	RunSql("INSERT INTO clair.layer_fact (layer, path, key, value)"
		   " SELECT layer, path, key, value"
		   " FROM unnest($1, $2, $3, $4) AS fact(layer, path, key, value)"
		   " WHERE layer = ANY ($5)",
		   &said);

	memset(&said, 0, sizeof(said));
	AddRows(&said, rows->relations[WIRE_LAYER_PROBLEM]);
	AddTextArray(&said, new_layers, new_count);
	RunSql("INSERT INTO clair.layer_problem (layer, number, path, reason, unsupported)"
		   " SELECT layer, number::integer, path, reason, unsupported = '1'"
		   " FROM unnest($1, $2, $3, $4, $5) AS problem(layer, number, path, reason, unsupported)"
		   " WHERE layer = ANY ($6)",
		   &said);
}
