// Instants and durations: microseconds as 64-bit integers, the ends of the range standing for the infinities.
#pragma once

#include <cstdint>
#include <limits>

namespace lead_scoring::core
{

inline constexpr int64_t infinitely_old = std::numeric_limits<int64_t>::min();
inline constexpr int64_t infinitely_late = std::numeric_limits<int64_t>::max();

inline constexpr int64_t second_us = 1'000'000;
inline constexpr int64_t minute_us = 60 * second_us;
inline constexpr int64_t hour_us = 60 * minute_us;
inline constexpr int64_t day_us = 24 * hour_us;
// A month is 30 days and a year 12 months, in decay and in windows (decision D4)
inline constexpr int64_t month_us = 30 * day_us;
inline constexpr int64_t year_us = 12 * month_us;

// Return the age of an instant in microseconds, infinite for one infinitely old
inline double
age_us(int64_t as_of, int64_t instant) noexcept
{
	int64_t age;

	if (instant == infinitely_old || __builtin_sub_overflow(as_of, instant, &age))
	{
		return std::numeric_limits<double>::infinity();
	}
	return static_cast<double>(age);
}

// Return an instant moved back by a duration, stopping at infinitely_old
inline int64_t
earlier(int64_t instant, int64_t duration_us) noexcept
{
	int64_t moved;

	return __builtin_sub_overflow(instant, duration_us, &moved) ? infinitely_old : moved;
}

} // namespace lead_scoring::core
