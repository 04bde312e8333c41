// The SQL type decaying_total: exponential totals that can be stored, merged and indexed.
#include "pg/postgres_api.hpp"

#include "core/decaying_total.hpp"
#include "core/time.hpp"
#include "pg/guard.hpp"
#include "pg/interval.hpp"

extern "C"
{
#include "libpq/pqformat.h"
}

using lead_scoring::core::DecayingTotal;
using lead_scoring::pg::guarded;

namespace lead_scoring::pg
{

namespace
{

struct TotalText
{
	char text[256];
};

const DecayingTotal *
total_argument(FunctionCallInfo fcinfo, int argument)
{
	return reinterpret_cast<const DecayingTotal *>(PG_GETARG_POINTER(argument));
}

DecayingTotal *
copy_total(MemoryContext context, const DecayingTotal &total)
{
	auto *copy = static_cast<DecayingTotal *>(MemoryContextAlloc(context, sizeof(DecayingTotal)));

	*copy = total;
	return copy;
}

// Microseconds of a half-life given as an interval
int64
half_life_of(const Interval *interval)
{
	int64 length;

	if (!interval_length(interval, &length))
	{
		length = 0;
	}
	// The core raises for what is out of range
	return length;
}

int
compare_arguments(FunctionCallInfo fcinfo)
{
	return core::compare_totals(*total_argument(fcinfo, 0), *total_argument(fcinfo, 1));
}

// Return the state that a transition may change: the one at hand within an aggregate, else a copy
DecayingTotal *
own_state(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (AggCheckCallContext(fcinfo, &context))
	{
		return reinterpret_cast<DecayingTotal *>(PG_GETARG_POINTER(0));
	}
	return copy_total(CurrentMemoryContext, *total_argument(fcinfo, 0));
}

MemoryContext
state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_in);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_out);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_recv);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_send);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_trans);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_combine);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_add);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_cmp);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_eq);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_ne);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_lt);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_le);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_gt);
LEAD_SCORING_FUNCTION(lead_scoring_decaying_total_ge);
LEAD_SCORING_FUNCTION(lead_scoring_value_at);
LEAD_SCORING_FUNCTION(lead_scoring_half_life);
LEAD_SCORING_FUNCTION(lead_scoring_newest_event);
LEAD_SCORING_FUNCTION(lead_scoring_event_count);

// Read a total from its text
Datum
lead_scoring_decaying_total_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	DecayingTotal total = guarded([text]() { return lead_scoring::core::parse_decaying_total(text); });

	PG_RETURN_POINTER(copy_total(CurrentMemoryContext, total));
}

// Write a total as its text
Datum
lead_scoring_decaying_total_out(PG_FUNCTION_ARGS)
{
	const DecayingTotal *total = total_argument(fcinfo, 0);
	TotalText text = guarded(
		[total]()
		{
			TotalText written;
			strlcpy(written.text, lead_scoring::core::decaying_total_text(*total).c_str(), sizeof written.text);
			return written;
		});

	PG_RETURN_CSTRING(pstrdup(text.text));
}

// Read a total from its binary form, trusting nothing
Datum
lead_scoring_decaying_total_recv(PG_FUNCTION_ARGS)
{
	auto *buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	DecayingTotal total;

	total.version = pq_getmsgint(buffer, 4);
	total.flags = pq_getmsgint(buffer, 4);
	total.half_life_us = pq_getmsgint64(buffer);
	total.amplitude = pq_getmsgfloat8(buffer);
	total.exponent = pq_getmsgint64(buffer);
	total.newest = pq_getmsgint64(buffer);
	total.count = pq_getmsgint64(buffer);
	guarded([&total]() { lead_scoring::core::require_valid_total(total); });
	PG_RETURN_POINTER(copy_total(CurrentMemoryContext, total));
}

