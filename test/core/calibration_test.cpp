#include "core/calibration.hpp"

#include "core/tiers.hpp"
#include "scored_records.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace lead_scoring::core::test
{

namespace
{

struct NaiveBin
{
	double records = 0;
	double predicted = 0;
	double observed = 0;
};

// The bins by their numbers, each record converted as much as all of its probability on average
std::map<int32_t, NaiveBin>
naive_bins(const ScoredRecords &records, int32_t bins, Binning binning)
{
	std::map<double, std::pair<double, double>> of_probability;
	std::map<int32_t, NaiveBin> result;
	int64_t position = 0;

	for (size_t row = 0; row < records.size(); row++)
	{
		of_probability[records.scores[row]].first += records.outcomes[row];
		of_probability[records.scores[row]].second++;
	}
	for (auto [probability, counts] : of_probability)
	{
		for (double at = 0; at < counts.second; at++)
		{
			int32_t number = binning == Binning::equal_count
								 ? ntile_tier(position, static_cast<int64_t>(records.size()), bins)
								 : std::min(static_cast<int32_t>(probability * bins) + 1, bins);
			NaiveBin &bin = result[number];
			bin.records++;
			bin.predicted += probability;
			bin.observed += counts.first / counts.second;
			position++;
		}
	}
	return result;
}

} // namespace

TEST(Calibration, EqualsTheNaiveOne)
{
	Random random(1);

	for (int round = 0; round < 300; round++)
	{
		ScoredRecords records = random_records(random, 1 + random.below(150), 1 + random.below(40));
		records.scores[0] = random.one_in(2) ? 1 : 0;
		for (Binning binning : {Binning::equal_count, Binning::equal_width})
		{
			for (int32_t bins : {1, 2, 7, 10, 151, most_tiers})
			{
				std::map<int32_t, NaiveBin> naive = naive_bins(records, bins, binning);
				std::vector<CalibrationBin> found = calibration(records.sorted(), bins, binning);
				double error = 0;
				ASSERT_EQ(found.size(), naive.size());
				for (const CalibrationBin &bin : found)
				{
					const NaiveBin &expected = naive[bin.number];
					ASSERT_EQ(static_cast<double>(bin.records), expected.records);
					ASSERT_NEAR(bin.predicted, expected.predicted / expected.records, 1e-12);
					ASSERT_NEAR(bin.observed, expected.observed / expected.records, 1e-12);
					ASSERT_LE(bin.lowest, bin.predicted);
					ASSERT_LE(bin.predicted, bin.highest);
					error += std::abs(expected.predicted - expected.observed) / static_cast<double>(records.size());
				}
				ASSERT_NEAR(calibration_error(found), error, 1e-12);
				ASSERT_EQ(calibration_error(records.scores, records.outcomes, bins, binning), calibration_error(found));
			}
		}
	}
}

TEST(Calibration, KnowsNoOrder)
{
	Random random(2);
	ScoredRecords records = random_records(random, 1000, 17);
	double error = calibration_error(records.scores, records.outcomes);

	for (int round = 0; round < 20; round++)
	{
		records.shuffle(random);
		EXPECT_EQ(calibration_error(records.scores, records.outcomes), error);
	}
}

TEST(Calibration, OfPredictionsThatComeTrue)
{
	ScoredRecords records;

	for (double probability : {0.1, 0.3, 0.5, 0.9})
	{
		for (int at = 0; at < 100; at++)
		{
			records.scores.push_back(probability);
			records.outcomes.push_back(at < 100 * probability - 0.5);
		}
	}
	EXPECT_NEAR(calibration_error(records.scores, records.outcomes), 0, 1e-15);
	EXPECT_NEAR(calibration_error(records.scores, records.outcomes, 10, Binning::equal_width), 0, 1e-15);
	for (double &probability : records.scores)
	{
		probability += 0.05;
	}
	EXPECT_NEAR(calibration_error(records.scores, records.outcomes), 0.05, 1e-15);
	EXPECT_TRUE(std::isnan(calibration_error({}, {})));
}

TEST(Calibration, RefusesWhatIsNoProbability)
{
	ScoredRecords records{{0.5, 22}, {0, 1}};

	for (Binning binning : {Binning::equal_count, Binning::equal_width})
	{
		EXPECT_EQ(fault_of([&]() { calibration(records.sorted(), 10, binning); }), Fault::invalid_parameter);
		EXPECT_EQ(fault_of([&]() { calibration({}, 0, binning); }), Fault::invalid_parameter);
		EXPECT_EQ(fault_of([&]() { calibration({}, most_tiers + 1, binning); }), Fault::invalid_parameter);
	}
	EXPECT_EQ(binning_of("equal_width"), Binning::equal_width);
	EXPECT_EQ(fault_of([]() { binning_of("quantile"); }), Fault::invalid_parameter);
}

} // namespace lead_scoring::core::test
