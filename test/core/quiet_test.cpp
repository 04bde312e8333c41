// Quiet time: rules that pay for it, points that fade with it, records that are dormant.
#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

TEST(Quiet, PaysForEachFullPeriodSinceTheNewestEvent)
{
	const struct
	{
		const char *what;
		uint32_t max_times;
		std::vector<Row> events;
		double total; // of -5 points for 30 days
	} cases[] = {
		{"no event at all counts as one period", 0, {}, -5},
		{"an event today", 0, {{0, as_of}}, 0},
		{"nearly a period", 0, {{0, as_of - 30 * day_us + 1}}, 0},
		{"a period", 0, {{0, as_of - 30 * day_us}}, -5},
		{"nearly two", 0, {{0, as_of - 60 * day_us + 1}}, -5},
		{"seven", 0, {{0, as_of - 210 * day_us}}, -35},
		{"at most two", 2, {{0, as_of - 210 * day_us}}, -10},
		{"the newest event decides",
		 0,
		 {{0, as_of - 210 * day_us}, {0, as_of - 31 * day_us}, {0, as_of - 90 * day_us}},
		 -5},
		{"an event later than now has not happened", 0, {{0, as_of + 1}}, -5},
		{"and leaves the one before it the newest",
		 0,
		 {{0, as_of - 60 * day_us}, {0, as_of + 1}},
		 -10},
		{"the event of another record", 0, {{1, as_of}}, -5},
		// Nobody can say how many periods have passed since
		{"an infinitely old event", 0, {{0, infinitely_old}}, -5},
		{"an infinitely old event, at most four", 4, {{0, infinitely_old}}, -20},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement), events, -5);
		rule.counting = Counting::quiet;
		rule.within_us = 30 * day_us;
		rule.max_times = test.max_times;
		EXPECT_EQ(score_of(model, test.events).total, test.total) << test.what;
	}
}

TEST(Quiet, LooksOnlyAtEventsThatMatch)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	RuleDefinition &rule =
		model.add_rule(model.add_group(Part::engagement), events, -5, model.forest.text_is(0, "visit"));
	rule.counting = Counting::quiet;
	rule.within_us = 30 * day_us;
	rule.since = as_of - 100 * day_us;
	const struct
	{
		const char *what;
		std::vector<std::pair<std::string, int64_t>> events; // type and age
		double total;
	} cases[] = {
		{"a visit", {{"visit", 0}}, 0},
		{"a mail is not one", {{"mail", 0}}, -5},
		{"a visit, long ago", {{"mail", 0}, {"visit", 95 * day_us}}, -15},
		{"a visit before since", {{"visit", 101 * day_us}}, -5},
	};

	for (const auto &test : cases)
	{
		std::vector<Row> rows;
		for (const auto &[type, age] : test.events)
		{
			rows.push_back({0, as_of - age, {text_value(type)}});
		}
		EXPECT_EQ(score_of(model, rows).total, test.total) << test.what;
	}
}

TEST(Quiet, PenaltiesNeverFade)
{
	for (int64_t quiet_us : {int64_t{-1}, 10 * day_us})
	{
		Model model;
		int32_t events = model.add_source(true, {});
		uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
		if (quiet_us >= 0)
		{
			model.fade_when_quiet(group, quiet_us);
		}
		RuleDefinition &rule = model.add_rule(group, events, -5);
		rule.counting = Counting::quiet;
		rule.within_us = 30 * day_us;
		EXPECT_EQ(score_of(model, events_aged({90 * day_us})).total, -15);
		EXPECT_EQ(score_of(model, {}).total, -5);
		Account account = account_of(model, events_aged({90 * day_us}));
		EXPECT_EQ(account.rules[0].matched, 3);
		EXPECT_EQ(account.rules[0].raw, -15);
		EXPECT_EQ(account.rules[0].decayed, -15);
	}
}

