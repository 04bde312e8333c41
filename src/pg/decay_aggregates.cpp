// Points decayed to an instant, for any query: decayed, decay_sum, decay_count.
//
// The state of the sums is a plain double, so that the planner can hash, parallelize and distribute them like any sum.
#include "pg/postgres_api.hpp"

#include "core/time.hpp"
#include "pg/decay_type.hpp"

#include <cmath>

using lead_scoring::core::Decay;
using lead_scoring::core::DecayCurve;

namespace lead_scoring::pg
{

namespace
{

// The decay of the last call and its curve; only a short cut, made anew where it is missing or another's
struct CurveCache
{
	Decay decay;
	DecayCurve curve;
};

const DecayCurve &
curve_of(FunctionCallInfo fcinfo, const Decay *decay)
{
	auto *cache = static_cast<CurveCache *>(fcinfo->flinfo->fn_extra);

	if (cache == nullptr)
	{
		cache = static_cast<CurveCache *>(MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CurveCache)));
		fcinfo->flinfo->fn_extra = cache;
		*cache = {*decay, DecayCurve(*decay)};
	}
	else if (!(cache->decay == *decay))
	{
		*cache = {*decay, DecayCurve(*decay)};
	}
	return cache->curve;
}

void
require_finite_as_of(TimestampTz as_of)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(as_of)))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("as_of must be finite"),
						errhint("Give the instant to decay to, such as now().")));
	}
}

void
require_finite_points(double points)
{
	if (unlikely(!std::isfinite(points)))
	{
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("points must be finite: %g", points),
						errhint("Leave such rows out, for example with FILTER.")));
	}
}

// The share of its points that an event keeps: none before it has happened
double
share_of(FunctionCallInfo fcinfo, int first)
{
	TimestampTz occurred_at = PG_GETARG_TIMESTAMPTZ(first);
	TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(first + 2);

	require_finite_as_of(as_of);
	if (occurred_at > as_of)
	{
		return 0;
	}
	return curve_of(fcinfo, decay_from_datum(PG_GETARG_DATUM(first + 1))).factor(core::age_us(as_of, occurred_at));
}

bool
any_null(FunctionCallInfo fcinfo, int first, int count)
{
	for (int argument = first; argument < first + count; argument++)
	{
		if (PG_ARGISNULL(argument))
		{
			return true;
		}
	}
	return false;
}

// Add to a sum that is NULL until something has been added
Datum
add_to_sum(FunctionCallInfo fcinfo, double term)
{
	double sum = (PG_ARGISNULL(0) ? 0 : PG_GETARG_FLOAT8(0)) + term;

	if (unlikely(!std::isfinite(sum)))
	{
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("sum of points out of range"),
						errhint("The points are too large to be added.")));
	}
	PG_RETURN_FLOAT8(sum);
}

Datum
unchanged_sum(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_decayed);
LEAD_SCORING_FUNCTION(lead_scoring_decay_sum_trans);
LEAD_SCORING_FUNCTION(lead_scoring_decay_count_trans);

// Decay the points of one event to an instant
Datum
lead_scoring_decayed(PG_FUNCTION_ARGS)
{
	double points = PG_GETARG_FLOAT8(0);

	require_finite_points(points);
	// Adding zero turns -0 into 0
	PG_RETURN_FLOAT8(points * share_of(fcinfo, 1) + 0.0);
}

// Add the decayed points of one event; rows with a NULL do not count
Datum
lead_scoring_decay_sum_trans(PG_FUNCTION_ARGS)
{
	if (any_null(fcinfo, 1, 4))
	{
		return unchanged_sum(fcinfo);
	}
	double points = PG_GETARG_FLOAT8(1);
	require_finite_points(points);
	return add_to_sum(fcinfo, points * share_of(fcinfo, 2));
}

// Add what is left of one event that counts 1 when new
Datum
lead_scoring_decay_count_trans(PG_FUNCTION_ARGS)
{
	if (any_null(fcinfo, 1, 3))
	{
		return unchanged_sum(fcinfo);
	}
	return add_to_sum(fcinfo, share_of(fcinfo, 1));
}
