#include "core/dispatch.hpp"

#include "core/program.hpp"
#include "model.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

using Entries = std::vector<uint32_t>;

constexpr int64_t as_of = 1000 * day_us;

Entries
entries_of(const Dispatch &dispatch, uint32_t code)
{
	std::span<const uint32_t> entries = dispatch.entries_of(code);

	return {entries.begin(), entries.end()};
}

// A dispatch with all that it fills
struct Prepared
{
	Prepared(const std::vector<const PredicateTree *> &rules, std::vector<ColumnKind> columns)
		: kinds(std::move(columns)), books(kinds.size()), dispatch(rules, kinds, books, criteria)
	{
	}

	// The rules for a row with these values
	Entries
	rules_for(const std::vector<Value> &values) const
	{
		BatchBuffer buffer(kinds);

		put(buffer, values);
		std::span<const uint32_t> rules = dispatch.rules_for(buffer.batch(1), 0);
		return {rules.begin(), rules.end()};
	}

	// Those of them whose remaining criteria hold as well
	Entries
	matching(const std::vector<Value> &values) const
	{
		BatchBuffer buffer(kinds);
		Entries found;

		put(buffer, values);
		Batch batch = buffer.batch(1);
		for (uint32_t rule : dispatch.rules_for(batch, 0))
		{
			if (std::all_of(criteria[rule].begin(), criteria[rule].end(),
							[&](const Predicate &criterion) { return criterion.holds(batch, 0); }))
			{
				found.push_back(rule);
			}
		}
		return found;
	}

	void
	put(BatchBuffer &buffer, const std::vector<Value> &values) const
	{
		buffer.put(0, {}, 0, values, [&](size_t column, const std::string &text) { return books[column].find(text); });
	}

	std::vector<ColumnKind> kinds;
	std::vector<CodeBook> books;
	std::vector<std::vector<Predicate>> criteria;
	Dispatch dispatch;
};

} // namespace

TEST(Dispatch, IsByTheColumnThatMostRulesTestForEquality)
{
	Forest forest;
	const PredicateTree *large = forest.compare(Check::greater, 1, {integer_value(5)});
	Prepared prepared(
		{
			forest.text_is(2, "call"),
			forest.all_of({large, forest.text_is(2, "meeting")}),
			forest.compare(Check::one_of, 2, {text_value("mail"), text_value("call"), text_value("call")}),
			forest.text_is(0, "web"),
			large,
			forest.compare(Check::unequal, 2, {text_value("bounce")}),
			forest.negation(forest.text_is(2, "mail")),
			forest.always(),
		},
		{ColumnKind::code, ColumnKind::integer, ColumnKind::code, ColumnKind::real});
	const Dispatch &dispatch = prepared.dispatch;
	const CodeBook &book = prepared.books[2];

	ASSERT_EQ(dispatch.column(), 2u);
	EXPECT_EQ(entries_of(dispatch, 0), (Entries{3, 4, 5, 6, 7}));
	EXPECT_EQ(entries_of(dispatch, book.find("call")), (Entries{0, 2, 3, 4, 5, 6, 7}));
	EXPECT_EQ(entries_of(dispatch, book.find("meeting")), (Entries{1, 3, 4, 5, 6, 7}));
	EXPECT_EQ(entries_of(dispatch, book.find("mail")), (Entries{2, 3, 4, 5, 6, 7}));
	// A text that only other tests speak of has a code, and needs a place for it
	ASSERT_NE(book.find("bounce"), 0u);
	EXPECT_EQ(entries_of(dispatch, book.find("bounce")), (Entries{3, 4, 5, 6, 7}));
	EXPECT_EQ(dispatch.codes(), book.size());
	const size_t criteria[] = {0, 1, 0, 1, 1, 1, 1, 0};
	for (size_t rule = 0; rule < std::size(criteria); rule++)
	{
		EXPECT_EQ(prepared.criteria[rule].size(), criteria[rule]) << rule;
	}
}

TEST(Dispatch, WorksByIntegersToo)
{
	Forest forest;
	Prepared prepared(
		{
			forest.compare(Check::equal, 1, {integer_value(-1)}),
			forest.compare(Check::one_of, 1, {integer_value(0), integer_value(-1)}),
			forest.compare(Check::equal, 0, {real_value(1)}),
		},
		{ColumnKind::real, ColumnKind::integer});

	ASSERT_EQ(prepared.dispatch.column(), 1u);
	EXPECT_EQ(prepared.dispatch.codes(), 3u);
	const struct
	{
		Value value;
		Entries rules;
	} cases[] = {
		{integer_value(-1), {0, 1, 2}}, {integer_value(0), {1, 2}}, {integer_value(1), {2}},
		{integer_value(std::numeric_limits<int64_t>::min()), {2}},  {null_value(), {2}},
	};
	for (const auto &test : cases)
	{
		EXPECT_EQ(prepared.rules_for({real_value(0), test.value}), test.rules) << test.value.integer;
	}
}

TEST(Dispatch, SendsUnknownTextsAndNullToTheRulesWithoutAType)
{
	Forest forest;
	Prepared prepared({forest.text_is(0, "call"), forest.always(), forest.text_is(0, "")}, {ColumnKind::code});

	EXPECT_EQ(prepared.rules_for({text_value("call")}), (Entries{0, 1}));
	EXPECT_EQ(prepared.rules_for({text_value("")}), (Entries{1, 2}));
	EXPECT_EQ(prepared.rules_for({text_value("Call")}), (Entries{1}));
	EXPECT_EQ(prepared.rules_for({null_value()}), (Entries{1}));
}

