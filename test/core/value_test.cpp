// Rules over values: what they pay, and what values they refuse.
#include "core/scorer.hpp"

#include "feed.hpp"
#include "model.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

using Values = std::vector<Value>;

Values
reals(const std::vector<double> &numbers)
{
	Values values;

	for (double number : numbers)
	{
		values.push_back(real_value(number));
	}
	return values;
}

std::vector<Row>
rows_of(const Values &values)
{
	std::vector<Row> rows;

	for (const Value &value : values)
	{
		rows.push_back({0, as_of, {value}});
	}
	return rows;
}

// What a score of these facts says when it refuses them as out of range; nothing if it does not
std::string
refusal_of(const Model &model, const Facts &facts, EvaluationNeeds needs)
{
	Fed fed(model, facts, needs);

	try
	{
		fed.feed();
		fed.finish();
	}
	catch (const ScoringError &error)
	{
		EXPECT_EQ(error.fault(), Fault::out_of_range);
		return error.what();
	}
	return {};
}

constexpr Limits any_amount = unlimited;

} // namespace

TEST(Values, PayPointsForEachUnitOfEachRow)
{
	const struct
	{
		double points;
		Values values;
		double total;
	} cases[] = {
		{2, {}, 0},
		{2, reals({3}), 6},
		{2, reals({3, 4.5, -1}), 13},
		{-0.5, reals({3, 4}), -3.5},
		{2, {null_value()}, 0},
		{2, {null_value(), real_value(3), null_value()}, 6},
		{10, reals({0.1, 0.2, -0.3}), 0},
		{2, reals({0, -0.0}), 0},
		{1, reals({1e15, -1e15, 5}), 5},
	};

	for (const auto &test : cases)
	{
		for (bool events : {false, true})
		{
			Model model;
			int32_t source = model.add_source(events, {ColumnKind::real});
			uint32_t group = model.add_group(events ? Part::engagement : Part::fit);
			model.add_value(group, source, test.points, Counting::each, Rollup::sum);
			EXPECT_EQ(score_of(model, rows_of(test.values)).total, test.total) << test.points;
		}
	}
}

TEST(Values, RollUp)
{
	const struct
	{
		Values values;
		double sum, average, minimum, maximum; // what 2 points for each unit pay
	} cases[] = {
		{{}, 0, 0, 0, 0},
		{{null_value()}, 0, 0, 0, 0},
		{reals({7}), 14, 14, 14, 14},
		{reals({-7}), -14, -14, -14, -14},
		{reals({1, 2, 6}), 18, 6, 2, 12},
		{reals({-1, -2, -6}), -18, -6, -12, -2},
		{reals({-1, 0, 4}), 6, 2, -2, 8},
		{{real_value(1), null_value(), real_value(3)}, 8, 4, 2, 6},
		{reals({0.1, 0.2}), 0.6, 0.3, 0.2, 0.4},
	};

	for (const auto &test : cases)
	{
		const double totals[] = {test.sum, test.average, test.minimum, test.maximum};
		for (Rollup rollup : {Rollup::sum, Rollup::average, Rollup::minimum, Rollup::maximum})
		{
			for (bool events : {false, true})
			{
				Model model;
				int32_t source = model.add_source(events, {ColumnKind::real});
				uint32_t group = model.add_group(events ? Part::engagement : Part::fit);
				model.add_value(group, source, 2, Counting::each, rollup);
				EXPECT_EQ(score_of(model, rows_of(test.values)).total, totals[static_cast<size_t>(rollup)])
					<< test.values.size() << " values, rollup " << static_cast<int>(rollup);
			}
		}
	}
}

