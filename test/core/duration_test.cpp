#include "core/duration.hpp"

#include "core/time.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lead_scoring::core::test
{

namespace
{

// Read a text that is one duration and nothing else
int64_t
whole_duration_us(std::string_view text)
{
	std::string_view rest = text;
	int64_t duration_us = take_duration_us(rest);

	EXPECT_EQ(rest, "") << text;
	return duration_us;
}

} // namespace

TEST(Duration, ReadsNumbersWithUnits)
{
	const struct
	{
		std::string_view text;
		int64_t duration_us;
	} cases[] = {
		{"30 days", 30 * day_us},
		{"1 day", day_us},
		{"72 hours", 3 * day_us},
		{"72HOURS", 3 * day_us},
		{"  90\tMinutes", 90 * minute_us},
		{"1 second", second_us},
		{"0.000001 seconds", 1},
		{"1e3 seconds", 1000 * second_us},
		{"2 weeks", 14 * day_us},
		{"1.5 days", 36 * hour_us},
		{".5 hr", 30 * minute_us},
		{"10 secs", 10 * second_us},
		{"1 sec", second_us},
		{"3 mins", 3 * minute_us},
		{"1 min", minute_us},
		{"2 hrs", 2 * hour_us},
		{"1 day 12 hours", 36 * hour_us},
		{"1 day12 hours30 seconds", 36 * hour_us + 30 * second_us},
		{"12 hours 1 day", 36 * hour_us},
		{"1 day 1 day", 2 * day_us},
		{"0 days 5 seconds", 5 * second_us},
		// D4: no calendar
		{"1 month", 30 * day_us},
		{"3 months", 90 * day_us},
		{"6 months", 180 * day_us},
		{"1 year", 360 * day_us},
		{"12 months", 360 * day_us},
		{"1 year 2 months 3 weeks 4 days 5 hours 6 minutes 7.000008 seconds",
		 445 * day_us + 5 * hour_us + 6 * minute_us + 7 * second_us + 8},
		// The first number may be missing
		{"month", month_us},
		{"Year", year_us},
		{"days", day_us},
		{"day 12 hours", 36 * hour_us},
		// Rounded to microseconds
		{"0.0000014 seconds", 1},
		{"0.0000016 seconds", 2},
		{"0.0000015000001 seconds", 2},
		// The longest
		{"10648148 days", 10648148 * day_us},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(whole_duration_us(test.text), test.duration_us) << test.text;
	}
}

TEST(Duration, LeavesWhatFollows)
{
	const struct
	{
		std::string_view text;
		int64_t duration_us;
		std::string_view rest;
	} cases[] = {
		{"3 days after 1 hour", 3 * day_us, " after 1 hour"},
		{"month stepwise", month_us, " stepwise"},
		{"month year", month_us, " year"}, // only the first number may be missing
		{"1 day, 1 hour", day_us, ", 1 hour"},
		{"1 day -5 hours", day_us, " -5 hours"},
		{"30 days%", 30 * day_us, "%"},
	};

	for (const auto &test : cases)
	{
		std::string_view rest = test.text;
		EXPECT_EQ(take_duration_us(rest), test.duration_us) << test.text;
		EXPECT_EQ(rest, test.rest) << test.text;
	}
}

TEST(Duration, RefusesWhatIsNone)
{
	const std::string endless = std::string(400, '9') + " days";
	const std::string huge = std::string(300, '9') + " years";
	const struct
	{
		std::string_view text;
		Fault fault;
	} cases[] = {
		{"", Fault::invalid_text},
		{"   ", Fault::invalid_text},
		{"5", Fault::invalid_text},
		{"5 ", Fault::invalid_text},
		{"-5 days", Fault::invalid_text},
		{"+5 days", Fault::invalid_text},
		{"five days", Fault::invalid_text},
		{"5 dayss", Fault::invalid_text},
		{"5 d", Fault::invalid_text},
		{"5 fortnights", Fault::invalid_text},
		{"1e999 days", Fault::invalid_text},
		{"1e days", Fault::invalid_text},
		{"1 day 5", Fault::invalid_text},
		{"1 day 5 x", Fault::invalid_text},
		{"after", Fault::invalid_text},
		{"%", Fault::invalid_text},
		{"nan days", Fault::invalid_text},
		{"infinity days", Fault::invalid_text},
		{endless, Fault::invalid_text},
		{"0 days", Fault::invalid_parameter},
		{"0.0 seconds", Fault::invalid_parameter},
		{"0.0000004 seconds", Fault::invalid_parameter},
		{"0 days 0 hours", Fault::invalid_parameter},
		{"10648149 days", Fault::out_of_range},
		{"30000 years", Fault::out_of_range},
		{"1e300 years", Fault::out_of_range},
		{"1e308 years 1e308 years", Fault::out_of_range},
		{"10648148 days 4 hours", Fault::out_of_range},
		{huge, Fault::out_of_range},
	};

	for (const auto &test : cases)
	{
		std::string_view rest = test.text;
		EXPECT_EQ(fault_of([&] { take_duration_us(rest); }), test.fault) << test.text;
	}
}

TEST(Duration, IsWrittenInDaysHoursMinutesAndSeconds)
{
	const struct
	{
		int64_t duration_us;
		std::string_view text;
	} cases[] = {
		{1, "0.000001 seconds"},
		{10, "0.00001 seconds"},
		{second_us / 2, "0.5 seconds"},
		{second_us, "1 second"},
		{second_us + 1, "1.000001 seconds"},
		{10 * second_us, "10 seconds"},
		{100 * second_us, "1 minute 40 seconds"},
		{minute_us, "1 minute"},
		{59 * minute_us, "59 minutes"},
		{hour_us, "1 hour"},
		{23 * hour_us, "23 hours"},
		{day_us, "1 day"},
		{month_us, "30 days"},
		{year_us, "360 days"},
		{36 * hour_us, "1 day 12 hours"},
		{day_us + second_us, "1 day 1 second"},
		{2 * day_us + 3 * hour_us + 4 * minute_us + 5 * second_us + 600'000, "2 days 3 hours 4 minutes 5.6 seconds"},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(duration_text(test.duration_us), test.text);
	}
}

TEST(Duration, SurvivesItsOwnText)
{
	Random random(1);

	for (size_t round = 0; round < 100'000; round++)
	{
		// All magnitudes; from 2^53 microseconds on (285 years), the double that a text becomes has no odd ones
		int64_t duration_us = static_cast<int64_t>(random.bits() >> (11 + random.below(53))) + 1;
		std::string text = duration_text(duration_us);
		ASSERT_EQ(whole_duration_us(text), duration_us) << text;
	}
}

TEST(Duration, SurvivesItsOwnTextWhereMicrosecondsAreCoarse)
{
	Random random(2);

	for (size_t round = 0; round < 20'000; round++)
	{
		int64_t duration_us = random.between(int64_t{1} << 53, 920'000'000'000'000'000);
		duration_us = static_cast<int64_t>(static_cast<double>(duration_us));
		std::string text = duration_text(duration_us);
		ASSERT_EQ(whole_duration_us(text), duration_us) << text;
	}
}

} // namespace lead_scoring::core::test
