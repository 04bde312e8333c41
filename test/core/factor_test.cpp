// What changes the events themselves: factors of campaigns, times in which rules are in force, resets, duplicates.
#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lead_scoring::core::test
{

TEST(EventFactors, MultiplyWhatEachEventPays)
{
	struct FactorCase
	{
		const char *type; // or null for all
		double factor;
		Period events = {};
		Period valid = {};
	};
	const struct
	{
		const char *what;
		std::vector<FactorCase> factors;
		double total; // of 10 points for a visit now, a visit ten days ago, and a mail now
	} cases[] = {
		{"none", {}, 30},
		{"all", {{nullptr, 2}}, 60},
		{"of one type", {{"visit", 2}}, 50},
		{"several", {{"visit", 2}, {nullptr, 3}}, 150},
		{"nothing", {{"visit", 0}}, 10},
		{"less", {{"mail", 0.5}}, 25},
		{"since", {{nullptr, 2, {as_of - 9 * day_us, infinitely_late}}}, 50},
		{"since, inclusive", {{nullptr, 2, {as_of - 10 * day_us, infinitely_late}}}, 60},
		{"until", {{nullptr, 2, {infinitely_old, as_of}}}, 40},
		{"in force from now", {{nullptr, 2, {}, {as_of, infinitely_late}}}, 60},
		{"not yet in force", {{nullptr, 2, {}, {as_of + 1, infinitely_late}}}, 30},
		{"in force until just after", {{nullptr, 2, {}, {infinitely_old, as_of + 1}}}, 60},
		{"no longer in force", {{nullptr, 2, {}, {infinitely_old, as_of}}}, 30},
		{"an unknown type", {{"fair", 2}}, 30},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::code});
		model.add_rule(model.add_group(Part::engagement), events, 10);
		for (const FactorCase &factor : test.factors)
		{
			FactorDefinition &added = model.add_factor(
				events, factor.factor, factor.type == nullptr ? nullptr : model.forest.text_is(0, factor.type));
			added.events = factor.events;
			added.valid = factor.valid;
		}
		const std::vector<Row> rows = {{0, as_of, {text_value("visit")}},
									   {0, as_of - 10 * day_us, {text_value("visit")}},
									   {0, as_of, {text_value("mail")}}};
		EXPECT_EQ(score_of(model, rows).total, test.total) << test.what;
	}
}

TEST(EventFactors, ReachRulesThatPayForEachButNotThoseThatPayOnce)
{
	const struct
	{
		const char *what;
		void (*change)(Model &model, RuleDefinition &rule);
		double total; // of 10 points for two events worth 3 each, and a factor of 2
	} cases[] = {
		{"each", [](Model &, RuleDefinition &) {}, 40},
		{"values", [](Model &, RuleDefinition &rule) { rule.value_column = 0; }, 120},
		{"capped", [](Model &, RuleDefinition &rule) { rule.max_times = 1; }, 20},
		{"capped values",
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.value_column = 0;
			 rule.max_times = 1;
		 },
		 60},
		{"every second", [](Model &, RuleDefinition &rule) { rule.every_n = 2; }, 20},
		{"pairs",
		 [](Model &model, RuleDefinition &rule)
		 {
			 rule.followed_by = model.forest.always();
			 rule.followed_within_us = 30 * day_us;
		 },
		 20},
		{"once", [](Model &, RuleDefinition &rule) { rule.counting = Counting::once; }, 10},
		{"once by a sum of values",
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.counting = Counting::once;
			 rule.value_column = 0;
			 rule.count = {6, 6};
		 },
		 10},
		{"once by a sum of values, capped",
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.counting = Counting::once;
			 rule.value_column = 0;
			 rule.count = {6, 6};
			 rule.max_times = 1;
			 rule.max_times_per_us = day_us;
		 },
		 10},
		{"quiet",
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.counting = Counting::quiet;
			 rule.within_us = day_us;
		 },
		 10},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::real});
		test.change(model, model.add_rule(model.add_group(Part::engagement), events, 10));
		model.add_factor(events, 2);
		const std::vector<Row> rows = events_worth({{day_us, real_value(3)}, {2 * day_us, real_value(3)}});
		EXPECT_EQ(score_of(model, rows).total, test.total)
			<< test.what;
	}
}

