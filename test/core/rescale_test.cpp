#include "core/rescale.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lead_scoring::core::test
{

namespace
{

constexpr double most = std::numeric_limits<double>::max();
constexpr double least = std::numeric_limits<double>::denorm_min();

} // namespace

// E46
TEST(Rescale, MapsQualifiedAndOtherScores)
{
	EXPECT_EQ(rescale(50, {0, 100}, {71, 99}), 85);
	EXPECT_EQ(rescale(50, {0, 100}, {0, 70}), 35);
}

TEST(Rescale, IsExactAtTheEnds)
{
	const Range ranges[] = {{0, 100}, {0, 1}, {-1, 1}, {0.1, 0.3}, {-7.7, 1e9}, {300, 850}};

	for (const Range &from : ranges)
	{
		for (const Range &to : ranges)
		{
			EXPECT_EQ(rescale(from.lower, from, to), to.lower);
			EXPECT_EQ(rescale(from.upper, from, to), to.upper);
			EXPECT_EQ(rescale(from.lower - 1, from, to), to.lower);
			EXPECT_EQ(rescale(from.upper + 1, from, to), to.upper);
			EXPECT_EQ(rescale(-most, from, to), to.lower);
			EXPECT_EQ(rescale(most, from, to), to.upper);
		}
	}
}

TEST(Rescale, IsLinearAndInOrder)
{
	Random random(1);

	for (int round = 0; round < 2000; round++)
	{
		Range from{random.share() * 100 - 50, 0};
		from.upper = from.lower + 0.001 + random.share() * 100;
		Range to{random.share() * 100 - 50, random.share() * 100 - 50};
		double previous = to.lower;
		for (int step = 0; step <= 20; step++)
		{
			double score = from.lower + (from.upper - from.lower) * step / 20;
			double mapped = rescale(score, from, to);
			EXPECT_NEAR(mapped, to.lower + (to.upper - to.lower) * step / 20, 1e-11);
			EXPECT_TRUE(to.lower <= to.upper ? mapped >= previous : mapped <= previous);
			previous = mapped;
		}
	}
}

TEST(Rescale, TurnsRangesAround)
{
	EXPECT_EQ(rescale(25, {0, 100}, {100, 0}), 75);
	EXPECT_EQ(rescale(-1, {0, 100}, {100, 0}), 100);
	EXPECT_EQ(rescale(25, {0, 100}, {7, 7}), 7);
}

// Numbers that are finite give one that is, between the bounds, or an error
TEST(Rescale, DoesNotOverflow)
{
	for (double score : {-most, -1.0, 0.0, least, 50.0, most})
	{
		for (Range from : {Range{-most, most}, Range{0, most}, Range{0, least}, Range{-least, least}, Range{-most, 0}})
		{
			for (Range to : {Range{0, 1}, Range{-most, most}, Range{most, -most}, Range{0, least}, Range{-most, -most}})
			{
				double mapped = 0;
				auto fault = fault_of([&]() { mapped = rescale(score, from, to); });
				if (fault.has_value())
				{
					EXPECT_EQ(fault, Fault::out_of_range);
					continue;
				}
				EXPECT_GE(mapped, std::min(to.lower, to.upper))
					<< score << " of " << from.lower << " .. " << from.upper << " to " << to.lower << " .. " << to.upper;
				EXPECT_LE(mapped, std::max(to.lower, to.upper))
					<< score << " of " << from.lower << " .. " << from.upper << " to " << to.lower << " .. " << to.upper;
			}
		}
	}
}

TEST(Rescale, RefusesBadArguments)
{
	for (double bad : {infinity, -infinity, not_a_number})
	{
		EXPECT_EQ(fault_of([bad]() { rescale(bad, {0, 1}, {0, 1}); }), Fault::out_of_range);
		EXPECT_EQ(fault_of([bad]() { rescale(0, {bad, 1}, {0, 1}); }), Fault::out_of_range);
		EXPECT_EQ(fault_of([bad]() { rescale(0, {0, bad}, {0, 1}); }), Fault::out_of_range);
		EXPECT_EQ(fault_of([bad]() { rescale(0, {0, 1}, {bad, 1}); }), Fault::out_of_range);
		EXPECT_EQ(fault_of([bad]() { rescale(0, {0, 1}, {0, bad}); }), Fault::out_of_range);
	}
	EXPECT_EQ(fault_of([]() { rescale(0, {1, 1}, {0, 1}); }), Fault::invalid_parameter);
	EXPECT_EQ(fault_of([]() { rescale(0, {2, 1}, {0, 1}); }), Fault::invalid_parameter);
	EXPECT_EQ(fault_of([]() { rescale(0, {0.0, -0.0}, {0, 1}); }), Fault::invalid_parameter);
}

} // namespace lead_scoring::core::test
