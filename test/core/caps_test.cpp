// Rules that count only some of their matches: the newest, so many a day, each n-th, pairs.
#include "core/scorer.hpp"

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

constexpr int64_t monday = as_of + 2 * day_us; // 2026-02-02
constexpr int64_t week = 7 * day_us;

// Events with a type at these times
std::vector<Row>
events_at(const std::vector<std::pair<std::string, int64_t>> &events)
{
	std::vector<Row> rows;

	for (const auto &[type, time] : events)
	{
		rows.push_back({0, time, {text_value(type)}});
	}
	return rows;
}

} // namespace

TEST(Caps, CountTheNewestMatches)
{
	const struct
	{
		const char *decay;
		uint32_t max_times;
		std::vector<int64_t> ages_us;
		double total; // of 8 points
	} cases[] = {
		{"", 2, {}, 0},
		{"", 2, {0}, 8},
		{"", 2, {0, day_us}, 16},
		{"", 2, {0, day_us, 2 * day_us, 90 * day_us}, 16},
		{"", 3, {0, 0, 0, 0}, 24},
		{"half-life 7 days", 2, {}, 0},
		{"half-life 7 days", 2, {14 * day_us}, 2},
		{"half-life 7 days", 2, {14 * day_us, 0, 7 * day_us}, 12},
		{"half-life 7 days", 1, {14 * day_us, 21 * day_us, 7 * day_us}, 4},
		{"half-life 7 days", 1, {14 * day_us, -1}, 2}, // later than now
		{"50% per month", 2, {400 * day_us, 60 * day_us, 30 * day_us}, 4},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		uint32_t group = model.add_group(Part::engagement, unlimited, test.decay);
		model.add_rule(group, events, 8).max_times = test.max_times;
		EXPECT_EQ(score_of(model, events_aged(test.ages_us)).total, test.total)
			<< test.max_times << " of " << test.ages_us.size() << ' ' << test.decay;
	}
}

TEST(Caps, CountSoManyInEachInterval)
{
	const struct
	{
		const char *what;
		int64_t length;
		uint32_t max_times;
		std::vector<int64_t> times;
		size_t counted;
	} cases[] = {
		{"one a day", day_us, 1, {as_of, as_of - 1, as_of - 2, as_of - day_us}, 2},
		{"two a day", day_us, 2, {as_of - 1, as_of - 2, as_of - 3, as_of - day_us - 1}, 3},
		{"Monday and the Sunday before", week, 1, {monday - week, monday - week - 1}, 2},
		{"Monday and the Saturday after", week, 1, {monday - week, monday - 2 * day_us}, 1},
		{"before 2000", day_us, 1, {-1, -day_us, -day_us - 1}, 2},
		{"infinitely old", day_us, 1, {infinitely_old, infinitely_old}, 1},
		{"of the most distant past", day_us, 1, {infinitely_old, -211'813'488'000'000'000}, 2},
	};

	for (const auto &test : cases)
	{
		for (Counting counting : {Counting::each, Counting::once})
		{
			for (double limit : {0.0, 1.0})
			{
				Model model;
				int32_t events = model.add_source(true, {});
				double n = static_cast<double>(test.counted);
				RuleDefinition &rule = model.add_frequency(model.add_group(Part::engagement),
														   events, 5, {n, n + limit});
				rule.counting = counting;
				rule.max_times = test.max_times;
				rule.max_times_per_us = test.length;
				std::vector<Row> rows;
				for (int64_t time : test.times)
				{
					rows.push_back({0, time});
				}
				// Once: the bounds are of the number of matches that are kept
				EXPECT_EQ(score_of(model, rows).total, counting == Counting::once ? 5 : 5 * n) << test.what;
			}
		}
	}
}

TEST(Caps, FadeByTheAgesOfTheMatchesThatAreKept)
{
	Model model;
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
	RuleDefinition &rule = model.add_rule(group, events, 64);
	rule.max_times = 1;
	rule.max_times_per_us = week;

	// as_of is a Saturday: three events of this week, the newest 0 days old, and two of the week before
	EXPECT_EQ(score_of(model, events_aged({3 * day_us, 0, day_us, 7 * day_us, 8 * day_us})).total, 96);
	model.rules[0].max_times = 2;
	EXPECT_EQ(score_of(model, events_aged({0, 0, day_us, 7 * day_us, 7 * day_us})).total, 64 + 64 + 32 + 32);
}

TEST(Caps, PayForEachFullNumberOfMatches)
{
	const struct
	{
		const char *decay;
		uint32_t every_n;
		uint32_t max_times;
		std::vector<int64_t> ages_us;
		double total; // of 8 points
	} cases[] = {
		{"", 5, 0, {1, 2, 3, 4}, 0},
		{"", 5, 0, {1, 2, 3, 4, 5}, 8},
		{"", 2, 0, {1, 2, 3, 4, 5}, 16},
		{"", 2, 3, {1, 2, 3, 4, 5}, 8},
		{"", 2, 1, {1, 2, 3, 4, 5}, 0},
		// At the age of the second and of the fourth in order of time
		{"half-life 7 days", 2, 0, {0, 7 * day_us, 14 * day_us, 21 * day_us}, 8 + 2},
		{"half-life 7 days", 2, 0, {0, 7 * day_us, 14 * day_us}, 4},
		{"half-life 7 days", 3, 0, {7 * day_us, 0, 14 * day_us, 21 * day_us, 700 * day_us}, 2},
		// Of the newest three the oldest two make a pair
		{"half-life 7 days", 2, 3, {0, 7 * day_us, 14 * day_us, 21 * day_us}, 4},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement, unlimited, test.decay), events, 8);
		rule.every_n = test.every_n;
		rule.max_times = test.max_times;
		EXPECT_EQ(score_of(model, events_aged(test.ages_us)).total, test.total)
			<< test.every_n << " of " << test.ages_us.size() << ' ' << test.decay;
	}
}

