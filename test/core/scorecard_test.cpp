#include "core/scorecard.hpp"

#include "datasets.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

Scorecard
fit_all(const Dataset &data, const ScorecardSettings &settings = {})
{
	return fit_scorecard(data, all_rows(data), settings, nullptr);
}

// One feature and outcomes by chance
Dataset
one_feature(DataColumn column)
{
	Random random(7);
	Dataset data;

	data.columns.push_back(std::move(column));
	for (size_t row = 0; row < data.columns[0].values.size(); row++)
	{
		data.outcome.push_back(random.one_in(3));
		data.fold.push_back(static_cast<uint32_t>(row % 5));
	}
	return data;
}

std::vector<double>
bounds_of(std::vector<double> values, uint32_t min_rows = 1)
{
	ScorecardSettings settings;

	settings.min_rows = min_rows;
	return fit_all(one_feature(number_column("x", std::move(values))), settings).features[0].lower_bounds;
}

// Log-odds, row by row
std::vector<double>
predict(const Scorecard &scorecard, const Dataset &data)
{
	std::vector<double> log_odds;
	std::vector<double> row(data.columns.size());

	for (size_t number = 0; number < data.rows(); number++)
	{
		take_row(data, number, row);
		log_odds.push_back(scorecard.log_odds(row));
	}
	return log_odds;
}

} // namespace

TEST(Scorecard, BinsByQuantiles)
{
	std::vector<double> values;

	for (int value = 1000; value > 0; value--)
	{
		values.push_back(value);
	}
	EXPECT_EQ(bounds_of(values), (std::vector<double>{101, 201, 301, 401, 501, 601, 701, 801, 901}));
	// Bins are not smaller than asked for
	EXPECT_EQ(bounds_of(values, 300), (std::vector<double>{301, 601}));
	EXPECT_EQ(bounds_of(values, 501), std::vector<double>{});
}

TEST(Scorecard, KeepsEqualValuesTogether)
{
	// Nine in ten are 0: the other bins share the rest
	std::vector<double> values(900, 0);
	for (int value = 1; value <= 100; value++)
	{
		values.push_back(value);
	}
	EXPECT_EQ(bounds_of(values), (std::vector<double>{1, 12, 23, 34, 45, 56, 67, 78, 89}));
	EXPECT_EQ(bounds_of({1, 1, 1, 1}), std::vector<double>{});
	EXPECT_EQ(bounds_of({0, 1, 0, 1, 1, 1}), std::vector<double>{1});
	EXPECT_EQ(bounds_of({-0.0, 0.0, 1, 0.0}), std::vector<double>{1});
	EXPECT_EQ(bounds_of({5}), std::vector<double>{});
	EXPECT_EQ(bounds_of({not_a_number, not_a_number}), std::vector<double>{});
}

TEST(Scorecard, HasBoundsThatCanBeRead)
{
	EXPECT_EQ(bounds_of({1, 1.71828, 21.7512, 21.7677}, 1), (std::vector<double>{1.7, 21, 21.76}));
	EXPECT_EQ(bounds_of({-142.41, -69.99}), std::vector<double>{-70});
	EXPECT_EQ(bounds_of({-0.5, -0.25}), std::vector<double>{-0.3});
	EXPECT_EQ(bounds_of({9, 17}), std::vector<double>{17});
	// Neighbours have nothing between them
	const double next = std::nextafter(0.1, 1);
	EXPECT_EQ(bounds_of({0.1, next}), std::vector<double>{next});
	EXPECT_EQ(bounds_of({-1e300, 1e300}), std::vector<double>{1e300});
	EXPECT_EQ(bounds_of({1e-300, 2e-300}), std::vector<double>{2e-300});
}

TEST(Scorecard, CountsEachRowOnce)
{
	Random random(1);

	for (int round = 0; round < 50; round++)
	{
		std::vector<double> values;
		const size_t distinct = 1 + random.below(60);
		for (size_t row = 1 + random.below(400); row > 0; row--)
		{
			values.push_back(random.one_in(9) ? not_a_number : static_cast<double>(random.below(distinct)) / 8 - 2);
		}
		Dataset data = one_feature(number_column("x", values));
		ScorecardSettings settings;
		settings.bins = 2 + static_cast<uint32_t>(random.below(12));
		settings.min_rows = 1 + static_cast<uint32_t>(random.below(30));
		const ScorecardFeature feature = fit_all(data, settings).features[0];

		ASSERT_LE(feature.bins.size(), settings.bins + 1);
		for (size_t bin = 0; bin < feature.bins.size(); bin++)
		{
			const bool missing = bin + 1 == feature.bins.size();
			const double from = bin == 0 || missing ? -infinity : feature.lower_bounds[bin - 1];
			const double until = bin < feature.lower_bounds.size() ? feature.lower_bounds[bin] : infinity;
			uint64_t rows = 0;
			uint64_t converted = 0;
			for (size_t row = 0; row < values.size(); row++)
			{
				if (missing ? std::isnan(values[row]) : values[row] >= from && values[row] < until)
				{
					rows++;
					converted += data.outcome[row];
				}
			}
			EXPECT_EQ(feature.bins[bin].rows, rows);
			EXPECT_EQ(feature.bins[bin].converted, converted);
			if (!missing && feature.lower_bounds.size() > 0)
			{
				EXPECT_GE(rows, settings.min_rows);
			}
		}
	}
}

