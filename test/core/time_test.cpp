#include "core/time.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

namespace lead_scoring::core::test
{

TEST(Time, UnitsAreAbsoluteSeconds)
{
	EXPECT_EQ(minute_us, 60'000'000);
	EXPECT_EQ(hour_us, 3'600'000'000);
	EXPECT_EQ(day_us, 86'400'000'000);
	// D4
	EXPECT_EQ(month_us, 30 * day_us);
	EXPECT_EQ(year_us, 360 * day_us);
}

TEST(Time, AgeIsTheDifferenceUnlessItIsInfinite)
{
	const struct
	{
		int64_t as_of;
		int64_t instant;
		double age;
	} cases[] = {
		{100, 100, 0},
		{100, 99, 1},
		{100, 103, -3},
		{0, -month_us, static_cast<double>(month_us)},
		{100, infinitely_old, infinity},
		{infinitely_old, infinitely_old, infinity},
		{infinitely_late, infinitely_late, 0},
		// The difference does not fit into 64 bits
		{infinitely_late, -1, infinity},
		{1, infinitely_old + 1, infinity},
		{infinitely_late - 1, 0, static_cast<double>(infinitely_late - 1)},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(age_us(test.as_of, test.instant), test.age) << test.as_of << " - " << test.instant;
	}
}

TEST(Time, EarlierStopsAtTheBeginningOfTime)
{
	const struct
	{
		int64_t instant;
		int64_t duration;
		int64_t moved;
	} cases[] = {
		{100, 0, 100},
		{100, 30, 70},
		{0, day_us, -day_us},
		{infinitely_old, 1, infinitely_old},
		{infinitely_old + 5, 5, infinitely_old},
		{infinitely_old + 5, 6, infinitely_old},
		{-2, infinitely_late, infinitely_old},
		{infinitely_late, infinitely_late, 0},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(earlier(test.instant, test.duration), test.moved) << test.instant << " - " << test.duration;
	}
}

TEST(Time, LaterStopsAtTheEndOfTime)
{
	EXPECT_EQ(later(5, 3), 8);
	EXPECT_EQ(later(infinitely_old, 3), infinitely_old + 3);
	EXPECT_EQ(later(infinitely_late, 1), infinitely_late);
	EXPECT_EQ(later(infinitely_late - 1, day_us), infinitely_late);
}

TEST(Time, WhatIsFoundByAgesIsLookedForAllTheTimeOnceTheyAreInexact)
{
	constexpr int64_t exact = int64_t{1} << 52;
	const struct
	{
		int64_t instant;
		int64_t time;
		int64_t as_of;
		int64_t due;
	} cases[] = {
		{100, 50, 60, 100},
		{infinitely_late, 50, 60, infinitely_late},
		{exact + 100, 0, 60, exact},
		{exact + 100, 0, exact - 1, exact},
		{exact + 100, 0, exact, infinitely_old},
		{5, infinitely_old + 1, 0, infinitely_old},
		{5, infinitely_old, 0, infinitely_old},
		// Of what is yet to come
		{100, 80, 60, 100},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(due_by_age(test.instant, test.time, test.as_of), test.due)
			<< test.instant << ", " << test.time << ", " << test.as_of;
	}
}

} // namespace lead_scoring::core::test
