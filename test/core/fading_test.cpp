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

TEST(Fading, DecaysEachEventByItsOwnAge)
{
	const struct
	{
		const char *decay;
		double points;
		std::vector<int64_t> ages_us;
		double total;
	} cases[] = {
		{"50% per month", 10, {0}, 10},
		{"50% per month", 10, {15 * day_us}, 7.5},
		{"50% per month stepwise", 10, {15 * day_us}, 10},
		{"50% per month", 10, {400 * day_us}, 0},
		{"50% per month", -10, {30 * day_us}, -5},                    // E21
		{"50% per month", 10, {30 * day_us, 60 * day_us}, 5},         // E22
		{"50% per month", 10, {30 * day_us, 30 * day_us, 0}, 20},
		{"20% per 72 hours exponential", 100, {36 * hour_us}, 89.4427}, // E23
		{"20% per 21 days exponential", 100, {90 * day_us}, 38.4301},   // E24
		{"half-life 7 days after 1 day", 16, {day_us, 8 * day_us, 15 * day_us}, 28},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		model.add_rule(model.add_group(Part::engagement, unlimited, test.decay), events, test.points);
		EXPECT_EQ(score_of(model, events_aged(test.ages_us)).total, test.total) << test.decay;
	}
}

TEST(Fading, KeepsTheDecaysOfGroupsApart)
{
	Model model;
	int32_t events = model.add_source(true, {});
	for (const char *decay : {"", "50% per month", "50% per month stepwise", "half-life 45 days", "50% per 30 days"})
	{
		model.add_rule(model.add_group(Part::engagement, unlimited, decay), events, 1000);
	}

	// 45 days: 1000 + 250 + 500 + 500 + 250; 15 days: 1000 + 750 + 1000 + 1000 * 2^(-1/3) + 750
	EXPECT_EQ(score_of(model, events_aged({45 * day_us})).total, 2500);
	EXPECT_EQ(score_of(model, events_aged({15 * day_us})).total, 4293.7005);
	EXPECT_EQ(score_of(model, events_aged({45 * day_us, 15 * day_us})).total, 6793.7005);
	EXPECT_EQ(score_of(model, events_aged({0})).total, 5000);
	EXPECT_EQ(score_of(model, {{0, infinitely_old}}).total, 1000);
}

TEST(Fading, NeitherAgesNorDatesRelatedRows)
{
	Model model;
	int32_t related = model.add_source(false, {ColumnKind::code});
	uint32_t group = model.add_group(Part::fit, unlimited, "half-life 7 days");
	model.add_rule(group, related, 10, model.forest.text_is(0, "gold"));
	model.add_frequency(group, related, 5, {2, 2}, model.forest.text_is(0, "gold"));

	EXPECT_EQ(score_of(model, events_of({{"gold", 1}})).total, 10);
	EXPECT_EQ(score_of(model, events_of({{"gold", 2}})).total, 15);
	EXPECT_EQ(score_of(model, events_of({{"gold", 3}, {"silver", 1}})).total, 10);
	EXPECT_EQ(score_of(model, events_of({{"silver", 1}})).total, 0);
}

TEST(Fading, IsThatOfTheFirstSegmentThatHolds)
{
	const struct
	{
		const char *industry;
		const char *size;
		double total; // of 16 points, 14 days old
	} cases[] = {
		{"retail", "small", 4},  // half-life 7 days, as for all
		{"machines", "small", 8}, // half-life 14 days
		{"state", "small", 16},   // never
		{"machines", "large", 8}, // the segments before this one come first
		{"retail", "large", 1},   // half-life 3.5 days
		{nullptr, "small", 4},
	};

	for (const auto &test : cases)
	{
		Model model;
		Forest &forest = model.forest;
		model.record_columns = {ColumnKind::code, ColumnKind::code};
		int32_t events = model.add_source(true, {});
		uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
		model.add_segment(group, forest.text_is(0, "machines"), "half-life 14 days");
		model.add_segment(group, forest.text_is(0, "state"), "");
		model.add_segment(group, forest.text_is(1, "large"), "half-life 84 hours");
		model.add_rule(group, events, 16);
		Value industry = test.industry == nullptr ? null_value() : text_value(test.industry);
		EXPECT_EQ(score_of(model, events_aged({14 * day_us}), {industry, text_value(test.size)}).total, test.total)
			<< test.size;
	}
}

