#include "core/metrics.hpp"

#include "core/mean_loss.hpp"
#include "scored_records.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lead_scoring::core::test
{

namespace
{

// Half of the wins of every record that converted over every one that did not
double
naive_auc(const ScoredRecords &records)
{
	double wins = 0;
	double pairs = 0;

	for (size_t yes = 0; yes < records.size(); yes++)
	{
		for (size_t no = 0; no < records.size(); no++)
		{
			if (records.outcomes[yes] != 0 && records.outcomes[no] == 0)
			{
				pairs++;
				wins += records.scores[yes] > records.scores[no]    ? 1
						: records.scores[yes] == records.scores[no] ? 0.5
																	: 0;
			}
		}
	}
	return wins / pairs;
}

// The mean of the conversion rates from the score of each record that converted upwards
double
naive_average_precision(const ScoredRecords &records)
{
	double sum = 0;
	double converted = 0;

	for (size_t row = 0; row < records.size(); row++)
	{
		if (records.outcomes[row] == 0)
		{
			continue;
		}
		double at_least = 0;
		double of_these = 0;
		for (size_t other = 0; other < records.size(); other++)
		{
			at_least += records.scores[other] >= records.scores[row];
			of_these += records.scores[other] >= records.scores[row] && records.outcomes[other] != 0;
		}
		sum += of_these / at_least;
		converted++;
	}
	return sum / converted;
}

double
naive_log_loss(const ScoredRecords &records)
{
	long double sum = 0;

	for (size_t row = 0; row < records.size(); row++)
	{
		long double probability = records.scores[row];
		long double happened = records.outcomes[row] != 0 ? probability : 1 - probability;
		sum -= std::log(std::max(happened, 1e-15L));
	}
	return static_cast<double>(sum / static_cast<long double>(records.size()));
}

double
naive_brier(const ScoredRecords &records)
{
	long double sum = 0;

	for (size_t row = 0; row < records.size(); row++)
	{
		sum += std::pow(static_cast<long double>(records.scores[row]) - records.outcomes[row], 2);
	}
	return static_cast<double>(sum / static_cast<long double>(records.size()));
}

std::vector<std::byte>
bytes_of(const ScoredOutcomes &scored)
{
	std::vector<std::byte> bytes(scored.flat_size());

	scored.write_flat(bytes.data());
	return bytes;
}

} // namespace

TEST(Metrics, ExampleE39)
{
	const uint8_t outcomes[] = {1, 1, 1, 0, 0, 0};

	EXPECT_DOUBLE_EQ(auc(std::vector{.9, .8, .6, .7, .5, .4}, outcomes), 8.0 / 9);
	EXPECT_EQ(auc(std::vector{5.0, 5.0, 5.0, 5.0, 5.0, 5.0}, outcomes), 0.5);
	EXPECT_EQ(auc(std::vector{.1, .2, .3, .7, .8, .9}, outcomes), 0);
	EXPECT_EQ(auc(std::vector{.7, .8, .9, .1, .2, .3}, outcomes), 1);
	EXPECT_TRUE(std::isnan(auc(std::vector{.7, .8}, std::vector<uint8_t>{1, 1})));
	EXPECT_TRUE(std::isnan(auc(std::vector{.7, .8}, std::vector<uint8_t>{0, 0})));
	EXPECT_TRUE(std::isnan(auc({}, {})));
}

TEST(Metrics, ExampleE40)
{
	ScoredRecords records = gains_example();

	EXPECT_NEAR(auc(records.scores, records.outcomes), 0.765556, 5e-7);
	EXPECT_DOUBLE_EQ(auc(records.scores, records.outcomes), naive_auc(records));
}

TEST(Metrics, EqualTheNaiveOnesInAnyOrder)
{
	Random random(1);

	for (int round = 0; round < 300; round++)
	{
		ScoredRecords records = random_records(random, 1 + random.below(120), 1 + random.below(60));
		double area = auc(records.scores, records.outcomes);
		double precision = average_precision(records.scores, records.outcomes);
		double loss = log_loss(records.scores, records.outcomes);
		double error = brier(records.scores, records.outcomes);
		auto converted = std::count(records.outcomes.begin(), records.outcomes.end(), 1);
		bool both = converted != 0 && converted != static_cast<std::ptrdiff_t>(records.size());
		ASSERT_EQ(std::isnan(area), !both);
		ASSERT_EQ(std::isnan(precision), converted == 0);
		if (both)
		{
			ASSERT_NEAR(area, naive_auc(records), 1e-13);
		}
		if (converted != 0)
		{
			ASSERT_NEAR(precision, naive_average_precision(records), 1e-13);
		}
		ASSERT_NEAR(loss, naive_log_loss(records), 1e-13);
		ASSERT_NEAR(error, naive_brier(records), 1e-13);
		records.shuffle(random);
		ASSERT_EQ(log_loss(records.scores, records.outcomes), loss);
		ASSERT_EQ(brier(records.scores, records.outcomes), error);
		if (both)
		{
			ASSERT_EQ(auc(records.scores, records.outcomes), area);
			ASSERT_EQ(average_precision(records.scores, records.outcomes), precision);
		}
	}
}

TEST(Metrics, OfManyScores)
{
	Random random(2);
	ScoredRecords records = random_records(random, 1'000'000, 1'000'000'000);
	records.scores[5] = records.scores[77];
	// By ranks: Mann and Whitney
	std::vector<size_t> order(records.size());
	for (size_t at = 0; at < order.size(); at++)
	{
		order[at] = at;
	}
	std::sort(order.begin(), order.end(),
			  [&records](size_t left, size_t right) { return records.scores[left] < records.scores[right]; });
	double converted = 0;
	double ranks = 0;
	for (size_t first = 0; first < order.size();)
	{
		size_t behind = first;
		while (behind < order.size() && records.scores[order[behind]] == records.scores[order[first]])
		{
			behind++;
		}
		for (size_t at = first; at < behind; at++)
		{
			converted += records.outcomes[order[at]];
			ranks += records.outcomes[order[at]] * (static_cast<double>(first + behind + 1) / 2);
		}
		first = behind;
	}
	double wins = ranks - converted * (converted + 1) / 2;
	double unconverted = static_cast<double>(records.size()) - converted;
	EXPECT_NEAR(auc(records.scores, records.outcomes), wins / (converted * unconverted), 1e-12);
}

TEST(Metrics, CanBeCancelled)
{
	Random random(3);
	ScoredRecords records = random_records(random, 1000, 100);

	EXPECT_EQ(fault_of([&records]() { auc(records.scores, records.outcomes, []() noexcept { return true; }); }),
			  Fault::cancelled);
	EXPECT_EQ(auc(records.scores, records.outcomes, []() noexcept { return false; }), auc(records.scores, records.outcomes));
}

TEST(Metrics, RefuseWhatIsNoScoreAndNoProbability)
{
	const uint8_t outcome[] = {1};

	for (double number : {not_a_number, infinity, -infinity})
	{
		EXPECT_EQ(fault_of([&]() { auc({&number, 1}, outcome); }), Fault::invalid_parameter);
		EXPECT_EQ(fault_of([&]() { average_precision({&number, 1}, outcome); }), Fault::invalid_parameter);
	}
	for (double number : {not_a_number, infinity, -infinity, -1e-300, 1.0000001, 22.0})
	{
		EXPECT_EQ(fault_of([&]() { log_loss({&number, 1}, outcome); }), Fault::invalid_parameter);
		EXPECT_EQ(fault_of([&]() { brier({&number, 1}, outcome); }), Fault::invalid_parameter);
	}
	for (auto metric : {log_loss, brier})
	{
		EXPECT_EQ(fault_of([metric, &outcome]() { metric({}, outcome); }), Fault::invalid_parameter);
		EXPECT_TRUE(std::isnan(metric({}, {})));
	}
	EXPECT_EQ(fault_of([&outcome]() { auc({}, outcome); }), Fault::invalid_parameter);
}

TEST(Metrics, LossesAtTheEnds)
{
	EXPECT_EQ(log_loss_of(1, true), 0);
	EXPECT_EQ(log_loss_of(0, false), 0);
	EXPECT_FALSE(std::signbit(log_loss_of(1, true)));
	EXPECT_FALSE(std::signbit(log_loss_of(0, false)));
	EXPECT_NEAR(log_loss_of(0, true), 34.538776394910684, 1e-12);
	EXPECT_EQ(log_loss_of(1, false), log_loss_of(0, true));
	EXPECT_EQ(log_loss_of(1e-300, true), log_loss_of(0, true));
	EXPECT_NEAR(log_loss_of(1e-12, false), 1e-12, 1e-24);
	EXPECT_NEAR(log_loss_of(0.5, true), 0.6931471805599453, 1e-15);
	EXPECT_EQ(brier_of(1, false), 1);
	EXPECT_EQ(brier_of(0.25, true), 0.5625);
}

TEST(MeanLoss, SplitInAnyWayIsTheSame)
{
	Random random(4);

	for (int round = 0; round < 50; round++)
	{
		ScoredRecords records = random_records(random, 1 + random.below(500), 1000);
		std::vector<MeanLoss> parts(1 + random.below(5));
		for (size_t row = 0; row < records.size(); row++)
		{
			parts[random.below(parts.size())].add(log_loss_of(records.scores[row], records.outcomes[row] != 0));
		}
		MeanLoss all;
		for (const MeanLoss &part : parts)
		{
			all.add(part);
		}
		EXPECT_EQ(all.mean(), log_loss(records.scores, records.outcomes));
		EXPECT_NO_THROW(require_valid_mean_loss(all));
	}
}

TEST(MeanLoss, RefusesWhatItHasNotMade)
{
	Random random(5);
	MeanLoss nothing;
	MeanLoss too_large;
	MeanLoss negative;

	too_large.add(36);
	negative.add(-1);
	for (const MeanLoss &loss : {nothing, too_large, negative})
	{
		EXPECT_EQ(fault_of([&loss]() { require_valid_mean_loss(loss); }), Fault::invalid_text);
	}
	for (int round = 0; round < 1000; round++)
	{
		uint64_t words[sizeof(MeanLoss) / sizeof(uint64_t)];
		for (uint64_t &word : words)
		{
			word = random.bits();
		}
		words[0] = static_cast<uint64_t>(random.between(-5, 1'000'000'000'000));
		MeanLoss loss;
		std::memcpy(static_cast<void *>(&loss), words, sizeof loss);
		EXPECT_EQ(fault_of([&loss]() { require_valid_mean_loss(loss); }), Fault::invalid_text);
	}
	MeanLoss many;
	many.count = ExactSum::most_terms;
	EXPECT_EQ(fault_of([&many]() { many.add(1); }), Fault::limit_exceeded);
	EXPECT_EQ(fault_of([&many]() { many.add(many); }), Fault::limit_exceeded);
}

TEST(ScoredOutcomes, MergesAndComesBackFromItsBytes)
{
	Random random(6);

	for (int round = 0; round < 100; round++)
	{
		ScoredRecords records = random_records(random, 2 + random.below(300), 50);
		ScoredOutcomes parts[3];
		for (size_t row = 0; row < records.size(); row++)
		{
			parts[random.below(3)].add(records.scores[row], records.outcomes[row] != 0);
		}
		ScoredOutcomes all;
		for (const ScoredOutcomes &part : parts)
		{
			all.add(ScoredOutcomes::read_flat(bytes_of(part)));
		}
		all.sort();
		EXPECT_EQ(all.records(), static_cast<int64_t>(records.size()));
		EXPECT_EQ(bytes_of(all), bytes_of(records.sorted()));
		all.add(all);
		all.sort();
		EXPECT_EQ(all.records(), static_cast<int64_t>(2 * records.size()));
		EXPECT_EQ(average_precision(all), average_precision(records.sorted()));
	}
}

TEST(ScoredOutcomes, RefusesBytesThatItHasNotMade)
{
	Random random(7);
	std::vector<std::byte> good = bytes_of(random_records(random, 20, 5).sorted());

	for (size_t length = 0; length < good.size(); length++)
	{
		EXPECT_EQ(fault_of([&]() { ScoredOutcomes::read_flat({good.data(), length}); }), Fault::invalid_text) << length;
	}
	for (int round = 0; round < 20000; round++)
	{
		std::vector<std::byte> bytes = good;
		for (size_t changes = 1 + random.below(3); changes > 0; changes--)
		{
			bytes[random.below(bytes.size())] = static_cast<std::byte>(random.bits());
		}
		fault_of(
			[&bytes]()
			{
				ScoredOutcomes scored = ScoredOutcomes::read_flat(bytes);
				scored.sort();
				double area = auc(scored);
				EXPECT_TRUE(area >= 0 && area <= 1);
			});
	}
}

} // namespace lead_scoring::core::test
