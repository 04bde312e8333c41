// When a score may change by time alone; the third part of finish.hpp, and a part of scorer.hpp.
//
// A score is a function of the instant. It may change when an event begins to count, when one leaves a window, when one
// has faded by another step or fades all the time, when another quiet period is full, when points by hand, a rule or a
// factor begin or cease to be in force. Each row notes what can be told of it alone, in peaks of the record's state, of
// which the earliest stays; the rest is told when the record is finished. Between these instants each rule has the same
// matches, with the same worth: so nothing that is computed from them can differ.
#include "core/finish.hpp"
#include "core/peaks.hpp"
#include "core/scorer.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <cmath>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Sums resolve 2^-63 points: half of that is rounded to nothing, now and at any greater age
constexpr double least_points = 0x1p-65;

// How far another clock may have been ahead, as that of a server which this one has taken the place of
constexpr int64_t clock_margin_us = hour_us;

// What fades by quiet time is not rounded to the resolution of sums, but far below what a score shows
constexpr double least_quiet_points = 0x1p-100;

} // namespace

void
Scorer::note_due(uint32_t slot, std::byte *state, int64_t instant) const noexcept
{
	if (slot != no_slot && instant > program_.as_of)
	{
		raise_peak(states_.peaks(state)[slot], peak_of_due(instant));
	}
}

// Note when a row begins to count that does not yet exist
void
Scorer::note_later(const SourceProgram &source, const Batch &rows, size_t row, std::byte *state, int64_t time)
{
	if (program_.quiet_fades)
	{
		note_due(program_.due_slot, state, time);
	}
	for (uint32_t entry : source.dispatch[0].rules_for(rows, row))
	{
		const RowRule &rule = source.rules[entry];
		bool plays_a_part = rule.roles.empty() || rule.roles[0].holds(rows, row) || rule.roles[1].holds(rows, row);
		bool has_worth = rule.value_column == no_column || rule.statistic == Statistic::value ||
						 !rows.is_null(static_cast<size_t>(rule.value_column), row);
		if (rule.window.contains(time) && plays_a_part && has_worth && all_hold(rule.criteria, rows, row))
		{
			note_due(rule.due_slot, state, time);
		}
	}
}

// Whether a row that fades all the time still did so as of any clock that others may have gone by
bool
Scorer::fades_for_all(const RowRule &rule, const Fade &fade, double worth, int64_t time) const noexcept
{
	double later_age_us = age_us(program_.as_of, time) + static_cast<double>(clock_margin_us);

	return (rule.within_us == 0 || later(time, rule.within_us) > later(program_.as_of, clock_margin_us)) &&
		   std::fabs(worth * program_.curves[fade.curve].factor(later_age_us)) >= least_points;
}

// Note when a row that counts for a rule no longer does, or is worth less; that it fades all the time is noted as said
void
Scorer::note_change(const RowRule &rule, const Batch &rows, size_t row, std::byte *state, int64_t time, uint64_t fades)
{
	double worth = rule.points * boost_;

	if (rule.value_column != no_column)
	{
		size_t column = static_cast<size_t>(rule.value_column);
		worth = rows.is_null(column, row) ? 0 : worth * rows.cell(column, row).real;
	}
	if (rule.within_us != 0)
	{
		note_due(rule.due_slot, state, later(later(time, rule.within_us), 1));
	}
	if (rule.slots.sum == no_slot)
	{
		// What it pays is known when the record is finished
		return;
	}
	for (const Fade &fade : program_.groups[rule.group].fades)
	{
		if (fade.due_slot != no_slot && std::fabs(worth * factor(fade.curve, time)) >= least_points)
		{
			int64_t instant = program_.curves[fade.curve].next_change(time, 0, program_.as_of);
			uint64_t always = fades == standing_due && fades_for_all(rule, fade, worth, time) ? standing_due : always_due;
			raise_peak(states_.peaks(state)[fade.due_slot], instant == infinitely_old ? always : peak_of_due(instant));
		}
	}
}

void
Finisher::note_due(int64_t instant) noexcept
{
	due_ = std::min(due_, instant);
}