TEST(Values, PayOnceWhileTheirRollupLiesWithinBounds)
{
	const struct
	{
		const char *what;
		Rollup rollup;
		Limits bounds;
		Values values;
		bool pays;
	} cases[] = {
		{"any row will do", Rollup::sum, any_amount, reals({-3}), true},
		{"but there must be one", Rollup::sum, any_amount, {}, false},
		{"with a value", Rollup::sum, any_amount, {null_value()}, false},
		{"lower bound, inclusive", Rollup::sum, {10, infinity}, reals({4, 6}), true},
		{"below it", Rollup::sum, {10, infinity}, reals({4, 5.99}), false},
		{"upper bound, inclusive", Rollup::sum, {-infinity, 10}, reals({4, 6}), true},
		{"above it", Rollup::sum, {-infinity, 10}, reals({4, 6.01}), false},
		{"negative bounds", Rollup::sum, {-5, -3}, reals({-4}), true},
		{"the sum of no rows is 0", Rollup::sum, {-infinity, 10}, {}, true},
		{"which may be too little", Rollup::sum, {1, infinity}, {}, false},
		{"or too much", Rollup::sum, {-infinity, -1}, {}, false},
		{"0 .. 0", Rollup::sum, {0, 0}, {null_value()}, true},
		{"decimals mean what they say", Rollup::sum, {0.3, 0.3}, reals({0.1, 0.2}), true},
		{"and more of them", Rollup::sum, {1, infinity}, reals({.1, .1, .1, .1, .1, .1, .1, .1, .1, .1}), true},
		{"average", Rollup::average, {2, 3}, reals({1, 4}), true},
		{"average, too high", Rollup::average, {2, 3}, reals({1, 6}), false},
		{"no average of no rows", Rollup::average, {-infinity, 10}, {}, false},
		{"nor of NULLs", Rollup::average, {-infinity, 10}, {null_value()}, false},
		{"least", Rollup::minimum, {1, 1}, reals({5, 1, 3}), true},
		{"negative least", Rollup::minimum, {-infinity, -2}, reals({5, -2.5, 3}), true},
		{"no least of no rows", Rollup::minimum, {-10, 10}, {}, false},
		{"most", Rollup::maximum, {5, infinity}, reals({1, 5, 3}), true},
		{"negative most", Rollup::maximum, {-2, -1}, reals({-5, -1.5, -3}), true},
		{"no most of no rows", Rollup::maximum, {-10, 10}, {}, false},
		{"any least", Rollup::minimum, any_amount, reals({7}), true},
	};

	for (const auto &test : cases)
	{
		for (bool events : {false, true})
		{
			Model model;
			int32_t source = model.add_source(events, {ColumnKind::real});
			uint32_t group = model.add_group(events ? Part::engagement : Part::fit);
			model.add_value(group, source, 10, Counting::once, test.rollup, test.bounds);
			EXPECT_EQ(score_of(model, rows_of(test.values)).total, test.pays ? 10 : 0) << test.what;
			// In a state that others of the record share
			model.add_frequency(group, source, 100, at_least_one);
			EXPECT_EQ(score_of(model, rows_of(test.values)).total,
					  (test.pays ? 10 : 0) + (test.values.empty() ? 0 : 100))
				<< test.what;
		}
	}
}

TEST(Values, OfTheRecordItself)
{
	const struct
	{
		const char *what;
		Counting counting;
		Limits bounds;
		Value value;
		double total; // of 2 points
	} cases[] = {
		{"each unit", Counting::each, any_amount, real_value(3.5), 7},
		{"negative", Counting::each, any_amount, real_value(-3.5), -7},
		{"NULL", Counting::each, any_amount, null_value(), 0},
		{"once", Counting::once, {3, 4}, real_value(3), 2},
		{"once, upper bound", Counting::once, {3, 4}, real_value(4), 2},
		{"once, too much", Counting::once, {3, 4}, real_value(4.01), 0},
		{"once, too little", Counting::once, {3, 4}, real_value(2.99), 0},
		{"once, any", Counting::once, any_amount, real_value(-100), 2},
		{"once, NULL", Counting::once, any_amount, null_value(), 0},
		{"once, decimals", Counting::once, {0.3, 0.3}, real_value(0.1 + 0.2), 2},
	};

	for (const auto &test : cases)
	{
		Model model;
		model.record_columns = {ColumnKind::real};
		model.add_value(model.add_group(Part::fit), record_itself, 2, test.counting, Rollup::sum, test.bounds);
		EXPECT_EQ(score_of(model, {}, {test.value}).total, test.total) << test.what;
	}
}

TEST(Values, FadeWithTheirEvents)
{
	const std::vector<Row> rows = events_worth(
		{{30 * day_us, real_value(4)}, {0, real_value(1)}, {60 * day_us, real_value(10)}});
	const struct
	{
		Counting counting;
		Rollup rollup;
		double total; // of 10 points that halve in 30 days
	} cases[] = {
		{Counting::each, Rollup::sum, 10 * (4 * 0.5 + 1 + 10 * 0.25)},
		{Counting::each, Rollup::average, 50}, // the others by the age of the newest
		{Counting::each, Rollup::minimum, 10},
		{Counting::each, Rollup::maximum, 100},
		{Counting::once, Rollup::maximum, 10},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::real});
		uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 30 days");
		model.add_value(group, events, 10, test.counting, test.rollup);
		EXPECT_EQ(score_of(model, rows).total, test.total) << static_cast<int>(test.rollup);
		std::vector<Row> older = rows;
		for (Row &row : older)
		{
			row.time -= 30 * day_us;
		}
		EXPECT_EQ(score_of(model, older).total, test.total / 2) << static_cast<int>(test.rollup);
	}
}

