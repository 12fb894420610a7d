/*
 * set_namespace.c
 *    clair.set_namespace(): an operator knows better than an image what it is.
 *
 * What was said is kept by the image's digest, so that it holds when the image is indexed anew;
 * undone, the image has the namespace again that it says itself, which is stored with it. The
 * image's row is locked, so that two sessions do this one after the other.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "index/store.h"
#include "index/tenant.h"
#include "server/audit.h"
#include "server/owner.h"

PG_FUNCTION_INFO_V1(set_namespace);

static void
CheckNamespace(const char *namespace)
{
	SqlParameters parameters = {0};

	AddText(&parameters, namespace);
	RunSql("SELECT clair.is_namespace($1)::text", &parameters);
	if (strcmp(ResultText(0, 1), "true") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("namespace \"%s\" is not known", namespace),
				 errhint("A namespace is a distribution and its release, such as debian:12; see "
						 "clair.distribution and clair.release.")));
}

/* Keeps what was said of the image, or forgets it. */
static void
KeepNamespace(int64 id, const char *namespace)
{
	SqlParameters parameters = {0};

	AddInteger(&parameters, id);
	AddText(&parameters, namespace);
	if (namespace == NULL)
		RunSql("DELETE FROM clair.image_namespace"
			   " WHERE digest IN (SELECT digest FROM clair.image WHERE id = $1) AND $2 IS NULL",
			   &parameters);
	else
		RunSql("INSERT INTO clair.image_namespace (digest, namespace)"
			   " SELECT digest, $2 FROM clair.image WHERE id = $1"
			   " ON CONFLICT (digest) DO UPDATE"
			   "     SET namespace = excluded.namespace, set_by = excluded.set_by,"
			   "         set_at = excluded.set_at",
			   &parameters);
}

/* Gives the image the namespace, and returns it; NULL: the one that it says itself. */
static const char *
SetNamespace(const char *image, const char *namespace)
{
	SqlParameters found = {0};
	SqlParameters restored = {0};
	int64 id;

	if (namespace != NULL)
		CheckNamespace(namespace);
	AddText(&found, image);
	if (RunSql("SELECT id FROM clair.image"
			   " WHERE id = (SELECT clair.image_id($1)) FOR NO KEY UPDATE",
			   &found) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("image \"%s\" does not exist", image)));
	id = ResultInteger(0, 1);
	KeepNamespace(id, namespace);
	RestoreImage(id);
	AddInteger(&restored, id);
	RunSql("SELECT namespace FROM clair.image WHERE id = $1", &restored);
	return ResultText(0, 1);
}

Datum
set_namespace(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	OwnerState caller;
	const char *image;
	const char *namespace;
	char *result;

	PreventCommandIfReadOnly("clair.set_namespace()");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	image = text_to_cstring(PG_GETARG_TEXT_PP(0));
	namespace = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	BecomeOwner(&caller);
	SPI_connect();
	CheckSeesAll(&caller, "clair.set_namespace()");
	KeepGarbage();
	result = MemoryContextStrdup(context, SetNamespace(image, namespace));
	RecordAction(&caller, "set_namespace", image, AddDetail(NULL, "namespace", namespace));
	SPI_finish();
	ResumeCaller(&caller);
	PG_RETURN_TEXT_P(cstring_to_text(result));
}