TEST(Caps, CountTheNewestValues)
{
	const std::vector<Row> rows = events_worth({{0, real_value(3)},
												{1, null_value()},
												{2, real_value(-1)},
												{day_us, real_value(10)},
												{2 * day_us, real_value(100)}});
	const struct
	{
		Rollup rollup;
		double total; // of 2 points for each unit of the newest three: 3, -1, 10
	} cases[] = {{Rollup::sum, 24}, {Rollup::average, 8}, {Rollup::minimum, -2}, {Rollup::maximum, 20}};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::real});
		model.add_value(model.add_group(Part::engagement), events, 2, Counting::each, test.rollup).max_times = 3;
		EXPECT_EQ(score_of(model, rows).total, test.total) << static_cast<int>(test.rollup);
	}
}

TEST(Caps, BoundTheRollupOfTheValuesThatAreKept)
{
	const std::vector<Row> rows = events_worth({{1, real_value(3)},
												{2, real_value(4)},
												{day_us + 1, real_value(10)},
												{2 * day_us + 1, real_value(6)}});
	const struct
	{
		Rollup rollup;
		double amount; // of the newest of each day: 3, 10, 6
	} cases[] = {{Rollup::sum, 19}, {Rollup::average, 19.0 / 3}, {Rollup::minimum, 3}, {Rollup::maximum, 10}};

	for (const auto &test : cases)
	{
		for (double off : {-0.5, 0.0, 0.5})
		{
			Model model;
			int32_t events = model.add_source(true, {ColumnKind::real});
			RuleDefinition &rule = model.add_value(model.add_group(Part::engagement), events, 2, Counting::once,
												   test.rollup, {test.amount + off, test.amount + off});
			rule.max_times = 1;
			rule.max_times_per_us = day_us;
			EXPECT_EQ(score_of(model, rows).total, off == 0 ? 2 : 0) << static_cast<int>(test.rollup);
		}
	}
}

