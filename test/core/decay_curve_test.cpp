#include "core/decay.hpp"

#include "core/finish.hpp"
#include "core/time.hpp"
#include "decays.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string_view>

namespace lead_scoring::core::test
{

namespace
{

constexpr double day = static_cast<double>(day_us);
constexpr double hour = static_cast<double>(hour_us);

// The formulas of decisions D2 and D14 as they are written there
long double
exact_factor(const Decay &decay, long double age_us)
{
	long double rate = static_cast<long double>(decay.percent) / 100;
	long double age = age_us - static_cast<long double>(decay.grace_us);
	long double period = static_cast<long double>(decay.period_us);

	if (age <= 0)
	{
		return 1;
	}
	switch (decay.form)
	{
	case DecayForm::linear:
		return std::max(0.0L, 1 - rate * age / period);
	case DecayForm::stepwise:
		return std::max(0.0L, 1 - rate * std::floor(age / period));
	default:
		return std::pow(1 - rate, age / period);
	}
}

} // namespace

TEST(DecayCurve, GivesTheExamplesOfTheSpecification)
{
	const struct
	{
		const char *example;
		const char *decay;
		double points;
		double age_us;
		double left;
	} cases[] = {
		{"D3", "50% per month", 10, 30 * day, 5},
		{"D3", "50% per month", 10, 60 * day, 0},
		{"D14", "20% per 72 hours exponential", 1, 72 * hour, 0.8},
		{"D14", "20% per 72 hours exponential", 10, 36 * hour, 8.9443},
		{"E18", "50% per month", 10, 0, 10},
		{"E18", "50% per month", 10, 15 * day, 7.5},
		{"E18", "50% per month", 10, 30 * day, 5},
		{"E18", "50% per month", 10, 45 * day, 2.5},
		{"E18", "50% per month", 10, 60 * day, 0},
		{"E18", "50% per month", 10, 400 * day, 0},
		{"E18 in steps", "50% per month stepwise", 10, 0, 10},
		{"E18 in steps", "50% per month stepwise", 10, 15 * day, 10},
		{"E18 in steps", "50% per month stepwise", 10, 30 * day - 1, 10},
		{"E18 in steps", "50% per month stepwise", 10, 30 * day, 5},
		{"E18 in steps", "50% per month stepwise", 10, 45 * day, 5},
		{"E18 in steps", "50% per month stepwise", 10, 60 * day, 0},
		{"E18 in steps", "50% per month stepwise", 10, 400 * day, 0},
		{"E19", "100% per 3 months", 2, 45 * day, 1},
		{"E19", "100% per 3 months", 2, 90 * day, 0},
		{"E19", "100% per 3 months", 2, 120 * day, 0},
		{"E19 in steps", "100% per 3 months stepwise", 2, 45 * day, 2},
		{"E19 in steps", "100% per 3 months stepwise", 2, 90 * day, 0},
		{"E20", "50% per year", 8, 360 * day, 4},
		{"E20", "50% per year", 8, 720 * day, 0},
		{"E20", "50% per 6 months", 8, 180 * day, 4},
		{"E21", "50% per month", -10, 30 * day, -5},
		{"E21", "50% per month", -10, 60 * day, 0},
		{"E22", "50% per month", 10, 30 * day, 5},
		{"E22", "50% per month", 10, 60 * day, 0},
		{"E23", "20% per 72 hours exponential", 100, 36 * hour, 89.4427},
		{"E23", "20% per 72 hours exponential", 100, 72 * hour, 80},
		{"E23", "20% per 72 hours exponential", 100, 144 * hour, 64},
		{"E23", "20% per 72 hours exponential", 100, 216 * hour, 51.2},
		{"E23", "20% per 72 hours exponential", 100, 288 * hour, 40.96},
		{"E23", "20% per 72 hours exponential", 100, 720 * hour, 10.7374},
		{"E23 in a line", "20% per 72 hours", 100, 72 * hour, 80},
		{"E23 in a line", "20% per 72 hours", 100, 144 * hour, 60},
		{"E23 in a line", "20% per 72 hours", 100, 216 * hour, 40},
		{"E23 in a line", "20% per 72 hours", 100, 288 * hour, 20},
		{"E23 in a line", "20% per 72 hours", 100, 360 * hour, 0},
		{"E24", "20% per 21 days exponential", 100, 21 * day, 80},
		{"E24", "20% per 21 days exponential", 100, 42 * day, 64},
		{"E24", "20% per 21 days exponential", 100, 63 * day, 51.2},
		{"E24", "20% per 21 days exponential", 100, 90 * day, 38.4301},
		{"grace", "50% per month after 3 days", 10, 3 * day, 10},
		{"grace", "50% per month after 3 days", 10, 18 * day, 7.5},
		{"grace", "50% per month stepwise after 3 days", 10, 33 * day - 1, 10},
		{"grace", "50% per month stepwise after 3 days", 10, 33 * day, 5},
		{"grace", "half-life 7 days after 1 day", 10, 8 * day, 5},
		{"half-life", "half-life 7 days", 1024, 70 * day, 1},
	};

	for (const auto &test : cases)
	{
		DecayCurve curve(parse_decay(test.decay));
		EXPECT_EQ(round_score(test.points * curve.factor(test.age_us)), test.left)
			<< test.example << ": " << test.points << " at " << test.decay << " after " << test.age_us / day
			<< " days";
	}
}

TEST(DecayCurve, AgreesWithItsFormulaToTheLastDigits)
{
	Random random(4);

	for (size_t round = 0; round < 200'000; round++)
	{
		Decay decay = make_decay(random_form(random), std::max(0.01, std::min(99.99, random_percent(random))),
								 random.between(1, 400) * (random.one_in(2) ? day_us : hour_us));
		if (random.one_in(3))
		{
			decay.grace_us = random.between(0, 30 * 24) * hour_us;
		}
		double age_us = random.one_in(2) ? static_cast<double>(random.between(0, 2000) * hour_us)
										 : std::floor(random.share() * 4000 * day);
		double factor = DecayCurve(decay).factor(age_us);
		ASSERT_NEAR(factor, static_cast<double>(exact_factor(decay, static_cast<long double>(age_us))), 1e-12)
			<< decay_text(decay) << " after " << age_us << " us";
	}
}

TEST(DecayCurve, NeverGrowsWithAgeNorLeavesItsBounds)
{
	Random random(5);

	for (size_t round = 0; round < 2'000; round++)
	{
		Decay decay = random_decay(random, 57);
		DecayCurve curve(decay);
		double last = 1;
		for (double age_us = 1; age_us < 1e19; age_us *= 1 + random.share())
		{
			double factor = curve.factor(age_us);
			ASSERT_LE(factor, last) << decay_text(decay) << " after " << age_us << " us";
			ASSERT_GE(factor, 0) << decay_text(decay) << " after " << age_us << " us";
			last = factor;
		}
	}
}

TEST(DecayCurve, IsExactAtWholeHalfLives)
{
	DecayCurve curve(parse_decay("half-life 7 days after 1 hour"));

	for (int lives = 0; lives < 1100; lives++)
	{
		EXPECT_EQ(curve.factor(hour + lives * 7 * day), std::ldexp(1.0, -lives)) << lives;
	}
}

TEST(DecayCurve, InStepsMeetsTheLineAtTheEndOfEachPeriod)
{
	DecayCurve line(parse_decay("12.5% per 10 days"));
	DecayCurve steps(parse_decay("12.5% per 10 days stepwise"));

	for (int period = 0; period <= 10; period++)
	{
		EXPECT_EQ(line.factor(period * 10 * day), steps.factor(period * 10 * day)) << period;
		EXPECT_EQ(steps.factor(period * 10 * day + 9 * day), steps.factor(period * 10 * day)) << period;
	}
}

TEST(DecayCurve, KeepsAllPointsUntilTheGraceIsOverAndForEventsOfTheFuture)
{
	for (const char *text : {"50% per month", "50% per month stepwise", "20% per month exponential", "half-life 7 days"})
	{
		DecayCurve plain(parse_decay(text));
		DecayCurve patient(parse_decay(std::string(text) + " after 3 days"));

		EXPECT_EQ(plain.factor(0), 1) << text;
		EXPECT_EQ(plain.factor(-day), 1) << text;
		EXPECT_EQ(patient.factor(0), 1) << text;
		EXPECT_EQ(patient.factor(3 * day), 1) << text;
		EXPECT_EQ(patient.factor(3 * day + 45 * day), plain.factor(45 * day)) << text;
	}
}

TEST(DecayCurve, LeavesNothingOfAnEventThatIsInfinitelyOld)
{
	for (const char *text :
		 {"50% per month", "50% per month stepwise", "20% per month exponential", "half-life 7 days",
		  "0.001% per 29000 years", "0.001% per 29000 years stepwise after 1 day",
		  "0.001% per 29000 years exponential", "99.9% per 1 second exponential after 29000 years"})
	{
		EXPECT_EQ(DecayCurve(parse_decay(text)).factor(infinity), 0) << text;
	}
}

TEST(DecayCurve, OfTheSmallestPercentagesIsStillANumber)
{
	for (const char *form : {"", " stepwise", " exponential"})
	{
		std::string text = "0.00000000000000001% per day" + std::string(form);
		DecayCurve curve(parse_decay(text));

		EXPECT_NEAR(curve.factor(365 * day), 1, 1e-12) << text;
		EXPECT_EQ(curve.factor(infinity), 0) << text;
	}
}

TEST(DecayCurve, OfASmallPercentageCompoundsWithoutLossOfDigits)
{
	// 1e-10 % a second: 1 - rate has only four digits of the rate left
	Decay decay = make_decay(DecayForm::exponential, 1e-10, second_us);

	for (double years : {10.0, 1000.0, 20000.0})
	{
		double age_us = years * static_cast<double>(year_us);
		double exact = static_cast<double>(
			std::exp(age_us / static_cast<long double>(second_us) * std::log1p(-1e-12L)));
		EXPECT_NEAR(DecayCurve(decay).factor(age_us), exact, 1e-9) << years << " years";
	}
}

} // namespace lead_scoring::core::test