TEST(Fading, BySegmentReachesEveryKindOfRule)
{
	const struct
	{
		const char *what;
		void (*change)(Model &model, RuleDefinition &rule);
	} cases[] = {
		{"each", [](Model &, RuleDefinition &) {}},
		{"once", [](Model &, RuleDefinition &rule) { rule.counting = Counting::once; }},
		{"capped", [](Model &, RuleDefinition &rule) { rule.max_times = 1; }},
		{"every second", [](Model &, RuleDefinition &rule) { rule.every_n = 2; }},
		{"values", [](Model &, RuleDefinition &rule) { rule.value_column = 0; }},
		{"the most of values",
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.value_column = 0;
			 rule.rollup = Rollup::maximum;
		 }},
		{"pairs",
		 [](Model &model, RuleDefinition &rule)
		 {
			 rule.followed_by = model.forest.always();
			 rule.followed_within_us = day_us;
		 }},
	};

	for (const auto &test : cases)
	{
		double decayed[3];
		const char *segments[] = {"fast", "slow", "other"};
		for (size_t at = 0; at < 3; at++)
		{
			Model model;
			model.record_columns = {ColumnKind::code};
			int32_t events = model.add_source(true, {ColumnKind::real});
			uint32_t group = model.add_group(Part::engagement);
			model.add_segment(group, model.forest.text_is(0, "fast"), "half-life 7 days");
			model.add_segment(group, model.forest.text_is(0, "slow"), "half-life 7 days", 7 * day_us);
			test.change(model, model.add_rule(group, events, 8));
			std::vector<Row> rows = events_worth({{14 * day_us, real_value(1)}, {14 * day_us, real_value(1)}});
			std::vector<Value> record = {text_value(segments[at])};
			decayed[at] = account_of(model, rows, record).rules[0].decayed;
			EXPECT_EQ(score_of(model, rows, record).total, decayed[at]) << test.what;
		}
		EXPECT_GT(decayed[2], 0) << test.what;
		EXPECT_EQ(decayed[0], decayed[2] / 4) << test.what;
		EXPECT_EQ(decayed[1], decayed[2] / 2) << test.what;
	}
}

TEST(Fading, OfOneGroupLeavesTheSegmentsOfAnotherAlone)
{
	Model model;
	model.record_columns = {ColumnKind::code};
	int32_t events = model.add_source(true, {});
	uint32_t first = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	uint32_t second = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	uint32_t third = model.add_group(Part::engagement);
	model.add_segment(first, model.forest.text_is(0, "machines"), "half-life 14 days");
	model.add_segment(third, model.forest.text_is(0, "retail"), "half-life 14 days");
	for (uint32_t group : {first, second, third})
	{
		model.add_rule(group, events, 16);
	}

	EXPECT_EQ(score_of(model, events_aged({14 * day_us}), {text_value("machines")}).total, 8 + 4 + 16);
	EXPECT_EQ(score_of(model, events_aged({14 * day_us}), {text_value("retail")}).total, 4 + 4 + 8);
	// Records that come one after the other do not inherit a way of fading
	Facts facts{{{{0, as_of - 14 * day_us}, {1, as_of - 14 * day_us}, {2, as_of - 14 * day_us}}},
				{},
				{{0, {text_value("machines")}}, {1, {text_value("none")}}, {2, {text_value("retail")}}}};
	Fed fed(model, facts, plain);
	fed.feed();
	std::vector<ScoreResult> results = fed.finish();
	EXPECT_EQ(results[0].total, 28);
	EXPECT_EQ(results[1].total, 24);
	EXPECT_EQ(results[2].total, 16);
}

} // namespace lead_scoring::core::test
