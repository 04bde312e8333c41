#include "core/exact_sum.hpp"

#include "core/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

void
ExactSum::add(double number) noexcept
{
	constexpr uint64_t hidden_bit = uint64_t{1} << 52;
	constexpr int64_t digit_mask = (int64_t{1} << digit_bits) - 1;
	uint64_t bits = std::bit_cast<uint64_t>(number);
	int biased = static_cast<int>(bits >> 52 & 0x7FF);
	uint64_t whole = bits & (hidden_bit - 1);

	// A number is whole * 2 ^ (shift - 1074)
	int shift = biased == 0 ? 0 : biased - 1;
	if (biased != 0)
	{
		whole |= hidden_bit;
	}
	auto at = static_cast<size_t>(shift / digit_bits);
	__extension__ unsigned __int128 wide = static_cast<unsigned __int128>(whole) << (shift % digit_bits);
	int64_t sign = (bits >> 63) != 0 ? -1 : 1;
	digits_[at] += sign * (static_cast<int64_t>(wide) & digit_mask);
	digits_[at + 1] += sign * (static_cast<int64_t>(wide >> digit_bits) & digit_mask);
	digits_[at + 2] += sign * static_cast<int64_t>(wide >> (2 * digit_bits));
}

void
ExactSum::add(const ExactSum &other) noexcept
{
	for (size_t at = 0; at < digits_.size(); at++)
	{
		digits_[at] += other.digits_[at];
	}
}

bool
ExactSum::may_have(int64_t terms) const noexcept
{
	constexpr int64_t largest_digit = (int64_t{1} << digit_bits) - 1;

	return std::all_of(digits_.begin(), digits_.end(),
					   [terms](int64_t digit)
					   { return digit >= -terms * largest_digit && digit <= terms * largest_digit; });
}

ScaledNumber
ExactSum::value() const noexcept
{
	std::array<int64_t, digits> digits_now = digits_;
	constexpr int64_t digit_mask = (int64_t{1} << digit_bits) - 1;
	int64_t carry = 0;

	// Carry, so that all digits but the sign that is left over are in 0 .. 2^32 - 1
	for (int64_t &digit : digits_now)
	{
		digit += carry;
		carry = digit >> digit_bits;
		digit &= digit_mask;
	}
	bool negative = carry < 0;
	if (negative)
	{
		// The magnitude is the complement, plus one
		carry = 1;
		for (int64_t &digit : digits_now)
		{
			digit = (digit ^ digit_mask) + carry;
			carry = digit >> digit_bits;
			digit &= digit_mask;
		}
	}
	int top = digits - 1;
	while (top >= 0 && digits_now[static_cast<size_t>(top)] == 0)
	{
		top--;
	}
	if (top < 0)
	{
		return {0, 0, 0};
	}
	// The upper 128 bits, from the highest one on
	__extension__ unsigned __int128 bits = 0;
	for (int at = top; at > top - 4; at--)
	{
		bits = bits << digit_bits | (at < 0 ? 0 : static_cast<uint64_t>(digits_now[static_cast<size_t>(at)]));
	}
	int lead = std::countl_zero(static_cast<uint64_t>(bits >> 64));
	bits <<= lead;
	auto upper = static_cast<uint64_t>(bits >> 64);
	auto lower = static_cast<uint64_t>(bits);
	// The digits below do not matter but for a tie, which one of them breaks
	bool more = lower != 0;
	for (int at = top - 4; at >= 0 && !more; at--)
	{
		more = digits_now[static_cast<size_t>(at)] != 0;
	}
	auto rounded = static_cast<double>(upper | (more ? 1 : 0));
	__extension__ auto left = static_cast<int64_t>(static_cast<__int128>(upper) - static_cast<__int128>(rounded));
	double sign = negative ? -1 : 1;
	return {sign * rounded * 0x1p-64, sign * (static_cast<double>(left) + static_cast<double>(lower) * 0x1p-64) * 0x1p-64,
			(top + 1) * digit_bits - lead - 1074};
}

double
ratio_to_mean(double value, ScaledNumber sum, int64_t count)
{
	int exponent;
	double significand = std::frexp(value, &exponent);
	auto peers = static_cast<double>(count);

	// value * count / sum, made right by what is left over from the product, the quotient and the sum
	double product = significand * peers;
	double quotient = product / sum.significand;
	double left = std::fma(-quotient, sum.significand, product) + std::fma(significand, peers, -product);
	left -= quotient * sum.rest;
	double ratio = std::ldexp(quotient + left / sum.significand, exponent - sum.exponent);

	if (!std::isfinite(ratio))
	{
		throw ScoringError(Fault::out_of_range, fmt::format("{} divided by the mean of its peers is out of range", value),
						   "Leave out values that are no measurements.");
	}
	return ratio + 0.0; // not -0
}

} // namespace lead_scoring::core
