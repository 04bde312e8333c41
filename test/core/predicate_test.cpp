#include "core/predicate.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

const std::vector<ColumnKind> all_kinds = {ColumnKind::code,  ColumnKind::integer,  ColumnKind::real,
										   ColumnKind::truth, ColumnKind::presence, ColumnKind::code};

Truth
as_truth(std::optional<bool> truth)
{
	return !truth.has_value() ? Truth::unknown : *truth ? Truth::yes : Truth::no;
}

// Evaluate a criterion over one row of the given columns
Truth
truth_of(const PredicateTree *tree, const std::vector<ColumnKind> &kinds, const std::vector<Value> &values)
{
	std::vector<CodeBook> books(kinds.size());
	Predicate predicate(*tree, kinds, books);
	BatchBuffer buffer(kinds);

	buffer.put(0, {}, 0, values,
			   [&](size_t column, const std::string &text) { return books[column].find(text); });
	return predicate.evaluate(buffer.batch(1), 0);
}

} // namespace

TEST(Predicate, ComparesRealsAsPostgresDoes)
{
	Forest forest;
	constexpr double ascending[] = {-infinity, -1.5, 0, 2.25, infinity, not_a_number};

	for (size_t left = 0; left < std::size(ascending); left++)
	{
		for (size_t right = 0; right < std::size(ascending); right++)
		{
			const struct
			{
				Check test;
				bool holds;
			} cases[] = {
				{Check::equal, left == right}, {Check::unequal, left != right},
				{Check::less, left < right},   {Check::less_equal, left <= right},
				{Check::greater, left > right}, {Check::greater_equal, left >= right},
				{Check::one_of, left == right},
			};
			for (const auto &test : cases)
			{
				const PredicateTree *tree = forest.compare(test.test, 0, {real_value(ascending[right])});
				EXPECT_EQ(truth_of(tree, {ColumnKind::real}, {real_value(ascending[left])}), as_truth(test.holds))
					<< ascending[left] << " test " << static_cast<int>(test.test) << ' ' << ascending[right];
				EXPECT_EQ(truth_of(tree, {ColumnKind::real}, {null_value()}), Truth::unknown);
			}
		}
	}
	const PredicateTree *zero = forest.compare(Check::equal, 0, {real_value(0.0)});
	EXPECT_EQ(truth_of(zero, {ColumnKind::real}, {real_value(-0.0)}), Truth::yes);
}

TEST(Predicate, ComparesIntegersOverTheirWholeRange)
{
	Forest forest;
	constexpr int64_t ascending[] = {std::numeric_limits<int64_t>::min(), -5, 0, (int64_t{1} << 53),
									 (int64_t{1} << 53) + 1, std::numeric_limits<int64_t>::max()};

	for (size_t left = 0; left < std::size(ascending); left++)
	{
		for (size_t right = 0; right < std::size(ascending); right++)
		{
			const struct
			{
				Check test;
				bool holds;
			} cases[] = {
				{Check::equal, left == right}, {Check::unequal, left != right},
				{Check::less, left < right},   {Check::less_equal, left <= right},
				{Check::greater, left > right}, {Check::greater_equal, left >= right},
			};
			for (const auto &test : cases)
			{
				const PredicateTree *tree = forest.compare(test.test, 0, {integer_value(ascending[right])});
				EXPECT_EQ(truth_of(tree, {ColumnKind::integer}, {integer_value(ascending[left])}),
						  as_truth(test.holds))
					<< ascending[left] << " test " << static_cast<int>(test.test) << ' ' << ascending[right];
			}
		}
	}
}

TEST(Predicate, ComparesTextsByTheCodesOfTheirColumn)
{
	Forest forest;
	const PredicateTree *equal = forest.text_is(0, "call");
	const PredicateTree *unequal = forest.compare(Check::unequal, 0, {text_value("call")});
	const PredicateTree *one_of = forest.compare(Check::one_of, 0, {text_value("call"), text_value("meeting")});
	const struct
	{
		Value value;
		Truth equal;
		Truth unequal;
		Truth one_of;
	} cases[] = {
		{text_value("call"), Truth::yes, Truth::no, Truth::yes},
		{text_value("meeting"), Truth::no, Truth::yes, Truth::yes},
		{text_value("what no rule speaks of"), Truth::no, Truth::yes, Truth::no},
		{text_value(""), Truth::no, Truth::yes, Truth::no},
		{null_value(), Truth::unknown, Truth::unknown, Truth::unknown},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(truth_of(equal, {ColumnKind::code}, {test.value}), test.equal) << test.value.text;
		EXPECT_EQ(truth_of(unequal, {ColumnKind::code}, {test.value}), test.unequal) << test.value.text;
		EXPECT_EQ(truth_of(one_of, {ColumnKind::code}, {test.value}), test.one_of) << test.value.text;
	}
}

