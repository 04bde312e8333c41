#include "core/finish.hpp"

#include "core/fault.hpp"
#include "core/peaks.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Many multipliers leave the range of numbers: no score is infinite
constexpr double largest_product = 1e300;

double
clamp(double value, const Limits &limits) noexcept
{
	return std::min(std::max(value, limits.lower), limits.upper);
}

} // namespace

double
round_score(double value) noexcept
{
	// A decimal such as 0.00015 has no exact double, nor have sums of decimals: what is a hair below a half counts as
	// one. Above 2^53 / 10^4 a double has no four decimals to round
	constexpr double hair = 1e-7;
	double magnitude = std::fabs(value) * 1e4;

	if (magnitude >= 0x1p53)
	{
		return value;
	}
	double whole = std::floor(magnitude);
	double rounded = (magnitude - whole >= 0.5 - hair ? whole + 1 : whole) / 1e4;
	return value < 0 && rounded != 0 ? -rounded : rounded;
}

Finisher::Finisher(const Program &program, StateTable &states, const MatchLog &log, Poll cancelled)
	: program_(program), states_(states), log_(log), cancelled_(cancelled), features_(program, states),
	  feature_values_(program.measures ? program.rules.size() : 0), any_choice_(false), any_quiet_(false),
	  wants_due_(program.due_slot != no_slot),
	  scope_by_rows_(std::any_of(program.scopes.begin(), program.scopes.end(),
								 [](const FinishScope &scope) { return scope.criterion == no_slot; })),
	  fading_(program.groups.size()), lasting_(program.groups.size()), fades_(program.groups.size()),
	  quiet_factors_(program.groups.size(), 1), matches_(program.log_rules)
{
	for (const FinishGroup &group : program.groups)
	{
		any_choice_ |= group.fades.size() > 1;
		any_quiet_ |= std::any_of(group.fades.begin(), group.fades.end(),
								  [](const Fade &fade) { return fade.quiet_us >= 0; });
	}
	sort_rules();
}

// Tell rules that are done in no time from the others, which take a closer look
void
Finisher::sort_rules()
{
	for (uint32_t at = 0; at < program_.rules.size(); at++)
	{
		const FinishRule &rule = program_.rules[at];
		if (rule.criterion != no_slot && rule.value_column == no_column && rule.multiplies == Multiplies::nothing)
		{
			simple_rules_.push_back({rule.criterion, rule.group, fixed_term(rule.points)});
		}
		else if (rule.criterion != no_slot || rule.slots.log != no_slot || rule.slots.count != no_slot)
		{
			other_rules_.push_back(at);
		}
	}
}

void
Finisher::add_simple_rules(const Batch &records, size_t row) noexcept
{
	for (const SimpleRule &rule : simple_rules_)
	{
		if (program_.record_criteria[rule.criterion].holds(records, row))
		{
			lasting_[rule.group] += rule.term;
		}
	}
}

bool
Finisher::in_scope(const Batch &records, size_t row, const uint32_t *counts) const noexcept
{
	bool included = !program_.any_include;

	for (const FinishScope &scope : program_.scopes)
	{
		bool matches = scope.criterion != no_slot
						   ? program_.record_criteria[scope.criterion].holds(records, row)
						   : counts != nullptr && counts[scope.count_slot] != 0;
		if (matches && !scope.include)
		{
			return false;
		}
		included |= matches;
	}
	return included;
}

// Choose the way in which the points of each group fade for a record
void
Finisher::choose_fades(const Batch &records, size_t row, const std::byte *state) noexcept
{
	double quiet_us = 0;

	if (any_quiet_ && state != nullptr)
	{
		uint64_t newest = states_.peaks(const_cast<std::byte *>(state))[program_.activity_slot];
		quiet_us = newest == no_peak ? 0 : age_us(program_.as_of, time_of_peak(newest));
	}
	for (size_t group = 0; group < program_.groups.size(); group++)
	{
		const std::vector<Fade> &fades = program_.groups[group].fades;
		uint32_t chosen = 0;
		while (fades[chosen].segment != no_slot &&
			   !program_.record_criteria[fades[chosen].segment].holds(records, row))
		{
			chosen++;
		}
		fades_[group] = chosen;
		const Fade &fade = fades[chosen];
		quiet_factors_[group] =
			fade.quiet_us < 0 ? 1 : program_.curves[fade.curve].factor(std::max(0.0, quiet_us - static_cast<double>(fade.quiet_us)));
	}
}