TEST(Scorecard, TreatsInfinityAsLargest)
{
	std::vector<double> values;

	for (int value = 0; value < 200; value++)
	{
		values.push_back(value < 40 ? infinity : value < 60 ? -infinity : value);
	}
	const ScorecardFeature feature = fit_all(one_feature(number_column("x", values))).features[0];
	for (double bound : feature.lower_bounds)
	{
		EXPECT_TRUE(std::isfinite(bound));
	}
	EXPECT_EQ(feature.bins.back().rows, 0);
	EXPECT_EQ(feature.bin_of(infinity), feature.bins.size() - 2);
	EXPECT_EQ(feature.bin_of(-infinity), 0);
	EXPECT_EQ(feature.bin_of(not_a_number), feature.bins.size() - 1);
	// Nobody has no value, so that says nothing
	EXPECT_EQ(feature.points_of(not_a_number), 0);
}

// Without a penalty to speak of, the log-odds of a category are those that were seen
TEST(Scorecard, FindsTheRateOfACategory)
{
	Dataset data;
	std::vector<double> codes;
	const int converted[] = {10, 40, 25};

	for (int code = 0; code < 3; code++)
	{
		for (int row = 0; row < 100; row++)
		{
			codes.push_back(code);
			data.outcome.push_back(row < converted[code]);
		}
	}
	data.columns.push_back(category_column("channel", 4, codes));
	ScorecardSettings settings;
	settings.penalty = 1e-6;
	const Scorecard scorecard = fit_all(data, settings);
	double sum = 0;
	for (int code = 0; code < 3; code++)
	{
		const double value[] = {static_cast<double>(code)};
		const double odds = converted[code] / (100.0 - converted[code]);
		EXPECT_NEAR(scorecard.log_odds(value), std::log(odds), 1e-6);
		sum += std::log(odds);
	}
	// The base is the average
	EXPECT_NEAR(scorecard.base, sum / 3, 1e-6);
	for (double neutral : {unseen_category, 3.0, 4.0, 1e300})
	{
		EXPECT_EQ(scorecard.features[0].points_of(neutral), 0);
	}
}

// Where the penalised likelihood is highest, what a bin lacks is the penalty times its points, up to a constant that the
// centring took away
TEST(Scorecard, ShrinksPoints)
{
	Random random(2);
	const Dataset data = random_leads(random, 3000);

	for (double penalty : {0.1, 1.0, 50.0})
	{
		ScorecardSettings settings;
		settings.penalty = penalty;
		const Scorecard scorecard = fit_all(data, settings);
		const std::vector<double> log_odds = predict(scorecard, data);
		double all = 0;
		for (size_t at = 0; at < data.columns.size(); at++)
		{
			const ScorecardFeature &feature = scorecard.features[at];
			std::vector<double> lacks(feature.bins.size());
			for (size_t row = 0; row < data.rows(); row++)
			{
				const double residual = data.outcome[row] - 1 / (1 + std::exp(-log_odds[row]));
				lacks[feature.bin_of(data.columns[at].values[row])] += residual;
				all += residual;
			}
			for (size_t bin = 1; bin < feature.bins.size(); bin++)
			{
				if (feature.bins[bin].rows > 0)
				{
					EXPECT_NEAR(lacks[bin] - lacks[0], penalty * (feature.bins[bin].points - feature.bins[0].points), 1e-6);
				}
			}
		}
		EXPECT_NEAR(all, 0, 1e-6);
	}
}

