// When time alone may change a score next.
#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr int64_t never = infinitely_late;
constexpr int64_t always = infinitely_old;

// The due of record 0, which must not depend on how it is asked for, nor on rows that are not needed
int64_t
due_of(const Model &model, const Facts &facts, int64_t instant = as_of)
{
	Random random(1);
	Fed lean(model, facts, with_due, instant);
	Fed detailed(model, facts, {true, true, true}, instant);
	Fed thrifty(model, facts, with_due, instant);
	Fed without(model, facts, plain, instant);

	lean.feed();
	detailed.feed(random);
	thrifty.feed_needed(random);
	without.feed();
	int64_t due = lean.finish()[0].due;
	EXPECT_EQ(detailed.finish()[0].due, due);
	EXPECT_EQ(thrifty.finish()[0].due, due);
	EXPECT_EQ(without.finish()[0].due, infinitely_late);
	return due;
}

// One group of engagement, with a rule of 8 points for each event, which each case changes
struct Case
{
	const char *what;
	std::string_view decay;
	std::function<void(Model &model, RuleDefinition &rule)> change;
	std::vector<int64_t> times; // of the events of the record
	int64_t due;
};

void
unchanged(Model &, RuleDefinition &)
{
}

int64_t
due_of(const Case &test)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::real});
	model.rules.reserve(4);
	RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement, unlimited, test.decay), events, 8);
	test.change(model, rule);
	Facts facts{{{}}, {}, {{0}}};
	for (int64_t time : test.times)
	{
		facts.rows[0].push_back({0, time, {real_value(2)}});
		// Others are none of its business
		facts.rows[0].push_back({1, as_of - day_us, {real_value(2)}});
		facts.rows[0].push_back({1, as_of + 1, {real_value(2)}});
	}
	return due_of(model, facts);
}

void
expect_due(const std::vector<Case> &cases)
{
	for (const Case &test : cases)
	{
		EXPECT_EQ(due_of(test), test.due) << test.what;
	}
}

void
last_three_days(Model &, RuleDefinition &rule)
{
	rule.within_us = 3 * day_us;
}

void
worth_nothing(Model &, RuleDefinition &rule)
{
	rule.points = 0;
}

} // namespace

TEST(Due, IsNeverWhereNothingFades)
{
	expect_due({
		{"no event", "half-life 7 days", unchanged, {}, never},
		{"events", "", unchanged, {as_of, as_of - day_us}, never},
		{"points that are none", "half-life 7 days", worth_nothing, {as_of, as_of + 5}, never},
		{"points that were none, once", "half-life 7 days",
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.points = 0;
			 rule.counting = Counting::once;
			 rule.within_us = day_us;
		 },
		 {as_of},
		 never},
		{"an event at the end of time", "half-life 7 days", unchanged, {infinitely_late}, never},
		{"an event at the beginning of time", "half-life 7 days", unchanged, {infinitely_old}, never},
		{"faded away", "50% per day", unchanged, {as_of - 2 * day_us, as_of - 9 * day_us}, never},
		{"faded away, by halves", "half-life 1 second", unchanged, {as_of - day_us}, never},
		{"faded away, by steps", "50% per day stepwise", unchanged, {as_of - 2 * day_us}, never},
		{"another way to fade", "half-life 7 days",
		 [](Model &model, RuleDefinition &rule) { model.add_segment(rule.group, model.forest.always(), ""); },
		 {as_of - day_us},
		 never},
		{"a multiplier", "half-life 7 days",
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.counting = Counting::once;
			 rule.multiplies = Multiplies::total;
		 },
		 {as_of - day_us},
		 never},
		{"not often enough", "half-life 7 days",
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.counting = Counting::once;
			 rule.count = {2, infinity};
		 },
		 {as_of - day_us},
		 never},
	});
}

