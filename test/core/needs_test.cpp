// What a program says that it needs of the rows of a source, by the code that dispatches them.
#include "core/program.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

using Columns = std::vector<uint16_t>;

const RowNeeds &
needs_of(const Program &program, const char *type)
{
	const SourceProgram &source = program.sources[0];

	return source.needs[source.dispatch[0].column() == 0 ? source.books[0].find(type) : 0];
}

} // namespace

TEST(RowNeeds, AreTheColumnsOfTheRulesThatARowMayConcern)
{
	Model model;
	Forest &forest = model.forest;
	int32_t events = model.add_source(
		true, {ColumnKind::code, ColumnKind::real, ColumnKind::code, ColumnKind::truth, ColumnKind::presence});
	uint32_t group = model.add_group(Part::engagement);
	model.add_rule(group, events, 1, forest.text_is(0, "call"));
	model.add_rule(group, events, 2,
				   forest.all_of({forest.text_is(0, "mail"), forest.text_is(2, "opened"),
								  forest.column(Check::is_true, 3)}));
	RuleDefinition &value = model.add_rule(group, events, 3, forest.text_is(0, "sale"));
	value.value_column = 1;
	model.add_scope(true, events, forest.all_of({forest.text_is(0, "sale"), forest.column(Check::is_null, 4)}));
	Program program(model.definition(), as_of, plain);

	ASSERT_EQ(program.sources[0].dispatch[0].column(), 0u);
	EXPECT_EQ(needs_of(program, "call").columns, Columns{});
	EXPECT_EQ(needs_of(program, "mail").columns, (Columns{2, 3}));
	EXPECT_EQ(needs_of(program, "sale").columns, (Columns{1, 4}));
	EXPECT_EQ(needs_of(program, "of no rule").columns, Columns{});
}

TEST(RowNeeds, IncludeTheColumnsOfFactorsAndOfBothHalvesOfAPair)
{
	Model model;
	Forest &forest = model.forest;
	int32_t events = model.add_source(true, std::vector<ColumnKind>(5, ColumnKind::code));
	uint32_t group = model.add_group(Part::engagement);
	model.add_rule(group, events, 1, forest.text_is(0, "call"));
	model.add_rule(group, events, 1, forest.text_is(0, "mail"));
	model.add_factor(events, 2, forest.text_is(4, "fair"));
	Program without(model.definition(), as_of, plain);
	EXPECT_EQ(needs_of(without, "call").columns, Columns{4});
	EXPECT_EQ(needs_of(without, "of no rule").columns, Columns{4});

	RuleDefinition &pair = model.add_rule(group, events, 1, forest.text_is(2, "sent"));
	pair.followed_by = forest.text_is(3, "answered");
	pair.followed_within_us = day_us;
	Program with(model.definition(), as_of, plain);
	EXPECT_EQ(needs_of(with, "call").columns, (Columns{2, 3, 4}));
	EXPECT_EQ(needs_of(with, "of no rule").columns, (Columns{2, 3, 4}));
}

TEST(RowNeeds, AreAllColumnsWhereDuplicatesAreDropped)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code, ColumnKind::real, ColumnKind::code});
	model.add_rule(model.add_group(Part::engagement), events, 1, model.forest.text_is(0, "call"));
	model.clean(events, day_us, true);
	Program program(model.definition(), as_of, plain);

	EXPECT_EQ(needs_of(program, "call").columns, (Columns{1, 2}));
	EXPECT_EQ(needs_of(program, "of no rule").columns, (Columns{1, 2}));
}

TEST(RowNeeds, AreTheTimesOfTheRulesThatARowMayConcern)
{
	Model model;
	Forest &forest = model.forest;
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t group = model.add_group(Part::engagement);
	model.add_rule(group, events, 1, forest.text_is(0, "call")).within_us = 30 * day_us;
	model.add_rule(group, events, 1, forest.text_is(0, "call")).until = as_of - 10 * day_us;
	model.add_rule(group, events, 1, forest.text_is(0, "mail")).within_us = 30 * day_us;
	model.add_rule(group, events, 1, forest.text_is(0, "mail")).since = as_of - 40 * day_us;
	RuleDefinition &range = model.add_rule(group, events, 1, forest.text_is(0, "sale"));
	range.since = as_of - 40 * day_us;
	range.until = as_of - 10 * day_us;
	RuleDefinition &quiet = model.add_rule(group, events, 1, forest.text_is(0, "visit"));
	quiet.counting = Counting::quiet;
	quiet.within_us = day_us;
	const struct
	{
		const char *type;
		Period window;
	} cases[] = {
		{"call", {infinitely_old, infinitely_late}},
		{"mail", {as_of - 40 * day_us, infinitely_late}},
		{"sale", {as_of - 40 * day_us, as_of - 10 * day_us}},
		// Within is the length of a period here, not a window
		{"visit", {infinitely_old, infinitely_late}},
	};

	Program program(model.definition(), as_of, plain);
	for (const auto &test : cases)
	{
		EXPECT_EQ(needs_of(program, test.type).window.from, test.window.from) << test.type;
		EXPECT_EQ(needs_of(program, test.type).window.until, test.window.until) << test.type;
	}
	// Nobody asks for a type of which there is no rule
	for (int64_t time : {infinitely_old, as_of, infinitely_late - 1})
	{
		EXPECT_FALSE(needs_of(program, "of no rule").window.contains(time));
	}
	Program active(model.definition(), as_of, with_activity);
	EXPECT_TRUE(needs_of(active, "of no rule").window.contains(as_of));
	EXPECT_TRUE(needs_of(active, "sale").window.contains(as_of));
}

TEST(RowNeeds, OfPairsReachBackBeyondTheWindow)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	RuleDefinition &rule =
		model.add_rule(model.add_group(Part::engagement), events, 1, model.forest.text_is(0, "mail"));
	rule.followed_by = model.forest.text_is(0, "visit");
	rule.followed_within_us = 100 * day_us;
	rule.within_us = day_us;
	Program program(model.definition(), as_of, plain);

	EXPECT_TRUE(needs_of(program, "mail").window.contains(as_of - 100 * day_us));
	EXPECT_EQ(score_of(model, {{0, as_of - 100 * day_us, {text_value("mail")}},
							   {0, as_of, {text_value("visit")}}})
				  .total,
			  1);
}

TEST(RowNeeds, OfRelatedRowsKnowNoTime)
{
	Model model;
	int32_t related = model.add_source(false, {ColumnKind::code});
	model.add_rule(model.add_group(Part::fit), related, 1, model.forest.text_is(0, "gold"));
	Program program(model.definition(), as_of, plain);

	EXPECT_TRUE(needs_of(program, "gold").window.contains(infinitely_old));
	EXPECT_TRUE(needs_of(program, "of no rule").window.contains(as_of));
}

} // namespace lead_scoring::core::test
