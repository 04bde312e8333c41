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

// Return an instant moved on by a duration, stopping at infinitely_late
inline int64_t
later(int64_t instant, int64_t duration_us) noexcept
{
	int64_t moved;

	return __builtin_add_overflow(instant, duration_us, &moved) ? infinitely_late : moved;
}

// Return an instant later than as_of at which something happens that is found by the age of what is of some time. Ages are
// doubles, which hold the microseconds of a good 140 years for sure: older than that, it may happen all the time, for
// which infinitely_old stands
inline int64_t
due_by_age(int64_t instant, int64_t time, int64_t as_of) noexcept
{
	constexpr int64_t exact_us = int64_t{1} << 52;
	int64_t age;

	if (instant == infinitely_late)
	{
		return infinitely_late;
	}
	if (__builtin_sub_overflow(as_of, time, &age) || age >= exact_us)
	{
		return infinitely_old;
	}
	return instant < later(time, exact_us) ? instant : later(time, exact_us);
}

} // namespace lead_scoring::core