void
Finisher::add_sums(std::byte *state)
{
	const FixedSum *sums = states_.sums(state);

	for (uint32_t slot = 0; slot < program_.layout.sums; slot++)
	{
		const SumUse &use = program_.sum_uses[slot];
		if (use.group != no_slot && use.fade == fades_[use.group])
		{
			add_to_group(fading_[use.group], sums[slot], use.group);
		}
	}
}

// Add points to a group's sum; raises if it leaves its range
void
Finisher::add_to_group(FixedSum &sum, FixedSum term, uint32_t group) const
{
	if (__builtin_add_overflow(sum, term, &sum))
	{
		throw ScoringError(Fault::out_of_range,
						   "points of group \"" + program_.groups[group].name + "\" add up to more than 1.8e19",
						   "Let the values of its rules be smaller, in thousands for example.");
	}
}

// Take a record's matches out of the log, sorted, by rule
void
Finisher::take_matches(std::byte *state)
{
	for (uint32_t rule : logged_)
	{
		matches_[rule].clear();
	}
	logged_.clear();
	if (state == nullptr || program_.log_slot == no_slot)
	{
		return;
	}
	for (uint32_t at = states_.counts(state)[program_.log_slot]; at != 0;)
	{
		const MatchLog::Entry &entry = log_.entry(at);
		Matches &matches = matches_[MatchLog::rule_of(entry)];
		if (matches.empty())
		{
			logged_.push_back(MatchLog::rule_of(entry));
		}
		matches.push_back(MatchLog::match_of(entry));
		at = entry.previous;
	}
	for (uint32_t rule : logged_)
	{
		sort_matches(matches_[rule], cancelled_);
	}
}

bool
Finisher::read_features(const Batch &records, size_t row, std::byte *state, std::span<double> values)
{
	if (!in_scope(records, row, state == nullptr ? nullptr : states_.counts(state)))
	{
		return false;
	}
	take_matches(state);
	features_.read(records, row, state, matches_, values);
	return true;
}

ScoreResult
Finisher::finish(const Batch &records, size_t row, std::byte *state, Account *account)
{
	if (!in_scope(records, row, state == nullptr ? nullptr : states_.counts(state)))
	{
		ScoreResult result{};
		result.due = scope_due(state);
		return result;
	}
	if (program_.prediction.model != nullptr)
	{
		return predict(records, row, state, account);
	}
	std::fill(fading_.begin(), fading_.end(), 0);
	std::fill(lasting_.begin(), lasting_.end(), 0);
	multipliers_.clear();
	if (any_choice_ || any_quiet_)
	{
		choose_fades(records, row, state);
	}
	take_matches(state);
	if (state != nullptr)
	{
		add_sums(state);
	}
	if (wants_due_)
	{
		begin_due(state);
	}
	if (account == nullptr)
	{
		add_simple_rules(records, row);
		for (uint32_t at : other_rules_)
		{
			apply_rule(at, records, row, state, nullptr);
		}
	}
	else
	{
		for (size_t at = 0; at < program_.rules.size(); at++)
		{
			apply_rule(at, records, row, state, &account->rules[at]);
		}
	}
	ScoreResult result = total(records, row, state, account);
	if (wants_due_)
	{
		note_quiet_groups(state);
		result.due = program_.reads_clock ? infinitely_old : due_;
		result.due_stands = due_stands_ && !scope_by_rows_;
	}
	return result;
}

void
Finisher::apply_rule(size_t at, const Batch &records, size_t row, std::byte *state, RuleOutcome *outcome)
{
	const FinishRule &rule = program_.rules[at];
	Payment payment = pay_rule(rule, records, row, state);

	if (wants_due_)
	{
		note_rule(rule, payment, state);
	}
	settle(at, payment, outcome);
}

Finisher::Payment
Finisher::pay_rule(const FinishRule &rule, const Batch &records, size_t row, std::byte *state)
{
	if (rule.criterion != no_slot)
	{
		return pay_record_rule(rule, records, row);
	}
	return rule.slots.log != no_slot ? pay_logged(rule) : pay_counted(rule, state);
}

// Book what a rule pays; a multiplier books itself instead
void
Finisher::settle(size_t at, const Payment &payment, RuleOutcome *outcome)
{
	const FinishRule &rule = program_.rules[at];

	if (rule.multiplies != Multiplies::nothing)
	{
		if (payment.paid)
		{
			multipliers_.push_back(static_cast<uint32_t>(at));
		}
		if (outcome != nullptr)
		{
			*outcome = {payment.outcome.matched, 0, 0};
		}
		return;
	}
	add_to_group(fading_[rule.group], payment.fading, rule.group);
	add_to_group(lasting_[rule.group], payment.lasting, rule.group);
	if (outcome != nullptr)
	{
		*outcome = payment.outcome;
	}
}

