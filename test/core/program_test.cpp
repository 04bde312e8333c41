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

// Return the rules of a source that rows with this code go through
std::vector<uint32_t>
entries_of(const SourceProgram &source, uint32_t code)
{
	return {source.entries.begin() + source.first_entry.at(code),
			source.entries.begin() + source.first_entry.at(code + 1)};
}

uint32_t
integer_code(const SourceProgram &source, int64_t integer)
{
	return source.dispatch_book.find({reinterpret_cast<const char *>(&integer), sizeof integer});
}

using Entries = std::vector<uint32_t>;

} // namespace

TEST(Program, DispatchesOnTheColumnThatMostRulesTestForEquality)
{
	Model model;
	int32_t source = model.add_source(true, {ColumnKind::code, ColumnKind::integer, ColumnKind::code, ColumnKind::real});
	uint32_t group = model.add_group(Part::engagement);
	Forest &forest = model.forest;
	const PredicateTree *large = forest.compare(Check::greater, 1, {integer_value(5)});
	model.add_rule(group, source, 1, forest.text_is(2, "call"));
	model.add_rule(group, source, 2, forest.all_of({large, forest.text_is(2, "meeting")}));
	model.add_rule(group, source, 3,
				   forest.compare(Check::one_of, 2, {text_value("mail"), text_value("call"), text_value("call")}));
	model.add_rule(group, source, 4, forest.text_is(0, "web"));
	model.add_rule(group, source, 5, large);
	model.add_rule(group, source, 6, forest.compare(Check::unequal, 2, {text_value("bounce")}));
	model.add_rule(group, source, 7, forest.negation(forest.text_is(2, "mail")));
	model.add_rule(group, source, 8);
	Program program(model.definition(), as_of, false);
	const SourceProgram &compiled = program.sources[0];

	ASSERT_EQ(compiled.dispatch_column, 2u);
	EXPECT_EQ(compiled.dispatch_kind, ColumnKind::code);
	const CodeBook &book = compiled.books[2];
	EXPECT_EQ(entries_of(compiled, 0), (Entries{3, 4, 5, 6, 7}));
	EXPECT_EQ(entries_of(compiled, book.find("call")), (Entries{0, 2, 3, 4, 5, 6, 7}));
	EXPECT_EQ(entries_of(compiled, book.find("meeting")), (Entries{1, 3, 4, 5, 6, 7}));
	EXPECT_EQ(entries_of(compiled, book.find("mail")), (Entries{2, 3, 4, 5, 6, 7}));
	// A text that only other tests speak of has a code, and needs a place for it
	ASSERT_NE(book.find("bounce"), 0u);
	EXPECT_EQ(entries_of(compiled, book.find("bounce")), (Entries{3, 4, 5, 6, 7}));
	EXPECT_EQ(compiled.first_entry.size(), book.size() + 1);
	const size_t criteria[] = {0, 1, 0, 1, 1, 1, 1, 0};
	for (size_t rule = 0; rule < std::size(criteria); rule++)
	{
		EXPECT_EQ(compiled.rules[rule].criteria.size(), criteria[rule]) << rule;
	}
}

TEST(Program, DispatchesOnIntegersToo)
{
	Model model;
	int32_t source = model.add_source(true, {ColumnKind::real, ColumnKind::integer});
	uint32_t group = model.add_group(Part::engagement);
	Forest &forest = model.forest;
	model.add_rule(group, source, 1, forest.compare(Check::equal, 1, {integer_value(-1)}));
	model.add_rule(group, source, 2, forest.compare(Check::one_of, 1, {integer_value(0), integer_value(-1)}));
	model.add_rule(group, source, 3, forest.compare(Check::equal, 0, {real_value(1)}));
	Program program(model.definition(), as_of, false);
	const SourceProgram &compiled = program.sources[0];

	ASSERT_EQ(compiled.dispatch_column, 1u);
	EXPECT_EQ(compiled.dispatch_kind, ColumnKind::integer);
	EXPECT_EQ(entries_of(compiled, 0), (Entries{2}));
	EXPECT_EQ(entries_of(compiled, integer_code(compiled, -1)), (Entries{0, 1, 2}));
	EXPECT_EQ(entries_of(compiled, integer_code(compiled, 0)), (Entries{1, 2}));
	EXPECT_EQ(integer_code(compiled, 1), 0u);
	EXPECT_EQ(compiled.first_entry.size(), compiled.dispatch_book.size() + 1);
}

