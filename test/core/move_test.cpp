// A scorer that goes from instant to instant, and is at each of them what a new one would be.
#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"
#include "random_model.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

void
expect_same_windows(const Program &moved, const Program &fresh)
{
	for (size_t source = 0; source < fresh.sources.size(); source++)
	{
		EXPECT_EQ(moved.earliest(source), fresh.earliest(source));
		for (size_t code = 0; code < fresh.sources[source].needs.size(); code++)
		{
			EXPECT_EQ(moved.sources[source].needs[code].window.from, fresh.sources[source].needs[code].window.from);
			EXPECT_EQ(moved.sources[source].needs[code].window.until, fresh.sources[source].needs[code].window.until);
		}
	}
	EXPECT_EQ(moved.valid.from, fresh.valid.from);
	EXPECT_EQ(moved.valid.until, fresh.valid.until);
}

} // namespace

TEST(Scorer, MovedToAnInstantIsWhatANewOneWouldBe)
{
	size_t moves = 0;
	size_t refusals = 0;

	for (uint64_t seed = 4001; seed <= 4120; seed++)
	{
		SCOPED_TRACE(testing::Message() << "seed " << seed);
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		EvaluationNeeds needs = random.one_of(std::vector{plain, with_detail, with_activity, with_due});
		model.unique_keys = true;
		Fed moving(model, facts, needs);
		moving.feed_needed(random);
		for (size_t run = 0; run < 6; run++)
		{
			// Into the past and into the future
			int64_t instant = as_of + random.between(-60, 30) * day_us + random.between(-1, 1);
			Fed fresh(model, facts, needs, instant);
			fresh.feed();
			if (!moving.scorer().program().valid.contains(instant))
			{
				EXPECT_EQ(fault_of([&] { moving.move_to(instant); }), Fault::invalid_parameter);
				refusals++;
				continue;
			}
			moving.move_to(instant);
			expect_same_windows(moving.scorer().program(), fresh.scorer().program());
			moving.feed_needed(random);
			std::vector<ScoreResult> expected = fresh.finish();
			std::vector<ScoreResult> results = moving.finish();
			for (size_t record = 0; record < results.size(); record++)
			{
				ASSERT_TRUE(same_bits(results[record], expected[record])) << results[record].total;
				ASSERT_EQ(results[record].has_activity, expected[record].has_activity);
				ASSERT_TRUE(!results[record].has_activity ||
							results[record].last_activity == expected[record].last_activity);
				ASSERT_EQ(results[record].dormant, expected[record].dormant);
				ASSERT_EQ(results[record].due, expected[record].due);
			}
			moves++;
		}
	}
	EXPECT_GT(moves, 400u);
	EXPECT_GT(refusals, 50u);
}

TEST(Scorer, ForgetsNothingWhereItCannotMove)
{
	Model model;
	int32_t events = model.add_source(true, {});
	RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement), events, 7);
	rule.valid.until = as_of + 1;
	Facts facts{{{{0}}}, {}, {{0}}};
	Fed fed(model, facts, plain);

	fed.feed();
	EXPECT_EQ(fault_of([&] { fed.move_to(as_of + 1); }), Fault::invalid_parameter);
	EXPECT_EQ(fed.finish()[0].total, 7);
}

TEST(Scorer, ForgetsTheCutsOfAnotherInstant)
{
	Model model;
	model.bands.push_back({Part::total, "best", -infinity, 1});
	Facts facts{{}, {}, {{0}}};
	Fed fed(model, facts, plain);

	fed.scorer().bands().relative()[0].cut = {true, 0, {}};
	fed.scorer().clear();
	EXPECT_TRUE(fed.scorer().bands().relative()[0].cut.any);
	fed.move_to(as_of + 1);
	EXPECT_FALSE(fed.scorer().bands().relative()[0].cut.any);
}

