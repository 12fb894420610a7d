/*
 * updater.c
 *    What is set of an updater: reading it for a run, changing it through clair.updater.
 *
 * The view's trigger is C because it must know who changes a URL: files are read with that
 * role's rights. A SECURITY DEFINER function would see the extension's owner in its place.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "server/audit.h"
#include "server/compat.h"
#include "server/owner.h"
#include "server/sql.h"
#include "server/transfer.h"
#include "update/settings.h"
#include "update/updater.h"
#include "server/url.h"

PG_FUNCTION_INFO_V1(set_updater);

void
LoadUpdater(const char *name, UpdaterSettings *settings, MemoryContext context)
{
	SqlParameters parameters = {0};
	MemoryContext old_context;
	int column = 0;

	AddText(&parameters, name);
	AddText(&parameters, FetchProxy());
	AddText(&parameters, FetchUserAgent());
	AddInteger(&parameters, FetchParallel());
	AddInteger(&parameters, clair_max_shrinkage);
	if (RunSql("SELECT COALESCE(format, name), CASE WHEN format IS NOT NULL THEN options::text END,"
			   "     document, COALESCE(url, function), function, set_by,"
			   "     array_to_string(hosts || ARRAY("
			   "         SELECT jsonb_array_elements_text(options -> 'hosts')), ' '),"
			   "     COALESCE(options ->> 'proxy', $2),"
			   "     COALESCE(options ->> 'user_agent', $3),"
			   "     COALESCE(options ->> 'parallel', $4::text),"
			   "     COALESCE((options ->> 'max_shrinkage')::bigint, $5),"
			   "     resolves::integer, revision, appends::integer"
			   " FROM clair.updater_definition"
			   " WHERE name = $1",
			   &parameters) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("updater \"%s\" does not exist", name)));
	old_context = MemoryContextSwitchTo(context);
	settings->name = pstrdup(name);
	settings->reader = ResultText(0, ++column);
	settings->options = ResultText(0, ++column);
	settings->document = ResultText(0, ++column);
	settings->url = ResultText(0, ++column);
	settings->origin = settings->url;
	settings->function = ResultText(0, ++column);
	settings->set_by = ResultText(0, ++column);
	settings->hosts = ResultText(0, ++column);
	settings->proxy = ResultText(0, ++column);
	settings->user_agent = ResultText(0, ++column);
	settings->parallel = (int) ResultInteger(0, ++column);
	settings->max_shrinkage = ResultInteger(0, ++column);
	settings->resolves = ResultInteger(0, ++column) != 0;
	settings->revision = ResultInteger(0, ++column);
	settings->appends = ResultInteger(0, ++column) != 0;
	MemoryContextSwitchTo(old_context);
}

/* What an UPDATE of the view cannot change. */
static const char *const fixed_columns[] = {"name", "title", "format", "namespaces", "function"};

/* A column of the view, before and after the UPDATE. */
typedef struct Change
{
	char *value; /* NULL: back to what the extension brings */
	bool changed;
} Change;

static char *
ColumnOf(HeapTuple row, const TriggerData *trigger, const char *column)
{
	TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);

	return SPI_getvalue(row, descriptor, SPI_fnumber(descriptor, column));
}

static void
CheckFixedColumns(const TriggerData *trigger)
{
	for (size_t i = 0; i < lengthof(fixed_columns); i++)
	{
		char *before = ColumnOf(trigger->tg_trigtuple, trigger, fixed_columns[i]);
		char *after = ColumnOf(trigger->tg_newtuple, trigger, fixed_columns[i]);

		if (before == NULL ? after != NULL : after == NULL || strcmp(before, after) != 0)
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("the %s of an updater cannot be changed", fixed_columns[i]),
							errhint("What can be are url, enabled and options.")));
	}
}

static Change
ChangeOf(const TriggerData *trigger, const char *column)
{
	char *before = ColumnOf(trigger->tg_trigtuple, trigger, column);
	char *after = ColumnOf(trigger->tg_newtuple, trigger, column);

	return (Change){after, after == NULL || before == NULL || strcmp(before, after) != 0};
}

