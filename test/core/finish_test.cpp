#include "core/finish.hpp"

#include "support.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>

namespace lead_scoring::core::test
{

TEST(RoundScore, RoundsToFourDecimalsHalfAwayFromZero)
{
	const struct
	{
		double value;
		double rounded;
	} cases[] = {
		{0, 0},
		{1, 1},
		{0.1 + 0.2, 0.3},
		{0.12344, 0.1234},
		{0.12346, 0.1235},
		{89.442719099991588, 89.4427},
		{0.00004, 0},
		{0.00006, 0.0001},
		{69.99994, 69.9999},
		{69.99996, 70},
		// Odd thirty-seconds lie exactly between two multiples of 1/10000
		{1.0 / 32, 0.0313},
		{3.0 / 32, 0.0938},
		{5.0 / 32, 0.1563},
		{100 + 1.0 / 32, 100.0313},
		{123456 + 7.0 / 32, 123456.2188},
		{1e8 + 1.0 / 32, 100000000.0313},
		// Decimals that end in 5, as people write them
		{0.00005, 0.0001},
		{0.12345, 0.1235},
		{1.00005, 1.0001},
		{2.50005, 2.5001},
		// Too large to have four decimals
		{9e11, 9e11},
		{1e18 + 1024, 1e18 + 1024},
		{1e300, 1e300},
		{infinity, infinity},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(round_score(test.value), test.rounded) << test.value;
		EXPECT_EQ(round_score(-test.value), -test.rounded) << -test.value;
	}
}

TEST(RoundScore, AlwaysRoundsExactHalvesAwayFromZero)
{
	for (int64_t numerator = 1; numerator < 2'000'000; numerator += 2)
	{
		double half = static_cast<double>(numerator) / 32;
		// numerator / 32 * 10000 = numerator * 625 / 2
		double expected = static_cast<double>((numerator * 625 + 1) / 2) / 10'000;
		ASSERT_EQ(round_score(half), expected) << half;
		ASSERT_EQ(round_score(-half), -expected) << -half;
	}
}

TEST(RoundScore, TakesShortDecimalsAtTheirWord)
{
	Random random(1);

	// A multiple of 1/100000 that ends in 5 is nearly never a double, but people mean it as it is written
	for (size_t round = 0; round < 200'000; round++)
	{
		int64_t units = random.between(0, 10'000'000);
		double value = std::strtod(fmt::format("{}.{:04}5", units / 10'000, units % 10'000).c_str(), nullptr);
		double expected = static_cast<double>(units + 1) / 10'000;
		ASSERT_EQ(round_score(value), expected) << fmt::format("{}.{:04}5", units / 10'000, units % 10'000);
	}
}

TEST(RoundScore, GivesTheNearestDoubleToADecimal)
{
	Random random(2);

	for (size_t round = 0; round < 200'000; round++)
	{
		double value = std::ldexp(random.share() - 0.5, static_cast<int>(random.between(0, 38)));
		double rounded = round_score(value);
		double written = std::strtod(fmt::format("{:.4f}", rounded).c_str(), nullptr);
		ASSERT_EQ(rounded, written) << value;
		ASSERT_LE(std::fabs(rounded - value), 0.00005 + std::fabs(value) * 1e-15) << value;
		ASSERT_EQ(round_score(rounded), rounded) << value;
	}
}

TEST(RoundScore, NeverGivesANegativeZero)
{
	for (double value : {-0.0, -1e-300, -0.00001, -0.00004999})
	{
		EXPECT_EQ(round_score(value), 0) << value;
		EXPECT_FALSE(std::signbit(round_score(value))) << value;
	}
}

} // namespace lead_scoring::core::test
