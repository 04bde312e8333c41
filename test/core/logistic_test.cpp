#include "core/logistic.hpp"

#include "core/cholesky.hpp"
#include "core/metrics.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

struct Sample
{
	std::vector<std::vector<double>> columns;
	std::vector<double> targets;

	NumberDesign
	design() const
	{
		return NumberDesign({columns.begin(), columns.end()}, targets.size());
	}
};

// Codes of random features and the same as columns of zeros and ones
struct Bins
{
	std::vector<uint16_t> codes;
	Sample sample;
};

Bins
random_bins(Random &random, size_t rows, const std::vector<size_t> &widths)
{
	Bins bins;
	size_t columns = 0;

	for (size_t width : widths)
	{
		columns += width;
	}
	bins.sample.columns.assign(columns, std::vector<double>(rows));
	for (size_t row = 0; row < rows; row++)
	{
		size_t first = 0;
		double predictor = -1;
		for (size_t width : widths)
		{
			// One more than there are: no column
			const size_t chosen = random.below(width + 1);
			bins.codes.push_back(chosen == width ? BinDesign::no_column : static_cast<uint16_t>(1 + first + chosen));
			if (chosen < width)
			{
				bins.sample.columns[first + chosen][row] = 1;
				predictor += static_cast<double>(chosen) * 0.4 - 0.5;
			}
			first += width;
		}
		bins.sample.targets.push_back(random.share() < 1 / (1 + std::exp(-predictor)) ? 1 : 0);
	}
	return bins;
}

// The derivatives of the penalised log-likelihood, as they are written in the books
std::vector<double>
gradient(const Sample &sample, const std::vector<double> &coefficients, double penalty)
{
	std::vector<double> sums(coefficients.size());

	for (size_t row = 0; row < sample.targets.size(); row++)
	{
		double predictor = coefficients[0];
		for (size_t column = 0; column < sample.columns.size(); column++)
		{
			predictor += coefficients[column + 1] * sample.columns[column][row];
		}
		const double residual = sample.targets[row] - 1 / (1 + std::exp(-predictor));
		sums[0] += residual;
		for (size_t column = 0; column < sample.columns.size(); column++)
		{
			sums[column + 1] += residual * sample.columns[column][row];
		}
	}
	for (size_t column = 1; column < sums.size(); column++)
	{
		sums[column] -= penalty * coefficients[column];
	}
	return sums;
}

int polls;

bool
count_polls() noexcept
{
	polls++;
	return false;
}

bool
stop_at_third_poll() noexcept
{
	return ++polls >= 3;
}

} // namespace

// E43, the sample of the documentation of MADlib
TEST(Logistic, FitsThePatients)
{
	const double patients[][3] = {{1, 1, 70}, {1, 1, 50}, {1, 0, 40}, {1, 0, 75}, {1, 0, 70}, {0, 1, 65}, {0, 1, 45},
								  {0, 1, 40}, {0, 0, 55}, {0, 0, 50}, {1, 1, 80}, {1, 0, 60}, {1, 0, 65}, {1, 0, 80},
								  {1, 0, 60}, {0, 1, 50}, {0, 1, 35}, {0, 1, 50}, {0, 0, 45}, {0, 0, 60}};
	Sample sample;
	sample.columns.resize(2);
	std::vector<uint8_t> outcomes;

	for (const double *patient : patients)
	{
		outcomes.push_back(patient[0] != 0);
		sample.targets.push_back(patient[0]);
		sample.columns[0].push_back(patient[1]);
		sample.columns[1].push_back(patient[2]);
	}
	const LogisticFit fit = fit_logistic(sample.design(), sample.targets, 0, nullptr);
	EXPECT_TRUE(fit.converged);
	EXPECT_NEAR(fit.coefficients[0], -6.363470, 5e-7);
	EXPECT_NEAR(fit.coefficients[1], -1.024106, 5e-7);
	EXPECT_NEAR(fit.coefficients[2], 0.119045, 5e-7);
	EXPECT_NEAR(fit.log_likelihood, -9.410183, 5e-7);
	EXPECT_NEAR(std::exp(fit.coefficients[0]), 0.001723, 5e-7);
	EXPECT_NEAR(std::exp(fit.coefficients[1]), 0.359117, 5e-7);
	EXPECT_NEAR(std::exp(fit.coefficients[2]), 1.126421, 5e-7);
	std::vector<double> predictors(outcomes.size());
	sample.design().predict(fit.coefficients, predictors, nullptr);
	EXPECT_DOUBLE_EQ(auc(predictors, outcomes), 0.86);
	const std::vector<double> errors = standard_errors(sample.design(), fit.coefficients, 0, nullptr);
	ASSERT_EQ(errors.size(), 3U);
	// As published, nearly
	EXPECT_NEAR(errors[0], 3.213898, 1e-5);
	EXPECT_NEAR(errors[1], 1.171078, 1e-5);
	EXPECT_NEAR(errors[2], 0.054979, 1e-5);
}

TEST(Logistic, HasNoErrorsWhereColumnsDependOnEachOther)
{
	const Sample sample{{{1, 0, 1, 0}, {1, 0, 1, 0}}, {1, 0, 0, 1}};
	const std::vector<double> coefficients(3, 0.0);

	EXPECT_TRUE(standard_errors(sample.design(), coefficients, 0, nullptr).empty());
	// A penalty makes them two of many: the inverse of {{1, .5, .5}, {.5, 1.5, .5}, {.5, .5, 1.5}}
	const std::vector<double> errors = standard_errors(sample.design(), coefficients, 1, nullptr);
	ASSERT_EQ(errors.size(), 3U);
	EXPECT_NEAR(errors[0], std::sqrt(4.0 / 3), 1e-12);
	EXPECT_NEAR(errors[1], std::sqrt(5.0 / 6), 1e-12);
}