// Return when a record that is out of scope may come into it
int64_t
Finisher::scope_due(std::byte *state) const noexcept
{
	if (wants_due_ && program_.reads_clock)
	{
		return infinitely_old;
	}
	return state == nullptr || program_.scope_due_slot == no_slot
			   ? infinitely_late
			   : due_of_peak(states_.peaks(state)[program_.scope_due_slot]);
}

// Begin with what rows have noted, and with what all records have in common
void
Finisher::begin_due(std::byte *state) noexcept
{
	due_ = std::min(program_.valid.until, scope_due(state));
	due_stands_ = false;
	if (state == nullptr)
	{
		return;
	}
	note_due(due_of_peak(states_.peaks(state)[program_.due_slot]));
	for (size_t group = 0; group < program_.groups.size(); group++)
	{
		const Fade &fade = program_.groups[group].fades[fades_[group]];
		if (fade.due_slot != no_slot)
		{
			uint64_t peak = states_.peaks(state)[fade.due_slot];
			note_due(due_of_peak(peak));
			due_stands_ |= peak == standing_due;
		}
	}
}

// Note when a match of a rule is worth less, if each event of its group fades by its own age
void
Finisher::note_fading(uint32_t group, int64_t time, double points) noexcept
{
	const FinishGroup &found = program_.groups[group];

	if (found.fades_by_event(fades_[group]) && std::fabs(points * factor_at(group, time)) >= least_points)
	{
		note_due(program_.curves[found.fades[fades_[group]].curve].next_change(time, 0, program_.as_of));
	}
}

// Note when what a rule pays changes, beyond what its rows have noted; its matches are at hand
void
Finisher::note_rule(const FinishRule &rule, const Payment &payment, std::byte *state) noexcept
{
	bool multiplies = rule.multiplies != Multiplies::nothing;

	if (rule.criterion != no_slot || (rule.points == 0 && !multiplies))
	{
		return;
	}
	if (rule.counting == Counting::quiet)
	{
		note_quiet(rule, state);
		return;
	}
	if (multiplies || !payment.paid || payment.outcome.matched == 0)
	{
		return;
	}
	if (rule.slots.log != no_slot)
	{
		note_matches(rule, payment);
	}
	else if (rule.slots.newest != no_slot)
	{
		note_fading(rule.group, time_of_peak(states_.peaks(state)[rule.slots.newest]), payment.outcome.raw);
	}
}

// Note when those of a rule's matches are worth less that count
void
Finisher::note_matches(const FinishRule &rule, const Payment &payment) noexcept
{
	const Matches &matches = matches_[rule.slots.log];

	if (rule.counting != Counting::each || rule.rollup != Rollup::sum)
	{
		if (!matches.empty())
		{
			note_fading(rule.group, matches.back().time, payment.outcome.raw);
		}
		return;
	}
	for (const Match &match : matches)
	{
		note_fading(rule.group, match.time, rule.points * match.value);
	}
}

// Note when the next period is full
void
Finisher::note_quiet(const FinishRule &rule, std::byte *state) noexcept
{
	if (state == nullptr || states_.counts(state)[rule.slots.count] == 0)
	{
		return;
	}
	int64_t newest = time_of_peak(states_.peaks(state)[rule.slots.newest]);
	int64_t age;
	int64_t full_us;
	if (newest == infinitely_old || __builtin_sub_overflow(program_.as_of, newest, &age) ||
		static_cast<double>(age / rule.within_us) >= most_periods(rule) ||
		__builtin_mul_overflow(age / rule.within_us + 1, rule.within_us, &full_us))
	{
		return;
	}
	note_due(due_by_age(later(newest, full_us), newest, program_.as_of));
}

// Note when the quiet time makes itself felt
void
Finisher::note_quiet_groups(std::byte *state) noexcept
{
	uint64_t newest = state == nullptr || !any_quiet_ ? no_peak : states_.peaks(state)[program_.activity_slot];

	for (size_t group = 0; group < program_.groups.size() && newest != no_peak; group++)
	{
		const Fade &fade = program_.groups[group].fades[fades_[group]];
		double left = fixed_value(fading_[group]) * quiet_factors_[group];
		if (fade.quiet_us >= 0 && std::fabs(left) >= least_quiet_points)
		{
			note_due(program_.curves[fade.curve].next_change(time_of_peak(newest), fade.quiet_us, program_.as_of));
		}
	}
}

} // namespace lead_scoring::core
