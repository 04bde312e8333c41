#include "core/exact_sum.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace lead_scoring::core::test
{

namespace
{

constexpr double most = std::numeric_limits<double>::max();
constexpr double least = std::numeric_limits<double>::denorm_min();

ScaledNumber
sum_of(const std::vector<double> &numbers)
{
	ExactSum sum;

	for (double number : numbers)
	{
		sum.add(number);
	}
	return sum.value();
}

double
plain(ScaledNumber number)
{
	return std::ldexp(number.significand, number.exponent);
}

// Any double that is a number, of any size
double
any_double(Random &random)
{
	for (;;)
	{
		double number = std::bit_cast<double>(random.bits());
		if (std::isfinite(number))
		{
			return number;
		}
	}
}

} // namespace

TEST(ExactSum, OfFewNumbers)
{
	EXPECT_EQ(sum_of({}).significand, 0);
	EXPECT_EQ(sum_of({0.0, -0.0}).significand, 0);
	EXPECT_EQ(plain(sum_of({1})), 1);
	EXPECT_EQ(plain(sum_of({-1})), -1);
	EXPECT_EQ(plain(sum_of({0.1, 0.2, 0.3})), 0.6);
	EXPECT_EQ(plain(sum_of({1e300, 1, -1e300})), 1);
	EXPECT_EQ(plain(sum_of({1, 1e300, 1, -1e300})), 2);
	EXPECT_EQ(plain(sum_of({1e16, 1, 1})), 1e16 + 2);
	EXPECT_EQ(sum_of({1e300, 1e-300, -1e300, -1e-300}).significand, 0);
	EXPECT_EQ(plain(sum_of({least})), least);
	EXPECT_EQ(plain(sum_of({least, least})), 2 * least);
	EXPECT_EQ(plain(sum_of({-least, -least, -least})), -3 * least);
	EXPECT_EQ(plain(sum_of({most})), most);
	EXPECT_EQ(plain(sum_of({most, least, -most})), least);
	EXPECT_EQ(plain(sum_of({most, most, -most})), most);
}

TEST(ExactSum, GoesBeyondDoubles)
{
	ScaledNumber sum = sum_of({most, most, most, most});

	EXPECT_EQ(std::ldexp(sum.significand, sum.exponent - 2), most);
	sum = sum_of({-most, -most});
	EXPECT_EQ(std::ldexp(sum.significand, sum.exponent - 1), -most);
}

// Half to even, with anything below breaking the tie
TEST(ExactSum, RoundsOnce)
{
	double half = 0x1p-53;

	EXPECT_EQ(plain(sum_of({1, half})), 1);
	EXPECT_EQ(plain(sum_of({1, half, least})), 1 + 0x1p-52);
	EXPECT_EQ(plain(sum_of({1, half, -least})), 1);
	EXPECT_EQ(plain(sum_of({1 + 0x1p-52, half})), 1 + 0x1p-51);
	EXPECT_EQ(plain(sum_of({1 + 0x1p-52, half, -least})), 1 + 0x1p-52);
	EXPECT_EQ(plain(sum_of({-1, -half, -least})), -1 - 0x1p-52);
	EXPECT_EQ(plain(sum_of({2 - 0x1p-52, 0x1p-53, 0x1p-54})), 2);
}

TEST(ExactSum, IsTheSingleNumber)
{
	Random random(1);

	for (int round = 0; round < 100'000; round++)
	{
		double number = any_double(random);
		ScaledNumber sum = sum_of({number});
		EXPECT_EQ(plain(sum), number);
		EXPECT_GE(std::abs(sum.significand), 0.5);
		EXPECT_LE(std::abs(sum.significand), 1);
	}
}

TEST(ExactSum, OfTwoIsWhatTheProcessorRounds)
{
	Random random(2);

	for (int round = 0; round < 100'000; round++)
	{
		double left = any_double(random);
		double right = random.one_in(2) ? any_double(random) : left * (random.share() * 4 - 2);
		if (std::isfinite(left + right) && std::isfinite(right))
		{
			EXPECT_EQ(plain(sum_of({left, right})), left + right) << left << " + " << right;
		}
	}
}

TEST(ExactSum, OfSums)
{
	Random random(7);

	for (int round = 0; round < 300; round++)
	{
		ExactSum all;
		ExactSum parts[3];
		for (size_t count = random.below(60); count > 0; count--)
		{
			double number = any_double(random);
			all.add(number);
			parts[random.below(3)].add(number);
		}
		parts[2].add(parts[0]);
		parts[2].add(parts[1]);
		EXPECT_EQ(plain(parts[2].value()), plain(all.value()));
		EXPECT_EQ(parts[2].value().rest, all.value().rest);
		EXPECT_TRUE(all.may_have(60));
	}
	ExactSum one;
	one.add(most);
	EXPECT_TRUE(one.may_have(1));
	EXPECT_FALSE(one.may_have(0));
}

TEST(ExactSum, KnowsNoOrder)
{
	Random random(3);

	for (int round = 0; round < 300; round++)
	{
		std::vector<double> numbers;
		for (size_t count = 1 + random.below(60); count > 0; count--)
		{
			double number = random.one_in(2) ? any_double(random) : random.share() * 100 - 30;
			numbers.push_back(number);
			if (random.one_in(3))
			{
				numbers.push_back(-number);
			}
		}
		ScaledNumber first = sum_of(numbers);
		for (int again = 0; again < 5; again++)
		{
			random.shuffle(numbers);
			ScaledNumber sum = sum_of(numbers);
			EXPECT_EQ(sum.significand, first.significand);
			EXPECT_EQ(sum.exponent, first.exponent);
		}
	}
}

// Integers, of which a wide integer holds the sum
TEST(ExactSum, OfManyIntegers)
{
	Random random(4);
	ExactSum sum;
	int64_t exact = 0;

	for (int round = 0; round < 3'000'000; round++)
	{
		int64_t number = random.between(-(int64_t{1} << 40), (int64_t{1} << 40) + 1000);
		exact += number;
		sum.add(static_cast<double>(number) * 0x1p-200);
	}
	EXPECT_EQ(std::ldexp(sum.value().significand, sum.value().exponent + 200), static_cast<double>(exact));
}

TEST(RatioToMean, IsOneAmongEquals)
{
	Random random(5);

	for (int round = 0; round < 2000; round++)
	{
		double number = any_double(random);
		if (number == 0)
		{
			continue;
		}
		std::vector<double> numbers(1 + random.below(50), number);
		EXPECT_EQ(ratio_to_mean(number, sum_of(numbers), static_cast<int64_t>(numbers.size())), 1) << number;
	}
}

// The rest makes up for rounding: two doubles hold the sum of two
TEST(ExactSum, KeepsWhatRoundingTakesOff)
{
	Random random(6);

	for (int round = 0; round < 100'000; round++)
	{
		double left = random.share() + 0.5;
		double right = std::ldexp(random.share() - 0.5, -static_cast<int>(random.below(40)));
		double sum = left + right;
		double off = right - (sum - left); // exact, as left is the larger
		ScaledNumber exact = sum_of({left, right});
		EXPECT_EQ(plain(exact), sum);
		EXPECT_EQ(std::ldexp(exact.rest, exact.exponent), off);
		exact = sum_of({-right, -left});
		EXPECT_EQ(std::ldexp(exact.rest, exact.exponent), -off);
	}
}

// Twice the value is twice the ratio, and the ratios of all make their number
TEST(RatioToMean, IsProportional)
{
	Random random(7);

	for (int round = 0; round < 3000; round++)
	{
		std::vector<double> numbers(1 + random.below(40));
		std::generate(numbers.begin(), numbers.end(), [&random]() { return random.share() * 1000; });
		ScaledNumber sum = sum_of(numbers);
		auto count = static_cast<int64_t>(numbers.size());
		double total = 0;
		for (double number : numbers)
		{
			double ratio = ratio_to_mean(number, sum, count);
			EXPECT_EQ(ratio_to_mean(2 * number, sum, count), 2 * ratio);
			EXPECT_EQ(ratio_to_mean(-number, sum, count), -ratio);
			total += ratio;
		}
		EXPECT_NEAR(total, static_cast<double>(count), 1e-12 * static_cast<double>(count));
	}
}

TEST(RatioToMean, Examples)
{
	std::vector<double> numbers = {10, 20, 60};
	ScaledNumber sum = sum_of(numbers);

	EXPECT_EQ(ratio_to_mean(60, sum, 3), 2);
	EXPECT_EQ(ratio_to_mean(10, sum, 3), 10.0 / 30);
	EXPECT_EQ(ratio_to_mean(0, sum, 3), 0);
	EXPECT_EQ(ratio_to_mean(-30, sum, 3), -1);
	EXPECT_FALSE(std::signbit(ratio_to_mean(0, sum_of({-1}), 1)));
	EXPECT_EQ(ratio_to_mean(most, sum_of({most, most, most}), 3), 1);
	EXPECT_EQ(ratio_to_mean(least, sum_of({least, 3 * least}), 2), 0.5);
	EXPECT_EQ(ratio_to_mean(least, sum_of({most}), 1), 0);
	EXPECT_EQ(fault_of([]() { ratio_to_mean(most, sum_of({0.25}), 1); }), Fault::out_of_range);
	EXPECT_EQ(fault_of([]() { ratio_to_mean(-most, sum_of({least}), 1); }), Fault::out_of_range);
}

} // namespace lead_scoring::core::test
