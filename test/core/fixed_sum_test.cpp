#include "core/fixed_sum.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

double
sum_of(const std::vector<double> &points)
{
	FixedSum sum = 0;

	for (double term : points)
	{
		sum += fixed_term(term);
	}
	return fixed_value(sum);
}

// Points of all magnitudes up to the largest
double
random_points(Random &random)
{
	double points = std::ldexp(random.share(), static_cast<int>(random.between(-40, 29)));

	return random.one_in(2) ? points : -points;
}

} // namespace

TEST(FixedSum, OfATenthTwoTenthsAndSevenTenthsIsOneInAnyOrder)
{
	// E11. Doubles give 0.9999999999999999 in two of these orders
	EXPECT_EQ(sum_of({0.1, 0.2, 0.7}), 1.0);
	EXPECT_EQ(sum_of({0.1, 0.7, 0.2}), 1.0);
	EXPECT_EQ(sum_of({0.2, 0.1, 0.7}), 1.0);
	EXPECT_EQ(sum_of({0.2, 0.7, 0.1}), 1.0);
	EXPECT_EQ(sum_of({0.7, 0.1, 0.2}), 1.0);
	EXPECT_EQ(sum_of({0.7, 0.2, 0.1}), 1.0);
}

TEST(FixedSum, OfManyTermsIsTheDoubleNextToTheExactSum)
{
	const struct
	{
		std::vector<double> points;
		double sum;
	} cases[] = {
		{{}, 0},
		{{30, 30, -25}, 35}, // E3
		{std::vector<double>(10, 0.1), 1.0},
		{{1e9, 0.5, -1e9}, 0.5},
		{{1e9, 0x1p-63, -1e9}, 0x1p-63},
		{{1e9, -0x1p-63, -1e9}, -0x1p-63},
		{std::vector<double>(1'000'000, 0.25), 250'000},
		{std::vector<double>(1'000'000, 1e9), 1e15},
		{std::vector<double>(1'000'000, -1e9), -1e15},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(sum_of(test.points), test.sum) << test.points.size() << " terms";
	}
	// A million tenths: each tenth is 5.6e-18 too large, which makes the sum no double but its neighbour
	EXPECT_NEAR(sum_of(std::vector<double>(1'000'000, 0.1)), 100'000, 1e-11);
}

TEST(FixedSum, DoesNotDependOnTheOrderOrTheSplitOfItsTerms)
{
	Random random(1);

	for (size_t round = 0; round < 200; round++)
	{
		std::vector<double> points;
		for (size_t count = 1 + random.below(300); count > 0; count--)
		{
			points.push_back(random_points(random));
		}
		FixedSum expected = 0;
		for (size_t permutation = 0; permutation < 10; permutation++)
		{
			FixedSum parts[3] = {0, 0, 0};
			for (double term : points)
			{
				parts[random.below(3)] += fixed_term(term);
			}
			FixedSum sum = parts[2] + parts[0] + parts[1];
			if (permutation == 0)
			{
				expected = sum;
			}
			ASSERT_TRUE(sum == expected) << "round " << round;
			random.shuffle(points);
		}
	}
}

TEST(FixedSum, OfTermsTakenBackIsNothing)
{
	Random random(2);
	std::vector<double> points;
	FixedSum sum = 0;

	for (size_t round = 0; round < 10'000; round++)
	{
		points.push_back(random_points(random));
		sum += fixed_term(points.back());
	}
	random.shuffle(points);
	for (double term : points)
	{
		// What was added is taken back as the opposite points or as the term
		sum += random.one_in(2) ? fixed_term(-term) : -fixed_term(term);
	}
	EXPECT_TRUE(sum == 0);
	EXPECT_EQ(fixed_value(sum), 0);
}

TEST(FixedSum, KeepsEveryBitOfATerm)
{
	Random random(3);

	for (size_t round = 0; round < 100'000; round++)
	{
		// From 2^-10 on, all 53 bits of a double lie above 2^-63
		double points = std::ldexp(1 + random.share(), static_cast<int>(random.between(-10, 60)));
		ASSERT_EQ(fixed_value(fixed_term(points)), points);
		ASSERT_EQ(fixed_value(fixed_term(-points)), -points);
	}
	for (double points : {0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 1e9, -1e9, 0x1p62, -0x1p62, 0x1p-63, -0x1p-63})
	{
		EXPECT_EQ(fixed_value(fixed_term(points)), points);
	}
}

TEST(FixedSum, RoundsWhatIsFinerThanItsScaleToTheNearest)
{
	const struct
	{
		double points;
		double value;
	} cases[] = {
		{0x1p-65, 0},
		{-0x1p-65, 0},
		{0x1.8p-64, 0x1p-63},
		{-0x1.8p-64, -0x1p-63},
		{0x1.4p-62, 0x1p-62},
		{0x1.cp-62, 0x1p-61},
		{1e-300, 0},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(fixed_value(fixed_term(test.points)), test.value) << test.points;
	}
}

TEST(FixedSum, IsNoFurtherFromTheTruthThanHalfAUnitPerTerm)
{
	Random random(4);

	for (size_t round = 0; round < 100; round++)
	{
		FixedSum sum = 0;
		// Multiples of 2^-100, exact as two integers
		FixedSum high = 0;
		FixedSum low = 0;
		for (size_t count = 0; count < 1000; count++)
		{
			double points = std::ldexp(static_cast<double>(random.between(-1'000'000'000, 1'000'000'000)), -40);
			int64_t fine = random.between(-(int64_t{1} << 40), int64_t{1} << 40);
			sum += fixed_term(points);
			sum += fixed_term(std::ldexp(static_cast<double>(fine), -100));
			high += static_cast<FixedSum>(std::ldexp(points, 40));
			low += fine;
		}
		double exact = std::ldexp(static_cast<double>(high), -40);
		double rest = fixed_value(sum - (high << 23));
		ASSERT_NEAR(fixed_value(sum), exact, std::fabs(exact) * 0x1p-52 + 0x1p-50);
		ASSERT_NEAR(rest, std::ldexp(static_cast<double>(low), -100), 1000 * 0x1p-64);
	}
}

} // namespace lead_scoring::core::test