TEST(Predicate, FindsAnyOfManyValuesInAnyOrder)
{
	Forest forest;
	Random random(2);
	std::vector<Value> integers;
	std::vector<Value> reals = {real_value(not_a_number), real_value(-infinity), real_value(not_a_number)};
	std::vector<Value> texts;
	for (int64_t number = -300; number < 300; number += 3)
	{
		integers.push_back(integer_value(number));
		reals.push_back(real_value(static_cast<double>(number) / 8));
		texts.push_back(text_value("text " + std::to_string(number)));
	}
	random.shuffle(integers);
	random.shuffle(reals);
	random.shuffle(texts);
	const PredicateTree *any_integer = forest.compare(Check::one_of, 0, integers);
	const PredicateTree *any_real = forest.compare(Check::one_of, 0, reals);
	const PredicateTree *any_text = forest.compare(Check::one_of, 0, texts);

	for (int64_t number = -301; number < 302; number++)
	{
		Truth expected = number >= -300 && number < 300 && number % 3 == 0 ? Truth::yes : Truth::no;
		EXPECT_EQ(truth_of(any_integer, {ColumnKind::integer}, {integer_value(number)}), expected) << number;
		EXPECT_EQ(truth_of(any_real, {ColumnKind::real}, {real_value(static_cast<double>(number) / 8)}), expected)
			<< number;
		EXPECT_EQ(truth_of(any_text, {ColumnKind::code}, {text_value("text " + std::to_string(number))}), expected)
			<< number;
	}
	EXPECT_EQ(truth_of(any_real, {ColumnKind::real}, {real_value(not_a_number)}), Truth::yes);
	EXPECT_EQ(truth_of(any_real, {ColumnKind::real}, {real_value(-infinity)}), Truth::yes);
	EXPECT_EQ(truth_of(any_real, {ColumnKind::real}, {real_value(infinity)}), Truth::no);
}

TEST(Predicate, KeepsABookForEachColumn)
{
	Forest forest;
	const std::vector<ColumnKind> kinds = {ColumnKind::code, ColumnKind::code};
	std::vector<CodeBook> books(2);
	Predicate first(*forest.text_is(0, "a"), kinds, books);
	Predicate second(*forest.all_of({forest.text_is(1, "b"), forest.text_is(1, "a")}), kinds, books);

	EXPECT_EQ(books[0].find("a"), 1u);
	EXPECT_EQ(books[0].find("b"), 0u);
	EXPECT_EQ(books[1].find("b"), 1u);
	EXPECT_EQ(books[1].find("a"), 2u);
}

TEST(Predicate, JoinsTruthsAsSqlDoes)
{
	Forest forest;
	const std::vector<ColumnKind> kinds = {ColumnKind::truth, ColumnKind::truth};
	const PredicateTree *left = forest.column(Check::is_true, 0);
	const PredicateTree *right = forest.column(Check::is_true, 1);
	constexpr Truth yes = Truth::yes;
	constexpr Truth no = Truth::no;
	constexpr Truth unknown = Truth::unknown;
	const struct
	{
		Truth left;
		Truth right;
		Truth both;
		Truth either;
		Truth not_left;
	} cases[] = {
		{yes, yes, yes, yes, no},
		{yes, no, no, yes, no},
		{yes, unknown, unknown, yes, no},
		{no, yes, no, yes, yes},
		{no, no, no, no, yes},
		{no, unknown, no, unknown, yes},
		{unknown, yes, unknown, yes, unknown},
		{unknown, no, no, unknown, unknown},
		{unknown, unknown, unknown, unknown, unknown},
	};
	auto value = [](Truth truth) { return truth == unknown ? null_value() : integer_value(truth == yes); };

	for (const auto &test : cases)
	{
		std::vector<Value> row = {value(test.left), value(test.right)};
		EXPECT_EQ(truth_of(forest.all_of({left, right}), kinds, row), test.both);
		EXPECT_EQ(truth_of(forest.any_of({left, right}), kinds, row), test.either);
		EXPECT_EQ(truth_of(forest.negation(left), kinds, row), test.not_left);
	}
}

