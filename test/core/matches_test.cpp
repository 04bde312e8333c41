#include "core/matches.hpp"

#include "core/time.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace lead_scoring::core
{

inline bool
operator==(const Match &left, const Match &right)
{
	return std::tuple(left.time, left.value, left.role) == std::tuple(right.time, right.value, right.role);
}

inline void
PrintTo(const Match &match, std::ostream *out)
{
	*out << "{time " << match.time << ", worth " << match.value << ", role " << static_cast<int>(match.role) << '}';
}

} // namespace lead_scoring::core

namespace lead_scoring::core::test
{

namespace
{

constexpr Match
opens(int64_t time, double value = 1)
{
	return {time, value, Role::opening};
}

constexpr Match
closes(int64_t time, double value = 1)
{
	return {time, value, Role::closing};
}

constexpr Match
does_both(int64_t time, double value = 1)
{
	return {time, value, Role::both};
}

constexpr Match
alone(int64_t time, double value = 1)
{
	return {time, value, Role::alone};
}

Matches
alone_at(const std::vector<int64_t> &times)
{
	Matches matches;

	for (int64_t time : times)
	{
		matches.push_back(alone(time));
	}
	return matches;
}

std::vector<int64_t>
times_of(const Matches &matches)
{
	std::vector<int64_t> times;

	for (const Match &match : matches)
	{
		times.push_back(match.time);
	}
	return times;
}

// Pairs as the contract has them: each closing event takes the newest open one, and closes all before it
Matches
naive_pairs(const Matches &matches, int64_t within_us)
{
	Matches pairs;
	std::vector<int64_t> open;

	for (const Match &match : matches)
	{
		bool closes_one = match.role != Role::opening && !open.empty() && match.time - open.back() <= within_us;
		if (closes_one)
		{
			open.clear();
			pairs.push_back(alone(match.time, match.value));
		}
		else if (match.role != Role::closing)
		{
			open.push_back(match.time);
		}
	}
	return pairs;
}

// The number of the interval that a time lies in, counted from Monday 2000-01-03
int64_t
naive_interval(int64_t time, int64_t length)
{
	int64_t number = 0;

	for (int64_t begin = 2 * day_us; begin > time; begin -= length)
	{
		number--;
	}
	for (int64_t end = 2 * day_us + length; end <= time; end += length)
	{
		number++;
	}
	return number;
}

} // namespace

TEST(Matches, SortByTimeThenRoleThenWorth)
{
	const Matches sorted = {
		alone(infinitely_old), alone(-day_us), opens(5), opens(5, 2), does_both(5), closes(5, -1), closes(5),
		alone(5),              alone(5, 7),    opens(6), closes(8),   alone(infinitely_late),
	};
	Random random(1);

	for (size_t round = 0; round < 100; round++)
	{
		Matches matches = sorted;
		random.shuffle(matches);
		sort_matches(matches, nullptr);
		ASSERT_EQ(matches, sorted);
	}
}

TEST(Matches, AskWhetherToStopOnlyWhileALongSortLasts)
{
	static size_t asked = 0;
	static size_t patience = 0;
	Poll stop = []() noexcept { return ++asked > patience; };
	auto matches_of = [](size_t count)
	{
		Random random(count);
		Matches matches;
		for (size_t at = 0; at < count; at++)
		{
			matches.push_back(alone(random.between(-day_us, day_us)));
		}
		return matches;
	};

	Matches few = matches_of(1000);
	asked = patience = 0;
	sort_matches(few, stop);
	EXPECT_EQ(asked, 0u);

	for (size_t times : {0u, 1u, 7u})
	{
		Matches many = matches_of(100'000);
		asked = 0;
		patience = times;
		EXPECT_EQ(fault_of([&] { sort_matches(many, stop); }), Fault::cancelled);
		EXPECT_EQ(asked, times + 1);
	}

	Matches many = matches_of(100'000);
	Matches same = many;
	asked = 0;
	patience = SIZE_MAX;
	sort_matches(many, stop);
	EXPECT_GT(asked, 5u);
	sort_matches(same, nullptr);
	EXPECT_EQ(many, same);
}

TEST(Matches, PairAnEventWithOneThatFollows)
{
	const struct
	{
		const char *what;
		Matches events;
		Matches pairs; // within 10
	} cases[] = {
		{"nothing", {}, {}},
		{"only openings", {opens(0), opens(5)}, {}},
		{"only closings", {closes(0), closes(5)}, {}},
		{"a pair has time and worth of the closing event", {opens(0, 2), closes(7, 3)}, {alone(7, 3)}},
		{"at the same time", {opens(7), closes(7)}, {alone(7)}},
		{"just in time", {opens(0), closes(10)}, {alone(10)}},
		{"too late", {opens(0), closes(11)}, {}},
		{"the wrong way round", {closes(0), opens(1)}, {}},
		{"two pairs", {opens(0), closes(1), opens(2), closes(3)}, {alone(1), alone(3)}},
		{"the newest opening is taken", {opens(0), opens(9), closes(15)}, {alone(15)}},
		{"the older one is closed with it", {opens(0), opens(9), closes(10), closes(10)}, {alone(10)}},
		{"a closing event is used once", {opens(0), closes(1), closes(2)}, {alone(1)}},
		{"a late closing event leaves nothing open in time", {opens(0), closes(11), opens(12), closes(13)},
		 {alone(13)}},
		{"a late closing event does not undo a newer opening", {opens(0), opens(5), closes(16), opens(20), closes(21)},
		 {alone(21)}},
		{"one that does both does not pair with itself", {does_both(0)}, {}},
		{"one that does both opens", {does_both(0), closes(1)}, {alone(1)}},
		{"one that does both closes", {opens(0), does_both(1)}, {alone(1)}},
		{"two that do both", {does_both(0), does_both(5)}, {alone(5)}},
		{"three that do both: the second is used up", {does_both(0), does_both(5), does_both(9)}, {alone(5)}},
		{"four that do both", {does_both(0), does_both(5), does_both(9), does_both(9)}, {alone(5), alone(9)}},
		{"both, too late to close: it opens", {does_both(0), does_both(11), does_both(20)}, {alone(20)}},
		{"both closes what both has opened, then nothing is open", {does_both(0), does_both(1), closes(2)}, {alone(1)}},
		{"infinitely old, both of them", {opens(infinitely_old), closes(infinitely_old)}, {alone(infinitely_old)}},
		{"infinitely old, then any time", {opens(infinitely_old), closes(infinitely_old + 5)}, {}},
		{"nearly infinitely old", {opens(infinitely_old + 1), closes(infinitely_old + 11)},
		 {alone(infinitely_old + 11)}},
		{"nearly infinitely old, too late", {opens(infinitely_old + 1), closes(infinitely_old + 12)}, {}},
	};

	for (const auto &test : cases)
	{
		Matches matches = test.events;
		pair_matches(matches, 10);
		EXPECT_EQ(matches, test.pairs) << test.what;
	}
}

TEST(Matches, OfOneTimePairInAFixedOrder)
{
	// What only opens comes first, what only closes last, so that as much pairs as can
	const struct
	{
		Matches events;
		size_t pairs;
	} cases[] = {
		{{closes(0), opens(0)}, 1},
		{{does_both(0), opens(0)}, 1},
		{{closes(0), does_both(0)}, 1},
		{{closes(0), does_both(0), opens(0)}, 1},
		{{closes(0), closes(0), opens(0), opens(0)}, 1},
		{{does_both(0), does_both(0), does_both(0), does_both(0)}, 2},
	};
	Random random(1);

	for (const auto &test : cases)
	{
		for (size_t round = 0; round < 20; round++)
		{
			Matches matches = test.events;
			random.shuffle(matches);
			sort_matches(matches, nullptr);
			pair_matches(matches, 10);
			ASSERT_EQ(matches.size(), test.pairs);
		}
	}
}

TEST(Matches, PairAsThePlainReadingDoes)
{
	constexpr Role roles[] = {Role::opening, Role::both, Role::closing};
	size_t pairs = 0;

	for (uint64_t seed = 1; seed <= 20'000; seed++)
	{
		Random random(seed);
		Matches matches;
		for (size_t count = random.below(12); count > 0; count--)
		{
			matches.push_back({random.between(0, 30), static_cast<double>(random.below(3)), random.one_of(roles)});
		}
		sort_matches(matches, nullptr);
		int64_t within = random.between(1, 8);
		Matches expected = naive_pairs(matches, within);
		pair_matches(matches, within);
		ASSERT_EQ(matches, expected) << "seed " << seed;
		pairs += matches.size();
	}
	EXPECT_GT(pairs, 10'000u);
}

TEST(Matches, AreKeptWithinAPeriod)
{
	Matches matches = alone_at({infinitely_old, 4, 5, 6, 9, 10, infinitely_late});

	keep_period(matches, {infinitely_old, infinitely_late});
	EXPECT_EQ(times_of(matches), (std::vector<int64_t>{infinitely_old, 4, 5, 6, 9, 10}));
	keep_period(matches, {5, 10});
	EXPECT_EQ(times_of(matches), (std::vector<int64_t>{5, 6, 9}));
	keep_period(matches, {7, 7});
	EXPECT_TRUE(matches.empty());
}

TEST(Matches, AreCappedToTheNewest)
{
	const struct
	{
		std::vector<int64_t> times;
		uint32_t max_times;
		std::vector<int64_t> kept;
	} cases[] = {
		{{}, 1, {}},
		{{5}, 1, {5}},
		{{1, 2, 3}, 1, {3}},
		{{1, 2, 3}, 2, {2, 3}},
		{{1, 2, 3}, 3, {1, 2, 3}},
		{{1, 2, 3}, UINT32_MAX, {1, 2, 3}},
		{{infinitely_old, infinitely_old, -1}, 2, {infinitely_old, -1}},
	};

	for (const auto &test : cases)
	{
		Matches matches = alone_at(test.times);
		keep_newest(matches, test.max_times, 0);
		EXPECT_EQ(times_of(matches), test.kept) << test.max_times;
	}
}

TEST(Matches, AreCappedInEachIntervalCountedFromAMonday)
{
	constexpr int64_t monday = 2 * day_us; // 2000-01-03
	constexpr int64_t week = 7 * day_us;
	const struct
	{
		const char *what;
		int64_t length;
		uint32_t max_times;
		std::vector<int64_t> times;
		std::vector<int64_t> kept;
	} cases[] = {
		{"one day", day_us, 1, {monday, monday + 1, monday + day_us - 1}, {monday + day_us - 1}},
		{"two days", day_us, 1, {monday + day_us - 1, monday + day_us}, {monday + day_us - 1, monday + day_us}},
		{"two of each day", day_us, 2, {monday, monday + 1, monday + 2, monday + day_us},
		 {monday + 1, monday + 2, monday + day_us}},
		{"the day before the first Monday", day_us, 1, {monday - day_us, monday - 1, monday}, {monday - 1, monday}},
		{"two days before it", day_us, 1, {monday - day_us - 1, monday - day_us},
		 {monday - day_us - 1, monday - day_us}},
		{"Monday to Sunday", week, 1, {monday, monday + 6 * day_us, monday + week - 1}, {monday + week - 1}},
		{"Sunday and Monday", week, 1, {monday + week - 1, monday + week}, {monday + week - 1, monday + week}},
		{"Saturday and Sunday that began 2000", week, 1, {0, monday - 1, monday}, {monday - 1, monday}},
		{"a week before 2000", week, 1, {monday - week - 1, monday - week, 0}, {monday - week - 1, 0}},
		{"infinitely old", day_us, 1, {infinitely_old, infinitely_old, 0}, {infinitely_old, 0}},
		{"the earliest day that PostgreSQL knows", day_us, 1,
		 {infinitely_old, -211'813'488'000'000'000, -211'813'488'000'000'000 + 1}, {infinitely_old, -211'813'488'000'000'000 + 1}},
		{"the latest", day_us, 1, {0, infinitely_late - 2, infinitely_late - 1}, {0, infinitely_late - 1}},
		{"microseconds", 1, 1, {5, 5, 6}, {5, 6}},
		{"the longest", infinitely_late, 1, {-day_us, monday - 1, monday, monday + week}, {monday - 1, monday + week}},
	};

	for (const auto &test : cases)
	{
		Matches matches = alone_at(test.times);
		keep_newest(matches, test.max_times, test.length);
		EXPECT_EQ(times_of(matches), test.kept) << test.what;
	}
}

TEST(Matches, AreCappedAsThePlainReadingDoes)
{
	for (uint64_t seed = 1; seed <= 5000; seed++)
	{
		Random random(seed);
		int64_t length = random.one_in(2) ? random.between(1, 20) : random.between(1, 20) * day_us;
		uint32_t max_times = static_cast<uint32_t>(random.between(1, 4));
		Matches matches;
		for (size_t count = random.below(30); count > 0; count--)
		{
			matches.push_back(alone(2 * day_us + random.between(-5 * length, 5 * length),
									static_cast<double>(random.below(3))));
		}
		sort_matches(matches, nullptr);
		std::map<int64_t, uint32_t> times;
		Matches expected;
		for (size_t at = matches.size(); at > 0; at--)
		{
			if (times[naive_interval(matches[at - 1].time, length)]++ < max_times)
			{
				expected.insert(expected.begin(), matches[at - 1]);
			}
		}
		keep_newest(matches, max_times, length);
		ASSERT_EQ(matches, expected) << "seed " << seed;
	}
}

TEST(Matches, AreThinnedToEachNth)
{
	const struct
	{
		size_t count;
		uint32_t every_n;
		std::vector<int64_t> kept;
	} cases[] = {
		{0, 2, {}}, {1, 2, {}}, {2, 2, {2}}, {5, 2, {2, 4}}, {9, 3, {3, 6, 9}}, {4, 5, {}}, {3, 1, {1, 2, 3}},
		{3, UINT32_MAX, {}},
	};

	for (const auto &test : cases)
	{
		Matches matches;
		for (size_t at = 1; at <= test.count; at++)
		{
			matches.push_back(alone(static_cast<int64_t>(at)));
		}
		keep_every(matches, test.every_n);
		EXPECT_EQ(times_of(matches), test.kept) << test.count << " by " << test.every_n;
	}
}

TEST(MatchLog, ChainsTheMatchesOfEachRecord)
{
	constexpr size_t records = 100;
	Random random(1);
	MatchLog log;
	std::vector<uint32_t> heads(records);
	std::vector<std::vector<std::pair<uint32_t, Match>>> expected(records);

	EXPECT_EQ(log.memory(), 0u);
	for (size_t count = 0; count < 50'000; count++)
	{
		size_t record = random.below(records);
		uint32_t rule = static_cast<uint32_t>(random.one_in(9) ? (1u << 30) - 1 : random.below(20));
		Match match{static_cast<int64_t>(random.bits()), random.share(),
					static_cast<Role>(random.below(4))};
		log.append(heads[record], rule, match);
		expected[record].emplace_back(rule, match);
	}
	EXPECT_GE(log.memory(), 50'000 * sizeof(MatchLog::Entry));
	for (size_t record = 0; record < records; record++)
	{
		// The newest comes first
		uint32_t at = heads[record];
		for (size_t left = expected[record].size(); left > 0; left--)
		{
			ASSERT_NE(at, 0u);
			const MatchLog::Entry &entry = log.entry(at);
			ASSERT_EQ(MatchLog::rule_of(entry), expected[record][left - 1].first);
			ASSERT_EQ(MatchLog::match_of(entry), expected[record][left - 1].second);
			at = entry.previous;
		}
		ASSERT_EQ(at, 0u);
	}
}

} // namespace lead_scoring::core::test