TEST(QuietFade, LowersAllPointsTogetherOnceTheRecordIsQuiet)
{
	const struct
	{
		const char *what;
		const char *decay;
		int64_t after_us;
		std::vector<int64_t> ages_us;
		double total; // of 8 points for each event, and 100 for none at all
	} cases[] = {
		{"no event", "half-life 7 days", 3 * day_us, {}, 100},
		{"active today", "half-life 7 days", 3 * day_us, {0, 70 * day_us, 700 * day_us}, 24},
		{"quiet for three days", "half-life 7 days", 3 * day_us, {3 * day_us, 70 * day_us}, 16},
		{"quiet for ten", "half-life 7 days", 3 * day_us, {10 * day_us, 70 * day_us}, 8},
		{"at once", "half-life 7 days", 0, {7 * day_us, 14 * day_us}, 8},
		{"linear", "50% per month", 15 * day_us, {30 * day_us, 400 * day_us}, 12},
		{"linear, to nothing", "50% per month", 15 * day_us, {75 * day_us}, 0},
		{"with a grace of its own", "half-life 7 days after 2 days", 3 * day_us, {12 * day_us}, 4},
		{"one later than now", "half-life 7 days", 0, {-1, 7 * day_us}, 4},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		uint32_t group = model.add_group(Part::engagement, unlimited, test.decay);
		model.fade_when_quiet(group, test.after_us);
		model.add_rule(group, events, 8);
		// "At most" without any event does not fade
		model.add_frequency(group, events, 100, {0, 0});
		EXPECT_EQ(score_of(model, events_aged(test.ages_us)).total, test.total) << test.what;
	}
}

TEST(QuietFade, CountsTheEventsOfAnySource)
{
	Model model;
	int32_t mails = model.add_source(true, {});
	int32_t visits = model.add_source(true, {});
	int32_t orders = model.add_source(false, {});
	uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	model.fade_when_quiet(group, 0);
	model.add_rule(group, mails, 8);
	const struct
	{
		std::vector<Row> visits;
		std::vector<Row> orders;
		double total;
	} cases[] = {
		{{}, {}, 2},
		{{{0, as_of - 7 * day_us}}, {}, 4},
		{{{0, as_of}}, {}, 8},
		{{{0, as_of + 1}}, {}, 2},
		{{{1, as_of}}, {}, 2},
		// Related rows have no time, so they are no activity
		{{}, {{0, as_of}}, 2},
	};
	static_cast<void>(visits);
	static_cast<void>(orders);

	for (const auto &test : cases)
	{
		Facts facts{{{{0, as_of - 14 * day_us}}, test.visits, test.orders}, {}, {{0}}};
		for (EvaluationNeeds needs : {plain, with_detail, with_activity})
		{
			Fed fed(model, facts, needs);
			fed.feed();
			EXPECT_EQ(fed.finish()[0].total, test.total);
		}
	}
}

TEST(QuietFade, ReachesEveryKindOfRuleOverEvents)
{
	const struct
	{
		const char *what;
		void (*change)(RuleDefinition &rule);
	} cases[] = {
		{"each", [](RuleDefinition &) {}},
		{"once", [](RuleDefinition &rule) { rule.counting = Counting::once; }},
		{"capped", [](RuleDefinition &rule) { rule.max_times = 1; }},
		{"capped in intervals",
		 [](RuleDefinition &rule)
		 {
			 rule.max_times = 1;
			 rule.max_times_per_us = 7 * day_us;
		 }},
		{"every second", [](RuleDefinition &rule) { rule.every_n = 2; }},
		{"values", [](RuleDefinition &rule) { rule.value_column = 0; }},
		{"the most of values",
		 [](RuleDefinition &rule)
		 {
			 rule.value_column = 0;
			 rule.rollup = Rollup::maximum;
		 }},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::real});
		uint32_t fading = model.add_group(Part::engagement, unlimited, "half-life 7 days");
		uint32_t lasting = model.add_group(Part::engagement);
		model.fade_when_quiet(fading, 7 * day_us);
		test.change(model.add_rule(fading, events, 8));
		test.change(model.add_rule(lasting, events, 8));
		Account account = account_of(model, events_worth({{14 * day_us, real_value(1)}, {15 * day_us, real_value(1)}}));
		EXPECT_GT(account.rules[1].decayed, 0) << test.what;
		EXPECT_EQ(account.rules[0].decayed, account.rules[1].decayed / 2) << test.what;
		EXPECT_EQ(account.rules[0].raw, account.rules[1].raw) << test.what;
		EXPECT_EQ(account.groups[0].sum, account.groups[1].sum / 2) << test.what;
	}
}

