#include "core/gains.hpp"

#include "core/threshold.hpp"
#include "core/tiers.hpp"
#include "scored_records.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace lead_scoring::core::test
{

namespace
{

// A record with the conversion rate of all that share its score
struct Expected
{
	double score;
	double converted;
};

// The records, best first, each converted as much as its ties on average
std::vector<Expected>
expected_records(const ScoredRecords &records)
{
	std::map<double, std::pair<double, double>, std::greater<>> of_score;
	std::vector<Expected> expected;

	for (size_t row = 0; row < records.size(); row++)
	{
		of_score[records.scores[row]].first += records.outcomes[row];
		of_score[records.scores[row]].second++;
	}
	for (auto [score, counts] : of_score)
	{
		expected.insert(expected.end(), static_cast<size_t>(counts.second), {score, counts.first / counts.second});
	}
	return expected;
}

double
converted_of(std::span<const Expected> records)
{
	return std::accumulate(records.begin(), records.end(), 0.0,
						   [](double sum, const Expected &record) { return sum + record.converted; });
}

void
expect_naive_gains(const ScoredRecords &records, int32_t bins)
{
	std::vector<Expected> expected = expected_records(records);
	auto all = static_cast<double>(expected.size());
	double all_converted = converted_of(expected);
	std::vector<GainsBin> found = gains(records.sorted(), bins);
	size_t first = 0;

	ASSERT_EQ(found.size(), std::min(expected.size(), static_cast<size_t>(bins)));
	for (const GainsBin &bin : found)
	{
		auto end = static_cast<size_t>(tier_end(bin.number, static_cast<int64_t>(expected.size()), bins));
		std::span<const Expected> in_bin(expected.data() + first, end - first);
		double converted = converted_of(in_bin);
		double so_far = converted_of({expected.data(), end});
		auto size = static_cast<double>(in_bin.size());
		ASSERT_EQ(bin.records, static_cast<int64_t>(in_bin.size()));
		ASSERT_EQ(bin.lowest_score, in_bin.back().score);
		ASSERT_NEAR(bin.converted, converted, 1e-9);
		ASSERT_NEAR(bin.conversion_rate, converted / size, 1e-9);
		ASSERT_NEAR(bin.captured, converted / all_converted, 1e-9);
		ASSERT_NEAR(bin.lift, converted / size * all / all_converted, 1e-9);
		ASSERT_NEAR(bin.cumulative_share, static_cast<double>(end) / all, 1e-12);
		ASSERT_NEAR(bin.cumulative_captured, so_far / all_converted, 1e-9);
		ASSERT_NEAR(bin.cumulative_lift, so_far / all_converted * all / static_cast<double>(end), 1e-9);
		ASSERT_NEAR(lift(records.sorted(), bin.cumulative_share), bin.cumulative_lift, 1e-9);
		first = end;
	}
	ASSERT_EQ(first, expected.size());
}

Confusion
naive_confusion(const ScoredRecords &records, double threshold)
{
	Confusion counts;

	for (size_t row = 0; row < records.size(); row++)
	{
		bool selected = records.scores[row] >= threshold;
		bool converted = records.outcomes[row] != 0;
		counts.true_positives += selected && converted;
		counts.false_positives += selected && !converted;
		counts.true_negatives += !selected && !converted;
		counts.false_negatives += !selected && converted;
	}
	return counts;
}

void
expect_same(const Confusion &left, const Confusion &right)
{
	ASSERT_EQ(left.true_positives, right.true_positives);
	ASSERT_EQ(left.false_positives, right.false_positives);
	ASSERT_EQ(left.true_negatives, right.true_negatives);
	ASSERT_EQ(left.false_negatives, right.false_negatives);
}

std::vector<double>
distinct_scores(const ScoredRecords &records)
{
	std::vector<double> scores = records.scores;

	std::sort(scores.begin(), scores.end(), std::greater<>());
	scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
	return scores;
}

} // namespace

TEST(Gains, ExampleE40)
{
	ScoredOutcomes sorted = gains_example().sorted();
	std::vector<GainsBin> bins = gains(sorted, 10);
	const int captured[] = {23, 45, 67, 80, 88, 93, 96, 98, 99, 100};

	ASSERT_EQ(bins.size(), 10u);
	for (size_t at = 0; at < 10; at++)
	{
		EXPECT_DOUBLE_EQ(bins[at].cumulative_captured, captured[at] / 100.0);
		EXPECT_EQ(bins[at].records, 100);
	}
	EXPECT_DOUBLE_EQ(lift(sorted, 0.1), 2.3);
	EXPECT_NEAR(lift(sorted, 0.3), 2.2333, 5e-5);
	EXPECT_DOUBLE_EQ(bins[4].lift, 0.8);
	EXPECT_EQ(recommend_threshold(sorted, ThresholdMethod::lift, 0), bins[3].lowest_score);
	EXPECT_DOUBLE_EQ(confusion(sorted, bins[3].lowest_score).share(), 0.4);
}

TEST(Gains, EqualTheNaiveOnes)
{
	Random random(1);

	for (int round = 0; round < 300; round++)
	{
		ScoredRecords records = random_records(random, 1 + random.below(150), 1 + random.below(40));
		records.outcomes[random.below(records.size())] = 1;
		for (int32_t bins : {1, 2, 3, 7, 10, 100, 151, most_tiers})
		{
			ASSERT_NO_FATAL_FAILURE(expect_naive_gains(records, bins));
		}
	}
}

TEST(Gains, KnowNoOrder)
{
	Random random(2);

	for (int round = 0; round < 50; round++)
	{
		ScoredRecords records = random_records(random, 200, 9);
		std::vector<GainsBin> before = gains(records.sorted(), 7);
		double lift_before = lift(records.sorted(), 0.123);
		records.shuffle(random);
		std::vector<GainsBin> after = gains(records.sorted(), 7);
		ASSERT_EQ(before.size(), after.size());
		for (size_t at = 0; at < before.size(); at++)
		{
			EXPECT_EQ(before[at].converted, after[at].converted);
			EXPECT_EQ(before[at].cumulative_lift, after[at].cumulative_lift);
		}
		EXPECT_EQ(lift(records.sorted(), 0.123), lift_before);
	}
}

TEST(Gains, OfNothingAndOfNoneConverted)
{
	ScoredOutcomes nothing;
	ScoredRecords none{{1, 2, 3}, {0, 0, 0}};

	EXPECT_TRUE(gains(nothing, 10).empty());
	EXPECT_TRUE(std::isnan(lift(nothing, 0.5)));
	EXPECT_TRUE(std::isnan(lift(none.sorted(), 0.5)));
	for (const GainsBin &bin : gains(none.sorted(), 2))
	{
		EXPECT_EQ(bin.conversion_rate, 0);
		EXPECT_TRUE(std::isnan(bin.captured) && std::isnan(bin.lift) && std::isnan(bin.cumulative_lift));
	}
}

TEST(Gains, RefuseBadBinsAndShares)
{
	ScoredOutcomes sorted = gains_example().sorted();

	for (int32_t bins : {0, -1, most_tiers + 1})
	{
		EXPECT_EQ(fault_of([&]() { gains(sorted, bins); }), Fault::invalid_parameter);
	}
	for (double share : {0.0, -0.1, 1.1, not_a_number, infinity})
	{
		EXPECT_EQ(fault_of([&]() { lift(sorted, share); }), Fault::invalid_parameter);
	}
	EXPECT_DOUBLE_EQ(lift(sorted, 1), 1);
	EXPECT_DOUBLE_EQ(lift(sorted, 1e-9), 2.3);
}

TEST(Confusion, ExampleE42)
{
	Confusion counts{650, 200, 100, 50};

	EXPECT_DOUBLE_EQ(counts.accuracy(), 0.75);
	EXPECT_NEAR(counts.recall(), 0.928571, 5e-7);
	EXPECT_DOUBLE_EQ(counts.conversion_rate(), 0.70);
	EXPECT_NEAR(counts.precision(), 0.764706, 5e-7);
	EXPECT_NEAR(counts.f1(), 0.838710, 5e-7);
	EXPECT_DOUBLE_EQ(counts.false_negative_rate(), 50.0 / 700);
	EXPECT_DOUBLE_EQ(counts.false_positive_rate(), 200.0 / 300);
	EXPECT_DOUBLE_EQ(counts.lift(), 650.0 / 850 / 0.7);
}

TEST(Confusion, OfWhatIsMissing)
{
	EXPECT_TRUE(std::isnan(Confusion{}.accuracy()));
	EXPECT_TRUE((std::isnan(Confusion{0, 0, 3, 4}.precision())));
	EXPECT_EQ((Confusion{0, 0, 3, 4}.f1()), 0);
	EXPECT_TRUE((std::isnan(Confusion{0, 0, 3, 0}.f1())));
	EXPECT_TRUE((std::isnan(Confusion{0, 2, 3, 0}.recall())));
	EXPECT_TRUE((std::isnan(Confusion{2, 0, 0, 3}.youden())));
	EXPECT_EQ(fault_of([]() { confusion({}, not_a_number); }), Fault::invalid_parameter);
	EXPECT_EQ(fault_of([]() { confusion({}, infinity); }), Fault::invalid_parameter);
}

TEST(Threshold, IsTheBestOfAll)
{
	Random random(3);

	for (int round = 0; round < 300; round++)
	{
		ScoredRecords records = random_records(random, 2 + random.below(100), 1 + random.below(40));
		records.outcomes[0] = 0;
		records.outcomes[1] = 1;
		ScoredOutcomes sorted = records.sorted();
		double best_f1 = -1;
		double best_youden = -2;
		double of_f1 = 0;
		double of_youden = 0;
		for (double score : distinct_scores(records))
		{
			Confusion counts = naive_confusion(records, score);
			ASSERT_NO_FATAL_FAILURE(expect_same(confusion(sorted, score), counts));
			double precision = counts.selected() == 0 ? 0 : counts.precision();
			double f1 = precision + counts.recall() == 0
							? 0
							: 2 * precision * counts.recall() / (precision + counts.recall());
			if (f1 > best_f1 + 1e-12)
			{
				best_f1 = f1;
				of_f1 = score;
			}
			if (counts.youden() > best_youden + 1e-12)
			{
				best_youden = counts.youden();
				of_youden = score;
			}
			ASSERT_NEAR(counts.f1(), f1, 1e-12);
		}
		EXPECT_EQ(recommend_threshold(sorted, ThresholdMethod::f1, 0), of_f1);
		EXPECT_EQ(recommend_threshold(sorted, ThresholdMethod::youden, 0), of_youden);
	}
}

TEST(Threshold, OfCapacityIsReachedByNoMore)
{
	Random random(4);

	for (int round = 0; round < 300; round++)
	{
		ScoredRecords records = random_records(random, 1 + random.below(60), 1 + random.below(30));
		ScoredOutcomes sorted = records.sorted();
		std::vector<double> scores = distinct_scores(records);
		for (int64_t capacity = 1; capacity <= 62; capacity++)
		{
			double expected = scores.front();
			for (double score : scores)
			{
				if (naive_confusion(records, score).selected() <= capacity)
				{
					expected = score;
				}
			}
			ASSERT_EQ(recommend_threshold(sorted, ThresholdMethod::capacity, capacity), expected);
		}
	}
}

TEST(Threshold, OfLift)
{
	// All alike: every tenth converts as well as all
	ScoredRecords alike;
	for (int at = 0; at < 77; at++)
	{
		alike.scores.push_back(5);
		alike.outcomes.push_back(at % 3 == 0);
	}
	EXPECT_EQ(recommend_threshold(alike.sorted(), ThresholdMethod::lift, 0), 5);
	// The wrong way round
	ScoredRecords inverted = gains_example();
	for (double &score : inverted.scores)
	{
		score = -score;
	}
	EXPECT_EQ(recommend_threshold(inverted.sorted(), ThresholdMethod::lift, 0), std::nullopt);
}

TEST(Threshold, MayBeUndefined)
{
	ScoredRecords none{{1, 2}, {0, 0}};
	ScoredRecords all{{1, 2}, {1, 1}};
	using enum ThresholdMethod;

	for (ThresholdMethod method : {f1, youden, lift})
	{
		EXPECT_EQ(recommend_threshold({}, method, 0), std::nullopt);
		EXPECT_EQ(recommend_threshold(none.sorted(), method, 0), std::nullopt);
	}
	EXPECT_EQ(recommend_threshold({}, capacity, 5), std::nullopt);
	EXPECT_EQ(recommend_threshold(none.sorted(), capacity, 1), 2);
	EXPECT_EQ(recommend_threshold(all.sorted(), f1, 0), 1);
	EXPECT_EQ(recommend_threshold(all.sorted(), lift, 0), 1);
	EXPECT_EQ(recommend_threshold(all.sorted(), youden, 0), std::nullopt);
	EXPECT_EQ(fault_of([&]() { recommend_threshold(all.sorted(), capacity, 0); }), Fault::invalid_parameter);
	EXPECT_EQ(threshold_method("lift"), lift);
	EXPECT_EQ(fault_of([]() { threshold_method("F1"); }), Fault::invalid_parameter);
}

TEST(BandCapture, ExampleE41)
{
	BandCapture capture;

	for (auto [label, records, converted] : {std::tuple("cold", 500, 4), std::tuple("hot", 250, 84), std::tuple("warm", 250, 12)})
	{
		for (int at = 0; at < records; at++)
		{
			capture.add(label, at < converted);
		}
	}
	std::vector<BandOutcomes> bands = capture.bands();
	ASSERT_EQ(bands.size(), 3u);
	EXPECT_EQ(bands[0].label, "hot");
	EXPECT_DOUBLE_EQ(bands[0].captured, 0.84);
	EXPECT_DOUBLE_EQ(bands[0].lift, 84.0 / 250 / 0.1);
	EXPECT_EQ(bands[1].label, "warm");
	EXPECT_DOUBLE_EQ(bands[1].captured, 0.12);
	EXPECT_DOUBLE_EQ(bands[2].captured, 0.04);
	EXPECT_DOUBLE_EQ(bands[2].conversion_rate, 4.0 / 500);
}

TEST(BandCapture, OfTiesAndOfNoneConverted)
{
	BandCapture capture;

	EXPECT_TRUE(capture.bands().empty());
	capture.add("b", false);
	capture.add("", false);
	capture.add("a", false);
	std::vector<BandOutcomes> bands = capture.bands();
	ASSERT_EQ(bands.size(), 3u);
	EXPECT_EQ(bands[0].label, "");
	EXPECT_EQ(bands[1].label, "a");
	EXPECT_TRUE(std::isnan(bands[1].captured) && std::isnan(bands[1].lift));
	EXPECT_EQ(bands[1].conversion_rate, 0);
}

} // namespace lead_scoring::core::test
