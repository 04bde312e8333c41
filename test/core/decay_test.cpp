#include "core/decay.hpp"

#include "core/duration.hpp"
#include "core/time.hpp"
#include "decays.hpp"
#include "support.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace lead_scoring::core::test
{

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
