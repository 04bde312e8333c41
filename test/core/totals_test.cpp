#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

TEST(Totals, ClampsGroupsThenTheTotal)
{
	// E1 and E2
	Model model;
	model.limits = {0, 100};
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t sales = model.add_group(Part::engagement, {0, 60});
	uint32_t marketing = model.add_group(Part::engagement, {0, 40});
	Forest &forest = model.forest;
	model.add_rule(sales, events, 15, forest.text_is(0, "call started"));
	model.add_rule(sales, events, 10, forest.text_is(0, "meeting booked"));
	model.add_rule(sales, events, 20, forest.text_is(0, "meeting completed"));
	model.add_rule(marketing, events, 6, forest.text_is(0, "CTA click"));
	model.add_rule(marketing, events, 2, forest.text_is(0, "e-mail opened"));
	model.add_rule(marketing, events, 5, forest.text_is(0, "e-mail link click"));
	const struct
	{
		std::vector<std::pair<std::string, size_t>> events;
		double total;
	} cases[] = {
		{{}, 0},
		{{{"meeting booked", 1}, {"e-mail opened", 2}, {"e-mail link click", 3}}, 29},
		{{{"meeting completed", 5}, {"e-mail opened", 30}}, 100},
		{{{"meeting completed", 5}, {"e-mail opened", 30}, {"CTA click", 1}}, 100},
		{{{"call started", 4}, {"what no rule speaks of", 100}}, 60},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(score_of(model, events_of(test.events)).total, test.total);
	}
}

TEST(Totals, ClampsSumsNotSteps)
{
	// E3, and E10 with its negative fit
	Model model;
	model.limits = {-100, 100};
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t group = model.add_group(Part::engagement, {-infinity, 40});
	model.add_rule(group, events, 30, model.forest.text_is(0, "up"));
	model.add_rule(group, events, -25, model.forest.text_is(0, "down"));
	std::vector<std::string> order = {"down", "up", "up"};

	do
	{
		std::vector<Row> rows;
		for (const std::string &type : order)
		{
			rows.push_back({0, as_of, {text_value(type)}});
		}
		EXPECT_EQ(score_of(model, rows).total, 35);
	} while (std::next_permutation(order.begin(), order.end()));
	EXPECT_EQ(score_of(model, events_of({{"down", 8}})).total, -100);
	EXPECT_EQ(score_of(model, events_of({{"down", 8}})).engagement, -200);
}

TEST(Totals, AddsDecimalsExactly)
{
	// E11
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t group = model.add_group(Part::engagement);
	model.add_rule(group, events, 0.1, model.forest.text_is(0, "a"));
	model.add_rule(group, events, 0.2, model.forest.text_is(0, "b"));
	model.add_rule(group, events, 0.7, model.forest.text_is(0, "c"));
	model.bands.push_back({Part::total, "reached", 1});
	std::vector<std::string> order = {"a", "b", "c"};

	do
	{
		std::vector<Row> rows;
		for (const std::string &type : order)
		{
			rows.push_back({0, as_of, {text_value(type)}});
		}
		ScoreResult result = score_of(model, rows);
		EXPECT_EQ(result.total, 1.0);
		EXPECT_EQ(result.labels.label, 0);
	} while (std::next_permutation(order.begin(), order.end()));
}

TEST(Totals, AddsAdjustmentsBeforeTheLimitsOfTheTotal)
{
	const struct
	{
		std::vector<double> adjustments;
		double total;
	} cases[] = {
		{{}, 50}, {{10}, 60}, {{10, -25}, 35}, {{0.1, 0.2, 0.7}, 51}, {{1000}, 100}, {{-1000}, 0}, {{1e9, -1e9}, 50},
		{{0.00005}, 50.0001}, // half away from zero, by hand as by rule
	};

	for (const auto &test : cases)
	{
		Model model;
		model.limits = {0, 100};
		model.has_adjustments = true;
		model.add_rule(model.add_group(Part::fit, {0, 50}), record_itself, 70);
		Facts facts{{}, {}, {{0, {}}, {1, {}}}};
		for (double points : test.adjustments)
		{
			facts.adjustments.push_back({0, as_of, {real_value(points)}});
		}
		Fed fed(model, facts, plain);
		fed.feed();
		std::vector<ScoreResult> results = fed.finish();
		EXPECT_EQ(results[0].total, test.total);
		EXPECT_EQ(results[0].fit, 50);
		EXPECT_EQ(results[1].total, 50);
	}
}