TEST(Scorer, ForgetsManyRecordsAndFew)
{
	for (KeyKind kind : {KeyKind::integer, KeyKind::uuid, KeyKind::text})
	{
		Model model;
		model.key_kind = kind;
		model.unique_keys = false;
		int32_t events = model.add_source(true, {});
		// Sums, and a log of matches
		uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
		model.add_rule(group, events, 1);
		model.add_rule(group, events, 1).max_times = 1;
		Facts facts{{{}}, {}, {}};
		for (uint32_t record = 0; record < 20'000; record++)
		{
			facts.records.push_back({record});
		}
		Fed fed(model, facts, plain);
		size_t least = fed.scorer().memory();
		for (uint32_t records : {1u, 64u, 65u, 300u, 20'000u, 3u, 20'000u, 100u, 0u, 1u})
		{
			facts.rows[0].clear();
			for (uint32_t record = 0; record < records; record++)
			{
				facts.rows[0].insert(facts.rows[0].end(), 2, {record});
			}
			fed.feed();
			std::vector<ScoreResult> results = fed.finish();
			for (uint32_t record = 0; record < results.size(); record++)
			{
				ASSERT_EQ(results[record].total, record < records ? 3 : 0) << record << " of " << records;
			}
			fed.scorer().clear();
			EXPECT_LE(fed.scorer().memory(), least + 768 * 1024);
		}
	}
}

TEST(Program, HoldsForAsLongAsTheSameRulesAndFactorsAreInForce)
{
	const struct
	{
		const char *what;
		Period rule;
		Period factor;
		Period valid;
	} cases[] = {
		{"always", {}, {}, {}},
		{"in force", {as_of - 5, as_of + 5}, {}, {as_of - 5, as_of + 5}},
		{"not yet", {as_of + 5, as_of + 9}, {}, {infinitely_old, as_of + 5}},
		{"no longer", {as_of - 9, as_of - 5}, {}, {as_of - 5, infinitely_late}},
		{"from now on", {as_of, infinitely_late}, {}, {as_of, infinitely_late}},
		{"until now", {infinitely_old, as_of}, {}, {as_of, infinitely_late}},
		{"both", {as_of - 5, as_of + 5}, {as_of - 3, as_of + 9}, {as_of - 3, as_of + 5}},
		{"one of them", {as_of - 9, as_of - 5}, {as_of + 3, as_of + 9}, {as_of - 5, as_of + 3}},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		model.add_rule(model.add_group(Part::engagement), events, 1).valid = test.rule;
		model.add_factor(events, 2).valid = test.factor;
		Program program(model.definition(), as_of, plain);
		EXPECT_EQ(program.valid.from, test.valid.from) << test.what;
		EXPECT_EQ(program.valid.until, test.valid.until) << test.what;
		EXPECT_TRUE(program.valid.contains(as_of)) << test.what;
	}
}

TEST(Program, TellsFromWhenOnRowsConcernAnybody)
{
	const struct
	{
		const char *what;
		void (*change)(Model &model, RuleDefinition &rule);
		EvaluationNeeds needs;
		int64_t earliest;
	} cases[] = {
		{"any time", [](Model &, RuleDefinition &) {}, plain, infinitely_old},
		{"a window", [](Model &, RuleDefinition &rule) { rule.within_us = day_us; }, plain, as_of - day_us},
		{"a date", [](Model &, RuleDefinition &rule) { rule.since = as_of - 3; }, plain, as_of - 3},
		{"a window, and activity", [](Model &, RuleDefinition &rule) { rule.within_us = day_us; }, with_activity,
		 infinitely_old},
		{"out of force", [](Model &, RuleDefinition &rule) { rule.valid.until = as_of; }, plain, infinitely_late},
		{"two rules",
		 [](Model &model, RuleDefinition &rule)
		 {
			 rule.within_us = day_us;
			 model.add_rule(0, 0, 1).within_us = 2 * day_us;
		 },
		 plain, as_of - 2 * day_us},
		{"duplicates",
		 [](Model &model, RuleDefinition &rule)
		 {
			 rule.within_us = day_us;
			 model.clean(0, hour_us, false);
		 },
		 plain, infinitely_old},
		{"a scope",
		 [](Model &model, RuleDefinition &rule)
		 {
			 rule.within_us = day_us;
			 model.add_scope(true, 0);
		 },
		 plain, infinitely_old},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		model.rules.reserve(2);
		RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement), events, 1);
		test.change(model, rule);
		Program program(model.definition(), as_of, test.needs);
		EXPECT_EQ(program.earliest(0), test.earliest) << test.what;
		if (test.what == std::string("a window"))
		{
			program.move_to(as_of + 5);
			EXPECT_EQ(program.earliest(0), test.earliest + 5);
		}
	}
}

TEST(Program, NeedsNoEventsThatHaveFadedAway)
{
	Model model;
	int32_t events = model.add_source(true, {});
	model.add_rule(model.add_group(Part::engagement, unlimited, "50% per day"), events, 1);
	Program program(model.definition(), as_of, plain);
	int64_t before = program.earliest(0);

	EXPECT_GT(before, as_of - 10 * day_us);
	EXPECT_LT(before, as_of - 2 * day_us);
	program.move_to(as_of + 7 * day_us);
	EXPECT_EQ(program.earliest(0), before + 7 * day_us);
}

} // namespace lead_scoring::core::test