TEST(Due, IsAlwaysWhilePointsFade)
{
	auto once = [](Model &, RuleDefinition &rule) { rule.counting = Counting::once; };
	auto newest_two = [](Model &, RuleDefinition &rule) { rule.max_times = 2; };

	expect_due({
		{"a line", "50% per month", unchanged, {as_of - day_us}, always},
		{"a line from now on", "50% per month", unchanged, {as_of}, always},
		{"halves", "half-life 7 days", unchanged, {as_of - day_us, as_of - 900 * day_us}, always},
		{"a line after a delay", "50% per month after 3 days", unchanged, {as_of - 3 * day_us}, always},
		{"the newest of many", "half-life 7 days", once, {as_of - 9 * day_us, as_of - day_us}, always},
		{"the newest two", "half-life 7 days", newest_two, {as_of - 9 * day_us, as_of - day_us, as_of}, always},
		{"a value", "half-life 7 days", [](Model &, RuleDefinition &rule) { rule.value_column = 0; }, {as_of}, always},
		{"one of several ways to fade", "",
		 [](Model &model, RuleDefinition &rule) { model.add_segment(rule.group, model.forest.always(), "half-life 7 days"); },
		 {as_of - day_us},
		 always},
		{"the clock", "", [](Model &model, RuleDefinition &) { model.reads_clock = true; }, {}, always},
		{"the clock, out of scope", "",
		 [](Model &model, RuleDefinition &)
		 {
			 model.reads_clock = true;
			 model.add_scope(false, record_itself);
		 },
		 {},
		 always},
	});
}

TEST(Due, StandsWhileAnyRowThatWasThereFades)
{
	const struct
	{
		const char *what;
		std::string_view decay;
		std::function<void(Model &model, RuleDefinition &rule)> change;
		std::vector<Row> rows;
		bool stands;
	} cases[] = {
		{"new rows", "half-life 7 days", unchanged, {{0, as_of, {real_value(2)}, {}, never, false}}, false},
		{"rows of which nobody knows", "half-life 7 days", unchanged, {{0, as_of, {real_value(2)}}}, false},
		{"old rows", "half-life 7 days", unchanged, {{0, as_of, {real_value(2)}, {}, never, true}}, true},
		{"old rows of another record", "half-life 7 days", unchanged,
		 {{0, as_of, {real_value(2)}, {}, never, false}, {1, as_of, {real_value(2)}, {}, never, true}}, false},
		{"a new row before an old one", "half-life 7 days", unchanged,
		 {{0, as_of, {real_value(2)}, {}, never, false}, {0, as_of, {real_value(2)}, {}, never, true}}, true},
		{"an old row before a new one", "half-life 7 days", unchanged,
		 {{0, as_of, {real_value(2)}, {}, never, true}, {0, as_of, {real_value(2)}, {}, never, false}}, true},
		{"an old row that does not fade", "", unchanged, {{0, as_of, {real_value(2)}, {}, never, true}}, false},
		{"an old row that fades for two more hours", "100% per 2 days", unchanged,
		 {{0, as_of - 2 * day_us + 2 * hour_us, {real_value(2)}, {}, never, true}}, true},
		{"an old row that fades for half an hour", "100% per 2 days", unchanged,
		 {{0, as_of - 2 * day_us + hour_us / 2, {real_value(2)}, {}, never, true}}, false},
		{"an old row in a window for two more hours", "half-life 7 days", last_three_days,
		 {{0, as_of - 3 * day_us + 2 * hour_us, {real_value(2)}, {}, never, true}}, true},
		{"an old row in a window for half an hour", "half-life 7 days", last_three_days,
		 {{0, as_of - 3 * day_us + hour_us / 2, {real_value(2)}, {}, never, true}}, false},
		{"an old row that fades by steps", "50% per day stepwise", unchanged, {{0, as_of, {real_value(2)}, {}, never, true}}, false},
		{"an old row that pays together with others", "half-life 7 days",
		 [](Model &, RuleDefinition &rule) { rule.counting = Counting::once; }, {{0, as_of, {real_value(2)}, {}, never, true}}, false},
		{"an old row of a record that rows bring into scope", "half-life 7 days",
		 [](Model &model, RuleDefinition &) { model.add_scope(true, 0); }, {{0, as_of, {real_value(2)}, {}, never, true}}, false},
		{"an old row of a record that a row keeps in scope", "half-life 7 days",
		 [](Model &model, RuleDefinition &) { model.add_scope(false, 0, model.forest.never()); },
		 {{0, as_of, {real_value(2)}, {}, never, true}}, false},
		{"an old row of a cleaned source", "half-life 7 days", [](Model &model, RuleDefinition &) { model.clean(0, day_us, false); },
		 {{0, as_of, {real_value(2)}, {}, never, true}}, false},
	};

	for (const auto &test : cases)
	{
		Model model;
		model.rules.reserve(4);
		int32_t events = model.add_source(true, {ColumnKind::real});
		test.change(model, model.add_rule(model.add_group(Part::engagement, unlimited, test.decay), events, 8));
		Facts facts{{test.rows}, {}, {{0}}};
		Fed fed(model, facts, with_due);
		fed.feed();
		EXPECT_EQ(fed.finish()[0].due_stands, test.stands) << test.what;
	}
}

