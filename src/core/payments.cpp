// What each kind of rule pays for a record; the other half of finish.hpp.
#include "core/fault.hpp"
#include "core/finish.hpp"
#include "core/peaks.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// The most that a single match may pay where a value of the user's own has a say
constexpr double largest_payment = 1e15;

// Whether an amount lies within bounds; sums of decimals may be a hair off what they stand for
bool
within(double amount, const Limits &bounds) noexcept
{
	double hair = 1e-9 * std::max(1.0, std::fabs(amount));

	return amount >= bounds.lower - hair && amount <= bounds.upper + hair;
}

bool
has_bounds(const Limits &bounds) noexcept
{
	return std::isfinite(bounds.lower) || std::isfinite(bounds.upper);
}

double
rolled_up(Rollup rollup, const Matches &matches)
{
	FixedSum sum = 0;
	double least = matches.empty() ? 0 : matches.front().value;
	double most = least;

	for (const Match &match : matches)
	{
		sum += fixed_term(match.value);
		least = std::min(least, match.value);
		most = std::max(most, match.value);
	}
	switch (rollup)
	{
	case Rollup::sum:
		return fixed_value(sum);
	case Rollup::average:
		return matches.empty() ? 0 : fixed_value(sum) / static_cast<double>(matches.size());
	case Rollup::minimum:
		return least;
	default:
		return most;
	}
}

} // namespace

FixedSum
checked_term(double points, const std::string &rule)
{
	if (!(std::fabs(points) <= largest_payment))
	{
		throw ScoringError(Fault::out_of_range, fmt::format("value of rule \"{}\" is out of range", rule),
						   "A value is finite, and with the rule's points comes to at most 1e15 for a single row.");
	}
	return fixed_term(points);
}

void
add_checked(FixedSum &sum, FixedSum term, const std::string &rule)
{
	if (__builtin_add_overflow(sum, term, &sum))
	{
		throw ScoringError(Fault::out_of_range, fmt::format("values of rule \"{}\" add up to more than 1.8e19", rule),
						   "Let the rule's value be smaller, in thousands for example.");
	}
}

double
most_periods(const FinishRule &rule) noexcept
{
	return rule.max_times == 0 ? std::floor(largest_payment / std::max(std::fabs(rule.points), 1.0)) : rule.max_times;
}

// Return the share of its points that a match of this time keeps
double
Finisher::factor_at(uint32_t group, int64_t time) const noexcept
{
	const FinishGroup &found = program_.groups[group];

	return found.fades_by_event(fades_[group])
			   ? program_.curves[found.fades[fades_[group]].curve].factor(age_us(program_.as_of, time))
			   : 1;
}

Finisher::Payment
Finisher::pay_record_rule(const FinishRule &rule, const Batch &records, size_t row) const
{
	Payment payment;
	double amount = 1;

	if (!program_.record_criteria[rule.criterion].holds(records, row))
	{
		return payment;
	}
	if (rule.value_column != no_column)
	{
		size_t column = static_cast<size_t>(rule.value_column);
		if (records.is_null(column, row))
		{
			return payment;
		}
		double value = records.cell(column, row).real;
		checked_term(value, rule.name);
		payment.outcome.matched = 1;
		if (rule.counting == Counting::once && !within(value, rule.count))
		{
			return payment;
		}
		amount = rule.counting == Counting::once ? 1 : value;
	}
	payment.paid = true;
	payment.lasting = checked_term(rule.points * amount, rule.name);
	payment.outcome = {1, rule.points * amount, rule.points * amount};
	return payment;
}

Finisher::Payment
Finisher::pay_counted(const FinishRule &rule, std::byte *state) const
{
	uint32_t matched = state == nullptr ? 0 : states_.counts(state)[rule.slots.count];

	if (rule.slots.sum != no_slot)
	{
		return pay_summed(rule, state, matched);
	}
	if (rule.counting == Counting::quiet)
	{
		return pay_quiet(rule, state, matched);
	}
	if (rule.counting == Counting::each && rule.rollup == Rollup::sum)
	{
		// Which of its matches count makes no difference here
		uint32_t times = rule.max_times == 0 ? matched : std::min(matched, rule.max_times);
		times = rule.every_n == 0 ? times : times / rule.every_n;
		double points = rule.points * times;
		return {times != 0, {matched, points, points * quiet_factors_[rule.group]}, fixed_term(rule.points) * times, 0};
	}
	int64_t newest = state == nullptr || rule.slots.newest == no_slot
						 ? program_.as_of
						 : time_of_peak(states_.peaks(state)[rule.slots.newest]);
	return pay_amount(rule, amount_of(rule, state, matched), matched, newest);
}