ScoreResult
Finisher::total(const Batch &records, size_t row, std::byte *state, Account *account) const
{
	constexpr double absent = std::numeric_limits<double>::quiet_NaN();
	double sums[] = {0, 0}; // fit, engagement

	for (size_t group = 0; group < program_.groups.size(); group++)
	{
		sums[static_cast<size_t>(program_.groups[group].part)] +=
			finish_group(group, account == nullptr ? nullptr : &account->groups[group]);
	}
	StepOutcome *parts = account == nullptr ? nullptr : account->parts;
	double fit = multiply(Multiplies::fit, no_slot, sums[0], parts == nullptr ? nullptr : &parts[0]);
	double engagement = multiply(Multiplies::engagement, no_slot, sums[1], parts == nullptr ? nullptr : &parts[1]);
	double machine = multiply(Multiplies::total, no_slot, fit + engagement, parts == nullptr ? nullptr : &parts[2]);
	double adjustment = 0;
	if (state != nullptr && program_.adjustment_slot != no_slot)
	{
		adjustment = clamp(fixed_value(states_.sums(state)[program_.adjustment_slot]), program_.adjustment_limits);
	}
	if (account != nullptr)
	{
		account->adjustment = adjustment;
		account->unlimited_total = machine + adjustment;
	}
	ScoreResult result{};
	result.in_scope = true;
	result.is_open = program_.open_when == no_slot || program_.record_criteria[program_.open_when].holds(records, row);
	result.total = round_score(clamp(machine + adjustment, program_.limits));
	result.machine = adjustment == 0 ? result.total : round_score(clamp(machine, program_.limits));
	result.adjustment = adjustment == 0 ? 0 : round_score(adjustment);
	result.fit = program_.kind == ScoreKind::engagement ? absent : round_score(fit);
	result.engagement = program_.kind == ScoreKind::fit ? absent : round_score(engagement);
	if (state != nullptr && program_.activity_slot != no_slot)
	{
		uint64_t newest = states_.peaks(state)[program_.activity_slot];
		result.has_activity = newest != no_peak;
		result.last_activity = time_of_peak(newest);
		result.dormant = program_.dormant_us != 0 && result.has_activity &&
						 result.last_activity <= earlier(program_.as_of, program_.dormant_us);
	}
	result.ladders = program_.bands.choose(
		[&](uint32_t segment) { return program_.record_criteria[segment].holds(records, row); });
	const double values[] = {result.fit, result.engagement, result.total};
	result.labels = program_.bands.labels(values, result.ladders, records.keys[row], result.is_open);
	return result;
}

double
Finisher::finish_group(size_t at, StepOutcome *step) const
{
	const FinishGroup &group = program_.groups[at];
	FixedSum whole = fading_[at];
	add_to_group(whole, lasting_[at], static_cast<uint32_t>(at));
	double sum = quiet_factors_[at] == 1
					 ? fixed_value(whole)
					 : fixed_value(fading_[at]) * quiet_factors_[at] + fixed_value(lasting_[at]);
	double limited = clamp(sum, group.limits);
	double weighted = limited * group.weight;

	if (step != nullptr)
	{
		step->sum = sum;
		step->limited = limited;
	}
	return multiply(Multiplies::group, static_cast<uint32_t>(at), weighted, step);
}

// Apply the multipliers of one scope; a factor above 1 lifts only what is above 0 (decision D15)
double
Finisher::multiply(Multiplies scope, uint32_t group, double value, StepOutcome *step) const
{
	if (step != nullptr)
	{
		step->weighted = value;
	}
	for (uint32_t at : multipliers_)
	{
		const FinishRule &rule = program_.rules[at];
		if (rule.multiplies != scope || (scope == Multiplies::group && rule.group != group))
		{
			continue;
		}
		double before = value;
		if (rule.points <= 1 || value > 0)
		{
			value = std::clamp(value * rule.points, -largest_product, largest_product);
		}
		if (step != nullptr)
		{
			step->multipliers.push_back({at, before, value});
		}
	}
	if (step != nullptr)
	{
		step->value = value;
	}
	return value;
}

} // namespace lead_scoring::core
