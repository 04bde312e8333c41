// The exact sum of any finite doubles, so that neither their order nor their size changes a digit.
//
// fixed_sum.hpp does the same for points, which are neither very large nor very small; here nothing is known of the
// numbers. Each is added, as an integer times 2^-1074, to digits of 32 bits which are wide enough to leave carries to
// the end. Literature: Neal, Fast exact summation using small and large superaccumulators, 2015, section 3.
#pragma once

#include <array>
#include <cstdint>

namespace lead_scoring::core
{

// A number beyond the range and the precision of doubles: (significand + rest) * 2 ^ exponent
struct ScaledNumber
{
	double significand; // 0, or of a magnitude in [0.5, 1]
	double rest;        // what rounding took off
	int exponent;
};

class ExactSum
{
public:
	static constexpr int64_t most_terms = int64_t{1} << 31;

	// Add a finite number; at most most_terms of them
	void add(double number) noexcept;

	// Add the terms of another sum; most_terms of both together
	void add(const ExactSum &other) noexcept;

	// Whether so many terms can have given these digits, which may be bytes from anywhere
	bool may_have(int64_t terms) const noexcept;

	// Return the sum: its significand is rounded once, to the nearest, with the rest at least 96 bits are right
	ScaledNumber value() const noexcept;

private:
	static constexpr int digit_bits = 32;

	// Bits from 2^-1074 to 2^1023, and 31 for the number of terms; one digit more holds the sign
	static constexpr int digits = (1074 + 1024 + 31 + digit_bits - 1) / digit_bits + 1;

	std::array<int64_t, digits> digits_ = {};
};

// Return value divided by the mean of count numbers that have this sum, which is not 0; raises if it is too large
double ratio_to_mean(double value, ScaledNumber sum, int64_t count);

} // namespace lead_scoring::core