TEST(Scorecard, SumsContributions)
{
	Random random(3);
	const Dataset data = random_leads(random, 2000);
	const Scorecard scorecard = fit_all(data);
	std::vector<double> row(data.columns.size());
	std::vector<double> contributions(row.size() + 1);
	std::vector<double> means(row.size() + 1);

	for (size_t number = 0; number < data.rows(); number++)
	{
		take_row(data, number, row);
		scorecard.contributions(row, contributions);
		double sum = 0;
		for (size_t feature = 0; feature < contributions.size(); feature++)
		{
			sum += contributions[feature];
			means[feature] += contributions[feature] / static_cast<double>(data.rows());
		}
		EXPECT_NEAR(sum, scorecard.log_odds(row), 1e-12);
	}
	// Centred, so that the base is the average
	for (size_t feature = 0; feature < row.size(); feature++)
	{
		EXPECT_NEAR(means[feature], 0, 1e-12);
	}
}

TEST(Scorecard, MergesRareCategories)
{
	std::vector<double> codes;

	// Category c in c rows
	for (int code = 0; code < 40; code++)
	{
		codes.insert(codes.end(), code, code);
	}
	const Dataset data = one_feature(category_column("city", 50, codes));
	ScorecardSettings settings;
	settings.min_rows = 10;
	settings.most_categories = 12;
	const ScorecardFeature feature = fit_all(data, settings).features[0];
	ASSERT_EQ(feature.bins.size(), 12 + 2);
	for (uint32_t code = 0; code < 50; code++)
	{
		const uint32_t expected = code == 0 || code >= 40 ? ScorecardFeature::no_bin : code < 28 ? 12 : 39 - code;
		EXPECT_EQ(feature.bin_of(code), expected) << code;
	}
	settings.most_categories = 100;
	EXPECT_EQ(fit_all(data, settings).features[0].bins.size(), 30 + 2);
}

TEST(Scorecard, StaysSmall)
{
	Random random(4);
	Dataset data = random_leads(random, 1000);
	auto bins_of = [&](uint32_t most_bins) {
		size_t bins = 0;
		for (const ScorecardFeature &feature : fit_all(data, {.min_rows = 1, .most_bins = most_bins}).features)
		{
			bins += feature.bins.size();
		}
		return bins;
	};

	for (size_t column = 0; column < 20; column++)
	{
		std::vector<double> codes;
		for (size_t row = 0; row < data.rows(); row++)
		{
			codes.push_back(static_cast<double>(random.below(50)));
		}
		data.columns.push_back(category_column("c" + std::to_string(column), 50, codes));
	}
	EXPECT_GT(bins_of(10'000), 1000);
	EXPECT_LE(bins_of(300), 300);
	EXPECT_GT(bins_of(300), 250);
	EXPECT_LE(bins_of(0), 24 * 4);
	data.columns.resize(1001, data.columns[0]);
	EXPECT_EQ(fault_of([&]() { fit_all(data); }), Fault::limit_exceeded);
}

TEST(Scorecard, LearnsOnlyFromItsRows)
{
	Random random(5);
	Dataset data = random_leads(random, 1000);
	std::vector<uint32_t> rows;

	for (uint32_t row = 0; row < 1000; row += 2)
	{
		rows.push_back(row);
	}
	const Scorecard before = fit_scorecard(data, rows, {}, nullptr);
	for (size_t row = 1; row < 1000; row += 2)
	{
		data.outcome[row] = 1;
		data.columns[0].values[row] = 1e9;
		data.columns[2].values[row] = 4;
	}
	const Scorecard after = fit_scorecard(data, rows, {}, nullptr);
	EXPECT_EQ(predict(before, data), predict(after, data));
}

TEST(Scorecard, FindsTheTruth)
{
	Random random(6);
	const Dataset data = random_leads(random, 50'000);
	const std::vector<double> log_odds = predict(fit_all(data), data);
	double square = 0;

	for (size_t row = 0; row < data.rows(); row++)
	{
		square += std::pow(log_odds[row] - true_log_odds(data, row), 2) / static_cast<double>(data.rows());
	}
	EXPECT_LT(std::sqrt(square), 0.12);
}

TEST(Scorecard, RefusesBadSettings)
{
	Random random(8);
	const Dataset data = random_leads(random, 100);

	for (uint32_t bins : {0, 1, 101})
	{
		EXPECT_EQ(fault_of([&]() { fit_all(data, {.bins = bins}); }), Fault::invalid_parameter);
	}
	for (uint32_t categories : {0, 1001})
	{
		EXPECT_EQ(fault_of([&]() { fit_all(data, {.most_categories = categories}); }), Fault::invalid_parameter);
	}
	EXPECT_EQ(fault_of([&]() { fit_all(data, {.most_bins = 10'001}); }), Fault::invalid_parameter);
	for (double penalty : {0.0, -1.0, 9.9e-7, 1.1e6, infinity, not_a_number})
	{
		EXPECT_EQ(fault_of([&]() { fit_all(data, {.penalty = penalty}); }), Fault::invalid_parameter);
	}
}

} // namespace lead_scoring::core::test