TEST(Caps, OfNoValuesPayNothingButABoundedSum)
{
	const struct
	{
		Rollup rollup;
		Limits bounds;
		double total;
	} cases[] = {
		{Rollup::sum, unlimited, 0},    {Rollup::sum, {-infinity, 5}, 2},     {Rollup::sum, {1, 5}, 0},
		{Rollup::average, {-5, 5}, 0},  {Rollup::minimum, {-infinity, 5}, 0}, {Rollup::maximum, unlimited, 0},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::real});
		RuleDefinition &rule =
			model.add_value(model.add_group(Part::engagement), events, 2, Counting::once, test.rollup, test.bounds);
		rule.max_times = 1;
		rule.max_times_per_us = day_us;
		EXPECT_EQ(score_of(model, {}).total, test.total) << static_cast<int>(test.rollup);
		EXPECT_EQ(score_of(model, events_worth({{0, null_value()}})).total, test.total)
			<< static_cast<int>(test.rollup);
	}
}

TEST(Pairs, PayForWhatFollowsInTime)
{
	constexpr int64_t hour = hour_us;
	const struct
	{
		const char *what;
		std::vector<std::pair<std::string, int64_t>> events;
		std::function<void(RuleDefinition &)> change;
		double total; // of 10 points, within 24 hours
	} cases[] = {
		{"a pair", {{"mail", -5 * hour}, {"visit", -2 * hour}}, {}, 10},
		{"given in the other order", {{"visit", -2 * hour}, {"mail", -5 * hour}}, {}, 10},
		{"at once", {{"visit", -2 * hour}, {"mail", -2 * hour}}, {}, 10},
		{"just in time", {{"mail", -30 * hour}, {"visit", -6 * hour}}, {}, 10},
		{"too late", {{"mail", -30 * hour - 1}, {"visit", -6 * hour}}, {}, 0},
		{"the wrong order", {{"visit", -5 * hour}, {"mail", -2 * hour}}, {}, 0},
		{"what comes in between", {{"mail", -5 * hour}, {"call", -4 * hour}, {"visit", -2 * hour}}, {}, 10},
		{"two pairs", {{"mail", -9 * hour}, {"visit", -8 * hour}, {"mail", -7 * hour}, {"visit", -6 * hour}}, {}, 20},
		{"one of two", {{"mail", -9 * hour}, {"mail", -8 * hour}, {"visit", -7 * hour}, {"visit", -6 * hour}}, {}, 10},
		{"the window is for what follows", {{"mail", -20 * hour}, {"visit", -2 * hour}},
		 [](RuleDefinition &rule) { rule.within_us = 2 * hour; }, 10},
		{"which is too old", {{"mail", -20 * hour}, {"visit", -3 * hour}},
		 [](RuleDefinition &rule) { rule.within_us = 2 * hour; }, 0},
		{"since", {{"mail", -20 * hour}, {"visit", -3 * hour}},
		 [](RuleDefinition &rule) { rule.since = as_of - 3 * hour; }, 10},
		{"until", {{"mail", -20 * hour}, {"visit", -3 * hour}},
		 [](RuleDefinition &rule) { rule.until = as_of - 3 * hour; }, 0},
		{"the future does not count", {{"mail", -hour}, {"visit", 1}}, {}, 0},
		{"a cap",
		 {{"mail", -9 * hour}, {"visit", -8 * hour}, {"mail", -7 * hour}, {"visit", -6 * hour}},
		 [](RuleDefinition &rule) { rule.max_times = 1; }, 10},
		{"at least two, but there is one", {{"mail", -9 * hour}, {"visit", -8 * hour}},
		 [](RuleDefinition &rule)
		 {
			 rule.counting = Counting::once;
			 rule.count = {2, infinity};
		 },
		 0},
		{"none", {{"mail", -9 * hour}},
		 [](RuleDefinition &rule)
		 {
			 rule.counting = Counting::once;
			 rule.count = {0, 0};
		 },
		 10},
		{"every second",
		 {{"mail", -9 * hour}, {"visit", -8 * hour}, {"mail", -7 * hour}, {"visit", -6 * hour}, {"mail", -5 * hour}},
		 [](RuleDefinition &rule) { rule.every_n = 2; }, 10},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::code});
		RuleDefinition &rule =
			model.add_rule(model.add_group(Part::engagement), events, 10, model.forest.text_is(0, "mail"));
		rule.followed_by = model.forest.text_is(0, "visit");
		rule.followed_within_us = 24 * hour;
		if (test.change)
		{
			test.change(rule);
		}
		std::vector<std::pair<std::string, int64_t>> events_of_case = test.events;
		for (auto &[type, time] : events_of_case)
		{
			time += as_of;
		}
		EXPECT_EQ(score_of(model, events_at(events_of_case)).total, test.total) << test.what;
	}
}