TEST(Logistic, IsWhereTheGradientVanishes)
{
	Random random(1);

	for (int round = 0; round < 20; round++)
	{
		Sample sample;
		sample.columns.resize(1 + random.below(5));
		for (int row = 0; row < 300; row++)
		{
			double predictor = -0.5;
			for (auto &column : sample.columns)
			{
				column.push_back(random.share() * 4 - 2);
				predictor += column.back();
			}
			sample.targets.push_back(random.share() < 1 / (1 + std::exp(-predictor)) ? 1 : random.share() * 0.1);
		}
		const double penalty = round % 2 == 0 ? 0 : random.share() * 10;
		const LogisticFit fit = fit_logistic(sample.design(), sample.targets, penalty, nullptr);
		EXPECT_TRUE(fit.converged);
		for (double slope : gradient(sample, fit.coefficients, penalty))
		{
			EXPECT_NEAR(slope, 0, 1e-6);
		}
	}
}

TEST(Logistic, BinsAreColumnsOfZerosAndOnes)
{
	Random random(2);

	for (const std::vector<size_t> &widths : std::vector<std::vector<size_t>>{{1}, {3}, {4, 1, 6}, {11, 11, 2, 7, 5}})
	{
		Bins bins = random_bins(random, 800, widths);
		const LogisticFit plain = fit_logistic(bins.sample.design(), bins.sample.targets, 0.7, nullptr);
		const BinDesign design(bins.codes, widths.size(), bins.sample.columns.size() + 1);
		const LogisticFit fit = fit_logistic(design, bins.sample.targets, 0.7, nullptr);
		EXPECT_TRUE(fit.converged);
		EXPECT_NEAR(fit.log_likelihood, plain.log_likelihood, 1e-9);
		for (size_t column = 0; column < plain.coefficients.size(); column++)
		{
			EXPECT_NEAR(fit.coefficients[column], plain.coefficients[column], 1e-8);
		}
		for (double slope : gradient(bins.sample, fit.coefficients, 0.7))
		{
			EXPECT_NEAR(slope, 0, 1e-6);
		}
	}
}

TEST(Logistic, EndsWhereNothingIsBest)
{
	Sample sample;
	sample.columns = {{1, 2, 3, 4, 5, 6}};
	sample.targets = {0, 0, 0, 1, 1, 1};

	const LogisticFit fit = fit_logistic(sample.design(), sample.targets, 0, nullptr);
	EXPECT_NEAR(fit.log_likelihood, 0, 1e-6);
	for (double coefficient : fit.coefficients)
	{
		EXPECT_TRUE(std::isfinite(coefficient));
	}
	// With a penalty there is a best
	EXPECT_TRUE(fit_logistic(sample.design(), sample.targets, 0.01, nullptr).converged);
	// Two columns that say the same have no best either, but end
	sample.columns.push_back(sample.columns[0]);
	sample.targets = {0, 1, 0, 1, 0, 1};
	EXPECT_TRUE(std::isfinite(fit_logistic(sample.design(), sample.targets, 0, nullptr).log_likelihood));
}

TEST(Logistic, CanBeCancelled)
{
	Random random(3);
	Bins bins = random_bins(random, 50'000, {10, 10, 10, 10});
	const BinDesign design(bins.codes, 4, 41);

	polls = 0;
	fit_logistic(design, bins.sample.targets, 1, count_polls);
	EXPECT_GT(polls, 30);
	polls = 0;
	EXPECT_EQ(fault_of([&]() { fit_logistic(design, bins.sample.targets, 1, stop_at_third_poll); }), Fault::cancelled);
}

TEST(Cholesky, Solves)
{
	Random random(4);

	for (size_t size : {1, 2, 3, 17, 127, 128, 129, 256, 300, 401})
	{
		// Symmetric, and its diagonal outweighs the rest: positive definite
		std::vector<double> matrix(size * size);
		std::vector<double> vector(size);
		for (size_t row = 0; row < size; row++)
		{
			vector[row] = random.share() - 0.5;
			matrix[row * size + row] = static_cast<double>(size) / 2 + random.share();
			for (size_t column = 0; column < row; column++)
			{
				matrix[row * size + column] = matrix[column * size + row] = random.share() - 0.5;
			}
		}
		std::vector<double> lower = matrix;
		for (size_t row = 0; row < size; row++)
		{
			for (size_t column = row + 1; column < size; column++)
			{
				lower[row * size + column] = not_a_number;
			}
		}
		std::vector<double> solution = vector;
		ASSERT_TRUE(solve_positive_definite(lower, solution, nullptr));
		for (size_t row = 0; row < size; row++)
		{
			double sum = 0;
			for (size_t column = 0; column < size; column++)
			{
				sum += matrix[row * size + column] * solution[column];
			}
			EXPECT_NEAR(sum, vector[row], 1e-12) << size << ' ' << row;
		}
		matrix[size * size - 1] = -1;
		EXPECT_FALSE(solve_positive_definite(matrix, vector, nullptr));
	}
}

} // namespace lead_scoring::core::test
