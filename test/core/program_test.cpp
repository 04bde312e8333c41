#include "core/program.hpp"

#include "model.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr int64_t as_of = 1000 * day_us;

// Whether a rule notes anything about the rows that match it, beyond a sum of points
bool
only_sums(const RuleSlots &slots)
{
	return slots.sum != no_slot && slots.raw == no_slot && slots.count == no_slot && slots.values == no_slot &&
		   slots.newest == no_slot && slots.extreme == no_slot && slots.log == no_slot;
}

} // namespace

TEST(Program, KeepsTheSourcesOfRulesApart)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	int32_t related = model.add_source(false, {ColumnKind::code});
	uint32_t fit = model.add_group(Part::fit);
	uint32_t engagement = model.add_group(Part::engagement, unlimited, "50% per month");
	model.record_columns = {ColumnKind::code};
	model.add_rule(fit, related, 1, model.forest.text_is(0, "gold"));
	model.add_rule(engagement, events, 2, model.forest.text_is(0, "call"));
	model.add_rule(fit, record_itself, 3, model.forest.text_is(0, "tech"));
	Program program(model.definition(), as_of, plain);

	ASSERT_EQ(program.sources.size(), 2u);
	EXPECT_TRUE(program.sources[0].has_time);
	EXPECT_FALSE(program.sources[1].has_time);
	EXPECT_EQ(program.sources[0].rules.size(), 1u);
	EXPECT_EQ(program.sources[1].rules.size(), 1u);
	EXPECT_NE(program.sources[0].books[0].find("call"), 0u);
	EXPECT_EQ(program.sources[0].books[0].find("gold"), 0u);
	EXPECT_NE(program.sources[1].books[0].find("gold"), 0u);
	EXPECT_NE(program.record_books[0].find("tech"), 0u);
	EXPECT_EQ(program.record_books[0].find("call"), 0u);
	EXPECT_EQ(program.rules[0].criterion, no_slot);
	ASSERT_NE(program.rules[2].criterion, no_slot);
	EXPECT_EQ(program.sources[0].rules[0].decay, 0u);
	EXPECT_EQ(program.sources[1].rules[0].decay, no_slot);
}

TEST(Program, GivesEachGroupOneSumAndWithDetailEachRule)
{
	Model model;
	int32_t events = model.add_source(true, {});
	uint32_t first = model.add_group(Part::engagement);
	uint32_t second = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	model.add_group(Part::engagement);
	model.add_rule(first, events, 1);
	model.add_rule(second, events, 2);
	model.add_rule(first, events, 3);
	model.add_frequency(first, events, 4, at_least_one);
	model.add_frequency(second, events, 5, at_least_one);
	model.add_rule(first, record_itself, 6);
	model.add_scope(true, events);
	model.add_scope(false, record_itself);
	model.has_adjustments = true;
	Program lean(model.definition(), as_of, plain);
	Program detailed(model.definition(), as_of, with_detail);

	EXPECT_EQ(lean.layout.sums, 3u); // two groups and the adjustments
	EXPECT_EQ(lean.layout.counts, 3u);
	EXPECT_EQ(lean.layout.peaks, 1u); // only a decaying group asks for the newest event
	EXPECT_EQ(lean.rules[0].slots.sum, lean.rules[2].slots.sum);
	EXPECT_NE(lean.rules[0].slots.sum, lean.rules[1].slots.sum);
	EXPECT_TRUE(only_sums(lean.rules[0].slots));
	EXPECT_TRUE(lean.sources[0].rules[0].plain);
	EXPECT_EQ(lean.rules[3].slots.sum, no_slot);
	EXPECT_EQ(lean.rules[3].slots.newest, no_slot);
	EXPECT_NE(lean.rules[4].slots.newest, no_slot);

	// Sums, and raw sums, of three rules; and the adjustments
	EXPECT_EQ(detailed.layout.sums, 7u);
	EXPECT_EQ(detailed.layout.counts, 6u);
	EXPECT_EQ(detailed.layout.peaks, 1u);
	EXPECT_NE(detailed.rules[0].slots.sum, detailed.rules[2].slots.sum);
	EXPECT_FALSE(detailed.sources[0].rules[0].plain);

	for (const Program *program : {&lean, &detailed})
	{
		EXPECT_TRUE(program->any_include);
		EXPECT_EQ(program->sum_uses.size(), program->layout.sums);
		EXPECT_EQ(program->sum_uses[program->adjustment_slot].group, no_slot);
		EXPECT_EQ(program->sum_uses[program->rules[0].slots.sum].group, first);
		EXPECT_EQ(program->sum_uses[program->rules[1].slots.sum].group, second);
		EXPECT_EQ(program->sum_uses[program->rules[2].slots.sum].group, first);
		std::set<uint32_t> counts;
		size_t counted = 0;
		for (const FinishRule &rule : program->rules)
		{
			if (rule.slots.count != no_slot)
			{
				counts.insert(rule.slots.count);
				counted++;
			}
		}
		counts.insert(program->scopes[0].count_slot);
		EXPECT_EQ(counts.size(), counted + 1) << "two share a count";
		EXPECT_EQ(program->scopes[1].count_slot, no_slot);
		EXPECT_NE(program->scopes[1].criterion, no_slot);
		EXPECT_EQ(program->log_slot, no_slot);
		EXPECT_EQ(program->log_rules, 0u);
	}
}

