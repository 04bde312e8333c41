// lead_scoring.in_business_hours: whether an instant falls into the opening hours of a place.
#include "pg/postgres_api.hpp"

#include "core/business_hours.hpp"

extern "C"
{
#include "utils/date.h"
}

using lead_scoring::core::BusinessHours;

namespace lead_scoring::pg
{

namespace
{

// Say what to do about a time zone that PostgreSQL does not know; runs while its error is being raised
void
hint_at_time_zones(void *)
{
	if (geterrcode() == ERRCODE_INVALID_PARAMETER_VALUE)
	{
		errhint("Name a time zone of pg_timezone_names, such as 'Europe/Berlin'.");
	}
}

// Return what the clocks of a time zone show
Timestamp
local_time(TimestampTz instant, Datum time_zone)
{
	ErrorContextCallback callback;

	callback.callback = hint_at_time_zones;
	callback.arg = nullptr;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	Datum local = DirectFunctionCall2(timestamptz_zone, time_zone, TimestampTzGetDatum(instant));
	error_context_stack = callback.previous;
	return DatumGetTimestamp(local);
}

uint32
require_weekdays(ArrayType *days)
{
	Datum *numbers;
	bool *nulls;
	int count;
	uint32 bits = 0;

	deconstruct_array(days, INT4OID, sizeof(int32), true, TYPALIGN_INT, &numbers, &nulls, &count);
	for (int at = 0; at < count; at++)
	{
		int32 day = DatumGetInt32(numbers[at]);
		if (nulls[at] || day < 1 || day > 7)
		{
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							nulls[at] ? errmsg("weekday must not be NULL") : errmsg("weekday out of range: %d", day),
							errhint("Use 1 for Monday to 7 for Sunday.")));
		}
		bits |= 1u << day;
	}
	pfree(numbers);
	pfree(nulls);
	return bits;
}

} // namespace

} // namespace lead_scoring::pg

LEAD_SCORING_FUNCTION(lead_scoring_in_business_hours);

// Say whether an instant falls into opening hours
Datum
lead_scoring_in_business_hours(PG_FUNCTION_ARGS)
{
	TimestampTz instant = PG_GETARG_TIMESTAMPTZ(0);
	bool is_infinite = TIMESTAMP_NOT_FINITE(instant);
	BusinessHours hours{PG_GETARG_TIMEADT(2), PG_GETARG_TIMEADT(3),
						lead_scoring::pg::require_weekdays(PG_GETARG_ARRAYTYPE_P(4))};
	// With any other instant too, so that an unknown time zone is always an error
	Timestamp local = lead_scoring::pg::local_time(is_infinite ? 0 : instant, PG_GETARG_DATUM(1));

	PG_RETURN_BOOL(!is_infinite && lead_scoring::core::is_within(hours, local));
}
