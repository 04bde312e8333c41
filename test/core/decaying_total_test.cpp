#include "core/decaying_total.hpp"

#include "core/time.hpp"
#include "support.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// The first and the last instant of a timestamptz
constexpr int64_t first_instant = -211'813'488'000'000'000;
constexpr int64_t last_instant = 9'223'371'331'199'999'999;
constexpr int64_t longest_half_life = 920'000'000'000'000'000;

struct Event
{
	double points;
	int64_t time;
};

DecayingTotal
total_of(const std::vector<Event> &events, int64_t half_life_us)
{
	DecayingTotal total = make_decaying_total(half_life_us);

	for (const Event &event : events)
	{
		add_points(total, event.points, event.time);
	}
	return total;
}

// The definition, in more digits
long double
exact_value(const std::vector<Event> &events, int64_t half_life_us, int64_t instant)
{
	long double value = 0;

	for (const Event &event : events)
	{
		long double age = static_cast<long double>(instant) - static_cast<long double>(event.time);
		value += event.points * std::exp2(-age / static_cast<long double>(half_life_us));
	}
	return value;
}

// How much an error may be: of the magnitudes, since points of both signs may cancel out
double
allowance(const std::vector<Event> &events, int64_t half_life_us, int64_t instant)
{
	std::vector<Event> magnitudes = events;

	for (Event &event : magnitudes)
	{
		event.points = std::fabs(event.points);
	}
	return 1e-12 * static_cast<double>(exact_value(magnitudes, half_life_us, instant)) + 1e-300;
}

std::vector<Event>
random_events(Random &random, size_t count, int64_t earliest, int64_t latest)
{
	std::vector<Event> events;

	for (size_t at = 0; at < count; at++)
	{
		double points = static_cast<double>(random.between(-500, 1000)) / 8;
		events.push_back({points, random.between(earliest, latest)});
	}
	return events;
}

int
sign(double number)
{
	return (number > 0) - (number < 0);
}

void
expect_same(const DecayingTotal &left, const DecayingTotal &right)
{
	EXPECT_EQ(decaying_total_text(left), decaying_total_text(right));
	EXPECT_EQ(compare_totals(left, right), 0);
}

} // namespace