TEST(Program, DoesNotDispatchWhereNoColumnSuits)
{
	const std::vector<ColumnKind> columns = {ColumnKind::real, ColumnKind::truth, ColumnKind::code, ColumnKind::integer};
	Forest trees;
	const std::vector<const PredicateTree *> criteria = {
		trees.always(),
		trees.never(),
		trees.compare(Check::equal, 0, {real_value(1)}),
		trees.column(Check::is_true, 1),
		trees.column(Check::is_null, 2),
		trees.compare(Check::unequal, 2, {text_value("a")}),
		trees.negation(trees.text_is(2, "a")),
		trees.any_of({trees.text_is(2, "a"), trees.text_is(2, "b")}),
		trees.compare(Check::less, 3, {integer_value(1)}),
	};

	for (size_t at = 0; at < criteria.size(); at++)
	{
		Model model;
		int32_t source = model.add_source(true, columns);
		model.add_rule(model.add_group(Part::engagement), source, 1, criteria[at]);
		Program program(model.definition(), as_of, false);
		EXPECT_EQ(program.sources[0].dispatch_column, no_slot) << at;
		EXPECT_EQ(entries_of(program.sources[0], 0), Entries{0}) << at;
		EXPECT_EQ(program.sources[0].rules[0].criteria.size(), at == 0 ? 0u : 1u) << at;
	}
}

TEST(Program, FlattensNestedConjunctionsAndDropsWhatIsAlwaysTrue)
{
	Model model;
	int32_t source = model.add_source(true, {ColumnKind::code, ColumnKind::integer});
	Forest &forest = model.forest;
	const PredicateTree *small = forest.compare(Check::less, 1, {integer_value(9)});
	model.add_rule(model.add_group(Part::engagement), source, 1,
				   forest.all_of({forest.always(), forest.all_of({small, forest.all_of({forest.text_is(0, "call")})}),
								  forest.all_of({}), forest.column(Check::is_not_null, 1)}));
	Program program(model.definition(), as_of, false);

	EXPECT_EQ(program.sources[0].dispatch_column, 0u);
	EXPECT_EQ(program.sources[0].rules[0].criteria.size(), 2u);
}

TEST(Program, TestsASecondValueOfTheDispatchColumnAsWell)
{
	Model model;
	int32_t source = model.add_source(true, {ColumnKind::code});
	Forest &forest = model.forest;
	model.add_rule(model.add_group(Part::engagement), source, 1,
				   forest.all_of({forest.text_is(0, "a"), forest.text_is(0, "b")}));
	Program program(model.definition(), as_of, false);

	EXPECT_EQ(program.sources[0].rules[0].criteria.size(), 1u);
	EXPECT_EQ(entries_of(program.sources[0], program.sources[0].books[0].find("a")), Entries{0});
	EXPECT_EQ(entries_of(program.sources[0], program.sources[0].books[0].find("b")), Entries{});
}