TEST(Predicate, HoldsOnlyWhenItIsTrue)
{
	Forest forest;
	const std::vector<ColumnKind> kinds = {ColumnKind::truth};
	std::vector<CodeBook> books(1);
	Predicate plain(*forest.column(Check::is_true, 0), kinds, books);
	Predicate negated(*forest.negation(forest.column(Check::is_true, 0)), kinds, books);
	BatchBuffer buffer(kinds);
	auto no_code = [](size_t, const std::string &) { return 0u; };
	buffer.put(0, {}, 0, {integer_value(1)}, no_code);
	buffer.put(1, {}, 0, {integer_value(0)}, no_code);
	buffer.put(2, {}, 0, {null_value()}, no_code);
	Batch batch = buffer.batch(3);

	EXPECT_TRUE(plain.holds(batch, 0));
	EXPECT_FALSE(plain.holds(batch, 1));
	EXPECT_FALSE(plain.holds(batch, 2));
	EXPECT_FALSE(negated.holds(batch, 0));
	EXPECT_TRUE(negated.holds(batch, 1));
	EXPECT_FALSE(negated.holds(batch, 2));
}

TEST(Predicate, TestsForNullAreNeverUnknown)
{
	Forest forest;

	for (size_t column = 0; column < all_kinds.size(); column++)
	{
		std::vector<Value> row(all_kinds.size());
		EXPECT_EQ(truth_of(forest.column(Check::is_null, column), all_kinds, row), Truth::no) << column;
		EXPECT_EQ(truth_of(forest.column(Check::is_not_null, column), all_kinds, row), Truth::yes) << column;
		row[column] = null_value();
		EXPECT_EQ(truth_of(forest.column(Check::is_null, column), all_kinds, row), Truth::yes) << column;
		EXPECT_EQ(truth_of(forest.column(Check::is_not_null, column), all_kinds, row), Truth::no) << column;
	}
}

TEST(Predicate, OfNothingIsTrueForAllAndFalseForAny)
{
	Forest forest;

	EXPECT_EQ(truth_of(forest.all_of({}), {}, {}), Truth::yes);
	EXPECT_EQ(truth_of(forest.any_of({}), {}, {}), Truth::no);
	EXPECT_EQ(truth_of(forest.negation(forest.any_of({})), {}, {}), Truth::yes);
	EXPECT_EQ(truth_of(forest.all_of({forest.any_of({}), forest.always()}), {}, {}), Truth::no);
}

TEST(Predicate, KnowsWhenItIsAlwaysTrue)
{
	Forest forest;
	std::vector<CodeBook> books(1);
	const std::vector<ColumnKind> kinds = {ColumnKind::integer};
	auto always = [&](const PredicateTree *tree) { return Predicate(*tree, kinds, books).always(); };

	EXPECT_TRUE(always(forest.always()));
	EXPECT_FALSE(always(forest.never()));
	EXPECT_FALSE(always(forest.column(Check::is_null, 0)));
	EXPECT_FALSE(always(forest.negation(forest.always())));
}

TEST(Predicate, AgreesWithThePlainEvaluationOfRandomTreesOverRandomRows)
{
	Random random(1);
	size_t seen[3] = {};

	for (size_t round = 0; round < 3'000; round++)
	{
		Forest forest;
		std::vector<CodeBook> books(all_kinds.size());
		// Other criteria share the books, so that codes are not always 1, 2, 3
		Predicate other(*random_tree(random, forest, all_kinds, 2), all_kinds, books);
		const PredicateTree *tree = random_tree(random, forest, all_kinds, 4);
		Predicate predicate(*tree, all_kinds, books);
		BatchBuffer buffer(all_kinds);
		std::vector<std::vector<Value>> rows(40);
		for (size_t row = 0; row < rows.size(); row++)
		{
			for (ColumnKind kind : all_kinds)
			{
				rows[row].push_back(random.one_in(4) ? null_value() : random_value(random, kind));
			}
			buffer.put(row, {}, 0, rows[row],
					   [&](size_t column, const std::string &text) { return books[column].find(text); });
		}
		Batch batch = buffer.batch(rows.size());
		for (size_t row = 0; row < rows.size(); row++)
		{
			Truth truth = predicate.evaluate(batch, row);
			ASSERT_EQ(truth, as_truth(naive_truth(*tree, all_kinds, rows[row])))
				<< "tree " << round << ", row " << row;
			seen[static_cast<size_t>(truth)]++;
		}
	}
	for (size_t count : seen)
	{
		EXPECT_GT(count, 5'000u);
	}
}

} // namespace lead_scoring::core::test
