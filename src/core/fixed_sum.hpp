// Sums of points that do not depend on the order of their terms.
//
// Each term is rounded once to a multiple of 2^-k and added as an integer, so that any order, any split between
// workers and any undoing give the same sum to the last bit: two evaluations of the same facts can never differ.
// k is chosen from the largest points of a score such that no term is coarser than its double (61 bits), and 128 bits
// hold 2^65 of them.
#pragma once

#include <cmath>
#include <cstdint>

namespace lead_scoring::core
{

__extension__ typedef __int128 FixedSum;

class FixedScale
{
public:
	// Make the finest scale on which terms up to largest_term fit
	explicit FixedScale(double largest_term) noexcept
		: exponent_(largest_term > 0 ? 60 - std::ilogb(largest_term) : 60)
	{
	}

	// Return points ready for term(): scaled by a power of two, hence exact
	double
	scaled(double points) const noexcept
	{
		return std::ldexp(points, exponent_);
	}

	// Return the term of a sum for scaled points times a factor of at most 1
	static FixedSum
	term(double scaled_points, double factor) noexcept
	{
		return std::llrint(scaled_points * factor);
	}

	// Return the value of a sum
	double
	value(FixedSum sum) const noexcept
	{
		return std::ldexp(static_cast<double>(sum), -exponent_);
	}

private:
	int exponent_; // terms are multiples of 2^-exponent_
};

} // namespace lead_scoring::core
