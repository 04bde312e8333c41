// Opening hours of a week, in local time.
#pragma once

#include "core/time.hpp"

#include <cstdint>

namespace lead_scoring::core
{

// Return the weekday of a day, 1 for Monday to 7, days being numbered from 2000-01-01, a Saturday
inline int
weekday_of(int64_t day) noexcept
{
	int64_t since_monday = (day + 5) % 7;

	return static_cast<int>(since_monday < 0 ? since_monday + 7 : since_monday) + 1;
}

// When it is open: from opens (included) to closes (not included), on the weekdays whose bits are set (bit 1: Monday)
struct BusinessHours
{
	int64_t opens;  // microseconds from midnight
	int64_t closes; // the same; not above opens: on the next day, unless it is equal, which means the whole day
	uint32_t days;
};

// Whether it is open at an instant, in microseconds of local time from 2000-01-01 00:00
inline bool
is_within(const BusinessHours &hours, int64_t local_us) noexcept
{
	int64_t time = local_us % day_us;
	int64_t day = local_us / day_us;
	if (time < 0)
	{
		time += day_us;
		day--;
	}
	bool today = (hours.days >> weekday_of(day) & 1) != 0;
	if (hours.opens == hours.closes)
	{
		return today;
	}
	if (hours.opens < hours.closes)
	{
		return today && time >= hours.opens && time < hours.closes;
	}
	bool yesterday = (hours.days >> weekday_of(day - 1) & 1) != 0;
	return (today && time >= hours.opens) || (yesterday && time < hours.closes);
}

} // namespace lead_scoring::core