void
CheckUpdaterUrl(const char *text)
{
	Url url;

	if (text != NULL && !ParseUrl(text, &url))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid URL \"%s\"", text),
				 errhint("It begins with https://, http:// or file:///.")));
	if (text != NULL && strchr(url.authority, '@') != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the URL of an updater has a user name"),
						errhint("Who reads clair.updater would see it: let a proxy add it.")));
}

static void
StoreSetting(const char *name, const Change *url, const Change *enabled, const Change *options,
			 const char *role)
{
	SqlParameters parameters = {0};

	AddText(&parameters, name);
	AddText(&parameters, options->value);
	RunSql("SELECT clair.check_updater_options(format, $2::jsonb)"
		   " FROM clair.updater_definition WHERE name = $1 AND $2 IS NOT NULL",
		   &parameters);
	parameters.count = 1;
	AddText(&parameters, url->changed ? url->value : NULL);
	AddText(&parameters, enabled->changed ? enabled->value : NULL);
	AddText(&parameters, options->changed ? options->value : NULL);
	AddText(&parameters, role);
	AddText(&parameters, url->changed ? "true" : "false");
	AddText(&parameters, enabled->changed ? "true" : "false");
	AddText(&parameters, options->changed ? "true" : "false");
	RunSql("INSERT INTO clair.updater_setting AS s"
		   "     (name, url, enabled, options, namespaces, set_by)"
		   " VALUES ($1, $2, $3::boolean, $4::jsonb,"
		   "     (SELECT clair.covered_namespaces(format, $4::jsonb)"
		   "      FROM clair.updater_definition WHERE name = $1), $5)"
		   " ON CONFLICT (name) DO UPDATE SET"
		   "     url = CASE WHEN $6::boolean THEN excluded.url ELSE s.url END,"
		   "     set_by = CASE WHEN $6::boolean THEN excluded.set_by ELSE s.set_by END,"
		   "     enabled = CASE WHEN $7::boolean THEN excluded.enabled ELSE s.enabled END,"
		   "     options = CASE WHEN $8::boolean THEN excluded.options ELSE s.options END,"
		   "     namespaces ="
		   "         CASE WHEN $8::boolean THEN excluded.namespaces ELSE s.namespaces END,"
		   "     set_at = excluded.set_at",
		   &parameters);
	if (options->changed)
		RunSql("SELECT clair.refresh_image_status()", NULL);
}

Datum
set_updater(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	char *role = GetUserNameFromId(GetUserId(), false);
	AuditDetail *detail = AddDetail(NULL, NULL, NULL);
	OwnerState owner;
	Change name;
	Change url;
	Change enabled;
	Change options;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_INSTEAD(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("clair.set_updater() is for the INSTEAD OF trigger of a view")));
	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("updaters are neither inserted nor deleted"),
						errhint("Use clair.create_updater() and clair.drop_updater().")));
	CheckFixedColumns(trigger);
	name = ChangeOf(trigger, "name");
	url = ChangeOf(trigger, "url");
	enabled = ChangeOf(trigger, "enabled");
	options = ChangeOf(trigger, "options");
	CheckUpdaterUrl(url.value);
	if (url.value != NULL && ColumnOf(trigger->tg_trigtuple, trigger, "function") != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("updater \"%s\" is a function, and has no URL", name.value)));
	SPI_connect();
	BecomeOwner(&owner);
	StoreSetting(name.value, &url, &enabled, &options, role);
	if (url.changed)
		AddDetail(detail, "url", url.value != NULL ? AuditedUrl(url.value, true) : "");
	if (enabled.changed)
		AddDetail(detail, "enabled", enabled.value);
	if (options.changed)
		AddDetail(detail, "options", options.value);
	RecordAction(&owner, "alter_updater", name.value, detail);
	ResumeCaller(&owner);
	SPI_finish();
	return PointerGetDatum(trigger->tg_newtuple);
}