TEST(QuietFade, LeavesNothingOfEventsThatAreInfinitelyOld)
{
	Model model;
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	model.fade_when_quiet(group, 30 * day_us);
	model.add_rule(group, events, 8);

	EXPECT_EQ(score_of(model, {{0, infinitely_old}}).total, 0);
	EXPECT_EQ(score_of(model, {{0, infinitely_old}, {0, as_of}}).total, 16);
}

TEST(Dormancy, IsJudgedByTheNewestEvent)
{
	const struct
	{
		const char *what;
		int64_t dormant_us;
		std::vector<int64_t> ages_us;
		bool dormant;
		std::optional<int64_t> last_activity;
	} cases[] = {
		{"no event", 90 * day_us, {}, false, std::nullopt},
		{"active", 90 * day_us, {100 * day_us, 5}, false, as_of - 5},
		{"nearly", 90 * day_us, {100 * day_us, 90 * day_us - 1}, false, as_of - 90 * day_us + 1},
		{"exactly", 90 * day_us, {90 * day_us, 91 * day_us}, true, as_of - 90 * day_us},
		{"long", 90 * day_us, {10'000 * day_us}, true, as_of - 10'000 * day_us},
		{"never", 0, {10'000 * day_us}, false, as_of - 10'000 * day_us},
		{"not yet happened", 90 * day_us, {-1, 100 * day_us}, true, as_of - 100 * day_us},
		{"longer than time", infinitely_late, {10'000 * day_us}, false, as_of - 10'000 * day_us},
	};

	for (const auto &test : cases)
	{
		Model model;
		model.add_source(true, {});
		model.dormant_us = test.dormant_us;
		Facts facts{{events_aged(test.ages_us)}, {}, {{0}}};
		Fed fed(model, facts, with_activity);
		fed.feed();
		ScoreResult result = fed.finish()[0];
		EXPECT_EQ(result.dormant, test.dormant) << test.what;
		EXPECT_EQ(result.has_activity, test.last_activity.has_value()) << test.what;
		EXPECT_EQ(result.last_activity, test.last_activity.value_or(result.last_activity)) << test.what;
		EXPECT_EQ(result.total, 0) << test.what;
	}
}

TEST(Dormancy, IsThatOfARecordWhoseOnlyEventIsInfinitelyOld)
{
	Model model;
	model.add_source(true, {});
	model.dormant_us = day_us;
	Facts facts{{{{0, infinitely_old}}}, {}, {{0}, {1}}};
	Fed fed(model, facts, with_activity);
	fed.feed();
	std::vector<ScoreResult> results = fed.finish();

	EXPECT_TRUE(results[0].has_activity);
	EXPECT_EQ(results[0].last_activity, infinitely_old);
	EXPECT_TRUE(results[0].dormant);
	EXPECT_FALSE(results[1].has_activity);
	EXPECT_FALSE(results[1].dormant);
}

TEST(Dormancy, IsNotJudgedUnlessAskedFor)
{
	Model model;
	model.add_source(true, {});
	model.dormant_us = day_us;
	Facts facts{{events_aged({2 * day_us})}, {}, {{0}}};
	Fed fed(model, facts, plain);
	fed.feed();

	EXPECT_FALSE(fed.finish()[0].dormant);
	EXPECT_FALSE(fed.finish()[0].has_activity);
}

} // namespace lead_scoring::core::test