TEST(DecayingTotal, OfOneEventHalvesWithEveryHalfLife)
{
	for (int64_t time : {int64_t{0}, int64_t{1}, int64_t{-1}, 9000 * day_us + 12'345, -50 * year_us})
	{
		DecayingTotal total = total_of({{100, time}}, 7 * day_us);
		EXPECT_DOUBLE_EQ(value_at(total, time), 100) << time;
		EXPECT_DOUBLE_EQ(value_at(total, time + 7 * day_us), 50) << time;
		EXPECT_DOUBLE_EQ(value_at(total, time + 14 * day_us), 25) << time;
		EXPECT_DOUBLE_EQ(value_at(total, time + 7 * day_us / 2), 100 * std::sqrt(0.5)) << time;
		EXPECT_EQ(total.newest, time);
		EXPECT_EQ(total.count, 1);
	}
}

TEST(DecayingTotal, IsTheSumOfItsEvents)
{
	Random random(1);

	for (int round = 0; round < 2000; round++)
	{
		int64_t half_life = 1000 + static_cast<int64_t>(random.bits() >> (10 + random.below(40)));
		int64_t middle = random.between(-30 * year_us, 60 * year_us);
		int64_t spread = std::min<int64_t>(half_life * 20, 20 * year_us);
		auto events = random_events(random, 1 + random.below(40), middle - spread, middle + spread);
		DecayingTotal total = total_of(events, half_life);
		int64_t newest = infinitely_old;
		for (const Event &event : events)
		{
			newest = std::max(newest, event.time);
		}
		EXPECT_EQ(total.newest, newest);
		EXPECT_EQ(total.count, static_cast<int64_t>(events.size()));
		require_valid_total(total);
		for (int64_t instant : {newest, newest + 1, newest + half_life / 3, newest + half_life, newest + 5 * half_life})
		{
			EXPECT_NEAR(value_at(total, instant), static_cast<double>(exact_value(events, half_life, instant)),
						allowance(events, half_life, instant))
				<< "half-life " << half_life << " at " << instant;
		}
	}
}

TEST(DecayingTotal, IsTakenNoEarlierThanItsNewestEvent)
{
	DecayingTotal total = total_of({{8, 0}, {4, day_us}}, day_us);

	EXPECT_DOUBLE_EQ(value_at(total, day_us), 8);
	EXPECT_DOUBLE_EQ(value_at(total, 0), 8);
	EXPECT_DOUBLE_EQ(value_at(total, first_instant), 8);
	EXPECT_DOUBLE_EQ(value_at(total, 2 * day_us), 4);
}

TEST(DecayingTotal, UnderflowsToZero)
{
	DecayingTotal total = total_of({{-1000, 0}}, second_us);

	EXPECT_LT(value_at(total, minute_us), 0);
	EXPECT_EQ(value_at(total, day_us), 0);
	EXPECT_EQ(value_at(total, last_instant), 0);
}

TEST(DecayingTotal, HoldsTheLargestPoints)
{
	constexpr double most = std::numeric_limits<double>::max();

	for (int64_t time : {int64_t{0}, day_us - 1, -day_us + 1, 9000 * year_us})
	{
		DecayingTotal total = total_of({{most, time}}, day_us);
		require_valid_total(total);
		EXPECT_NEAR(value_at(total, time) / most, 1, 1e-12);
		add_points(total, -most, time);
		EXPECT_EQ(value_at(total, time), 0);
		for (int more = 0; more < 10; more++)
		{
			add_points(total, most, time);
			require_valid_total(total);
		}
		EXPECT_NEAR(value_at(total, time + 4 * day_us) / most, 0.625, 1e-12);
	}
}

TEST(DecayingTotal, OfNothingIsZero)
{
	DecayingTotal total = make_decaying_total(day_us);

	require_valid_total(total);
	EXPECT_EQ(value_at(total, 0), 0);
	EXPECT_EQ(total.newest, infinitely_old);
	EXPECT_EQ(total.count, 0);
	expect_same(parse_decaying_total(decaying_total_text(total)), total);
	add_points(total, 0, day_us);
	add_points(total, -0.0, 2 * day_us);
	require_valid_total(total);
	EXPECT_EQ(value_at(total, 0), 0);
	EXPECT_EQ(total.newest, 2 * day_us);
	EXPECT_EQ(total.count, 2);
	expect_same(parse_decaying_total(decaying_total_text(total)), total);
}

TEST(DecayingTotal, CancelsOutToZero)
{
	DecayingTotal total = total_of({{10, day_us}, {-10, day_us}}, hour_us);

	require_valid_total(total);
	EXPECT_EQ(value_at(total, day_us), 0);
	EXPECT_EQ(total.count, 2);
	EXPECT_EQ(compare_totals(total, make_decaying_total(hour_us)), 0);
	expect_same(parse_decaying_total(decaying_total_text(total)), total);
}

TEST(DecayingTotal, TakesEventsAtTheEndsOfTime)
{
	DecayingTotal total = total_of({{10, infinitely_late}}, day_us);
	require_valid_total(total);
	EXPECT_EQ(total.count, 0);
	add_points(total, 10, infinitely_old);
	require_valid_total(total);
	EXPECT_EQ(total.count, 1);
	EXPECT_EQ(total.newest, infinitely_old);
	EXPECT_EQ(value_at(total, 0), 0);
	add_points(total, 10, 0);
	EXPECT_EQ(value_at(total, 0), 10);
	EXPECT_EQ(total.count, 2);
}

// The shortest half-life together with the longest time there is
TEST(DecayingTotal, TakesAnyHalfLifeWithAnyInstant)
{
	for (int64_t half_life : {int64_t{1000}, int64_t{1001}, int64_t{3333}, second_us, year_us, longest_half_life})
	{
		for (int64_t time : {first_instant, int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{6'248'276'496'000'000'000},
							 last_instant})
		{
			DecayingTotal total = total_of({{5, time}}, half_life);
			EXPECT_EQ(fault_of([&]() { require_valid_total(total); }), std::nullopt) << half_life << " at " << time;
			EXPECT_DOUBLE_EQ(value_at(total, time), 5) << half_life << " at " << time;
			EXPECT_EQ(fault_of([&]() { expect_same(parse_decaying_total(decaying_total_text(total)), total); }),
					  std::nullopt)
				<< half_life << " at " << time;
			for (int64_t other : {first_instant, int64_t{0}, last_instant})
			{
				std::vector<Event> events{{5, time}, {3, other}};
				DecayingTotal both = total_of(events, half_life);
				DecayingTotal merged = total_of({{3, other}}, half_life);
				add_total(merged, total);
				int64_t newest = std::max(time, other);
				double expected = static_cast<double>(exact_value(events, half_life, newest));
				EXPECT_DOUBLE_EQ(value_at(both, newest), expected) << half_life << " at " << time << " and " << other;
				EXPECT_DOUBLE_EQ(value_at(merged, newest), expected)
					<< half_life << " at " << time << " and " << other;
				double last = static_cast<double>(exact_value(events, half_life, last_instant));
				EXPECT_NEAR(value_at(both, last_instant), last, 1e-12 * last)
					<< half_life << " at " << time << " and " << other;
			}
		}
	}
}

TEST(DecayingTotal, MergedInAnySplitIsTheWhole)
{
	Random random(2);

	for (int round = 0; round < 1000; round++)
	{
		int64_t half_life = random.between(1, 400) * hour_us;
		auto events = random_events(random, 1 + random.below(60), 0, 3 * year_us);
		DecayingTotal whole = total_of(events, half_life);
		random.shuffle(events);
		std::vector<DecayingTotal> parts;
		for (size_t at = 0; at < events.size();)
		{
			parts.push_back(make_decaying_total(half_life));
			for (size_t count = random.below(6); count > 0 && at < events.size(); count--, at++)
			{
				add_points(parts.back(), events[at].points, events[at].time);
			}
		}
		while (parts.size() > 1)
		{
			size_t left = random.below(parts.size());
			std::swap(parts[left], parts.back());
			DecayingTotal right = parts.back();
			parts.pop_back();
			add_total(parts[random.below(parts.size())], right);
		}
		EXPECT_EQ(parts[0].count, whole.count);
		EXPECT_EQ(parts[0].newest, whole.newest);
		require_valid_total(parts[0]);
		EXPECT_NEAR(value_at(parts[0], whole.newest), value_at(whole, whole.newest),
					allowance(events, half_life, whole.newest));
	}
}

TEST(DecayingTotal, IsOrderedAsItsValueAtAnyLaterInstant)
{
	Random random(3);

	for (int64_t half_life : {hour_us, 7 * day_us, year_us})
	{
		std::vector<DecayingTotal> totals{make_decaying_total(half_life)};
		int64_t latest = 4000 * half_life;
		for (int count = 0; count < 150; count++)
		{
			// All of one time, or far apart: the order must hold where values have faded to nothing
			int64_t spread = random.one_in(2) ? half_life : 2000 * half_life;
			totals.push_back(total_of(random_events(random, 1 + random.below(4), latest - spread, latest), half_life));
		}
		totals.push_back(total_of({{8, latest}}, half_life));
		totals.push_back(total_of({{16, latest - half_life}}, half_life));
		totals.push_back(total_of({{-8, latest}}, half_life));
		for (const DecayingTotal &left : totals)
		{
			for (const DecayingTotal &right : totals)
			{
				int order = sign(compare_totals(left, right));
				EXPECT_EQ(order, -sign(compare_totals(right, left)));
				for (int64_t instant : {latest, latest + half_life / 3, latest + 100 * half_life})
				{
					// Values may fall together where doubles end, but never change their order
					int by_value = sign(value_at(left, instant) - value_at(right, instant));
					EXPECT_TRUE(by_value == order || by_value == 0)
						<< decaying_total_text(left) << " and " << decaying_total_text(right) << " at " << instant;
				}
			}
		}
		std::sort(totals.begin(), totals.end(),
				  [](const auto &left, const auto &right) { return compare_totals(left, right) < 0; });
		for (size_t at = 1; at < totals.size(); at++)
		{
			EXPECT_LE(value_at(totals[at - 1], latest), value_at(totals[at], latest));
		}
	}
}

TEST(DecayingTotal, OfAnotherHalfLifeIsOrderedByIt)
{
	EXPECT_LT(compare_totals(total_of({{100, 0}}, day_us), total_of({{-1, 0}}, 2 * day_us)), 0);
	EXPECT_GT(compare_totals(total_of({{-1, 0}}, 2 * day_us), total_of({{100, 0}}, day_us)), 0);
}

TEST(DecayingTotal, ComesBackFromItsText)
{
	Random random(4);

	for (int round = 0; round < 3000; round++)
	{
		int64_t half_life = 1000 + static_cast<int64_t>(random.bits() >> (5 + random.below(50)));
		int64_t top = random.one_in(2) ? last_instant : 60 * year_us;
		auto events = random_events(random, random.below(5), std::max(first_instant, -top), top);
		DecayingTotal total = make_decaying_total(std::min(half_life, longest_half_life));
		for (const Event &event : events)
		{
			add_points(total, event.points, event.time);
		}
		std::string text = decaying_total_text(total);
		EXPECT_LT(text.size(), 200u);
		DecayingTotal again{};
		EXPECT_EQ(fault_of([&]() { again = parse_decaying_total(text); }), std::nullopt) << text;
		EXPECT_EQ(decaying_total_text(again), text);
		EXPECT_EQ(again.half_life_us, total.half_life_us);
		EXPECT_EQ(again.amplitude, total.amplitude);
		EXPECT_EQ(again.exponent, total.exponent);
		EXPECT_EQ(again.newest, total.newest);
		EXPECT_EQ(again.count, total.count);
	}
}

TEST(DecayingTotal, StaysValidWhateverIsAddedToIt)
{
	const char *texts[] = {
		"v1;1000;1;0;0;1",
		"v1;1000;-1;0;0;1",
		"v1;1000;0;0;-9223372036854775808;0",
		"v1;1000;1;1152921504606846976;0;1",
		"v1;1000;1.9999999999999998;1152921504606846976;9223371331199999999;1",
		"v1;1000;1;-1152921504606846976;0;1",
		"v1;1000;-1.5;-1152921504606846976;-211813488000000000;9223372036854775806",
	};

	for (const char *left : texts)
	{
		for (const char *right : texts)
		{
			DecayingTotal sum = parse_decaying_total(left);
			DecayingTotal larger = std::max(parse_decaying_total(left), parse_decaying_total(right),
											[](const auto &a, const auto &b) { return a.exponent < b.exponent; });
			bool apart = std::fabs(static_cast<double>(parse_decaying_total(left).exponent) -
								   static_cast<double>(parse_decaying_total(right).exponent)) > 1e6 &&
						 parse_decaying_total(left).amplitude != 0 && parse_decaying_total(right).amplitude != 0;
			auto fault = fault_of([&]() {
				add_total(sum, parse_decaying_total(right));
				require_valid_total(sum);
			});
			if (fault.has_value())
			{
				EXPECT_EQ(fault, Fault::out_of_range) << left << " + " << right;
				continue;
			}
			if (apart)
			{
				EXPECT_EQ(sum.amplitude, larger.amplitude) << left << " + " << right;
				EXPECT_EQ(sum.exponent, larger.exponent) << left << " + " << right;
			}
			for (int64_t instant : {first_instant, int64_t{0}, last_instant})
			{
				EXPECT_TRUE(std::isfinite(value_at(sum, instant))) << left << " + " << right;
			}
		}
	}
	// 2 ^ -4.6e18 has long been nothing
	EXPECT_EQ(value_at(parse_decaying_total("v1;1000;1;-1152921504606846976;0;1"), last_instant), 0);
}

} // namespace lead_scoring::core::test
