#include "core/decaying_total.hpp"

#include "core/duration.hpp"
#include "core/fault.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr uint32_t layout_version = 1;
// Of a half-life, in microseconds; with the shortest, the exponent of any instant fits its bound a hundred times
constexpr int64_t shortest_half_life_us = 1000;
constexpr int64_t longest_half_life_us = 920'000'000'000'000'000;
constexpr int64_t largest_exponent = int64_t{1} << 60;
// Two amplitudes further apart than this do not change each other
constexpr int64_t negligible_exponent = 128;

// Bring an amplitude and its exponent into the one form that equal totals share
void
normalize(DecayingTotal &total)
{
	if (total.amplitude == 0)
	{
		total.amplitude = 0;
		total.exponent = 0;
		return;
	}
	int shift;
	total.amplitude = 2 * std::frexp(total.amplitude, &shift);
	total.exponent += shift - 1;
	if (total.exponent > largest_exponent || total.exponent < -largest_exponent)
	{
		throw ScoringError(Fault::out_of_range, "a decaying total is out of range");
	}
}

// Add amplitude * 2 ^ exponent
void
add_term(DecayingTotal &total, double amplitude, int64_t exponent)
{
	if (amplitude == 0)
	{
		return;
	}
	if (total.amplitude == 0)
	{
		total.amplitude = amplitude;
		total.exponent = exponent;
		normalize(total);
		return;
	}
	if (exponent > total.exponent)
	{
		std::swap(amplitude, total.amplitude);
		std::swap(exponent, total.exponent);
	}
	int64_t apart = total.exponent - exponent;
	// Amplitudes of new events are not normalized: points may be anything
	if (apart < negligible_exponent + 2200)
	{
		total.amplitude += std::ldexp(amplitude, -static_cast<int>(apart));
	}
	normalize(total);
}

void
require_count(int64_t left, int64_t right)
{
	int64_t sum;

	if (__builtin_add_overflow(left, right, &sum))
	{
		throw ScoringError(Fault::out_of_range, "a decaying total has too many events");
	}
}

[[noreturn]] void
raise_invalid(std::string_view text)
{
	throw ScoringError(Fault::invalid_text, fmt::format("invalid decaying_total: \"{}\"", text.substr(0, 100)),
					   "Its text form is made by PostgreSQL itself; make one with the aggregate decaying_total.");
}

// Take a number up to the next semicolon or the end
template <typename Number>
Number
take_field(std::string_view &rest, std::string_view text)
{
	Number number{};
	auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
	size_t length = static_cast<size_t>(end - rest.data());

	if (code != std::errc() || (length < rest.size() && rest[length] != ';'))
	{
		raise_invalid(text);
	}
	rest.remove_prefix(std::min(length + 1, rest.size()));
	return number;
}

} // namespace

DecayingTotal
make_decaying_total(int64_t half_life_us)
{
	if (half_life_us < shortest_half_life_us || half_life_us > longest_half_life_us)
	{
		throw ScoringError(Fault::invalid_parameter, "half-life out of range",
						   "A half-life is at least a millisecond and at most about 29,000 years.");
	}
	return {layout_version, 0, half_life_us, 0, 0, infinitely_old, 0};
}

void
add_points(DecayingTotal &total, double points, int64_t time)
{
	if (!std::isfinite(points))
	{
		throw ScoringError(Fault::out_of_range, fmt::format("points must be finite: {}", points),
						   "Leave such rows out with FILTER.");
	}
	if (time == infinitely_late)
	{
		return;
	}
	require_count(total.count, 1);
	total.count++;
	if (time == infinitely_old)
	{
		return;
	}
	int64_t whole = time / total.half_life_us;
	int64_t rest = time % total.half_life_us;
	if (rest < 0)
	{
		whole--;
		rest += total.half_life_us;
	}
	// At most doubled: halved first, so that the largest points do not overflow
	double fraction = static_cast<double>(rest) / static_cast<double>(total.half_life_us);
	add_term(total, points / 2 * std::exp2(fraction), whole + 1);
	total.newest = std::max(total.newest, time);
}