TEST(Program, LogsOnlyMatchesThatMustBeSeenInOrder)
{
	struct Options
	{
		const char *what;
		bool decays;
		bool factors;
		void (*change)(Model &model, RuleDefinition &rule);
		bool logs;
	};
	const Options cases[] = {
		{"each", true, true, [](Model &, RuleDefinition &) {}, false},
		{"a cap", false, false, [](Model &, RuleDefinition &rule) { rule.max_times = 3; }, false},
		{"a cap, decay", true, false, [](Model &, RuleDefinition &rule) { rule.max_times = 3; }, true},
		{"a cap, factors", false, true, [](Model &, RuleDefinition &rule) { rule.max_times = 3; }, true},
		{"every third", false, false, [](Model &, RuleDefinition &rule) { rule.every_n = 3; }, false},
		{"every third, decay", true, false, [](Model &, RuleDefinition &rule) { rule.every_n = 3; }, true},
		{"a cap of values", false, false,
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.max_times = 3;
			 rule.value_column = 0;
		 },
		 true},
		{"values, decay", true, false, [](Model &, RuleDefinition &rule) { rule.value_column = 0; }, false},
		{"a cap a day", false, false,
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.max_times = 1;
			 rule.max_times_per_us = day_us;
		 },
		 true},
		{"pairs", false, false,
		 [](Model &model, RuleDefinition &rule)
		 {
			 rule.followed_by = model.forest.always();
			 rule.followed_within_us = day_us;
		 },
		 true},
		{"quiet, at most twice", true, true,
		 [](Model &, RuleDefinition &rule)
		 {
			 rule.counting = Counting::quiet;
			 rule.within_us = day_us;
			 rule.max_times = 2;
		 },
		 false},
		{"once", true, true, [](Model &, RuleDefinition &rule) { rule.counting = Counting::once; }, false},
	};

	for (const Options &test : cases)
	{
		for (EvaluationNeeds needs : {plain, with_detail})
		{
			Model model;
			int32_t events = model.add_source(true, {ColumnKind::real});
			if (test.factors)
			{
				model.add_factor(events, 2);
			}
			uint32_t group = model.add_group(Part::engagement, unlimited, test.decays ? "half-life 7 days" : "");
			test.change(model, model.add_rule(group, events, 1));
			Program program(model.definition(), as_of, needs);
			EXPECT_EQ(program.rules[0].slots.log != no_slot, test.logs) << test.what;
			EXPECT_EQ(program.log_slot != no_slot, test.logs) << test.what;
			EXPECT_EQ(program.log_rules, test.logs ? 1u : 0u) << test.what;
		}
	}
}

TEST(Program, SharesTheCurvesOfEqualDecays)
{
	Model model;
	int32_t events = model.add_source(true, {});
	for (const char *decay : {"50% per month", "half-life 7 days", "50% per 30 days", "50% per week exponential", ""})
	{
		model.add_rule(model.add_group(Part::engagement, unlimited, decay), events, 1);
	}
	Program program(model.definition(), as_of, plain);

	EXPECT_EQ(program.curves.size(), 2u);
	const uint32_t curves[] = {0, 1, 0, 1, no_slot};
	for (size_t rule = 0; rule < std::size(curves); rule++)
	{
		ASSERT_EQ(program.groups[rule].fades.size(), 1u);
		EXPECT_EQ(program.groups[rule].fades[0].curve, curves[rule]) << rule;
		EXPECT_EQ(program.sources[0].rules[rule].decay, curves[rule]) << rule;
	}
}

TEST(Program, AddsUpASumForEachWayInWhichAGroupFades)
{
	Model model;
	model.record_columns = {ColumnKind::code};
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	model.add_segment(group, model.forest.text_is(0, "industry"), "half-life 21 days");
	model.add_segment(group, model.forest.text_is(0, "public"), "");
	model.add_rule(group, events, 1);
	Program program(model.definition(), as_of, plain);

	EXPECT_EQ(program.layout.sums, 3u);
	EXPECT_FALSE(program.sources[0].rules[0].plain);
	ASSERT_EQ(program.groups[0].fades.size(), 3u);
	for (uint32_t fade = 0; fade < 3; fade++)
	{
		const SumUse &use = program.sum_uses[program.rules[0].slots.sum + fade];
		EXPECT_EQ(use.group, group);
		EXPECT_EQ(use.fade, fade);
		EXPECT_EQ(program.groups[0].fades_by_event(fade), fade != 1);
	}
}