TEST(Due, IsTheEndOfTheDelayOfADecay)
{
	expect_due({
		{"a line", "50% per month after 3 days", unchanged, {as_of - day_us}, as_of + 2 * day_us + 1},
		{"halves", "half-life 7 days after 3 days", unchanged, {as_of - day_us, as_of}, as_of + 2 * day_us + 1},
		{"the newest", "half-life 7 days after 3 days", [](Model &, RuleDefinition &rule)
		 { rule.counting = Counting::once; }, {as_of - day_us, as_of}, as_of + 3 * day_us + 1},
		{"a step", "50% per month stepwise after 3 days", unchanged, {as_of - day_us}, as_of + month_us + 2 * day_us},
	});
}

TEST(Due, IsTheNextStepOfADecay)
{
	expect_due({
		{"the first", "30% per 10 days stepwise", unchanged, {as_of}, as_of + 10 * day_us},
		{"the second", "30% per 10 days stepwise", unchanged, {as_of - 10 * day_us}, as_of + 10 * day_us},
		{"a moment before it", "30% per 10 days stepwise", unchanged, {as_of - 10 * day_us + 1}, as_of + 1},
		{"of the event that takes it first", "30% per 10 days stepwise", unchanged,
		 {as_of, as_of - 34 * day_us, as_of - 50 * day_us, as_of - 12 * day_us}, as_of + 6 * day_us},
		{"of the newest event", "30% per 10 days stepwise",
		 [](Model &, RuleDefinition &rule) { rule.counting = Counting::once; },
		 {as_of - 34 * day_us, as_of - 12 * day_us}, as_of + 8 * day_us},
		{"of those that count", "30% per 10 days stepwise", [](Model &, RuleDefinition &rule) { rule.max_times = 1; },
		 {as_of - 34 * day_us, as_of - 12 * day_us}, as_of + 8 * day_us},
		{"of every second", "30% per 10 days stepwise", [](Model &, RuleDefinition &rule) { rule.every_n = 2; },
		 {as_of - 34 * day_us, as_of - 12 * day_us, as_of}, as_of + 8 * day_us},
	});
}

TEST(Due, IsWhenAnEventLeavesItsWindow)
{
	auto rarely = [](Model &, RuleDefinition &rule)
	{
		rule.counting = Counting::once;
		rule.count = {0, 1};
		rule.within_us = 3 * day_us;
	};
	auto in_pairs = [](Model &model, RuleDefinition &rule)
	{
		rule.followed_by = model.forest.always();
		rule.followed_within_us = 2 * day_us;
		rule.within_us = 3 * day_us;
	};

	expect_due({
		{"now", "", last_three_days, {as_of}, as_of + 3 * day_us + 1},
		{"at the last moment", "", last_three_days, {as_of - 3 * day_us}, as_of + 1},
		{"it has", "", last_three_days, {as_of - 3 * day_us - 1}, never},
		{"the oldest", "", last_three_days, {as_of, as_of - 2 * day_us, as_of - 4 * day_us}, as_of + day_us + 1},
		{"at most once", "", rarely, {as_of, as_of - day_us}, as_of + 2 * day_us + 1},
		{"a pair, by its end", "", in_pairs, {as_of - 4 * day_us, as_of - 2 * day_us}, as_of + day_us + 1},
		{"no pair", "", in_pairs, {as_of - 4 * day_us, as_of - day_us}, never},
		{"before its next step", "30% per 10 days stepwise", last_three_days, {as_of}, as_of + 3 * day_us + 1},
	});
}