TEST(Program, KeepsTheSourcesOfRulesApart)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	int32_t related = model.add_source(false, {ColumnKind::code});
	uint32_t fit = model.add_group(Part::fit, unlimited, "half-life 7 days");
	uint32_t engagement = model.add_group(Part::engagement, unlimited, "50% per month");
	model.record_columns = {ColumnKind::code};
	model.add_rule(fit, related, 1, model.forest.text_is(0, "gold"));
	model.add_rule(engagement, events, 2, model.forest.text_is(0, "call"));
	model.add_rule(fit, record_itself, 3, model.forest.text_is(0, "tech"));
	Program program(model.definition(), as_of, false);

	ASSERT_EQ(program.sources.size(), 2u);
	EXPECT_TRUE(program.sources[0].has_time);
	EXPECT_FALSE(program.sources[1].has_time);
	EXPECT_EQ(program.sources[0].rules.size(), 1u);
	EXPECT_EQ(program.sources[1].rules.size(), 1u);
	EXPECT_NE(program.sources[0].books[0].find("call"), 0u);
	EXPECT_EQ(program.sources[0].books[0].find("gold"), 0u);
	EXPECT_NE(program.sources[1].books[0].find("gold"), 0u);
	EXPECT_NE(program.record_books[0].find("tech"), 0u);
	EXPECT_EQ(program.rules[0].criterion, no_slot);
	EXPECT_EQ(program.rules[2].criterion, 0u);
	// Only events have an age
	EXPECT_EQ(program.rules[0].decay, no_slot);
	EXPECT_EQ(program.rules[1].decay, 1u);
	EXPECT_EQ(program.rules[2].decay, no_slot);
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
	Program plain(model.definition(), as_of, false);
	Program detailed(model.definition(), as_of, true);

	EXPECT_EQ(plain.layout.sums, 3u); // two groups and the adjustments
	EXPECT_EQ(plain.layout.counts, 3u);
	EXPECT_EQ(plain.layout.instants, 1u); // only a decaying group asks for the newest event
	EXPECT_EQ(plain.slot_groups, (std::vector<uint32_t>{first, second, no_slot}));
	EXPECT_EQ(plain.adjustment_slot, 2u);
	EXPECT_EQ(plain.rules[0].sum_slot, plain.rules[2].sum_slot);
	EXPECT_EQ(plain.rules[0].count_slot, no_slot);
	EXPECT_EQ(plain.rules[3].sum_slot, no_slot);

	EXPECT_EQ(detailed.layout.sums, 4u);
	EXPECT_EQ(detailed.layout.counts, 6u);
	EXPECT_EQ(detailed.layout.instants, 1u);
	EXPECT_EQ(detailed.slot_groups, (std::vector<uint32_t>{first, second, first, no_slot}));
	EXPECT_EQ(detailed.adjustment_slot, 3u);

	for (const Program *program : {&plain, &detailed})
	{
		EXPECT_TRUE(program->any_include);
		std::set<uint32_t> counts;
		size_t counted = 0;
		for (const FinishRule &rule : program->rules)
		{
			if (rule.count_slot != no_slot)
			{
				counts.insert(rule.count_slot);
				counted++;
			}
		}
		counts.insert(program->scopes[0].count_slot);
		EXPECT_EQ(counts.size(), counted + 1) << "two share a count";
		EXPECT_EQ(program->scopes[1].count_slot, no_slot);
		EXPECT_EQ(program->scopes[1].criterion, 1u);
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
	Program program(model.definition(), as_of, false);

	EXPECT_EQ(program.curves.size(), 2u);
	const uint32_t curves[] = {0, 1, 0, 1, no_slot};
	for (size_t rule = 0; rule < std::size(curves); rule++)
	{
		EXPECT_EQ(program.rules[rule].decay, curves[rule]) << rule;
		EXPECT_EQ(program.sources[0].rules[rule].decay, curves[rule]) << rule;
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
		Program program(model.definition(), cases[at].as_of, false);
		EXPECT_EQ(program.sources[0].rules[0].from, cases[at].from) << at;
		EXPECT_EQ(program.sources[0].rules[0].until, cases[at].until) << at;
	}
}

TEST(Program, OfNothingIsEmpty)
{
	Model model;
	Program program(model.definition(), as_of, true);

	EXPECT_EQ(program.layout.sums, 0u);
	EXPECT_EQ(program.layout.counts, 0u);
	EXPECT_EQ(program.layout.instants, 0u);
	EXPECT_EQ(program.adjustment_slot, no_slot);
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
		Program program(model.definition(), as_of, true);
		label.assign(label.size(), '#');
		return program;
	};
	Program program = compile();

	EXPECT_EQ(program.rules[0].name, "rule 0");
	EXPECT_EQ(program.groups[0].name, "group 0");
	EXPECT_EQ(program.bands.texts()[0], "a label long enough to live on the heap");
	EXPECT_EQ(program.sources[0].books[0].find("call"), 1u);
}

} // namespace lead_scoring::core::test
