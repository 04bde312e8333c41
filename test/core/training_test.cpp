#include "core/training.hpp"

#include "core/metrics.hpp"
#include "datasets.hpp"
#include "support.hpp"

#include <fmt/format.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

const TrainingSettings only_scorecard = {.learners = {Learner::scorecard}};

Training
train_scorecard(const Dataset &data)
{
	return train(data, only_scorecard, nullptr, nullptr);
}

// Rows of one feature that helps, so many of them converted
Dataset
leads_of(size_t converted, size_t unconverted)
{
	Random random(9);
	Dataset data;
	std::vector<double> values;

	for (size_t row = 0; row < converted + unconverted; row++)
	{
		data.outcome.push_back(row < converted);
		data.fold.push_back(static_cast<uint32_t>(row % 5));
		values.push_back(random.share() + (row < converted ? 0.3 : 0));
	}
	data.columns.push_back(number_column("x", values));
	return data;
}

// Return the message of the fault that a training raises
std::string
message_of(const Dataset &data)
{
	try
	{
		train_scorecard(data);
	}
	catch (const ScoringError &error)
	{
		EXPECT_EQ(error.fault(), Fault::invalid_parameter);
		return error.what();
	}
	return "it trains";
}

// Mean distance between predicted and actual conversion in tenths of equal width
double
calibration_gap(const std::vector<double> &probabilities, const std::vector<uint8_t> &outcomes)
{
	double predicted[10] = {};
	double actual[10] = {};
	double gap = 0;

	for (size_t row = 0; row < outcomes.size(); row++)
	{
		const auto bin = static_cast<size_t>(std::min(probabilities[row] * 10, 9.0));
		predicted[bin] += probabilities[row];
		actual[bin] += outcomes[row];
	}
	for (size_t bin = 0; bin < 10; bin++)
	{
		gap += std::abs(predicted[bin] - actual[bin]) / static_cast<double>(outcomes.size());
	}
	return gap;
}

int polls;
int most_polls;

bool
stop_after_polls() noexcept
{
	return ++polls > most_polls;
}

std::vector<double> shares;

void
note_share(const char *, double share) noexcept
{
	shares.push_back(share);
}

} // namespace

// E38
TEST(Training, NeedsBothOutcomes)
{
	EXPECT_EQ(message_of(leads_of(24, 26)), "too little to learn from: 24 converted and 26 unconverted records");
	EXPECT_EQ(message_of(leads_of(25, 24)), "too little to learn from: 25 converted and 24 unconverted records");
	EXPECT_EQ(message_of(leads_of(50, 0)), "too little to learn from: 50 converted and 0 unconverted records");
	EXPECT_EQ(message_of(leads_of(0, 0)), "too little to learn from: 0 converted and 0 unconverted records");
	EXPECT_EQ(message_of(leads_of(25, 25)), "it trains");
	EXPECT_EQ(fault_of([]() { check_outcomes(10, 20, 10, 20); }), std::nullopt);
	EXPECT_EQ(fault_of([]() { check_outcomes(10, 19, 10, 20); }), Fault::invalid_parameter);
	EXPECT_EQ(fault_of([]() { check_outcomes(0, 19, 0, 0); }), Fault::invalid_parameter);
	EXPECT_EQ(fault_of([]() { check_outcomes(1, 1, 0, 0); }), std::nullopt);
}

TEST(Training, KeepsLikelihoodsEvenlyByRank)
{
	EXPECT_EQ(sample_likelihoods({}, nullptr), std::vector<double>());
	EXPECT_EQ(sample_likelihoods({0.5, 0.123456789, 1, 0}, nullptr), (std::vector<double>{0.01, 12.3457, 50, 99.99}));
	std::vector<double> probabilities;
	for (size_t number = 5000; number > 0; number--)
	{
		probabilities.push_back(static_cast<double>(number) / 10000);
	}
	const std::vector<double> likelihoods = sample_likelihoods(probabilities, nullptr);
	ASSERT_EQ(likelihoods.size(), most_likelihoods);
	for (size_t number = 0; number < likelihoods.size(); number++)
	{
		// The third of each five
		EXPECT_DOUBLE_EQ(likelihoods[number], 0.01 * static_cast<double>(5 * number + 3));
	}
}

