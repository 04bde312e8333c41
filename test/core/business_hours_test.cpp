#include "core/business_hours.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

namespace lead_scoring::core::test
{

namespace
{

constexpr int64_t hour = hour_us;
constexpr uint32_t weekdays = 0b0111110;
constexpr int64_t monday = 2 * day_us; // 2000-01-03

} // namespace

TEST(BusinessHours, KnowsWeekdays)
{
	EXPECT_EQ(weekday_of(0), 6); // 2000-01-01
	EXPECT_EQ(weekday_of(2), 1);
	EXPECT_EQ(weekday_of(-1), 5);
	EXPECT_EQ(weekday_of(-5), 1);
	EXPECT_EQ(weekday_of(-6), 7);
	EXPECT_EQ(weekday_of(9501), 1); // 2026-01-05
	for (int64_t day = -1000; day < 1000; day++)
	{
		EXPECT_EQ(weekday_of(day + 1), weekday_of(day) % 7 + 1);
	}
}

TEST(BusinessHours, OpenIncludedCloseNot)
{
	BusinessHours hours{9 * hour, 17 * hour, weekdays};

	EXPECT_FALSE(is_within(hours, monday + 9 * hour - 1));
	EXPECT_TRUE(is_within(hours, monday + 9 * hour));
	EXPECT_TRUE(is_within(hours, monday + 17 * hour - 1));
	EXPECT_FALSE(is_within(hours, monday + 17 * hour));
	EXPECT_FALSE(is_within(hours, monday - day_us + 12 * hour));
	EXPECT_TRUE(is_within(hours, monday - 7 * 1000 * day_us + 12 * hour));
	EXPECT_FALSE(is_within(hours, monday - 7 * 1000 * day_us - 1));
}

TEST(BusinessHours, OvernightBelongsToTheDayOfOpening)
{
	BusinessHours friday{22 * hour, 6 * hour, 1 << 5};
	int64_t day = monday + 4 * day_us;

	EXPECT_FALSE(is_within(friday, day + 5 * hour));
	EXPECT_FALSE(is_within(friday, day + 22 * hour - 1));
	EXPECT_TRUE(is_within(friday, day + 22 * hour));
	EXPECT_TRUE(is_within(friday, day + day_us));
	EXPECT_TRUE(is_within(friday, day + day_us + 6 * hour - 1));
	EXPECT_FALSE(is_within(friday, day + day_us + 6 * hour));
	EXPECT_FALSE(is_within(friday, day + day_us + 22 * hour));
}

TEST(BusinessHours, WholeDaysAndMidnight)
{
	int64_t saturday = monday + 5 * day_us;

	for (int64_t time : {int64_t{0}, 9 * hour, day_us})
	{
		EXPECT_TRUE(is_within({time, time, weekdays}, monday));
		EXPECT_TRUE(is_within({time, time, weekdays}, saturday - 1));
		EXPECT_FALSE(is_within({time, time, weekdays}, saturday));
		EXPECT_FALSE(is_within({time, time, 0}, monday));
	}
	// Midnight at the end of a day is 24:00
	EXPECT_TRUE(is_within({9 * hour, day_us, weekdays}, saturday - 1));
	EXPECT_FALSE(is_within({9 * hour, day_us, weekdays}, saturday));
	EXPECT_TRUE(is_within({9 * hour, 0, weekdays}, saturday - 1));
	EXPECT_FALSE(is_within({9 * hour, 0, weekdays}, saturday));
	EXPECT_TRUE(is_within({day_us, 6 * hour, weekdays}, saturday));
	EXPECT_FALSE(is_within({day_us, 6 * hour, weekdays}, monday));
	EXPECT_FALSE(is_within({day_us, 0, 0b11111110}, monday));
}

// Against opening hours laid out minute by minute
TEST(BusinessHours, AgreesWithACalendar)
{
	Random random(1);
	constexpr size_t minutes = 7 * 24 * 60;

	for (int round = 0; round < 300; round++)
	{
		BusinessHours hours{random.between(0, 24) * hour, random.between(0, 24) * hour,
							static_cast<uint32_t>(random.below(256)) & 0xFE};
		std::vector<bool> open(minutes);
		for (size_t day = 0; day < 7; day++)
		{
			if ((hours.days >> (day + 1) & 1) == 0)
			{
				continue;
			}
			int64_t from = hours.opens == hours.closes ? 0 : hours.opens;
			int64_t to = hours.opens == hours.closes ? day_us : hours.closes + (hours.opens > hours.closes ? day_us : 0);
			for (int64_t time = from; time < to; time += hour / 60)
			{
				open[(day * 24 * 60 + static_cast<size_t>(time / (hour / 60))) % minutes] = true;
			}
		}
		for (size_t minute = 0; minute < minutes; minute++)
		{
			int64_t week = random.between(-100, 100) * 7 * day_us;
			EXPECT_EQ(is_within(hours, monday + week + static_cast<int64_t>(minute) * (hour / 60)), open[minute])
				<< hours.opens / hour << ".." << hours.closes / hour << " on " << hours.days << " at minute " << minute;
		}
	}
}

} // namespace lead_scoring::core::test