TEST(Totals, GivesValuesOnlyForThePartsOfItsKind)
{
	const struct
	{
		ScoreKind kind;
		bool fit;
		bool engagement;
	} cases[] = {
		{ScoreKind::fit, true, false}, {ScoreKind::engagement, false, true}, {ScoreKind::combined, true, true}};

	for (const auto &test : cases)
	{
		Model model;
		model.kind = test.kind;
		ScoreResult result = score_of(model, {});
		EXPECT_TRUE(result.in_scope);
		EXPECT_EQ(result.total, 0); // E12
		EXPECT_EQ(!std::isnan(result.fit), test.fit);
		EXPECT_EQ(!std::isnan(result.engagement), test.engagement);
	}
}

TEST(Totals, LabelsTheValueAsItIsStored)
{
	Model model;
	int32_t events = model.add_source(true, {});
	model.add_rule(model.add_group(Part::engagement, unlimited, "50% per month"), events, 140);
	model.bands = {{Part::total, "High", 70}, {Part::total, "Medium", 40}, {Part::total, "Low", -infinity}};
	const struct
	{
		int64_t age_us;
		double total;
		uint16_t label;
	} cases[] = {
		{30 * day_us, 70, 0},
		{30 * day_us + second_us, 70, 0},          // 69.99997 is stored as 70
		{30 * day_us + 2 * second_us, 69.9999, 1}, // 69.99995
		{60 * day_us, 0, 2},
	};

	for (const auto &test : cases)
	{
		ScoreResult result = score_of(model, events_aged({test.age_us}));
		EXPECT_EQ(result.total, test.total) << test.age_us;
		EXPECT_EQ(result.labels.label, test.label) << test.age_us;
	}
}

TEST(Totals, HoldAdjustmentsWithinTheirLimits)
{
	const struct
	{
		std::vector<double> adjustments;
		double adjustment;
		double total; // of 60 by rules, within 0 .. 100
	} cases[] = {
		{{}, 0, 60},       {{5}, 5, 65},           {{20}, 20, 80},   {{20.5}, 20, 80},   {{-30}, -20, 40},
		{{50, -45}, 5, 65}, {{1000, 1000}, 20, 80}, {{15, 15}, 20, 80}, {{0.00004}, 0, 60},
	};

	for (const auto &test : cases)
	{
		Model model;
		model.limits = {0, 100};
		model.adjustment_limits = {-20, 20};
		model.has_adjustments = true;
		model.add_rule(model.add_group(Part::fit), record_itself, 60);
		Facts facts{{}, {}, {{0}}};
		for (double points : test.adjustments)
		{
			facts.adjustments.push_back({0, as_of, {real_value(points)}});
		}
		Fed fed(model, facts, plain);
		fed.feed();
		ScoreResult result = fed.finish()[0];
		EXPECT_EQ(result.adjustment, test.adjustment);
		EXPECT_EQ(result.total, test.total);
		EXPECT_EQ(result.machine, 60);
	}
}

TEST(Totals, TellWhatTheMachineSaysWithoutAdjustments)
{
	Model model;
	model.limits = {0, 100};
	model.has_adjustments = true;
	model.add_rule(model.add_group(Part::fit), record_itself, 170);
	Facts facts{{}, {{0, as_of, {real_value(-50)}}}, {{0}, {1}}};
	Fed fed(model, facts, plain);
	fed.feed();
	std::vector<ScoreResult> results = fed.finish();

	// Limits are for what is stored: 170 - 50 is still above them
	EXPECT_EQ(results[0].machine, 100);
	EXPECT_EQ(results[0].total, 100);
	EXPECT_EQ(results[0].adjustment, -50);
	EXPECT_EQ(results[1].machine, 100);
	EXPECT_EQ(results[1].adjustment, 0);
}

} // namespace lead_scoring::core::test
