// Weights and multipliers: which of them reaches what, in which order, and what they do to negative values.
#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

struct Factor
{
	Multiplies what;
	double factor;
};

// A score of 10 fit points in group 0 and 20 engagement points in group 1, and multipliers that belong to group 0
void
make_model(Model &model, const std::vector<Factor> &factors, double fit = 10, double engagement = 20)
{
	model.add_group(Part::fit);
	model.add_group(Part::engagement);
	model.add_rule(0, record_itself, fit);
	model.add_rule(1, record_itself, engagement);
	for (const Factor &factor : factors)
	{
		model.add_multiplier(0, record_itself, factor.factor, factor.what);
	}
}

} // namespace

TEST(Multipliers, ReachTheirGroupTheirPartOrTheTotal)
{
	const struct
	{
		std::vector<Factor> factors;
		double fit;
		double engagement;
		double total;
	} cases[] = {
		{{}, 10, 20, 30},
		{{{Multiplies::group, 1.5}}, 15, 20, 35},
		{{{Multiplies::fit, 1.5}}, 15, 20, 35},
		{{{Multiplies::engagement, 1.5}}, 10, 30, 40},
		{{{Multiplies::total, 1.5}}, 10, 20, 45},
		{{{Multiplies::group, 2}, {Multiplies::fit, 3}, {Multiplies::engagement, 0.5}, {Multiplies::total, 10}},
		 60, 10, 700},
		{{{Multiplies::group, 2}, {Multiplies::group, 3}}, 60, 20, 80},
		{{{Multiplies::total, 2}, {Multiplies::total, 0.25}}, 10, 20, 15},
		{{{Multiplies::fit, 0}}, 0, 20, 20},
		{{{Multiplies::total, 1}}, 10, 20, 30},
		{{{Multiplies::total, 1.15}}, 10, 20, 34.5},
	};

	for (const auto &test : cases)
	{
		std::vector<Factor> factors = test.factors;
		auto order = [](const Factor &left, const Factor &right) { return left.factor < right.factor; };
		std::sort(factors.begin(), factors.end(), order);
		do
		{
			Model model;
			make_model(model, factors);
			ScoreResult result = score_of(model, {});
			EXPECT_EQ(result.fit, test.fit);
			EXPECT_EQ(result.engagement, test.engagement);
			EXPECT_EQ(result.total, test.total);
		} while (std::next_permutation(factors.begin(), factors.end(), order));
	}
}

TEST(Multipliers, AboveOneLiftOnlyWhatIsAboveZero)
{
	const struct
	{
		std::vector<Factor> factors;
		double fit;   // of the rules
		double total; // with 20 engagement points
	} cases[] = {
		{{{Multiplies::fit, 2}}, -10, 10},
		{{{Multiplies::fit, 0.5}}, -10, 15},
		{{{Multiplies::fit, 0}}, -10, 20},
		{{{Multiplies::fit, 2}}, 0, 20},
		{{{Multiplies::group, 2}}, -10, 10},
		{{{Multiplies::total, 2}}, -10, 20},
		{{{Multiplies::total, 2}}, -50, -30},
		{{{Multiplies::total, 2}, {Multiplies::total, 0.5}}, -50, -15},
		{{{Multiplies::total, 1}}, -50, -30},
	};

	for (const auto &test : cases)
	{
		Model model;
		make_model(model, test.factors, test.fit);
		EXPECT_EQ(score_of(model, {}).total, test.total) << test.fit;
	}
}

TEST(Multipliers, ComeAfterLimitsAndWeightsOfGroupsAndBeforeAdjustmentsAndTheLimitsOfTheTotal)
{
	Model model;
	model.limits = {0, 100};
	model.has_adjustments = true;
	uint32_t fit = model.add_group(Part::fit, {-infinity, 40});
	uint32_t engagement = model.add_group(Part::engagement, {-30, infinity});
	model.groups[fit].weight = 0.5;
	model.groups[engagement].weight = 2;
	model.add_rule(fit, record_itself, 70);
	model.add_rule(engagement, record_itself, -50);
	model.add_multiplier(fit, record_itself, 10, Multiplies::group);
	model.add_multiplier(engagement, record_itself, 0.5, Multiplies::engagement);
	model.add_multiplier(fit, record_itself, 0.5, Multiplies::total);
	Facts facts{{}, {{0, as_of, {real_value(7)}}}, {{0}}};
	Fed fed(model, facts, with_detail);
	fed.feed();
	Account account;
	ScoreResult result = fed.explain(0, account);

	// 70 limited to 40, half of it, ten times that; -50 limited to -30, twice that, half of that
	EXPECT_EQ(result.fit, 200);
	EXPECT_EQ(result.engagement, -30);
	EXPECT_EQ(result.machine, 85);
	EXPECT_EQ(result.adjustment, 7);
	EXPECT_EQ(result.total, 92);
	EXPECT_EQ(account.groups[fit].sum, 70);
	EXPECT_EQ(account.groups[fit].limited, 40);
	EXPECT_EQ(account.groups[fit].weighted, 20);
	ASSERT_EQ(account.groups[fit].multipliers.size(), 1u);
	EXPECT_EQ(account.groups[fit].multipliers[0].rule, 2u);
	EXPECT_EQ(account.groups[fit].multipliers[0].before, 20);
	EXPECT_EQ(account.groups[fit].multipliers[0].after, 200);
	EXPECT_EQ(account.groups[fit].value, 200);
	EXPECT_EQ(account.groups[engagement].weighted, -60);
	EXPECT_TRUE(account.groups[engagement].multipliers.empty());
	EXPECT_EQ(account.parts[0].weighted, 200);
	EXPECT_TRUE(account.parts[0].multipliers.empty());
	EXPECT_EQ(account.parts[1].weighted, -60);
	ASSERT_EQ(account.parts[1].multipliers.size(), 1u);
	EXPECT_EQ(account.parts[1].value, -30);
	EXPECT_EQ(account.parts[2].weighted, 170);
	ASSERT_EQ(account.parts[2].multipliers.size(), 1u);
	EXPECT_EQ(account.parts[2].multipliers[0].before, 170);
	EXPECT_EQ(account.parts[2].multipliers[0].after, 85);
	EXPECT_EQ(account.unlimited_total, 92);
	for (size_t rule = 2; rule < 5; rule++)
	{
		EXPECT_EQ(account.rules[rule].matched, 1);
		EXPECT_EQ(account.rules[rule].raw, 0);
		EXPECT_EQ(account.rules[rule].decayed, 0);
	}
}

