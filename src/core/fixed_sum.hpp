// Sums of points that do not depend on the order of their terms.
//
// Each term is rounded once to a multiple of 2^-63 and added as an integer, so that any order, any split between workers
// and any undoing give the same sum to the last bit: two evaluations of the same facts can never differ. 128 bits hold
// sums up to 2^64 points.
#pragma once

#include <cmath>
#include <cstdint>

namespace lead_scoring::core
{

__extension__ typedef __int128 FixedSum;

inline constexpr int fixed_sum_bits = 63;

// The largest points of a rule or an adjustment
inline constexpr double largest_points = 1e9;

// Return the term of a sum for points within +-2^62
inline FixedSum
fixed_term(double points) noexcept
{
	int64_t whole = std::llrint(points);
	double rest = points - static_cast<double>(whole); // exact, within +-0.5

	return (static_cast<FixedSum>(whole) << fixed_sum_bits) + std::llrint(rest * 0x1p63);
}

// Return the value of a sum
inline double
fixed_value(FixedSum sum) noexcept
{
	return static_cast<double>(sum) * 0x1p-63;
}

} // namespace lead_scoring::core
