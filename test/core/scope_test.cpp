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

TEST(Scope, LeavesRecordsOutOfScopeWithoutValues)
{
	Forest trees;
	const PredicateTree *customer = trees.text_is(0, "customer");
	const PredicateTree *partner = trees.text_is(0, "partner");
	const struct
	{
		const char *what;
		std::vector<ScopeDefinition> scopes; // source 0: events, source 1: related rows
		std::string type;                    // of the record
		std::vector<Row> events;
		size_t related;
		bool in_scope;
	} cases[] = {
		{"no scope", {}, "lead", {}, 0, true},
		{"include, no match", {{true, record_itself, customer}}, "lead", {}, 0, false},
		{"include, match", {{true, record_itself, customer}}, "customer", {}, 0, true},
		{"either include", {{true, record_itself, customer}, {true, record_itself, partner}}, "partner", {}, 0, true},
		{"exclude, no match", {{false, record_itself, customer}}, "lead", {}, 0, true},
		{"exclude, match", {{false, record_itself, customer}}, "customer", {}, 0, false},
		{"exclude beats include", {{true, 0, trees.always()}, {false, record_itself, customer}}, "customer", {{0}}, 0,
		 false},
		{"exclude first", {{false, record_itself, customer}, {true, 0, trees.always()}}, "customer", {{0}}, 0, false},
		{"include by event, none", {{true, 0, trees.always()}}, "lead", {}, 0, false},
		{"include by event", {{true, 0, trees.always()}}, "lead", {{0, as_of}}, 0, true},
		{"include by event of another", {{true, 0, trees.always()}}, "lead", {{1, as_of}}, 0, false},
		{"include by future event", {{true, 0, trees.always()}}, "lead", {{0, as_of + 1}}, 0, false},
		{"include by infinitely old event", {{true, 0, trees.always()}}, "lead", {{0, infinitely_old}}, 0, true},
		{"include by infinitely late event", {{true, 0, trees.always()}}, "lead", {{0, infinitely_late}}, 0, false},
		{"include by event that never matches", {{true, 0, trees.never()}}, "lead", {{0, as_of}}, 0, false},
		{"exclude by related row", {{false, 1, trees.always()}}, "lead", {}, 1, false},
		{"exclude by related row, none", {{false, 1, trees.always()}}, "lead", {{0, as_of}}, 0, true},
		{"exclude by related rows", {{false, 1, trees.always()}}, "lead", {}, 300, false},
	};

	for (const auto &test : cases)
	{
		for (bool detail : {false, true})
		{
			Model model;
			model.record_columns = {ColumnKind::code};
			model.add_source(true, {});
			model.add_source(false, {});
			model.add_rule(model.add_group(Part::fit), record_itself, 7);
			model.scopes = test.scopes;
			model.bands.push_back({Part::total, "any", -infinity});
			Facts facts{{test.events, std::vector<Row>(test.related, Row{0})}, {}, {{0, {text_value(test.type)}}}};
			Fed fed(model, facts, {detail, false});
			fed.feed();
			ScoreResult result = fed.finish()[0];
			EXPECT_EQ(result.in_scope, test.in_scope) << test.what;
			EXPECT_EQ(result.labels.label, test.in_scope ? 0 : no_label) << test.what;
			if (test.in_scope)
			{
				EXPECT_EQ(result.total, 7) << test.what;
			}
		}
	}
}

TEST(Scope, AsksWhetherARecordIsOpen)
{
	Model model;
	model.record_columns = {ColumnKind::code};
	model.add_rule(model.add_group(Part::fit), record_itself, 7);
	EXPECT_TRUE(score_of(model, {}, {text_value("lead")}).is_open);
	model.open_when = model.forest.compare(Check::unequal, 0, {text_value("customer")});
	const struct
	{
		Value stage;
		bool is_open;
	} cases[] = {{text_value("lead"), true}, {text_value("customer"), false}, {null_value(), false}};

	for (const auto &test : cases)
	{
		ScoreResult result = score_of(model, {}, {test.stage});
		EXPECT_EQ(result.is_open, test.is_open);
		EXPECT_TRUE(result.in_scope);
		EXPECT_EQ(result.total, 7);
	}
}

TEST(Scope, LeavesNothingOfARecordThatIsOutOfIt)
{
	Model model;
	model.has_adjustments = true;
	model.dormant_us = day_us;
	int32_t events = model.add_source(true, {});
	model.add_rule(model.add_group(Part::engagement), events, 1).max_times = 1;
	model.add_scope(false, events);
	Facts facts{{{{0, as_of - 5 * day_us}}}, {{0, as_of, {real_value(5)}}}, {{0}, {1}}};
	Fed fed(model, facts, with_activity);
	fed.feed();
	std::vector<ScoreResult> results = fed.finish();

	EXPECT_FALSE(results[0].in_scope);
	EXPECT_FALSE(results[0].is_open);
	EXPECT_FALSE(results[0].dormant);
	EXPECT_FALSE(results[0].has_activity);
	EXPECT_EQ(results[0].total, 0);
	EXPECT_EQ(results[0].adjustment, 0);
	EXPECT_TRUE(results[1].in_scope);
}

} // namespace lead_scoring::core::test
