#include "core/duration.hpp"

#include "core/fault.hpp"
#include "core/lexer.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <cmath>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

struct Unit
{
	std::string_view singular;
	std::string_view plural;
	int64_t length_us;
};

constexpr Unit units[] = {
	{"second", "seconds", second_us}, {"minute", "minutes", minute_us}, {"hour", "hours", hour_us},
	{"day", "days", day_us},          {"week", "weeks", 7 * day_us},    {"month", "months", month_us},
	{"year", "years", year_us},       {"sec", "secs", second_us},       {"min", "mins", minute_us},
	{"hr", "hrs", hour_us},
};

// The longest duration: some 29,000 years, far from the overflow of any sum of two
constexpr double longest_us = 9.2e17;

const Unit *
find_unit(std::string_view word) noexcept
{
	for (const Unit &unit : units)
	{
		if (same_word(word, unit.singular) || same_word(word, unit.plural))
		{
			return &unit;
		}
	}
	return nullptr;
}

} // namespace

int64_t
take_duration_us(std::string_view &text)
{
	double total_us = 0;

	skip_space(text);
	for (bool first = true;; first = false)
	{
		std::string_view rest = text;
		double number = 1;
		bool has_number = take_number(rest, number);
		const Unit *unit = has_number || first ? find_unit(take_letters(rest)) : nullptr;
		if (unit == nullptr && (first || has_number))
		{
			throw ScoringError(Fault::invalid_text,
							   fmt::format("invalid duration: \"{}\"", text),
							   "A duration is a number and a unit: seconds, minutes, hours, days, weeks, "
							   "months (30 days) or years (360 days).");
		}
		if (unit == nullptr)
		{
			break;
		}
		total_us += number * static_cast<double>(unit->length_us);
		text = rest;
	}
	if (total_us > longest_us)
	{
		throw ScoringError(Fault::out_of_range, "duration out of range",
						   "A duration is at most about 29,000 years.");
	}
	if (total_us < 1)
	{
		throw ScoringError(Fault::invalid_parameter, "duration must be longer than zero",
						   "A period or half-life is a length of time such as 7 days.");
	}
	return std::llround(total_us);
}

std::string
duration_text(int64_t duration_us)
{
	std::string text;
	int64_t rest_us = duration_us;

	for (const Unit *unit : {&units[3], &units[2], &units[1]})
	{
		int64_t count = rest_us / unit->length_us;
		rest_us %= unit->length_us;
		if (count != 0)
		{
			text += fmt::format("{}{} {}", text.empty() ? "" : " ", count,
								count == 1 ? unit->singular : unit->plural);
		}
	}
	if (rest_us != 0)
	{
		// At most six decimals, none of them a trailing zero
		std::string seconds = fmt::format("{}.{:06}", rest_us / second_us, rest_us % second_us);
		seconds.erase(seconds.find_last_not_of('0') + 1);
		if (seconds.back() == '.')
		{
			seconds.pop_back();
		}
		text += fmt::format("{}{} {}", text.empty() ? "" : " ", seconds,
							seconds == "1" ? "second" : "seconds");
	}
	return text;
}

} // namespace lead_scoring::core
