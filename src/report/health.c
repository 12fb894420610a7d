/*
 * health.c
 *    Whether the helpers work here, and in what sandbox: clair.check_helper().
 *
 * A helper is started as for any job, limits and sandbox included, and is asked for nothing but
 * what it could give up.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"

#include "server/helper.h"

PG_FUNCTION_INFO_V1(check_helper);

/* The program by its name. */
static const char *
HelperNamed(const char *name)
{
	if (strcmp(name, HELPER_READER) == 0)
		return HELPER_READER;
	if (strcmp(name, HELPER_FETCH) == 0)
		return HELPER_FETCH;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("helper \"%s\" does not exist", name),
			 errhint("Helpers are %s and %s.", HELPER_READER, HELPER_FETCH)));
}

/* Takes the next frame, which must be this one. */
static void
ExpectFrame(Helper *helper, const char *program, WireType type, HelperFrame *frame)
{
	ReceiveFrame(helper, frame);
	if (frame->type != type || (type == WIRE_ROW && frame->relation != WIRE_SANDBOX))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("%s sent an unexpected frame of type %d", program, frame->type)));
}

Datum
check_helper(PG_FUNCTION_ARGS)
{
	const char *program = HelperNamed(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Helper *helper = StartHelper(program, -1);
	JobFields *job = BeginJob();
	TupleDesc columns;
	HelperFrame frame;
	int64 numbers[2];
	Datum values[2];
	bool nulls[2] = {false};

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	AddToJob(job, "job", "check");
	SendJob(helper, job);
	ExpectFrame(helper, program, WIRE_ROW, &frame);
	for (int i = 0; i < 2; i++)
		if (!wire_integer(frame.fields[i], &numbers[i]))
			numbers[i] = 0;
	ExpectFrame(helper, program, WIRE_DONE, &frame);
	values[0] = BoolGetDatum(numbers[0] == 1);
	values[1] = Int32GetDatum((int32) numbers[1]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}