// What a rule has paid row by row; its points are in the sums of its group already
Finisher::Payment
Finisher::pay_summed(const FinishRule &rule, std::byte *state, uint32_t matched) const noexcept
{
	if (state == nullptr)
	{
		return {};
	}
	double decayed = fixed_value(states_.sums(state)[rule.slots.sum + fades_[rule.group]]);
	double raw = fixed_value(states_.sums(state)[rule.slots.raw]);
	return {matched != 0, {matched, raw, decayed * quiet_factors_[rule.group]}, 0, 0};
}

// What the values of the matching rows come to, or how many rows there are if they have none
double
Finisher::amount_of(const FinishRule &rule, std::byte *state, uint32_t matched) const noexcept
{
	if (rule.slots.extreme != no_slot)
	{
		double value = matched == 0 ? 0 : real_of_peak(states_.peaks(state)[rule.slots.extreme]);
		return rule.rollup == Rollup::minimum ? -value : value;
	}
	if (rule.slots.values != no_slot)
	{
		double sum = matched == 0 ? 0 : fixed_value(states_.sums(state)[rule.slots.values]);
		return rule.rollup == Rollup::average && matched != 0 ? sum / matched : sum;
	}
	return matched;
}

// Pay once for an amount: the points if it lies within bounds, or points for each unit of it
Finisher::Payment
Finisher::pay_amount(const FinishRule &rule, double amount, int64_t matched, int64_t newest) const
{
	bool pays_each = rule.counting == Counting::each;
	// Without rows there is a sum, which is 0, but nothing else to compare
	bool needs_rows = pays_each || (rule.has_value && (rule.rollup != Rollup::sum || !has_bounds(rule.count)));

	if ((matched == 0 && needs_rows) || (!pays_each && !within(amount, rule.count)))
	{
		return {false, {matched, 0, 0}, 0, 0};
	}
	double points = pays_each ? rule.points * amount : rule.points;
	if (matched == 0)
	{
		return {true, {matched, points, points}, 0, fixed_term(points)};
	}
	double decayed = points * factor_at(rule.group, newest);
	return {true, {matched, points, decayed * quiet_factors_[rule.group]}, checked_term(decayed, rule.name), 0};
}

// Pay for each full period since the newest match; one if there has never been any
Finisher::Payment
Finisher::pay_quiet(const FinishRule &rule, std::byte *state, uint32_t matched) const noexcept
{
	double periods = 1;

	if (matched != 0)
	{
		double age = age_us(program_.as_of, time_of_peak(states_.peaks(state)[rule.slots.newest]));
		// Of an event infinitely long ago nobody can say how many periods have passed
		periods = std::isfinite(age) ? std::floor(age / static_cast<double>(rule.within_us)) : std::max(1u, rule.max_times);
	}
	periods = std::min(periods, most_periods(rule));
	double points = rule.points * periods;
	return {periods > 0, {static_cast<int64_t>(periods), points, points}, 0, fixed_term(points)};
}

Finisher::Payment
Finisher::pay_logged(const FinishRule &rule)
{
	Matches &matches = matches_[rule.slots.log];

	if (rule.paired)
	{
		pair_matches(matches, rule.followed_within_us);
		keep_period(matches, last_of(rule.dates, program_.as_of, rule.within_us));
		if (wants_due_ && rule.within_us != 0 && !matches.empty())
		{
			// Of rules without pairs, each row has noted it
			note_due(later(later(matches.front().time, rule.within_us), 1));
		}
	}
	auto matched = static_cast<int64_t>(matches.size());
	if (rule.max_times != 0)
	{
		keep_newest(matches, rule.max_times, rule.max_times_per_us);
	}
	if (rule.every_n != 0)
	{
		keep_every(matches, rule.every_n);
	}
	if (rule.counting == Counting::each && rule.rollup == Rollup::sum)
	{
		return pay_each_logged(rule, matches, matched);
	}
	double amount =
		rule.has_value ? rolled_up(rule.rollup, matches) : static_cast<double>(matches.size());
	return pay_amount(rule, amount, matched, matches.empty() ? program_.as_of : matches.back().time);
}

Finisher::Payment
Finisher::pay_each_logged(const FinishRule &rule, const Matches &matches, int64_t matched) const
{
	Payment payment{!matches.empty(), {matched, 0, 0}, 0, 0};
	FixedSum raw = 0;

	for (const Match &match : matches)
	{
		double points = rule.points * match.value;
		add_checked(raw, checked_term(points, rule.name), rule.name);
		payment.fading += fixed_term(points * factor_at(rule.group, match.time));
	}
	payment.outcome.raw = fixed_value(raw);
	payment.outcome.decayed = fixed_value(payment.fading) * quiet_factors_[rule.group];
	return payment;
}

} // namespace lead_scoring::core
