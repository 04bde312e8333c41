#include "core/decay.hpp"

#include "core/duration.hpp"
#include "core/finish.hpp"
#include "core/time.hpp"
#include "support.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace lead_scoring::core
{

inline void
PrintTo(const Decay &decay, std::ostream *out)
{
	*out << fmt::format("form {}, {}% per {} us after {} us", static_cast<int>(decay.form), decay.percent,
						decay.period_us, decay.grace_us);
}

} // namespace lead_scoring::core

namespace lead_scoring::core::test
{

namespace
{

constexpr double day = static_cast<double>(day_us);
constexpr double hour = static_cast<double>(hour_us);

Decay
make_decay(DecayForm form, double percent, int64_t period_us, int64_t grace_us = 0)
{
	return {1, form, {}, percent, period_us, grace_us};
}

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

double
random_percent(Random &random)
{
	switch (random.below(4))
	{
	case 0:
		return static_cast<double>(random.between(1, 99));
	case 1:
		return static_cast<double>(random.between(1, 9999)) / 100;
	case 2:
		return 50;
	default:
		return 100 * (1 - random.share());
	}
}

DecayForm
random_form(Random &random)
{
	return static_cast<DecayForm>(random.between(1, 3));
}

// A valid decay with a period and a grace of any magnitude below 2^bits microseconds
Decay
random_decay(Random &random, unsigned bits)
{
	Decay decay = make_decay(random_form(random), random_percent(random),
							 1 + static_cast<int64_t>(random.bits() >> (64 - bits + random.below(bits))));
	if (decay.form == DecayForm::exponential && decay.percent == 100)
	{
		decay.percent = 99;
	}
	if (random.one_in(3))
	{
		decay.grace_us = static_cast<int64_t>(random.bits() >> (64 - bits + random.below(bits)));
	}
	return decay;
}

} // namespace

TEST(DecayText, IsReadInAllItsForms)
{
	const struct
	{
		std::string_view text;
		Decay decay;
	} cases[] = {
		{"50% per month", make_decay(DecayForm::linear, 50, month_us)},
		{"50% per 30 days", make_decay(DecayForm::linear, 50, month_us)},
		{"100% per 3 months", make_decay(DecayForm::linear, 100, 90 * day_us)},
		{"50% per 30 days stepwise", make_decay(DecayForm::stepwise, 50, month_us)},
		{"20% per 72 hours exponential", make_decay(DecayForm::exponential, 20, 72 * hour_us)},
		{"half-life 7 days", make_decay(DecayForm::exponential, 50, 7 * day_us)},
		{"half-life of 7 days", make_decay(DecayForm::exponential, 50, 7 * day_us)},
		{"half-life week", make_decay(DecayForm::exponential, 50, 7 * day_us)},
		{"50% every 2 weeks", make_decay(DecayForm::linear, 50, 14 * day_us)},
		{"50% per month after 3 days", make_decay(DecayForm::linear, 50, month_us, 3 * day_us)},
		{"50% per month stepwise after day", make_decay(DecayForm::stepwise, 50, month_us, day_us)},
		{"20% per day exponential after 1 hour 30 minutes",
		 make_decay(DecayForm::exponential, 20, day_us, 90 * minute_us)},
		{"half-life 1 day 12 hours after 3 days",
		 make_decay(DecayForm::exponential, 50, 36 * hour_us, 3 * day_us)},
		{"  12.5 %\tPER\n1 Year  STEPWISE ", make_decay(DecayForm::stepwise, 12.5, year_us)},
		{".5%per1day", make_decay(DecayForm::linear, 0.5, day_us)},
		{"0.000001% per second", make_decay(DecayForm::linear, 0.000001, second_us)},
		{"1% per 0.000001 seconds", make_decay(DecayForm::linear, 1, 1)},
		{"1e-05% per second", make_decay(DecayForm::linear, 0.00001, second_us)},
		{"Half-Life 7 DAYS", make_decay(DecayForm::exponential, 50, 7 * day_us)},
	};

	for (const auto &test : cases)
	{
		Decay decay = parse_decay(test.text);
		EXPECT_EQ(decay, test.decay) << test.text;
		EXPECT_EQ(decay.version, 1) << test.text;
		for (uint8_t byte : decay.unused)
		{
			EXPECT_EQ(byte, 0) << test.text;
		}
	}
}

TEST(DecayText, IsWrittenInOneWay)
{
	const struct
	{
		std::string_view text;
		std::string_view canonical;
	} cases[] = {
		{"50% per month", "50% per 30 days"},
		{"100% per 3 months", "100% per 90 days"},
		{"50.0% per year", "50% per 360 days"},
		{"20% per 72 hours exponential", "20% per 3 days exponential"},
		{"50% per week exponential", "half-life 7 days"},
		{"half-life of 168 hours", "half-life 7 days"},
		{"50% every month stepwise after 72 hours", "50% per 30 days stepwise after 3 days"},
		{"0.1% per 90 seconds", "0.1% per 1 minute 30 seconds"},
		{"33.333333333333336% per 1.5 days", "33.333333333333336% per 1 day 12 hours"},
		{"half-life 1.5 seconds after 1 second", "half-life 1.5 seconds after 1 second"},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(decay_text(parse_decay(test.text)), test.canonical);
	}
}

TEST(DecayText, ThatMakesNoSenseIsRefused)
{
	const std::string endless = std::string(400, '9') + "% per day";
	const struct
	{
		std::string_view text;
		Fault fault;
	} cases[] = {
		{"", Fault::invalid_text},
		{" ", Fault::invalid_text},
		{"50", Fault::invalid_text},
		{"50%", Fault::invalid_text},
		{"50% per", Fault::invalid_text},
		{"50% month", Fault::invalid_text},
		{"50 per month", Fault::invalid_text},
		{"% per month", Fault::invalid_text},
		{"per month", Fault::invalid_text},
		{"-50% per month", Fault::invalid_text},
		{"+50% per month", Fault::invalid_text},
		{"50%% per month", Fault::invalid_text},
		{"5 0% per month", Fault::invalid_text},
		{"50,5% per month", Fault::invalid_text},
		{"5e% per month", Fault::invalid_text},
		{"1e999% per month", Fault::invalid_text},
		{"1e-999% per month", Fault::invalid_text},
		{"nan% per month", Fault::invalid_text},
		{"inf% per month", Fault::invalid_text},
		{endless, Fault::invalid_text},
		{"50% permonth", Fault::invalid_text},
		{"50% per fortnight", Fault::invalid_text},
		{"50% per 5", Fault::invalid_text},
		{"50% per -5 days", Fault::invalid_text},
		{"50% per month linear", Fault::invalid_text},
		{"50% per month stepwise exponential", Fault::invalid_text},
		{"50% per month stepwise stepwise", Fault::invalid_text},
		{"50% per month after", Fault::invalid_text},
		{"50% per month after stepwise", Fault::invalid_text},
		{"50% per month after 3 days stepwise", Fault::invalid_text},
		{"50% per month after 3 days after 3 days", Fault::invalid_text},
		{"50% per month x", Fault::invalid_text},
		{"50% per month;", Fault::invalid_text},
		{std::string_view("50% per month\0", 14), Fault::invalid_text},
		{"half-life", Fault::invalid_text},
		{"half-life of", Fault::invalid_text},
		{"half life 7 days", Fault::invalid_text},
		{"half-lives 7 days", Fault::invalid_text},
		{"half-life 7", Fault::invalid_text},
		{"half-life 7 days exponential", Fault::invalid_text},
		{"half-life 7 days stepwise", Fault::invalid_text},
		{"half-life 7 days per month", Fault::invalid_text},
		{"never", Fault::invalid_text},
		{"\xFF\xFE", Fault::invalid_text},
		{"0% per month", Fault::invalid_parameter},
		{"0.0% per month stepwise", Fault::invalid_parameter},
		{"100.0000001% per month", Fault::invalid_parameter},
		{"150% per month", Fault::invalid_parameter},
		{"100% per month exponential", Fault::invalid_parameter},
		{"50% per 0 days", Fault::invalid_parameter},
		{"50% per 0.0000001 seconds", Fault::invalid_parameter},
		{"50% per month after 0 days", Fault::invalid_parameter},
		{"half-life 0 days", Fault::invalid_parameter},
		{"50% per 30000 years", Fault::out_of_range},
		{"half-life 10648149 days", Fault::out_of_range},
		{"50% per month after 30000 years", Fault::out_of_range},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(fault_of([&] { parse_decay(test.text); }), test.fault) << test.text;
	}
}

TEST(DecayText, OfRandomDecaysIsReadBackAsTheSameDecay)
{
	Random random(1);

	for (size_t round = 0; round < 50'000; round++)
	{
		Decay decay = random_decay(random, 53);
		std::string text = decay_text(decay);
		Decay again = parse_decay(text);
		ASSERT_EQ(again, decay) << text;
		ASSERT_EQ(decay_text(again), text);
	}
}

TEST(DecayText, OfTinyPercentagesIsReadBackAsTheSameDecay)
{
	for (const char *text :
		 {"0.001% per 1 day", "0.0001% per 1 day", "0.00001% per 1 day", "0.0000000125% per 1 second stepwise",
		  "0.00002% per 1 hour exponential", "0.000000000000000000001% per 1 second"})
	{
		Decay decay = parse_decay(text);
		std::string written = decay_text(decay);
		EXPECT_EQ(fault_of([&] { EXPECT_EQ(parse_decay(written), decay); }), std::nullopt)
			<< text << " is written as " << written;
	}
}

TEST(DecayText, ReadTwiceIsTheSameWhateverUnitsItWasWrittenIn)
{
	Random random(2);
	constexpr std::string_view units[] = {"seconds", "minutes", "hours", "days", "weeks", "months", "years", "hr"};
	constexpr std::string_view forms[] = {"", " stepwise", " exponential"};

	for (size_t round = 0; round < 20'000; round++)
	{
		std::string text = fmt::format("{:.3f}% per {} {}", 0.001 + 99 * random.share(), random.between(1, 9000),
									   random.one_of(units));
		if (random.one_in(3))
		{
			text += fmt::format(" {:.6f} {}", 0.000001 + random.share(), random.one_of(units));
		}
		text += random.one_of(forms);
		if (random.one_in(3))
		{
			text += fmt::format(" after {:.4f} {}", 0.0001 + 100 * random.share(), random.one_of(units));
		}
		Decay decay = parse_decay(text);
		std::string canonical = decay_text(decay);
		ASSERT_EQ(parse_decay(canonical), decay) << text << " is written as " << canonical;
	}
}

TEST(DecayFields, ThatMakeNoDecayAreRefused)
{
	const Decay good = make_decay(DecayForm::linear, 50, day_us);
	struct Case
	{
		const char *what;
		void (*spoil)(Decay &decay);
	};
	const Case cases[] = {
		{"version 0", [](Decay &decay) { decay.version = 0; }},
		{"version 2", [](Decay &decay) { decay.version = 2; }},
		{"form 0", [](Decay &decay) { decay.form = static_cast<DecayForm>(0); }},
		{"form 4", [](Decay &decay) { decay.form = static_cast<DecayForm>(4); }},
		{"form 255", [](Decay &decay) { decay.form = static_cast<DecayForm>(255); }},
		{"0 %", [](Decay &decay) { decay.percent = 0; }},
		{"-1 %", [](Decay &decay) { decay.percent = -1; }},
		{"more than 100 %", [](Decay &decay) { decay.percent = std::nextafter(100, 101); }},
		{"NaN %", [](Decay &decay) { decay.percent = not_a_number; }},
		{"infinite %", [](Decay &decay) { decay.percent = infinity; }},
		{"minus infinite %", [](Decay &decay) { decay.percent = -infinity; }},
		{"exponential 100 %",
		 [](Decay &decay)
		 {
			 decay.form = DecayForm::exponential;
			 decay.percent = 100;
		 }},
		{"period 0", [](Decay &decay) { decay.period_us = 0; }},
		{"negative period", [](Decay &decay) { decay.period_us = -1; }},
		{"too long a period", [](Decay &decay) { decay.period_us = 920'000'000'000'000'001; }},
		{"longest integer as period", [](Decay &decay) { decay.period_us = infinitely_late; }},
		{"negative grace", [](Decay &decay) { decay.grace_us = -1; }},
		{"too long a grace", [](Decay &decay) { decay.grace_us = 920'000'000'000'000'001; }},
	};

	EXPECT_EQ(fault_of([&] { require_valid_decay(good); }), std::nullopt);
	EXPECT_EQ(fault_of([&] { require_valid_decay(make_decay(DecayForm::stepwise, 100, 1)); }), std::nullopt);
	EXPECT_EQ(fault_of(
				  [&] {
					  require_valid_decay(make_decay(DecayForm::exponential, std::nextafter(100, 0),
													 920'000'000'000'000'000, 920'000'000'000'000'000));
				  }),
			  std::nullopt);
	for (const Case &test : cases)
	{
		Decay decay = good;
		test.spoil(decay);
		EXPECT_EQ(fault_of([&] { require_valid_decay(decay); }), Fault::invalid_parameter) << test.what;
	}
}

TEST(DecayOrder, IsTotalAndAgreesWithEquality)
{
	Random random(3);
	std::vector<Decay> decays;
	for (DecayForm form : {DecayForm::linear, DecayForm::stepwise, DecayForm::exponential})
	{
		for (double percent : {1.0, 20.0, 99.5})
		{
			for (int64_t period_us : {int64_t{1}, day_us})
			{
				decays.push_back(make_decay(form, percent, period_us));
				decays.push_back(make_decay(form, percent, period_us, 5));
			}
		}
	}
	std::vector<Decay> shuffled = decays;
	random.shuffle(shuffled);

	for (const Decay &left : shuffled)
	{
		for (const Decay &right : shuffled)
		{
			int order = compare_decays(left, right);
			EXPECT_EQ(order, -compare_decays(right, left));
			EXPECT_EQ(order == 0, left == right);
			for (const Decay &third : shuffled)
			{
				if (order < 0 && compare_decays(right, third) < 0)
				{
					EXPECT_LT(compare_decays(left, third), 0);
				}
			}
		}
	}
}

TEST(DecayOrder, GoesByFormThenPeriodThenPercentageThenGrace)
{
	const Decay ascending[] = {
		make_decay(DecayForm::linear, 90, 2, 9),   make_decay(DecayForm::linear, 10, 3, 9),
		make_decay(DecayForm::linear, 20, 3, 0),   make_decay(DecayForm::linear, 20, 3, 1),
		make_decay(DecayForm::stepwise, 5, 1, 0),  make_decay(DecayForm::exponential, 1, 1, 0),
	};

	for (size_t at = 0; at + 1 < std::size(ascending); at++)
	{
		EXPECT_EQ(compare_decays(ascending[at], ascending[at + 1]), -1) << at;
		EXPECT_EQ(compare_decays(ascending[at + 1], ascending[at]), 1) << at;
	}
}

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

TEST(Decay, IsStoredInThirtyTwoBytesInThisOrder)
{
	EXPECT_EQ(offsetof(Decay, version), 0u);
	EXPECT_EQ(offsetof(Decay, form), 1u);
	EXPECT_EQ(offsetof(Decay, percent), 8u);
	EXPECT_EQ(offsetof(Decay, period_us), 16u);
	EXPECT_EQ(offsetof(Decay, grace_us), 24u);
	EXPECT_EQ(sizeof(Decay), 32u);
}

} // namespace lead_scoring::core::test
