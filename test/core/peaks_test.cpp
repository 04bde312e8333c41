#include "core/peaks.hpp"

#include "core/time.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr double least = std::numeric_limits<double>::denorm_min();
constexpr double largest = std::numeric_limits<double>::max();
constexpr double smallest_normal = std::numeric_limits<double>::min();

const std::vector<double> ordered_reals = {
	-infinity, -largest, -1e300, -1, std::nextafter(-1.0, 0), -0.5, -smallest_normal, -least, 0, least,
	smallest_normal, 0.1, 0.5, std::nextafter(1.0, 0), 1, std::nextafter(1.0, 2), 1e15, 1e300, largest, infinity,
};

const std::vector<int64_t> ordered_times = {
	infinitely_old, infinitely_old + 2, -day_us, -1, 0, 1, day_us, infinitely_late - 1, infinitely_late,
};

} // namespace

TEST(Peaks, KeepTheOrderOfReals)
{
	for (size_t left = 0; left < ordered_reals.size(); left++)
	{
		for (size_t right = 0; right < ordered_reals.size(); right++)
		{
			EXPECT_EQ(peak_of_real(ordered_reals[left]) < peak_of_real(ordered_reals[right]), left < right)
				<< ordered_reals[left] << " and " << ordered_reals[right];
		}
	}
}

TEST(Peaks, KeepTheOrderOfTimes)
{
	for (size_t left = 0; left < ordered_times.size(); left++)
	{
		for (size_t right = 0; right < ordered_times.size(); right++)
		{
			EXPECT_EQ(peak_of_time(ordered_times[left]) < peak_of_time(ordered_times[right]), left < right)
				<< ordered_times[left] << " and " << ordered_times[right];
		}
	}
}

TEST(Peaks, KeepTheOrderOfAnyTwoBits)
{
	Random random(1);

	for (size_t round = 0; round < 1'000'000; round++)
	{
		uint64_t bits = random.bits();
		// Neighbours as well as strangers
		uint64_t other_bits = random.one_in(2) ? random.bits() : bits + random.below(5) - 2;
		double left = std::bit_cast<double>(bits);
		double right = std::bit_cast<double>(other_bits);
		auto left_time = static_cast<int64_t>(bits);
		auto right_time = static_cast<int64_t>(other_bits);
		if (!std::isnan(left) && !std::isnan(right))
		{
			ASSERT_EQ(peak_of_real(left) < peak_of_real(right), left < right) << left << " and " << right;
			ASSERT_EQ(peak_of_real(left) == peak_of_real(right), left == right) << left << " and " << right;
		}
		ASSERT_EQ(peak_of_time(left_time) < peak_of_time(right_time), left_time < right_time);
	}
}

TEST(Peaks, GiveBackWhatTheyWereMadeOf)
{
	Random random(2);

	for (double value : ordered_reals)
	{
		EXPECT_EQ(real_of_peak(peak_of_real(value)), value);
	}
	for (int64_t time : ordered_times)
	{
		EXPECT_EQ(time_of_peak(peak_of_time(time)), time);
	}
	for (size_t round = 0; round < 100'000; round++)
	{
		double value = std::bit_cast<double>(random.bits());
		auto time = static_cast<int64_t>(random.bits());
		if (!std::isnan(value))
		{
			ASSERT_EQ(real_of_peak(peak_of_real(value)), value);
		}
		ASSERT_EQ(time_of_peak(peak_of_time(time)), time);
	}
}

TEST(Peaks, MakeNoDifferenceBetweenTheZeros)
{
	EXPECT_EQ(peak_of_real(-0.0), peak_of_real(0.0));
	EXPECT_FALSE(std::signbit(real_of_peak(peak_of_real(-0.0))));
}

TEST(Peaks, AreAllAboveNone)
{
	for (double value : ordered_reals)
	{
		EXPECT_GT(peak_of_real(value), no_peak) << value;
	}
	for (int64_t time : ordered_times)
	{
		EXPECT_GT(peak_of_time(time), no_peak) << time;
	}
}

TEST(Peaks, OnlyRise)
{
	uint64_t peak = no_peak;

	raise_peak(peak, peak_of_real(-5));
	EXPECT_EQ(real_of_peak(peak), -5);
	raise_peak(peak, peak_of_real(-7));
	EXPECT_EQ(real_of_peak(peak), -5);
	raise_peak(peak, peak_of_real(-2));
	raise_peak(peak, peak_of_real(-3));
	EXPECT_EQ(real_of_peak(peak), -2);
	raise_peak(peak, no_peak);
	EXPECT_EQ(real_of_peak(peak), -2);
}

TEST(Peaks, OfInstantsThatAreDueKeepTheEarliest)
{
	const int64_t instants[] = {infinitely_late, infinitely_late - 1, 5, 0, -5, infinitely_old + 2, infinitely_old};
	uint64_t peak = no_peak;

	for (int64_t instant : instants)
	{
		EXPECT_EQ(due_of_peak(peak_of_due(instant)), instant);
		EXPECT_TRUE(instant == infinitely_late || peak_of_due(instant) > peak);
		raise_peak(peak, peak_of_due(instant));
		EXPECT_EQ(due_of_peak(peak), instant);
		raise_peak(peak, peak_of_due(infinitely_late));
		EXPECT_EQ(due_of_peak(peak), instant);
	}
	EXPECT_EQ(peak, standing_due);
	EXPECT_EQ(peak_of_due(infinitely_late), no_peak);
}

} // namespace lead_scoring::core::test