TEST(Program, TurnsWindowsIntoInstants)
{
	const struct
	{
		int64_t as_of;
		int64_t within_us;
		int64_t since;
		int64_t until;
		int64_t from;
	} cases[] = {
		{as_of, 0, infinitely_old, infinitely_late, infinitely_old},
		{as_of, 30 * day_us, infinitely_old, infinitely_late, as_of - 30 * day_us},
		{as_of, 30 * day_us, as_of - 40 * day_us, as_of - day_us, as_of - 30 * day_us},
		{as_of, 30 * day_us, as_of - 20 * day_us, as_of + day_us, as_of - 20 * day_us},
		{as_of, 0, as_of - 20 * day_us, infinitely_late, as_of - 20 * day_us},
		{infinitely_old + 5, 30 * day_us, infinitely_old, infinitely_late, infinitely_old},
	};

	for (size_t at = 0; at < std::size(cases); at++)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement), events, 1);
		rule.within_us = cases[at].within_us;
		rule.since = cases[at].since;
		rule.until = cases[at].until;
		Program program(model.definition(), cases[at].as_of, plain);
		EXPECT_EQ(program.sources[0].rules[0].window.from, cases[at].from) << at;
		EXPECT_EQ(program.sources[0].rules[0].window.until, cases[at].until) << at;
		EXPECT_EQ(program.sources[0].needs[0].window.from, cases[at].from) << at;
		EXPECT_EQ(program.sources[0].needs[0].window.until, cases[at].until) << at;
	}
}

TEST(Program, NotesActivityAndResetsOnlyWhereTheyMatter)
{
	for (bool activity : {false, true})
	{
		for (bool quiet : {false, true})
		{
			for (bool resets : {false, true})
			{
				Model model;
				uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
				model.has_resets = resets;
				if (quiet)
				{
					model.fade_when_quiet(group, day_us);
				}
				Program program(model.definition(), as_of, {false, activity});
				EXPECT_EQ(program.activity_slot != no_slot, activity || quiet);
				EXPECT_EQ(program.reset_slot != no_slot, resets);
				EXPECT_EQ(program.layout.peaks, size_t{activity || quiet} + size_t{resets});
			}
		}
	}
}

TEST(Program, OfNothingIsEmpty)
{
	Model model;
	Program program(model.definition(), as_of, with_detail);

	EXPECT_EQ(program.layout.sums, 0u);
	EXPECT_EQ(program.layout.counts, 0u);
	EXPECT_EQ(program.layout.peaks, 0u);
	EXPECT_EQ(program.adjustment_slot, no_slot);
	EXPECT_EQ(program.open_when, no_slot);
	EXPECT_FALSE(program.any_include);
	EXPECT_TRUE(program.rules.empty());
}

TEST(Program, DoesNotNeedTheDefinitionOnceItIsCompiled)
{
	auto compile = []
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::code});
		model.add_rule(model.add_group(Part::engagement, unlimited, "half-life 7 days"), events, 5,
					   model.forest.text_is(0, "call"));
		std::string label = "a label long enough to live on the heap";
		model.bands.push_back({Part::total, label, 0});
		Program program(model.definition(), as_of, with_detail);
		label.assign(label.size(), '#');
		return program;
	};
	Program program = compile();

	EXPECT_EQ(program.rules[0].name, "rule 0");
	EXPECT_EQ(program.groups[0].name, "group 0");
	EXPECT_EQ(program.bands.texts()[0], "a label long enough to live on the heap");
	EXPECT_EQ(program.sources[0].books[0].find("call"), 1u);
}

TEST(Program, GivesCodesOnlyToTextsThatItSpeaksOf)
{
	Model model;
	model.record_columns = {ColumnKind::code};
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t group = model.add_group(Part::engagement);
	model.add_rule(group, events, 1, model.forest.text_is(0, "call"));
	model.add_rule(group, record_itself, 1, model.forest.text_is(0, "tech"));
	model.open_when = model.forest.text_is(0, "open");
	model.bands.push_back({Part::total, "any", -infinity, 0, 0, "north", model.forest.text_is(0, "north")});
	Program program(model.definition(), as_of, plain);

	EXPECT_NE(program.sources[0].books[0].find("call"), 0u);
	EXPECT_EQ(program.sources[0].books[0].find("tech"), 0u);
	for (const char *text : {"tech", "open", "north"})
	{
		EXPECT_NE(program.record_books[0].find(text), 0u) << text;
	}
	EXPECT_EQ(program.record_books[0].find("call"), 0u);
}

} // namespace lead_scoring::core::test