TEST(Values, OutOfRangeAreRefusedWithTheNameOfTheRule)
{
	const struct
	{
		double value;
		bool refused;
	} values[] = {
		{infinity, true}, {-infinity, true}, {not_a_number, true}, {1.1e15, true}, {-1.1e15, true},
		{1e15, false},    {-1e15, false},    {0, false},           {-0.0, false},  {5e-324, false},
	};

	for (Counting counting : {Counting::each, Counting::once})
	{
		for (Rollup rollup : {Rollup::sum, Rollup::average, Rollup::minimum, Rollup::maximum})
		{
			for (int32_t source : {record_itself, 0, 1})
			{
				Model model;
				model.record_columns = {ColumnKind::real};
				model.add_source(true, {ColumnKind::real});
				model.add_source(false, {ColumnKind::real});
				uint32_t group = model.add_group(Part::fit);
				model.add_rule(group, record_itself, 1);
				model.add_value(group, source, 1, counting, rollup);
				for (const auto &test : values)
				{
					Facts facts{{{}, {}}, {}, {{0, {real_value(source == record_itself ? test.value : 0)}}}};
					if (source != record_itself)
					{
						facts.rows[static_cast<size_t>(source)].push_back({0, as_of, {real_value(test.value)}});
					}
					for (EvaluationNeeds needs : {plain, with_detail})
					{
						EXPECT_EQ(refusal_of(model, facts, needs),
								  test.refused ? "value of rule \"rule 1\" is out of range" : "")
							<< test.value << " in source " << source;
					}
				}
			}
		}
	}
}

TEST(Values, OfRowsThatDoNotCountMayBeAnything)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::real, ColumnKind::code});
	uint32_t group = model.add_group(Part::engagement);
	RuleDefinition &rule = model.add_value(group, events, 1, Counting::each, Rollup::sum);
	rule.criterion = model.forest.text_is(1, "sale");
	rule.within_us = 10 * day_us;
	rule.since = as_of - 20 * day_us;
	const Value nan = real_value(not_a_number);
	const std::vector<Row> rows = {
		{0, as_of, {nan, text_value("visit")}},
		{0, as_of + 1, {nan, text_value("sale")}},
		{0, as_of - 11 * day_us, {nan, text_value("sale")}},
		{0, infinitely_old, {nan, text_value("sale")}},
		{0, as_of, {real_value(5), text_value("sale")}},
	};

	EXPECT_EQ(score_of(model, rows).total, 5);
	model.rules[0].valid.until = as_of;
	EXPECT_EQ(score_of(model, {{0, as_of, {nan, text_value("sale")}}}).total, 0);
}

TEST(Values, ThatPayTooMuchAreRefused)
{
	// One row pays at most 1e15; sums may hold 1.8e19
	const struct
	{
		const char *what;
		double points;
		double value;
		size_t rows;
		size_t rules;
		bool refused;
	} cases[] = {
		{"much", 1e5, 1e10, 1, 1, false},
		{"more than a row may pay", 1e6, 1e10, 1, 1, true},
		{"many rows", 1, 1e15, 9000, 1, false},
		{"too many rows", 1, 1e15, 20'000, 1, true},
		{"too many rows of two rules", 1, 1e15, 10'000, 2, true},
		{"too many rows, negative", -1, 1e15, 20'000, 1, true},
	};

	for (const auto &test : cases)
	{
		for (EvaluationNeeds needs : {plain, with_detail})
		{
			Model model;
			int32_t events = model.add_source(true, {ColumnKind::real});
			uint32_t group = model.add_group(Part::engagement);
			for (size_t rule = 0; rule < test.rules; rule++)
			{
				model.add_value(group, events, test.points, Counting::each, Rollup::sum);
			}
			Facts facts{{std::vector<Row>(test.rows, {0, as_of, {real_value(test.value)}})}, {}, {{0}}};
			std::string refusal = refusal_of(model, facts, needs);
			EXPECT_EQ(!refusal.empty(), test.refused)
				<< test.what << (needs.detail ? ", with detail: " : ": ") << refusal;
		}
	}
}

} // namespace lead_scoring::core::test