TEST(Due, IsWhenAnEventBeginsToCount)
{
	expect_due({
		{"soon", "", unchanged, {as_of + 5, as_of + 7}, as_of + 5},
		{"soon, while another fades", "half-life 7 days", unchanged, {as_of, as_of + 5}, always},
		{"within a window", "", last_three_days, {as_of + 9 * day_us}, as_of + 9 * day_us},
		{"after the end of a period", "", [](Model &, RuleDefinition &rule) { rule.until = as_of + 5; },
		 {as_of + 5, as_of + 6}, never},
		{"at the end of a period", "", [](Model &, RuleDefinition &rule) { rule.until = as_of + 6; },
		 {as_of + 5, as_of + 6}, as_of + 5},
		{"of no rule", "", [](Model &model, RuleDefinition &rule) { rule.criterion = model.forest.never(); },
		 {as_of + 5}, never},
		{"of no rule, but it ends the quiet", "half-life 7 days",
		 [](Model &model, RuleDefinition &rule)
		 {
			 rule.criterion = model.forest.never();
			 model.fade_when_quiet(rule.group, day_us);
		 },
		 {as_of + 5}, as_of + 5},
		{"a repetition", "", [](Model &model, RuleDefinition &) { model.clean(0, 2 * day_us, false); },
		 {as_of - day_us, as_of + 5, as_of + day_us}, as_of + day_us},
		{"out of scope", "half-life 7 days", [](Model &model, RuleDefinition &) { model.add_scope(false, 0); },
		 {as_of, as_of + 5}, as_of + 5},
		{"not yet in scope", "half-life 7 days", [](Model &model, RuleDefinition &) { model.add_scope(true, 0); },
		 {as_of + 5}, as_of + 5},
		{"out of scope for good", "half-life 7 days",
		 [](Model &model, RuleDefinition &) { model.add_scope(false, record_itself); },
		 {as_of, as_of + 5}, never},
	});
}

TEST(Due, IsTheEndOfTheNextQuietPeriod)
{
	auto quiet = [](uint32_t max_times)
	{
		return [max_times](Model &, RuleDefinition &rule)
		{
			rule.counting = Counting::quiet;
			rule.within_us = 10 * day_us;
			rule.max_times = max_times;
		};
	};

	expect_due({
		{"the first", "", quiet(3), {as_of}, as_of + 10 * day_us},
		{"the second", "", quiet(3), {as_of - 10 * day_us, as_of - 50 * day_us}, as_of + 10 * day_us},
		{"a moment before it", "", quiet(3), {as_of - 20 * day_us + 1}, as_of + 1},
		{"the last", "", quiet(3), {as_of - 30 * day_us}, never},
		{"without end", "", quiet(0), {as_of - 32 * day_us}, as_of + 8 * day_us},
		{"of decay", "half-life 7 days", quiet(0), {as_of - 32 * day_us}, as_of + 8 * day_us},
		{"of what has been for ever", "", quiet(3), {infinitely_old}, never},
		{"of what has never been", "", quiet(3), {}, never},
		{"an event ends it", "", quiet(3), {as_of, as_of + 5}, as_of + 5},
	});
}

TEST(Due, IsWhenQuietTimeBeginsToMakePointsFade)
{
	auto after_five_days = [](Model &model, RuleDefinition &rule) { model.fade_when_quiet(rule.group, 5 * day_us); };

	expect_due({
		{"not yet", "half-life 7 days", after_five_days, {as_of - day_us, as_of - 9 * day_us}, as_of + 4 * day_us + 1},
		{"after a delay", "half-life 7 days after 3 days", after_five_days, {as_of - day_us}, as_of + 7 * day_us + 1},
		{"by steps", "30% per 10 days stepwise", after_five_days, {as_of - day_us}, as_of + 14 * day_us},
		{"the next step", "30% per 10 days stepwise", after_five_days, {as_of - 16 * day_us}, as_of + 9 * day_us},
		{"it does", "half-life 7 days", after_five_days, {as_of - 6 * day_us}, always},
		{"nothing is left", "50% per day", after_five_days, {as_of - 9 * day_us}, never},
		{"there is nothing to fade", "half-life 7 days",
		 [](Model &model, RuleDefinition &rule)
		 {
			 rule.criterion = model.forest.never();
			 model.fade_when_quiet(rule.group, 5 * day_us);
		 },
		 {as_of - 6 * day_us},
		 never},
	});
}