TEST(Multipliers, ApplyOnceIfTheyMatch)
{
	const struct
	{
		const char *what;
		void (*change)(RuleDefinition &rule);
		std::vector<int64_t> ages_us;
		bool applies;
	} cases[] = {
		{"no event", [](RuleDefinition &) {}, {}, false},
		{"one", [](RuleDefinition &) {}, {0}, true},
		{"many", [](RuleDefinition &) {}, {0, 1, 2}, true},
		{"too old", [](RuleDefinition &rule) { rule.within_us = 30 * day_us; }, {31 * day_us}, false},
		{"too few", [](RuleDefinition &rule) { rule.count = {3, infinity}; }, {0, 1}, false},
		{"enough", [](RuleDefinition &rule) { rule.count = {3, infinity}; }, {0, 1, 2}, true},
		{"at most none", [](RuleDefinition &rule) { rule.count = {0, 0}; }, {}, true},
		{"on too few days",
		 [](RuleDefinition &rule)
		 {
			 rule.count = {2, infinity};
			 rule.max_times = 1;
			 rule.max_times_per_us = day_us;
		 },
		 {1, 2},
		 false},
		{"out of force", [](RuleDefinition &rule) { rule.valid.until = as_of; }, {0}, false},
		{"out of force, at most none",
		 [](RuleDefinition &rule)
		 {
			 rule.count = {0, 0};
			 rule.valid.from = as_of + 1;
		 },
		 {},
		 false},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		uint32_t fit = model.add_group(Part::fit);
		// What it multiplies does not fade, and neither does the multiplier
		uint32_t engagement = model.add_group(Part::engagement, unlimited, "half-life 7 days");
		model.add_rule(fit, record_itself, 10);
		test.change(model.add_multiplier(engagement, events, 1.5, Multiplies::total));
		EXPECT_EQ(score_of(model, events_aged(test.ages_us)).total, test.applies ? 15 : 10) << test.what;
	}
}

TEST(Multipliers, ByValuesOfTheRecord)
{
	for (double size : {49.0, 50.0, 51.0})
	{
		Model model;
		model.record_columns = {ColumnKind::real};
		uint32_t fit = model.add_group(Part::fit);
		model.add_rule(fit, record_itself, 10);
		RuleDefinition &rule = model.add_multiplier(fit, record_itself, 3, Multiplies::fit);
		rule.value_column = 0;
		rule.count = {50, infinity};
		EXPECT_EQ(score_of(model, {}, {real_value(size)}).total, size < 50 ? 10 : 30);
		EXPECT_EQ(score_of(model, {}, {null_value()}).total, 10);
	}
}

TEST(Multipliers, DoNotLeaveTheirGroup)
{
	Model model;
	uint32_t first = model.add_group(Part::fit);
	uint32_t second = model.add_group(Part::fit);
	model.add_rule(first, record_itself, 10);
	model.add_rule(second, record_itself, 10);
	model.add_multiplier(second, record_itself, 3, Multiplies::group);

	EXPECT_EQ(score_of(model, {}).total, 40);
}

TEST(Weights, ScaleWhatTheLimitsLeave)
{
	const struct
	{
		double weight;
		double points;
		Limits limits;
		double total;
	} cases[] = {
		{1, 10, unlimited, 10}, {0.3, 10, unlimited, 3}, {0, 10, unlimited, 0},     {2, -10, unlimited, -20},
		{2, 10, {0, 5}, 10},    {2, -10, {0, 5}, 0},     {0.5, -10, {-4, 4}, -2},   {1e6, 1e9, unlimited, 1e15},
	};

	for (const auto &test : cases)
	{
		Model model;
		uint32_t group = model.add_group(Part::fit, test.limits);
		model.groups[group].weight = test.weight;
		model.add_rule(group, record_itself, test.points);
		EXPECT_EQ(score_of(model, {}).total, test.total) << test.weight;
	}
}

} // namespace lead_scoring::core::test