TEST(EventFactors, TreatTheRollupOfValuesAlikeWithAndWithoutACap)
{
	// A cap that keeps all matches changes nothing
	for (Rollup rollup : {Rollup::average, Rollup::minimum, Rollup::maximum})
	{
		double totals[2];
		for (uint32_t max_times : {0u, 100u})
		{
			Model model;
			int32_t events = model.add_source(true, {ColumnKind::real});
			model.add_value(model.add_group(Part::engagement), events, 1, Counting::each, rollup).max_times = max_times;
			model.add_factor(events, 2);
			totals[max_times != 0] = score_of(model, events_worth({{1, real_value(3)}, {2, real_value(5)}})).total;
		}
		EXPECT_EQ(totals[0], totals[1]) << static_cast<int>(rollup);
	}
}

TEST(EventFactors, KeepToTheirSource)
{
	Model model;
	int32_t first = model.add_source(true, {});
	int32_t second = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	model.add_rule(group, first, 8);
	model.add_rule(group, second, 8);
	model.add_factor(second, 3);
	Facts facts{{{{0, as_of - 7 * day_us}}, {{0, as_of - 7 * day_us}}}, {}, {{0}}};

	for (EvaluationNeeds needs : {plain, with_detail})
	{
		Fed fed(model, facts, needs);
		fed.feed();
		EXPECT_EQ(fed.finish()[0].total, 16);
	}
}

TEST(EventFactors, ThatComeToTooMuchAreRefused)
{
	const struct
	{
		const char *what;
		double points;
		size_t factors; // of 1e6 each
		bool refused;
	} cases[] = {
		{"much", 1e9, 1, false},
		{"just enough", 1e3, 2, false},
		{"too much", 1e9, 2, true},
		{"far too much", 1, 60, true},
	};

	for (const auto &test : cases)
	{
		for (const char *decay : {"", "half-life 7 days"})
		{
			for (EvaluationNeeds needs : {plain, with_detail})
			{
				Model model;
				int32_t events = model.add_source(true, {});
				model.add_rule(model.add_group(Part::engagement, unlimited, decay), events, test.points);
				for (size_t factor = 0; factor < test.factors; factor++)
				{
					model.add_factor(events, 1e6);
				}
				Facts facts{{{{0, as_of}}}, {}, {{0}}};
				Fed fed(model, facts, needs);
				std::optional<Fault> fault = fault_of(
					[&]
					{
						fed.feed();
						EXPECT_EQ(fed.finish()[0].total, 1e15);
					});
				EXPECT_EQ(fault, test.refused ? std::optional(Fault::out_of_range) : std::nullopt)
					<< test.what << (needs.detail ? ", with detail" : "");
			}
		}
	}
}

TEST(Validity, IsOfTheInstantOfEvaluation)
{
	const struct
	{
		Period valid;
		bool in_force;
	} cases[] = {
		{{}, true},
		{{as_of, infinitely_late}, true},
		{{as_of + 1, infinitely_late}, false},
		{{infinitely_old, as_of + 1}, true},
		{{infinitely_old, as_of}, false},
		{{as_of - day_us, as_of + day_us}, true},
	};

	for (const auto &test : cases)
	{
		for (int32_t source : {record_itself, 0, 1})
		{
			for (Limits count : {at_least_one, Limits{0, 5}})
			{
				for (Counting counting : {Counting::each, Counting::once, Counting::quiet})
				{
					Model model;
					model.add_source(true, {});
					model.add_source(false, {});
					RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement), source, 10);
					rule.counting = source == 0 ? counting : Counting::once;
					rule.count = count;
					rule.within_us = counting == Counting::quiet ? day_us : 0;
					rule.valid = test.valid;
					Facts facts{{{{0, as_of - day_us}}, {{0}}}, {}, {{0}}};
					for (EvaluationNeeds needs : {plain, with_detail})
					{
						Fed fed(model, facts, needs);
						fed.feed();
						EXPECT_EQ(fed.finish()[0].total, test.in_force ? 10 : 0);
					}
				}
			}
		}
	}
}