void
add_total(DecayingTotal &total, const DecayingTotal &other)
{
	if (total.half_life_us != other.half_life_us)
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("half-lives differ: {} and {}", duration_text(total.half_life_us),
									   duration_text(other.half_life_us)),
						   "Only totals of the same half-life can be added.");
	}
	require_count(total.count, other.count);
	total.count += other.count;
	add_term(total, other.amplitude, other.exponent);
	total.newest = std::max(total.newest, other.newest);
}

double
value_at(const DecayingTotal &total, int64_t instant) noexcept
{
	if (total.amplitude == 0)
	{
		return 0;
	}
	int64_t at = std::max(instant, total.newest);
	int64_t whole = at / total.half_life_us;
	int64_t rest = at % total.half_life_us;
	double fraction = static_cast<double>(rest) / static_cast<double>(total.half_life_us);
	int64_t exponent = std::clamp<int64_t>(total.exponent - whole, -4000, 4000);
	double value = std::ldexp(total.amplitude * std::exp2(-fraction), static_cast<int>(exponent));

	return std::clamp(value, -std::numeric_limits<double>::max(), std::numeric_limits<double>::max());
}

int
compare_totals(const DecayingTotal &left, const DecayingTotal &right) noexcept
{
	if (left.half_life_us != right.half_life_us)
	{
		return left.half_life_us < right.half_life_us ? -1 : 1;
	}
	int left_sign = (left.amplitude > 0) - (left.amplitude < 0);
	int right_sign = (right.amplitude > 0) - (right.amplitude < 0);
	if (left_sign != right_sign || left_sign == 0)
	{
		return left_sign - right_sign;
	}
	if (left.exponent != right.exponent)
	{
		return left.exponent < right.exponent ? -left_sign : left_sign;
	}
	return (left.amplitude > right.amplitude) - (left.amplitude < right.amplitude);
}

void
require_valid_total(const DecayingTotal &total)
{
	if (total.version != layout_version || total.flags != 0)
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("unknown version {} of a stored decaying_total", total.version),
						   "It was written by a newer version of lead_scoring.");
	}
	if (total.half_life_us < shortest_half_life_us || total.half_life_us > longest_half_life_us)
	{
		throw ScoringError(Fault::invalid_parameter, "half-life of a decaying_total out of range");
	}
	bool empty = total.amplitude == 0 && !std::signbit(total.amplitude);
	double magnitude = std::fabs(total.amplitude);
	if (empty ? total.exponent != 0
			  : !(magnitude >= 1 && magnitude < 2) || total.exponent > largest_exponent ||
					total.exponent < -largest_exponent)
	{
		throw ScoringError(Fault::invalid_parameter, "amplitude or exponent of a decaying_total out of range");
	}
	if (total.count < 0 || total.newest == infinitely_late || (total.newest == infinitely_old && !empty) ||
		(total.count == 0 && total.newest != infinitely_old))
	{
		throw ScoringError(Fault::invalid_parameter, "count or time of a decaying_total out of range");
	}
}

DecayingTotal
parse_decaying_total(std::string_view text)
{
	std::string_view rest = text;

	if (rest.substr(0, 3) != "v1;")
	{
		raise_invalid(text);
	}
	rest.remove_prefix(3);
	DecayingTotal total{layout_version, 0, 0, 0, 0, 0, 0};
	total.half_life_us = take_field<int64_t>(rest, text);
	total.amplitude = take_field<double>(rest, text);
	total.exponent = take_field<int64_t>(rest, text);
	total.newest = take_field<int64_t>(rest, text);
	total.count = take_field<int64_t>(rest, text);
	if (!rest.empty() || text.back() == ';')
	{
		raise_invalid(text);
	}
	require_valid_total(total);
	return total;
}

std::string
decaying_total_text(const DecayingTotal &total)
{
	return fmt::format("v1;{};{};{};{};{}", total.half_life_us, total.amplitude, total.exponent, total.newest,
					   total.count);
}

} // namespace lead_scoring::core