TEST(Pairs, OfOneKindOfEventUseEachOnce)
{
	// A second visit within a week: both criteria are the same
	for (size_t visits = 0; visits < 8; visits++)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement), events, 10);
		rule.followed_by = model.forest.always();
		rule.followed_within_us = week;
		std::vector<int64_t> ages;
		for (size_t visit = 0; visit < visits; visit++)
		{
			ages.push_back(static_cast<int64_t>(visit) * day_us);
		}
		EXPECT_EQ(score_of(model, events_aged(ages)).total, static_cast<double>(visits / 2 * 10)) << visits;
	}
}

TEST(Pairs, FadeFromTheTimeOfWhatFollowed)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement, unlimited, "half-life 7 days"), events, 8,
										  model.forest.text_is(0, "mail"));
	rule.followed_by = model.forest.text_is(0, "visit");
	rule.followed_within_us = 10 * day_us;

	EXPECT_EQ(score_of(model, events_at({{"mail", as_of - 16 * day_us}, {"visit", as_of - 7 * day_us}})).total, 4);
}

TEST(Pairs, DoNotReachFromOneRecordToAnother)
{
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	RuleDefinition &rule =
		model.add_rule(model.add_group(Part::engagement), events, 10, model.forest.text_is(0, "mail"));
	rule.followed_by = model.forest.text_is(0, "visit");
	rule.followed_within_us = 10 * day_us;
	Facts facts{{{{0, as_of - 2, {text_value("mail")}},
				  {1, as_of - 1, {text_value("visit")}},
				  {2, as_of - 2, {text_value("mail")}},
				  {2, as_of - 1, {text_value("visit")}}}},
				{},
				{{0}, {1}, {2}, {3}}};
	Fed fed(model, facts, plain);
	fed.feed();
	std::vector<ScoreResult> results = fed.finish();

	const double totals[] = {0, 0, 10, 0};
	for (size_t record = 0; record < 4; record++)
	{
		EXPECT_EQ(results[record].total, totals[record]) << record;
	}
}

TEST(Caps, CanBeCancelledWhileARecordIsFinished)
{
	Model model;
	int32_t events = model.add_source(true, {});
	RuleDefinition &rule = model.add_rule(model.add_group(Part::engagement), events, 1);
	rule.max_times = 1;
	rule.max_times_per_us = day_us;
	Facts facts{{std::vector<Row>(50'000)}, {}, {{0}}};
	for (size_t row = 0; row < facts.rows[0].size(); row++)
	{
		facts.rows[0][row] = {0, as_of - static_cast<int64_t>(row * 7919 % 50'000) * hour_us};
	}

	static bool wanted;
	wanted = true;
	Fed cancelled(model, facts, plain, as_of, []() noexcept { return !wanted; });
	cancelled.feed();
	wanted = false;
	EXPECT_EQ(fault_of([&] { cancelled.finish(); }), Fault::cancelled);
	Fed patient(model, facts, plain, as_of, []() noexcept { return false; });
	patient.feed();
	// One today, then 24 a day
	EXPECT_EQ(patient.finish()[0].total, 1 + (49'999 + 23) / 24);
}

} // namespace lead_scoring::core::test