TEST(Validity, ChangesNothingForOtherRules)
{
	Model model;
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement);
	model.add_rule(group, events, 1).valid.until = as_of;
	model.add_rule(group, events, 10);
	model.add_multiplier(group, events, 5, Multiplies::total).valid.from = as_of + 1;

	EXPECT_EQ(score_of(model, events_aged({0, 1})).total, 20);
	Account account = account_of(model, events_aged({0, 1}));
	EXPECT_EQ(account.rules[0].matched, 0);
	EXPECT_EQ(account.rules[1].matched, 2);
	EXPECT_EQ(account.rules[2].matched, 0);
	EXPECT_TRUE(account.parts[2].multipliers.empty());
}

TEST(Resets, MakeEarlierEventsAsIfTheyHadNeverBeen)
{
	const struct
	{
		const char *what;
		std::vector<std::pair<uint32_t, int64_t>> resets; // record and age
		double total;                                      // of record 0: events aged 0, 10 and 20 days
		int64_t last_activity;
	} cases[] = {
		{"none", {}, 3, as_of},
		{"between", {{0, 5 * day_us}}, 1, as_of},
		{"at an event: it exists", {{0, 10 * day_us}}, 2, as_of},
		{"just after it", {{0, 10 * day_us - 1}}, 1, as_of},
		{"the last one counts", {{0, 15 * day_us}, {0, 5 * day_us}, {0, 30 * day_us}}, 1, as_of},
		{"later than now", {{0, -1}}, 3, as_of},
		{"later than now, and before", {{0, -1}, {0, 15 * day_us}}, 2, as_of},
		{"of another record", {{1, 5 * day_us}}, 3, as_of},
		{"now", {{0, 0}}, 1, as_of},
	};

	for (const auto &test : cases)
	{
		Model model;
		model.has_resets = true;
		int32_t events = model.add_source(true, {});
		int32_t related = model.add_source(false, {});
		model.add_rule(model.add_group(Part::engagement), events, 1);
		// Related rows have no time, and stay
		model.add_rule(model.add_group(Part::fit), related, 100);
		Facts facts{{events_aged({0, 10 * day_us, 20 * day_us}), {{0}}}, {}, {{0}}};
		for (const auto &[record, age] : test.resets)
		{
			facts.resets.push_back({record, as_of - age});
		}
		for (EvaluationNeeds needs : {plain, with_detail, with_activity})
		{
			Fed fed(model, facts, needs);
			fed.feed();
			EXPECT_EQ(fed.finish()[0].total, 100 + test.total) << test.what;
			EXPECT_EQ(fed.finish()[0].has_activity, needs.activity) << test.what;
			if (needs.activity)
			{
				EXPECT_EQ(fed.finish()[0].last_activity, test.last_activity) << test.what;
			}
		}
	}
}

TEST(Resets, ReachEveryKindOfRuleAndTheScope)
{
	Model model;
	model.has_resets = true;
	model.dormant_us = day_us;
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement);
	model.add_frequency(group, events, 1, at_least_one);
	model.add_frequency(group, events, 10, {0, 0});
	model.add_rule(group, events, 100).max_times = 1;
	RuleDefinition &quiet = model.add_rule(group, events, 1000);
	quiet.counting = Counting::quiet;
	quiet.within_us = day_us;
	RuleDefinition &pair = model.add_rule(group, events, 10'000);
	pair.followed_by = model.forest.always();
	pair.followed_within_us = day_us;
	Facts facts{{events_aged({5 * day_us, 5 * day_us})}, {}, {{0}}, {{0, as_of - 4 * day_us}}};
	Fed reset(model, facts, with_activity);
	reset.feed();
	EXPECT_EQ(reset.finish()[0].total, 1010);
	EXPECT_FALSE(reset.finish()[0].dormant);

	model.add_scope(true, events);
	Fed scoped(model, facts, with_activity);
	scoped.feed();
	EXPECT_FALSE(scoped.finish()[0].in_scope);
	model.has_resets = false;
	facts.resets.clear();
	Fed kept(model, facts, with_activity);
	kept.feed();
	EXPECT_EQ(kept.finish()[0].total, 15'101);
	EXPECT_TRUE(kept.finish()[0].dormant);
}

} // namespace lead_scoring::core::test
