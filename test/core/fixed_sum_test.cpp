#include "core/fixed_sum.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

FixedSum
sum_of(const FixedScale &scale, const std::vector<double> &points)
{
	FixedSum sum = 0;

	for (double term : points)
	{
		sum += FixedScale::term(scale.scaled(term), 1);
	}
	return sum;
}

double
largest_of(const std::vector<double> &points)
{
	double largest = 0;

	for (double term : points)
	{
		largest = std::max(largest, std::fabs(term));
	}
	return largest;
}

} // namespace

TEST(FixedSum, AddsDecimalsToWholeNumbers)
{
	const struct
	{
		std::vector<double> points;
		double sum;
	} cases[] = {
		{{0.1, 0.2, 0.7}, 1.0}, // E11; as doubles from the left this is 1.0 only by luck, from the right it is not
		{{0.7, 0.2, 0.1}, 1.0},
		{{0.1, 0.7, 0.2}, 1.0},
		{{0.2, 0.7, 0.1}, 1.0},
		{{0.1, 0.2, -0.3}, 0.1 + 0.2L - 0.3L},
		{std::vector<double>(10, 0.1), 1.0},
		{std::vector<double>(1'000'000, 0.1), 100000.0},
		{{30, 30, -25}, 35},
		{{1e9, 0.0001, -1e9}, 0.0001},
	};

	for (const auto &test : cases)
	{
		FixedScale scale(largest_of(test.points));
		double sum = scale.value(sum_of(scale, test.points));
		EXPECT_NEAR(sum, test.sum, largest_of(test.points) * std::ldexp(1, -60) * static_cast<double>(test.points.size()));
		if (test.sum >= 1)
		{
			EXPECT_EQ(std::round(sum * 1e9) / 1e9, test.sum);
		}
	}
	FixedScale scale(0.7);
	EXPECT_EQ(scale.value(sum_of(scale, {0.1, 0.2, 0.7})), 1.0);
	EXPECT_EQ(scale.value(sum_of(scale, {0.7, 0.2, 0.1})), 1.0);
}

TEST(FixedSum, DoesNotDependOnTheOrderOrTheSplitOfItsTerms)
{
	Random random(1);

	for (size_t round = 0; round < 200; round++)
	{
		std::vector<double> points;
		std::vector<double> factors;
		for (size_t count = 1 + random.below(300); count > 0; count--)
		{
			points.push_back(std::ldexp(random.share() - 0.5, static_cast<int>(random.between(-20, 20))));
			factors.push_back(random.one_in(3) ? 1 : random.share());
		}
		FixedScale scale(largest_of(points));
		std::vector<size_t> order(points.size());
		for (size_t at = 0; at < order.size(); at++)
		{
			order[at] = at;
		}
		FixedSum expected = 0;
		for (size_t permutation = 0; permutation < 10; permutation++)
		{
			FixedSum parts[3] = {0, 0, 0};
			for (size_t at : order)
			{
				parts[random.below(3)] += FixedScale::term(scale.scaled(points[at]), factors[at]);
			}
			FixedSum sum = parts[2] + parts[0] + parts[1];
			if (permutation == 0)
			{
				expected = sum;
			}
			ASSERT_TRUE(sum == expected) << "round " << round;
			ASSERT_EQ(scale.value(sum), scale.value(expected));
			random.shuffle(order);
		}
	}
}

TEST(FixedSum, OfTermsTakenBackIsNothing)
{
	Random random(2);
	FixedScale scale(100);
	std::vector<FixedSum> terms;
	FixedSum sum = 0;

	for (size_t round = 0; round < 10'000; round++)
	{
		terms.push_back(FixedScale::term(scale.scaled(200 * random.share() - 100), random.share()));
		sum += terms.back();
	}
	random.shuffle(terms);
	for (FixedSum term : terms)
	{
		sum -= term;
	}
	EXPECT_TRUE(sum == 0);
	EXPECT_EQ(scale.value(sum), 0);
}

TEST(FixedSum, IsExactForNumbersOfTheSizeOfTheLargest)
{
	Random random(3);

	for (double largest : {1e-300, 1e-9, 0.7, 1.0, 1.5, 2.0, 15.0, 100.0, 65536.0, 1e9})
	{
		FixedScale scale(largest);
		for (size_t round = 0; round < 1000; round++)
		{
			// 1/256 of the largest and more have no bits below the scale
			double points = largest * (1.0 / 256 + random.share() * 255 / 256) * (random.one_in(2) ? 1 : -1);
			FixedSum term = FixedScale::term(scale.scaled(points), 1);
			ASSERT_EQ(scale.value(term), points) << largest;
			ASSERT_EQ(scale.value(term * 1024), points * 1024) << largest;
		}
		EXPECT_EQ(scale.value(FixedScale::term(scale.scaled(largest), 1)), largest);
		EXPECT_EQ(scale.value(FixedScale::term(scale.scaled(-largest), 1)), -largest);
	}
}

TEST(FixedSum, OfMoreTermsThanSixtyFourBitsHoldDoesNotOverflow)
{
	FixedScale scale(1e9);
	FixedSum term = FixedScale::term(scale.scaled(1e9), 1);

	EXPECT_EQ(scale.value(term * 1'000'000'000), 1e18);
	EXPECT_EQ(scale.value(term * -1'000'000'000), -1e18);
}

TEST(FixedSum, IsNoFurtherFromTheTruthThanHalfAUnitPerTerm)
{
	Random random(4);

	for (size_t round = 0; round < 100; round++)
	{
		FixedScale scale(50);
		FixedSum sum = 0;
		long double exact = 0;
		for (size_t count = 0; count < 1000; count++)
		{
			double points = static_cast<double>(random.between(-500'000, 500'000)) / 10'000;
			double factor = random.share();
			sum += FixedScale::term(scale.scaled(points), factor);
			exact += static_cast<long double>(points) * factor;
		}
		ASSERT_NEAR(scale.value(sum), static_cast<double>(exact), 1e-11) << round;
	}
}

TEST(FixedSum, WorksWhereNoRuleHasPoints)
{
	FixedScale scale(0);

	EXPECT_TRUE(FixedScale::term(scale.scaled(0), 1) == 0);
	EXPECT_EQ(scale.value(0), 0);
}

} // namespace lead_scoring::core::test
