// lead_scoring.rescale: linear maps of scores from one range to another.
#include "pg/postgres_api.hpp"

#include "core/rescale.hpp"
#include "pg/guard.hpp"

using lead_scoring::core::Range;
using lead_scoring::pg::guarded;

LEAD_SCORING_FUNCTION(lead_scoring_rescale);

// Map a score from one range to another
Datum
lead_scoring_rescale(PG_FUNCTION_ARGS)
{
	double score = PG_GETARG_FLOAT8(0);
	Range from{PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2)};
	Range to{PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4)};

	PG_RETURN_FLOAT8(guarded([score, from, to]() { return lead_scoring::core::rescale(score, from, to); }));
}
