#include "core/rescale.hpp"

#include "core/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

double
rescale(double score, Range from, Range to)
{
	for (double number : {score, from.lower, from.upper, to.lower, to.upper})
	{
		if (!std::isfinite(number))
		{
			throw ScoringError(Fault::out_of_range, fmt::format("a score or a bound must be finite: {}", number),
							   "Use numbers, or NULL for an unknown score.");
		}
	}
	if (!(from.lower < from.upper))
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("range {} to {} is empty", from.lower, from.upper),
						   "from_min must be below from_max.");
	}
	double kept = std::clamp(score, from.lower, from.upper);
	double width = from.upper - from.lower;
	// The width of a range may be more than a double holds, its half is not; lerp is exact at both ends
	double share = std::isfinite(width) ? (kept - from.lower) / width
										: (kept / 2 - from.lower / 2) / (from.upper / 2 - from.lower / 2);
	return std::lerp(to.lower, to.upper, std::min(share, 1.0));
}

} // namespace lead_scoring::core