TEST(Training, TellsWhetherSamplingLeavesTooFew)
{
	auto told = [](const SampleCounts &counts) -> std::string {
		try
		{
			check_sample(counts, 25, 30);
		}
		catch (const ScoringError &error)
		{
			return fmt::format("{} {}", error.what(), error.hint());
		}
		return "it trains";
	};
	const std::string needed = "The model needs at least 25 converted and 30 unconverted ones: ";

	EXPECT_EQ(told({25, 30, 25, 30}), "it trains");
	EXPECT_EQ(told({25, 30, 100, 3000}), "it trains");
	EXPECT_EQ(told({24, 3000, 100, 200'000}),
			  "too little to learn from: 24 converted and 3000 unconverted records, drawn by lot of 100 and 200000 " + needed +
				  "raise lead_scoring.work_mem, so that more are drawn.");
	EXPECT_EQ(told({3000, 29, 200'000, 30}),
			  "too little to learn from: 3000 converted and 29 unconverted records, drawn by lot of 200000 and 30 " + needed +
				  "raise lead_scoring.work_mem, so that more are drawn.");
	// More memory would not help
	EXPECT_EQ(told({3, 3000, 24, 200'000}), "too little to learn from: 24 converted and 200000 unconverted records " + needed +
												"a longer past has more, and so has a shorter horizon.");
}

TEST(Training, NeedsFolds)
{
	Dataset data = leads_of(100, 100);

	std::fill(data.fold.begin(), data.fold.end(), 3);
	EXPECT_EQ(message_of(data), "the training records are in 1 folds");
	for (size_t row = 0; row < data.rows(); row++)
	{
		data.fold[row] = static_cast<uint32_t>(row);
	}
	EXPECT_EQ(message_of(data), "the training records are in 200 folds");
	// All that converted are in one fold
	std::copy(data.outcome.begin(), data.outcome.end(), data.fold.begin());
	EXPECT_EQ(message_of(data), "without fold 0, 100 records are converted and 0 are not: a model cannot learn from that");
}

TEST(Training, PredictsOutOfFold)
{
	Random random(1);
	const Dataset data = random_leads(random, 5000);
	const Training training = train_scorecard(data);
	std::vector<double> row(4);

	ASSERT_EQ(training.probabilities.size(), data.rows());
	EXPECT_EQ(training.learner, Learner::scorecard);
	ASSERT_EQ(training.qualities.size(), 1);
	EXPECT_NEAR(training.qualities[0].auc, auc(training.probabilities, data.outcome), 1e-12);
	// By hand: the rows of fold 2, predicted from the others
	std::vector<uint32_t> others;
	for (uint32_t number = 0; number < data.rows(); number++)
	{
		if (data.fold[number] != 2)
		{
			others.push_back(number);
		}
	}
	const Scorecard scorecard = fit_scorecard(data, others, {}, nullptr);
	const Calibration &calibration = training.model.calibration();
	for (size_t number = 0; number < data.rows(); number++)
	{
		if (data.fold[number] == 2)
		{
			take_row(data, number, row);
			const double log_odds = calibration.slope * scorecard.log_odds(row) + calibration.offset;
			EXPECT_NEAR(training.probabilities[number], 1 / (1 + std::exp(-log_odds)), 1e-12);
		}
	}
	// The model itself is trained on all
	take_row(data, 17, row);
	EXPECT_EQ(training.model.log_odds(row),
			  calibration.slope * fit_scorecard(data, all_rows(data), {}, nullptr).log_odds(row) + calibration.offset);
	EXPECT_EQ(training.importance, feature_importance(training.model, data, nullptr));
	EXPECT_TRUE(training.warnings.empty());
}

TEST(Training, IsCalibrated)
{
	Random random(2);
	const Dataset data = random_leads(random, 20'000);
	const Training training = train_scorecard(data);

	EXPECT_LT(calibration_gap(training.probabilities, data.outcome), 0.015);
	EXPECT_NEAR(training.model.calibration().slope, 1, 0.1);
	// Probabilities of the truth are not much better ranked
	std::vector<double> truth;
	for (size_t row = 0; row < data.rows(); row++)
	{
		truth.push_back(true_log_odds(data, row));
	}
	EXPECT_GT(training.qualities[0].auc, auc(truth, data.outcome) - 0.01);
}

// A key of each row tells the outcome of the rows that were seen, and nothing else
TEST(Training, IsNotFooledByKeys)
{
	Random random(3);
	Dataset data;
	std::vector<double> key;
	std::vector<double> pair;
	const size_t rows = 20'000;

	for (size_t row = 0; row < rows; row++)
	{
		key.push_back(static_cast<double>(row));
		pair.push_back(static_cast<double>(row / 20));
		data.outcome.push_back(random.one_in(4));
		data.fold.push_back(static_cast<uint32_t>(random.below(5)));
	}
	data.columns = {category_column("key", rows, key), category_column("group", rows / 20, pair)};
	const Training training = train_scorecard(data);
	EXPECT_NEAR(training.qualities[0].auc, 0.5, 0.02);
	EXPECT_LT(calibration_gap(training.probabilities, data.outcome), 0.015);
	ASSERT_GE(training.warnings.size(), 1);
	EXPECT_EQ(training.warnings[0], "feature \"key\" has 20000 categories, of which the 1000 most frequent are kept and the others merged");
	EXPECT_LT(write_model(training.model).size(), 200'000);
}

TEST(Training, SaysSoWhereNothingPredicts)
{
	Dataset data = leads_of(500, 500);

	std::fill(data.columns[0].values.begin(), data.columns[0].values.end(), 1);
	const Training training = train_scorecard(data);
	EXPECT_EQ(training.warnings.size(), 2);
	for (double probability : training.probabilities)
	{
		EXPECT_DOUBLE_EQ(probability, 0.5);
	}
	EXPECT_EQ(training.importance, std::vector<double>{0});
}

TEST(Training, SurvivesALeak)
{
	Random random(4);
	Dataset data = random_leads(random, 3000);

	data.columns.push_back(number_column("closed won", {data.outcome.begin(), data.outcome.end()}));
	const Training training = train_scorecard(data);
	EXPECT_EQ(training.qualities[0].auc, 1);
	ASSERT_EQ(training.warnings.size(), 1);
	EXPECT_NE(training.warnings[0].find("\"closed won\""), std::string::npos);
	for (double probability : training.probabilities)
	{
		EXPECT_TRUE(probability > 0 && probability < 1);
	}
}

TEST(Training, SurvivesStrangeNumbers)
{
	Random random(5);
	Dataset data = random_leads(random, 2000);
	std::vector<double> strange;

	for (size_t row = 0; row < data.rows(); row++)
	{
		strange.push_back(random.one_of(std::vector<double>{infinity, -infinity, not_a_number, 0, -0.0, 1e308, -1e308, 5e-324}));
	}
	data.columns.push_back(number_column("strange", strange));
	data.columns.push_back(number_column("nothing", std::vector<double>(data.rows(), not_a_number)));
	data.columns.push_back(category_column("no category", 0, std::vector<double>(data.rows(), not_a_number)));
	const Training training = train_scorecard(data);
	EXPECT_EQ(training.warnings.size(), 3);
	std::vector<double> row(data.columns.size());
	for (size_t number = 0; number < data.rows(); number++)
	{
		take_row(data, number, row);
		EXPECT_TRUE(std::isfinite(training.model.log_odds(row)));
	}
	EXPECT_EQ(write_model(read_model(write_model(training.model))), write_model(training.model));
}

TEST(Training, IsDeterministic)
{
	Random random(6);
	const Dataset data = random_leads(random, 2000);
	const Training one = train_scorecard(data);
	const Training other = train_scorecard(data);

	EXPECT_EQ(write_model(one.model), write_model(other.model));
	EXPECT_EQ(one.probabilities, other.probabilities);
}

TEST(Training, CanBeCancelledAnywhere)
{
	Random random(7);
	const Dataset data = random_leads(random, 3000);

	most_polls = 1 << 30;
	polls = 0;
	train(data, only_scorecard, stop_after_polls, nullptr);
	const int needed = polls;
	EXPECT_GT(needed, 100);
	for (most_polls = 0; most_polls < needed; most_polls += 1 + needed / 50)
	{
		polls = 0;
		EXPECT_EQ(fault_of([&]() { train(data, only_scorecard, stop_after_polls, nullptr); }), Fault::cancelled);
		EXPECT_EQ(polls, most_polls + 1);
	}
}

// Where only two features together tell something, trees see it
TEST(Training, ChoosesTheBetterLearner)
{
	Random random(10);
	Dataset data;
	std::vector<double> first;
	std::vector<double> second;
	TrainingSettings settings;

	settings.forest.trees = 30;
	settings.forest.learning_rate = 0.2;
	settings.forest.column_share = 1;
	for (size_t row = 0; row < 2000; row++)
	{
		first.push_back(random.share());
		second.push_back(random.share());
		data.fold.push_back(static_cast<uint32_t>(random.below(3)));
		data.outcome.push_back((first[row] < 0.3) == (second[row] < 0.4) ? !random.one_in(8) : random.one_in(8));
	}
	data.columns = {number_column("first", first), number_column("second", second)};
	const Training training = train(data, settings, nullptr, nullptr);
	ASSERT_EQ(training.qualities.size(), 2);
	EXPECT_LT(training.qualities[0].auc, 0.75);
	EXPECT_GT(training.qualities[1].auc, 0.8);
	EXPECT_EQ(training.learner, Learner::boosted_trees);
	EXPECT_NEAR(auc(training.probabilities, data.outcome), training.qualities[1].auc, 1e-12);
	EXPECT_LT(calibration_gap(training.probabilities, data.outcome), 0.04);

	// As text they predict and explain the same
	const core::Model again = read_model(write_model(training.model));
	for (double value : {0.1, 0.4, 0.6, 0.9, not_a_number, infinity, -infinity})
	{
		const std::vector<double> row = {value, 0.3};
		std::vector<double> contributions(3);
		again.contributions(row, contributions);
		EXPECT_EQ(again.log_odds(row), training.model.log_odds(row));
		EXPECT_NEAR(contributions[0] + contributions[1] + contributions[2], again.log_odds(row), 1e-9);
	}
	EXPECT_EQ(write_model(train(data, settings, nullptr, nullptr).model), write_model(training.model));

	// The scorecard has a lead
	settings.scorecard_margin = 0.9;
	EXPECT_EQ(train(data, settings, nullptr, nullptr).learner, Learner::scorecard);
	settings.learners.clear();
	EXPECT_EQ(fault_of([&]() { train(data, settings, nullptr, nullptr); }), Fault::invalid_parameter);
}

TEST(Training, TellsHowFarItIs)
{
	Random random(8);

	shares.clear();
	train(random_leads(random, 500), only_scorecard, nullptr, note_share);
	EXPECT_GE(shares.size(), 7);
	EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
	EXPECT_EQ(shares.front(), 0);
	EXPECT_LE(shares.back(), 1);
}

} // namespace lead_scoring::core::test