TEST(Due, IsWhenOtherRulesOrFactorsAreInForce)
{
	auto rule_until = [](Model &, RuleDefinition &rule) { rule.valid.until = as_of + 5; };
	auto rule_from = [](Model &, RuleDefinition &rule) { rule.valid.from = as_of + 7; };

	expect_due({
		{"a rule ends", "", rule_until, {}, as_of + 5},
		{"a rule begins", "", rule_from, {as_of}, as_of + 7},
		{"a factor begins", "", [](Model &model, RuleDefinition &) { model.add_factor(0, 2).valid.from = as_of + 9; },
		 {as_of}, as_of + 9},
		{"points fade", "half-life 7 days", rule_until, {as_of}, always},
	});
}

TEST(Due, IsWhenPointsByHandBeginAndEnd)
{
	const struct
	{
		const char *what;
		std::vector<Period> periods;
		int64_t due;
	} cases[] = {
		{"for ever", {{as_of, never}}, never},
		{"until then", {{as_of - 5, as_of + 5}, {as_of, as_of + 7}}, as_of + 5},
		{"from then", {{as_of + 3, as_of + 5}, {as_of, as_of + 7}}, as_of + 3},
		{"past", {{as_of - 5, as_of}}, never},
	};

	for (const auto &test : cases)
	{
		Model model;
		model.has_adjustments = true;
		Facts facts{{}, {}, {{0}}};
		for (const Period &period : test.periods)
		{
			facts.adjustments.push_back({0, period.from, {real_value(5)}, std::nullopt, period.until});
		}
		EXPECT_EQ(due_of(model, facts), test.due) << test.what;
	}
}

TEST(Due, IsTheNextReset)
{
	for (bool in_scope : {true, false})
	{
		Model model;
		model.has_resets = true;
		int32_t events = model.add_source(true, {});
		model.add_rule(model.add_group(Part::engagement, unlimited, "half-life 7 days"), events, 8);
		model.add_scope(in_scope, events);
		Facts facts{{{{0, as_of - day_us}}}, {}, {{0}}, {}};
		EXPECT_EQ(due_of(model, facts), in_scope ? always : never);
		facts.resets = {{0, as_of + 9}, {0, as_of + 5}, {0, infinitely_late}};
		EXPECT_EQ(due_of(model, facts), in_scope ? always : as_of + 5);
		facts.rows[0][0].time = as_of + 7;
		EXPECT_EQ(due_of(model, facts), as_of + 5);
		// What a reset has taken does not fade
		facts.rows[0][0].time = as_of - day_us;
		facts.resets = {{0, as_of}};
		EXPECT_EQ(due_of(model, facts), never);
	}
}

TEST(Due, OfRelatedRowsIsNever)
{
	Model model;
	int32_t related = model.add_source(false, {ColumnKind::real});
	uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	model.add_frequency(group, related, 5, at_least_one);
	model.add_value(group, related, 1, Counting::each, Rollup::sum);
	model.add_value(group, related, 1, Counting::each, Rollup::maximum);

	EXPECT_EQ(due_of(model, {{{{0, 0, {real_value(3)}}}}, {}, {{0}}}), never);
}

TEST(Due, IsClaimedForAncientEventsWhoseAgeNobodyKnowsToTheMicrosecond)
{
	Model model;
	int32_t events = model.add_source(true, {});
	RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement), events, 8);
	rule.counting = Counting::quiet;
	rule.within_us = 10 * day_us;

	EXPECT_EQ(due_of(model, {{{{0, as_of - 100 * year_us}}}, {}, {{0}}}), as_of + 10 * day_us);
	EXPECT_EQ(due_of(model, {{{{0, as_of - 2000 * year_us}}}, {}, {{0}}}), always);
}

} // namespace lead_scoring::core::test