// Write a total in its binary form: the fields in the order of their layout
Datum
lead_scoring_decaying_total_send(PG_FUNCTION_ARGS)
{
	const DecayingTotal *total = total_argument(fcinfo, 0);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendint32(&buffer, total->version);
	pq_sendint32(&buffer, total->flags);
	pq_sendint64(&buffer, total->half_life_us);
	pq_sendfloat8(&buffer, total->amplitude);
	pq_sendint64(&buffer, total->exponent);
	pq_sendint64(&buffer, total->newest);
	pq_sendint64(&buffer, total->count);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

// Add the points of one event to a total; rows with a NULL do not count
Datum
lead_scoring_decaying_total_trans(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
	{
		if (PG_ARGISNULL(0))
		{
			PG_RETURN_NULL();
		}
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	double points = PG_GETARG_FLOAT8(1);
	int64 time = PG_GETARG_TIMESTAMPTZ(2);
	int64 half_life = half_life_of(PG_GETARG_INTERVAL_P(3));
	DecayingTotal *state = nullptr;
	if (PG_ARGISNULL(0))
	{
		DecayingTotal empty = guarded([half_life]() { return lead_scoring::core::make_decaying_total(half_life); });
		state = copy_total(state_context(fcinfo), empty);
	}
	else
	{
		state = own_state(fcinfo);
	}
	guarded(
		[state, points, time, half_life]()
		{
			if (state->half_life_us != half_life)
			{
				throw lead_scoring::core::ScoringError(lead_scoring::core::Fault::invalid_parameter,
													   "half_life must not vary between rows",
													   "Group by it, or use one for all.");
			}
			lead_scoring::core::add_points(*state, points, time);
		});
	PG_RETURN_POINTER(state);
}

// Merge two states of an aggregate
Datum
lead_scoring_decaying_total_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
		{
			PG_RETURN_NULL();
		}
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	const DecayingTotal *other = total_argument(fcinfo, 1);
	if (PG_ARGISNULL(0))
	{
		PG_RETURN_POINTER(copy_total(state_context(fcinfo), *other));
	}
	DecayingTotal *state = own_state(fcinfo);
	guarded([state, other]() { lead_scoring::core::add_total(*state, *other); });
	PG_RETURN_POINTER(state);
}

// Add two totals
Datum
lead_scoring_decaying_total_add(PG_FUNCTION_ARGS)
{
	DecayingTotal *sum = copy_total(CurrentMemoryContext, *total_argument(fcinfo, 0));
	const DecayingTotal *other = total_argument(fcinfo, 1);

	guarded([sum, other]() { lead_scoring::core::add_total(*sum, *other); });
	PG_RETURN_POINTER(sum);
}

// Order two totals
Datum
lead_scoring_decaying_total_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

Datum
lead_scoring_decaying_total_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

Datum
lead_scoring_decaying_total_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

Datum
lead_scoring_decaying_total_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

Datum
lead_scoring_decaying_total_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

Datum
lead_scoring_decaying_total_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

Datum
lead_scoring_decaying_total_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

// Return the value of a total at an instant
Datum
lead_scoring_value_at(PG_FUNCTION_ARGS)
{
	TimestampTz instant = PG_GETARG_TIMESTAMPTZ(1);

	if (TIMESTAMP_NOT_FINITE(instant))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("instant must be finite"),
						errhint("Give the instant to value the total at, such as now().")));
	}
	PG_RETURN_FLOAT8(lead_scoring::core::value_at(*total_argument(fcinfo, 0), instant));
}

// Return the half-life of a total
Datum
lead_scoring_half_life(PG_FUNCTION_ARGS)
{
	auto *interval = static_cast<Interval *>(palloc0(sizeof(Interval)));
	int64 half_life = total_argument(fcinfo, 0)->half_life_us;

	interval->day = static_cast<int32>(half_life / USECS_PER_DAY);
	interval->time = half_life % USECS_PER_DAY;
	PG_RETURN_INTERVAL_P(interval);
}

// Return the time of the newest event of a total
Datum
lead_scoring_newest_event(PG_FUNCTION_ARGS)
{
	int64 newest = total_argument(fcinfo, 0)->newest;

	if (newest == lead_scoring::core::infinitely_old)
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_TIMESTAMPTZ(newest);
}

// Return how many events a total holds
Datum
lead_scoring_event_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(total_argument(fcinfo, 0)->count);
}
