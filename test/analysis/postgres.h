/*
 * postgres.h
 *    What cppcheck has to know of PostgreSQL's macros, whose headers it does not read.
 *
 * Included before each file of the server's side by test/analyze.
 */
#ifndef CLAIR_ANALYSIS_POSTGRES_H
#define CLAIR_ANALYSIS_POSTGRES_H

#define ERROR 21
#define FATAL 22
#define ereport(level, ...)                                                                        \
	do                                                                                             \
	{                                                                                              \
		__VA_ARGS__;                                                                               \
		if ((level) >= ERROR)                                                                      \
			abort();                                                                               \
	} while (0)
#define elog(level, ...) ereport(level, report(__VA_ARGS__))
#define foreach(cell, list)                                                                        \
	for (cell = first_cell(list); cell != NULL; cell = next_cell(list, cell))
#define PG_TRY()                                                                                   \
	do                                                                                             \
	{                                                                                              \
		int pg_tried = setjmp();                                                                   \
		if (pg_tried == 0)                                                                         \
		{
#define PG_CATCH()                                                                                 \
	}                                                                                              \
	else                                                                                           \
	{
#define PG_FINALLY()                                                                               \
	}                                                                                              \
	{
#define PG_END_TRY()                                                                               \
	}                                                                                              \
	}                                                                                              \
	while (0)
#define pg_attribute_unused()
#define pg_attribute_noreturn()
#define PG_FUNCTION_ARGS		  FunctionCallInfo fcinfo
#define PG_FUNCTION_INFO_V1(name) Datum name(FunctionCallInfo fcinfo)
#define CHECK_FOR_INTERRUPTS()	  check_for_interrupts()
#define INT64_FORMAT			  "%ld"
#define UINT64_FORMAT			  "%lu"

#endif
