/*
 * sql.c
 *    SQL from C, for set-based statements.
 *
 * Whoever calls these is between SPI_connect() and SPI_finish(). Statements run with a fresh
 * snapshot each, as statements of a READ COMMITTED transaction do.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "server/compat.h"
#include "server/sql.h"

StagedRows *
CreateStagedRows(WireRelation relation)
{
	StagedRows *rows = palloc0(sizeof(StagedRows));

	rows->relation = relation;
	rows->context = CurrentMemoryContext;
	for (int i = 0; i < wire_relations[relation].column_count; i++)
		rows->columns[i] = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	return rows;
}

void
StageRow(StagedRows *rows, const ClairBytes *fields)
{
	MemoryContext old_context = MemoryContextSwitchTo(rows->context);

	for (int i = 0; i < wire_relations[rows->relation].column_count; i++)
	{
		Datum value = (Datum) 0;

		if (fields[i].data != NULL)
			value = PointerGetDatum(cstring_to_text_with_len(fields[i].data, (int) fields[i].size));
		accumArrayResult(rows->columns[i], value, fields[i].data == NULL, TEXTOID, rows->context);
		if (fields[i].data != NULL)
			pfree(DatumGetPointer(value));
	}
	rows->count++;
	MemoryContextSwitchTo(old_context);
}

static void
AddParameter(SqlParameters *parameters, Oid type, Datum value, bool is_null)
{
	Assert(parameters->count < SQL_MAX_PARAMETERS);
	parameters->types[parameters->count] = type;
	parameters->values[parameters->count] = value;
	parameters->nulls[parameters->count] = is_null ? 'n' : ' ';
	parameters->count++;
}

void
AddText(SqlParameters *parameters, const char *value)
{
	AddParameter(parameters, TEXTOID, value != NULL ? CStringGetTextDatum(value) : (Datum) 0,
				 value == NULL);
}

void
AddInteger(SqlParameters *parameters, int64 value)
{
	AddParameter(parameters, INT8OID, Int64GetDatum(value), false);
}

void
AddBytes(SqlParameters *parameters, const char *bytes, int size)
{
	bytea *value = palloc(VARHDRSZ + (Size) size);

	SET_VARSIZE(value, VARHDRSZ + size);
	memcpy(VARDATA(value), bytes, (size_t) size);
	AddParameter(parameters, BYTEAOID, PointerGetDatum(value), false);
}

void
AddArgument(SqlParameters *parameters, FunctionCallInfo fcinfo, int number)
{
	AddParameter(parameters, get_fn_expr_argtype(fcinfo->flinfo, number),
				 PG_ARGISNULL(number) ? (Datum) 0 : PG_GETARG_DATUM(number), PG_ARGISNULL(number));
}

void
AddTextArray(SqlParameters *parameters, const ClairBytes *values, int64 count)
{
	ArrayBuildState *array = initArrayResult(TEXTOID, CurrentMemoryContext, false);

	for (int64 i = 0; i < count; i++)
		accumArrayResult(
			array, PointerGetDatum(cstring_to_text_with_len(values[i].data, (int) values[i].size)),
			false, TEXTOID, CurrentMemoryContext);
	AddParameter(parameters, TEXTARRAYOID, makeArrayResult(array, CurrentMemoryContext), false);
}

void
AddRows(SqlParameters *parameters, const StagedRows *rows)
{
	for (int i = 0; i < wire_relations[rows->relation].column_count; i++)
		AddParameter(parameters, TEXTARRAYOID,
					 makeArrayResult(rows->columns[i], CurrentMemoryContext), false);
}

void
AddArguments(SqlParameters *parameters, FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
	{
		Oid output;
		bool is_varlena;

		if (PG_ARGISNULL(i))
		{
			AddText(parameters, NULL);
			continue;
		}
		getTypeOutputInfo(get_fn_expr_argtype(fcinfo->flinfo, i), &output, &is_varlena);
		AddText(parameters, OidOutputFunctionCall(output, PG_GETARG_DATUM(i)));
	}
}

int64
RunSql(const char *statement, const SqlParameters *parameters)
{
	static const SqlParameters none;
	int result;

	if (parameters == NULL)
		parameters = &none;
	result = SPI_execute_with_args(statement, parameters->count, (Oid *) parameters->types,
								   (Datum *) parameters->values, parameters->nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI failed with %s: %s", SPI_result_code_string(result), statement);
	return (int64) SPI_processed;
}

StagedRows *
StageResult(WireRelation relation)
{
	StagedRows *rows = CreateStagedRows(relation);

	for (uint64 row = 0; row < SPI_processed; row++)
	{
		ClairBytes fields[WIRE_MAX_COLUMNS] = {CLAIR_NULL_BYTES};

		for (int i = 0; i < wire_relations[relation].column_count; i++)
		{
			char *text = ResultText(row, i + 1);

			fields[i] = text != NULL ? clair_bytes(text) : CLAIR_NULL_BYTES;
		}
		StageRow(rows, fields);
	}
	return rows;
}

char *
ResultText(int64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

int64
ResultInteger(int64 row, int column)
{
	char *text = ResultText(row, column);

	return text != NULL ? strtoll(text, NULL, 10) : 0;
}

void
ReturnTexts(ReturnSetInfo *result, char **texts)
{
	AttInMetadata *metadata = TupleDescGetAttInMetadata(result->setDesc);

	tuplestore_puttuple(result->setResult, BuildTupleFromCStrings(metadata, texts));
}
