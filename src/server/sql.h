/*
 * sql.h
 *    SQL from C, for set-based statements: parameters are texts and arrays of texts.
 *
 * Statements are constants; what varies is passed as parameters. Types are given by casts in
 * the statement ($1::bigint), so that values can travel as text, as they came from a helper.
 */
#ifndef CLAIR_SQL_H
#define CLAIR_SQL_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "utils/array.h"

#include "common/wire.h"

#define SQL_MAX_PARAMETERS 16

/* Bytes of the rows that may be staged: each column becomes an array, a value of up to 1 GB. */
#define MAX_STAGED_SIZE (INT64CONST(512) << 20)

/* The rows of one relation, column by column, as they came from a helper. */
typedef struct StagedRows
{
	WireRelation relation;
	int64 count;
	ArrayBuildState *columns[WIRE_MAX_COLUMNS];
	MemoryContext context;
} StagedRows;

/* Collects rows of a relation in the current memory context, a field of bytes at a time. */
extern StagedRows *CreateStagedRows(WireRelation relation);
extern void StageRow(StagedRows *rows, const ClairBytes *fields);

typedef struct SqlParameters
{
	int count;
	Oid types[SQL_MAX_PARAMETERS];
	Datum values[SQL_MAX_PARAMETERS];
	char nulls[SQL_MAX_PARAMETERS + 1]; /* as SPI wants them: 'n' or ' ' */
} SqlParameters;

/* Parameters are numbered in the order in which they are added. */
extern void AddText(SqlParameters *parameters, const char *value); /* NULL: no value */
extern void AddInteger(SqlParameters *parameters, int64 value);
extern void AddBytes(SqlParameters *parameters, const char *bytes, int size); /* a bytea */
extern void AddArgument(SqlParameters *parameters, FunctionCallInfo fcinfo, int number);
extern void AddTextArray(SqlParameters *parameters, const ClairBytes *values, int64 count);
extern void AddArguments(SqlParameters *parameters, FunctionCallInfo fcinfo); /* of a function */
extern void AddRows(SqlParameters *parameters, const StagedRows *rows); /* an array a column */

/*
 * Runs a statement between SPI_connect() and SPI_finish(); the number of rows. Fails when
 * the statement does. parameters may be NULL.
 */
extern int64 RunSql(const char *statement, const SqlParameters *parameters);

/* What the last statement returned, as rows of a relation. */
extern StagedRows *StageResult(WireRelation relation);

/* The value, as text in the current context, of a column of a row of the last statement. */
extern char *ResultText(int64 row, int column);
extern int64 ResultInteger(int64 row, int column);

/* Adds a row, given as texts or NULL, to the materialized result of a set-returning function. */
extern void ReturnTexts(ReturnSetInfo *result, char **texts);

#endif