TEST(Dispatch, DoesWithoutWhereNoColumnSuits)
{
	const std::vector<ColumnKind> columns = {ColumnKind::real, ColumnKind::truth, ColumnKind::code,
											 ColumnKind::integer};
	Forest forest;
	const std::vector<const PredicateTree *> criteria = {
		forest.always(),
		forest.never(),
		forest.compare(Check::equal, 0, {real_value(1)}),
		forest.column(Check::is_true, 1),
		forest.column(Check::is_null, 2),
		forest.compare(Check::unequal, 2, {text_value("a")}),
		forest.negation(forest.text_is(2, "a")),
		forest.any_of({forest.text_is(2, "a"), forest.text_is(2, "b")}),
		forest.compare(Check::less, 3, {integer_value(1)}),
	};

	for (size_t at = 0; at < criteria.size(); at++)
	{
		Prepared prepared({criteria[at]}, columns);
		EXPECT_EQ(prepared.dispatch.column(), Dispatch::no_dispatch) << at;
		EXPECT_EQ(prepared.dispatch.codes(), 1u) << at;
		EXPECT_EQ(entries_of(prepared.dispatch, 0), Entries{0}) << at;
		EXPECT_EQ(prepared.criteria[0].size(), at == 0 ? 0u : 1u) << at;
	}
}

TEST(Dispatch, OfNoRulesFindsNone)
{
	Prepared prepared({}, {ColumnKind::code});

	EXPECT_EQ(prepared.dispatch.column(), Dispatch::no_dispatch);
	EXPECT_EQ(prepared.rules_for({text_value("call")}), Entries{});
	EXPECT_EQ(Prepared({}, {}).rules_for({}), Entries{});
}

TEST(Dispatch, FlattensNestedConjunctionsAndDropsWhatIsAlwaysTrue)
{
	Forest forest;
	const PredicateTree *small = forest.compare(Check::less, 1, {integer_value(9)});
	Prepared prepared(
		{forest.all_of({forest.always(),
						forest.all_of({small, forest.all_of({forest.text_is(0, "call")})}),
						forest.all_of({}), forest.column(Check::is_not_null, 1)})},
		{ColumnKind::code, ColumnKind::integer});

	EXPECT_EQ(prepared.dispatch.column(), 0u);
	EXPECT_EQ(prepared.criteria[0].size(), 2u);
}

TEST(Dispatch, LeavesASecondValueOfItsColumnToBeTested)
{
	Forest forest;
	Prepared prepared({forest.all_of({forest.text_is(0, "a"), forest.text_is(0, "b")})}, {ColumnKind::code});

	EXPECT_EQ(prepared.criteria[0].size(), 1u);
	EXPECT_EQ(prepared.rules_for({text_value("a")}), Entries{0});
	EXPECT_EQ(prepared.rules_for({text_value("b")}), Entries{});
	EXPECT_EQ(prepared.matching({text_value("a")}), Entries{});
}

TEST(Dispatch, HasAPlaceForCodesThatOtherCriteriaAdd)
{
	// A factor's text comes into the book before the rules do, an item of the scope after them
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	model.add_rule(model.add_group(Part::engagement), events, 1, model.forest.text_is(0, "call"));
	model.add_factor(events, 2, model.forest.text_is(0, "fair"));
	model.add_scope(false, events, model.forest.negation(model.forest.text_is(0, "bounce")));
	Program program(model.definition(), as_of, plain);
	const SourceProgram &source = program.sources[0];

	EXPECT_EQ(source.books[0].size(), 4u);
	EXPECT_EQ(source.dispatch[0].codes(), 4u);
	EXPECT_EQ(source.needs.size(), 4u);
	for (const char *text : {"fair", "bounce", "what nobody speaks of"})
	{
		EXPECT_EQ(entries_of(source.dispatch[0], source.books[0].find(text)), Entries{1}) << text;
	}
	EXPECT_EQ(entries_of(source.dispatch[0], source.books[0].find("call")), (Entries{0, 1}));
}

TEST(Dispatch, NeverLosesOrAddsAMatchAndKeepsTheOrderOfRules)
{
	constexpr ColumnKind any[] = {ColumnKind::code, ColumnKind::integer, ColumnKind::real, ColumnKind::truth};
	size_t dispatched = 0;
	size_t matches = 0;

	for (uint64_t seed = 1; seed <= 500; seed++)
	{
		Random random(seed);
		Forest forest;
		std::vector<ColumnKind> kinds(1 + random.below(4));
		for (ColumnKind &kind : kinds)
		{
			kind = random.one_of(any);
		}
		std::vector<const PredicateTree *> rules;
		for (size_t count = random.below(12); count > 0; count--)
		{
			const PredicateTree *leaf = random_leaf(random, forest, kinds);
			rules.push_back(random.one_in(2) ? leaf
											 : forest.all_of({leaf, random_tree(random, forest, kinds, 2),
															  random_leaf(random, forest, kinds)}));
		}
		Prepared prepared(rules, kinds);
		dispatched += prepared.dispatch.column() != Dispatch::no_dispatch;
		for (size_t round = 0; round < 50; round++)
		{
			std::vector<Value> values;
			for (ColumnKind kind : kinds)
			{
				values.push_back(random.one_in(6) ? null_value() : random_value(random, kind));
			}
			Entries expected;
			for (uint32_t rule = 0; rule < rules.size(); rule++)
			{
				if (naive_truth(*rules[rule], kinds, values) == true)
				{
					expected.push_back(rule);
				}
			}
			ASSERT_EQ(prepared.matching(values), expected) << "seed " << seed;
			matches += expected.size();
		}
	}
	EXPECT_GT(dispatched, 200u);
	EXPECT_GT(matches, 10'000u);
}

} // namespace lead_scoring::core::test
