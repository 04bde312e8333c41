// The age from which on an event is worth exactly nothing, which lets older rows go unread.
#include "core/decay.hpp"

#include "core/fixed_sum.hpp"
#include "core/program.hpp"
#include "core/time.hpp"
#include "feed.hpp"
#include "model.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace lead_scoring::core::test
{

namespace
{

constexpr double day = static_cast<double>(day_us);

Decay
random_decay(Random &random)
{
	Decay decay{1, static_cast<DecayForm>(random.between(1, 3)), {}, 0, 0, 0};

	do
	{
		decay.percent = random.one_in(3)   ? 50
						: random.one_in(2) ? 100 * random.share()
										   : std::ldexp(100, -static_cast<int>(random.below(60)));
	} while (!(decay.percent > 0 && decay.percent < 100));
	decay.period_us = random.one_in(4) ? random.between(1, 100) : random.between(1, 400) * hour_us;
	decay.grace_us = random.one_in(2) ? 0 : random.between(1, 90) * hour_us;
	return decay;
}

double
random_points(Random &random)
{
	double sign = random.one_in(2) ? 1 : -1;

	switch (random.below(4))
	{
	case 0:
		return sign * static_cast<double>(random.between(0, 100));
	case 1:
		return sign * 1e9 * random.share();
	case 2:
		return sign * std::ldexp(random.share(), -static_cast<int>(random.below(100)));
	default:
		return sign * 1e9;
	}
}

} // namespace

TEST(VanishingAge, LeavesExactlyNothing)
{
	size_t finite = 0;

	for (uint64_t seed = 1; seed <= 100'000; seed++)
	{
		Random random(seed);
		Decay decay = random_decay(random);
		DecayCurve curve(decay);
		double points = random_points(random);
		double age = curve.vanishing_age_us(points);
		ASSERT_GE(age, static_cast<double>(decay.grace_us)) << seed;
		if (std::isinf(age))
		{
			continue;
		}
		finite++;
		double later = age;
		for (size_t step = 0; step < 20; step++)
		{
			ASSERT_EQ(fixed_term(points * curve.factor(later)), 0) << "seed " << seed << ", age " << later;
			later *= 1 + random.share() * std::ldexp(1, static_cast<int>(step) - 10);
		}
		ASSERT_EQ(fixed_term(points * curve.factor(infinity)), 0) << seed;
	}
	EXPECT_GT(finite, 90'000u);
}

TEST(VanishingAge, ComesSoonForTheDecaysOfPeople)
{
	const struct
	{
		const char *decay;
		double points;
		double days; // at most
	} cases[] = {
		{"50% per month", 10, 150},
		{"50% per month stepwise", -10, 150},
		{"100% per 90 days", 1e9, 360},
		{"half-life 7 days", 100, 7 * 75},
		{"half-life 7 days after 3 days", 100, 7 * 75 + 3},
		{"half-life 30 days", 1e9, 30 * 100},
		{"20% per 72 hours exponential", 5, 3 * 220},
		{"99% per 1 day exponential", 5, 15},
		{"half-life 7 days", 0, 14},
		{"half-life 7 days", 1e-300, 14},
	};

	for (const auto &test : cases)
	{
		EXPECT_LE(DecayCurve(parse_decay(test.decay)).vanishing_age_us(test.points), test.days * day) << test.decay;
	}
}

TEST(VanishingAge, LetsRowsGoUnreadThatWouldPayNothing)
{
	Model model;
	int32_t events = model.add_source(true, {});
	model.add_rule(model.add_group(Part::engagement, unlimited, "50% per month"), events, 8);
	Program program(model.definition(), as_of, plain);
	const Period &window = program.sources[0].needs[0].window;

	EXPECT_GT(window.from, as_of - 200 * day_us);
	EXPECT_LT(window.from, as_of - 60 * day_us);
	EXPECT_EQ(window.until, infinitely_late);
	EXPECT_EQ(score_of(model, events_aged({30 * day_us, 59 * day_us, 60 * day_us, 61 * day_us, 10'000 * day_us})).total,
			  round_score(4 + 8.0 / 60));
}

TEST(VanishingAge, LetsNoRowGoUnreadThatSomethingElseNeeds)
{
	const struct
	{
		const char *what;
		void (*change)(Model &model, uint32_t group);
		EvaluationNeeds needs;
		bool reads_all;
	} cases[] = {
		{"nothing else", [](Model &, uint32_t) {}, plain, false},
		{"another that fades", [](Model &model, uint32_t group) { model.add_rule(group, 0, 1e9); },
		 plain, false},
		{"a rule that does not fade",
		 [](Model &model, uint32_t) { model.add_rule(model.add_group(Part::engagement), 0, 1); },
		 plain, true},
		{"a frequency",
		 [](Model &model, uint32_t group) { model.add_frequency(group, 0, 1, at_least_one); },
		 plain, true},
		{"a cap", [](Model &model, uint32_t group) { model.add_rule(group, 0, 1).max_times = 1; },
		 plain, true},
		{"quiet time",
		 [](Model &model, uint32_t group)
		 {
			 RuleDefinition &rule = model.add_rule(group, 0, 1);
			 rule.counting = Counting::quiet;
			 rule.within_us = day_us;
		 },
		 plain, true},
		{"values",
		 [](Model &model, uint32_t group) { model.add_rule(group, 0, 1).value_column = 0; }, plain,
		 true},
		{"an item of the scope", [](Model &model, uint32_t) { model.add_scope(true, 0); }, plain,
		 true},
		{"a factor", [](Model &model, uint32_t) { model.add_factor(0, 1e6); }, plain, true},
		{"a segment",
		 [](Model &model, uint32_t group) { model.add_segment(group, model.forest.never(), ""); },
		 plain, true},
		{"a group that fades by quiet time",
		 [](Model &model, uint32_t)
		 { model.fade_when_quiet(model.add_group(Part::engagement, unlimited, "50% per day"), 0); },
		 plain, true},
		{"duplicates", [](Model &model, uint32_t) { model.clean(0, day_us, true); }, plain, true},
		{"an account", [](Model &, uint32_t) {}, with_detail, true},
		{"activity", [](Model &, uint32_t) {}, with_activity, true},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::real});
		uint32_t group = model.add_group(Part::engagement, unlimited, "half-life 7 days");
		model.add_rule(group, events, 8);
		test.change(model, group);
		Program program(model.definition(), as_of, test.needs);
		EXPECT_EQ(program.sources[0].needs[0].window.contains(as_of - 100'000 * day_us), test.reads_all) << test.what;
		EXPECT_TRUE(program.sources[0].needs[0].window.contains(as_of - 100 * day_us)) << test.what;
	}
}

} // namespace lead_scoring::core::test
