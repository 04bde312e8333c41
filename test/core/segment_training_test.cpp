#include "core/segment_training.hpp"

#include "core/metrics.hpp"
#include "datasets.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

const TrainingSettings only_scorecard = {.learners = {Learner::scorecard}};

// In the first segment a high x is good, in the second it is bad, in the third it says nothing; the fourth is small, and
// some rows are of none. Behind x comes the segment
Dataset
segmented_leads()
{
	Random random(5);
	Dataset data;
	std::vector<double> values;
	DataColumn segment{"", true, {"good", "bad", "none", "small"}, {}};

	for (size_t row = 0; row < 4000; row++)
	{
		const double kind = row % 200 == 0 ? 3 : row % 51 == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(row % 3);
		const double x = random.share();
		const double chance = kind == 0 ? x : kind == 1 ? 1 - x : 0.5;
		values.push_back(x);
		segment.values.push_back(kind);
		data.outcome.push_back(random.share() < chance);
		data.fold.push_back(static_cast<uint32_t>(row / 7 % 5));
	}
	data.columns.push_back(number_column("x", values));
	data.columns.push_back(segment);
	return data;
}

// The rows of a segment alone, without its column
Dataset
rows_of(const Dataset &data, double kind)
{
	Dataset part;
	std::vector<double> values;

	for (size_t row = 0; row < data.rows(); row++)
	{
		if (data.columns[1].values[row] == kind)
		{
			values.push_back(data.columns[0].values[row]);
			part.outcome.push_back(data.outcome[row]);
			part.fold.push_back(data.fold[row]);
		}
	}
	part.columns.push_back(number_column("x", values));
	return part;
}

TEST(SegmentTraining, KeepsModelsThatAreBetter)
{
	const SegmentedTraining result = train_segmented(segmented_leads(), only_scorecard, nullptr, nullptr);
	std::vector<std::string> own;

	for (const Segment &segment : result.training.model.segments())
	{
		own.push_back(segment.name);
	}
	ASSERT_EQ(result.segments.size(), 3U);
	EXPECT_NE(std::find(own.begin(), own.end(), "good"), own.end());
	EXPECT_NE(std::find(own.begin(), own.end(), "bad"), own.end());
	EXPECT_EQ(std::find(own.begin(), own.end(), "small"), own.end());
	for (const SegmentQuality &quality : result.segments)
	{
		EXPECT_EQ(quality.own_model, std::find(own.begin(), own.end(), quality.segment) != own.end());
		if (quality.segment != "none")
		{
			EXPECT_GT(quality.auc, 0.75);
			EXPECT_LT(quality.overall_auc, 0.6);
		}
	}
}

TEST(SegmentTraining, PredictsAsModelsOfThoseRowsAlone)
{
	const Dataset data = segmented_leads();
	const SegmentedTraining result = train_segmented(data, only_scorecard, nullptr, nullptr);
	const Model &model = result.training.model;
	Dataset all = data;
	all.columns.pop_back();
	const Model overall = train(all, only_scorecard, nullptr, nullptr).model;

	for (double kind : {0.0, 1.0})
	{
		const Model alone = train(rows_of(data, kind), only_scorecard, nullptr, nullptr).model;
		size_t number = 0;
		while (model.segments()[number].name != data.columns[1].categories[static_cast<size_t>(kind)])
		{
			number++;
		}
		for (double x : {0.0, 0.2, 0.5, 0.9, 1.0})
		{
			const double row[] = {x, static_cast<double>(number)};
			EXPECT_EQ(model.log_odds(row), alone.log_odds(std::span(row).first(1)));
			double contributions[2];
			model.contributions(row, contributions);
			EXPECT_NEAR(contributions[0] + contributions[1], model.log_odds(row), 1e-12);
		}
	}
	for (double number : {unseen_category, 99.0, std::numeric_limits<double>::quiet_NaN()})
	{
		const double row[] = {0.3, number};
		EXPECT_EQ(model.segment_of(row), nullptr);
		EXPECT_EQ(model.log_odds(row), overall.log_odds(std::span(row).first(1)));
	}
}

TEST(SegmentTraining, ProbabilitiesAreThoseOfTheModelsInUse)
{
	const Dataset data = segmented_leads();
	const SegmentedTraining result = train_segmented(data, only_scorecard, nullptr, nullptr);
	Dataset all = data;
	all.columns.pop_back();
	const Training overall = train(all, only_scorecard, nullptr, nullptr);

	EXPECT_GT(auc(result.training.probabilities, data.outcome), auc(overall.probabilities, data.outcome) + 0.1);
	for (size_t row = 0; row < data.rows(); row++)
	{
		if (std::isnan(data.columns[1].values[row]) || data.columns[1].values[row] == 3)
		{
			EXPECT_EQ(result.training.probabilities[row], overall.probabilities[row]);
		}
	}
}

TEST(SegmentTraining, FittedIsWhatTheModelPredicts)
{
	const Dataset data = segmented_leads();
	const Training training = train_segmented(data, only_scorecard, nullptr, nullptr).training;

	for (size_t row = 0; row < data.rows(); row++)
	{
		const double kind = data.columns[1].values[row];
		double values[] = {data.columns[0].values[row], unseen_category};
		for (size_t number = 0; number < training.model.segments().size() && kind >= 0; number++)
		{
			if (training.model.segments()[number].name == data.columns[1].categories[static_cast<size_t>(kind)])
			{
				values[1] = static_cast<double>(number);
			}
		}
		ASSERT_EQ(training.fitted[row], training.model.probability(values));
	}
}

TEST(SegmentTraining, ModelsWithSegmentsSurviveTheirText)
{
	const SegmentedTraining result = train_segmented(segmented_leads(), only_scorecard, nullptr, nullptr);
	const Model &model = result.training.model;
	const std::string text = write_model(model);
	const Model copy = read_model(text);

	EXPECT_EQ(write_model(copy), text);
	ASSERT_EQ(copy.segments().size(), model.segments().size());
	for (size_t number = 0; number < model.segments().size(); number++)
	{
		const double row[] = {0.7, static_cast<double>(number)};
		EXPECT_EQ(copy.log_odds(row), model.log_odds(row));
	}
}

TEST(SegmentTraining, OneSegmentOfAllRowsIsNone)
{
	Dataset data = segmented_leads();

	std::fill(data.columns[1].values.begin(), data.columns[1].values.end(), 0.0);
	EXPECT_TRUE(train_segmented(data, only_scorecard, nullptr, nullptr).segments.empty());
}

} // namespace

} // namespace lead_scoring::core::test
