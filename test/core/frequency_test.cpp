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

TEST(Frequency, CountsEventsWithinTheWindowIncludingItsBounds)
{
	// E15, D28: as_of - within <= t <= as_of, since <= t < until
	const int64_t since = as_of - 20 * day_us;
	const int64_t until = as_of - 10 * day_us;
	const struct
	{
		const char *what;
		int64_t within_us;
		int64_t since;
		int64_t until;
		int64_t time;
		bool counts;
	} cases[] = {
		{"now", 30 * day_us, infinitely_old, infinitely_late, as_of, true},
		{"a microsecond from now", 30 * day_us, infinitely_old, infinitely_late, as_of + 1, false},
		{"exactly 30 days", 30 * day_us, infinitely_old, infinitely_late, as_of - 30 * day_us, true},
		{"a microsecond earlier", 30 * day_us, infinitely_old, infinitely_late, as_of - 30 * day_us - 1, false},
		{"a second earlier", 30 * day_us, infinitely_old, infinitely_late, as_of - 30 * day_us - second_us, false},
		{"since", 0, since, infinitely_late, since, true},
		{"before since", 0, since, infinitely_late, since - 1, false},
		{"before until", 0, infinitely_old, until, until - 1, true},
		{"until", 0, infinitely_old, until, until, false},
		{"within and since", 5 * day_us, since, infinitely_late, as_of - 6 * day_us, false},
		{"since and within", 40 * day_us, since, infinitely_late, as_of - 21 * day_us, false},
		{"until is later than now", 0, infinitely_old, as_of + day_us, as_of + 1, false},
		{"infinitely old, any age", 0, infinitely_old, infinitely_late, infinitely_old, true},
		{"infinitely old, within", 30 * day_us, infinitely_old, infinitely_late, infinitely_old, false},
		{"infinitely old, since", 0, since, infinitely_late, infinitely_old, false},
		{"infinitely late", 0, infinitely_old, infinitely_late, infinitely_late, false},
		{"the longest window", 920'000'000'000'000'000, infinitely_old, infinitely_late, as_of - 900'000'000'000'000'000,
		 true},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		uint32_t group = model.add_group(Part::engagement);
		for (Counting counting : {Counting::each, Counting::once})
		{
			RuleDefinition &rule = model.add_rule(group, events, counting == Counting::each ? 1 : 10);
			rule.counting = counting;
			rule.within_us = test.within_us;
			rule.since = test.since;
			rule.until = test.until;
		}
		EXPECT_EQ(score_of(model, {{0, test.time}, {0, test.time}}).total, test.counts ? 12 : 0) << test.what;
	}
}

TEST(Frequency, PaysOnceWhileTheCountLiesWithinItsBounds)
{
	// E13, E14
	const struct
	{
		Limits count;
		size_t events;
		bool pays;
	} cases[] = {
		{{5, infinity}, 4, false}, {{5, infinity}, 5, true}, {{5, infinity}, 12, true}, {{3, 3}, 2, false},
		{{3, 3}, 3, true},         {{3, 3}, 4, false},       {{2, 4}, 1, false},        {{2, 4}, 2, true},
		{{2, 4}, 4, true},         {{2, 4}, 5, false},       {{-infinity, 2}, 0, true}, {{-infinity, 2}, 2, true},
		{{-infinity, 2}, 3, false}, {{1, 2}, 0, false},      {{0, 0}, 0, true},         {{0, 0}, 1, false},
		{at_least_one, 0, false},  {at_least_one, 1, true},  {{2.5, infinity}, 2, false},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::code});
		model.add_frequency(model.add_group(Part::engagement), events, 10, test.count, model.forest.text_is(0, "view"));
		EXPECT_EQ(score_of(model, events_of({{"view", test.events}})).total, test.pays ? 10 : 0)
			<< test.events << " in " << test.count.lower << " .. " << test.count.upper;
		// Other events of the record change nothing
		EXPECT_EQ(score_of(model, events_of({{"view", test.events}, {"other", 7}})).total, test.pays ? 10 : 0);
	}
}

TEST(Frequency, AddsFrequencyAndEachEvent)
{
	// E16: once for any visit, and for at least 3 of them
	Model model;
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement);
	model.add_frequency(group, events, 1, at_least_one);
	model.add_frequency(group, events, 5, {3, infinity});

	EXPECT_EQ(score_of(model, events_aged({1, 2})).total, 1);
	EXPECT_EQ(score_of(model, events_aged({1, 2, 3})).total, 6);
}

TEST(Frequency, TakesTheAgeOfTheNewestEventThatCountsForAFrequency)
{
	// D6
	const struct
	{
		const char *what;
		Limits count;
		std::vector<int64_t> ages_us;
		double total;
	} cases[] = {
		{"newest last", {2, infinity}, {60 * day_us, 15 * day_us}, 7.5},
		{"newest first", {2, infinity}, {15 * day_us, 60 * day_us}, 7.5},
		{"too few", {2, infinity}, {15 * day_us}, 0},
		{"the newest is later than now", {1, infinity}, {30 * day_us, -day_us}, 5},
		{"the newest is out of the window", {1, infinity}, {100 * day_us}, 0},
		{"at most, and there are none", {-infinity, 2}, {}, 10},
		{"at most, and there is one", {-infinity, 2}, {30 * day_us}, 5},
		{"at most, and there is one that does not count", {-infinity, 2}, {100 * day_us}, 10},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		uint32_t group = model.add_group(Part::engagement, unlimited, "50% per month");
		model.add_frequency(group, events, 10, test.count).within_us = 90 * day_us;
		EXPECT_EQ(score_of(model, events_aged(test.ages_us)).total, test.total) << test.what;
	}
}

TEST(Frequency, FadesAFrequencyOfInfinitelyOldEventsToNothing)
{
	Model model;
	int32_t events = model.add_source(true, {});
	model.add_frequency(model.add_group(Part::engagement, unlimited, "half-life 7 days"), events, 10, at_least_one);

	EXPECT_EQ(score_of(model, {{0, infinitely_old}}).total, 0);
	EXPECT_EQ(score_of(model, {{0, infinitely_old}, {0, as_of - 7 * day_us}}).total, 5);
	EXPECT_EQ(score_of(model, {{0, as_of - 7 * day_us}, {0, infinitely_old}}).total, 5);
	EXPECT_EQ(score_of(model, {{0, infinitely_late}}).total, 0);
}

TEST(Frequency, TakesTheNewestEventEvenBeforeTheEpoch)
{
	// The instants of a state begin as zero, which is later than these
	Model model;
	int32_t events = model.add_source(true, {});
	model.add_frequency(model.add_group(Part::engagement, unlimited, "half-life 7 days"), events, 64, at_least_one);
	const int64_t instant = -100 * day_us;

	EXPECT_EQ(score_of(model, {{0, instant - 14 * day_us}, {0, instant - 21 * day_us}}, {}, instant).total, 16);
}

} // namespace lead_scoring::core::test
