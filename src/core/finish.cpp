#include "core/finish.hpp"

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

ScoreResult
Finisher::finish(const Batch &records, size_t row, std::byte *state, Account *account) noexcept
{
	if (!in_scope(records, row, state == nullptr ? nullptr : states_.counts(state)))
	{
		return {false, 0, 0, 0, {no_label, no_label, no_label, no_label}};
	}
	std::fill(group_sums_.begin(), group_sums_.end(), 0);
	if (state != nullptr)
	{
		for (uint32_t slot = 0; slot < program_.layout.sums; slot++)
		{
			if (program_.slot_groups[slot] != no_slot)
			{
				group_sums_[program_.slot_groups[slot]] += states_.sums(state)[slot];
			}
		}
	}
	for (size_t rule = 0; rule < program_.rules.size(); rule++)
	{
		add_rule(program_.rules[rule], records, row, state,
				 account == nullptr ? nullptr : &account->rules[rule]);
	}
	return total(state, account);
}

void
Finisher::add_rule(const FinishRule &rule, const Batch &records, size_t row, std::byte *state,
				   RuleOutcome *outcome) noexcept
{
	if (rule.criterion != no_slot)
	{
		bool holds = program_.record_criteria[rule.criterion].holds(records, row);
		if (holds)
		{
			group_sums_[rule.group] += fixed_term(rule.points);
		}
		if (outcome != nullptr)
		{
			*outcome = {holds, holds ? rule.points : 0, holds ? rule.points : 0};
		}
		return;
	}
	uint32_t matched =
		state == nullptr || rule.count_slot == no_slot ? 0 : states_.counts(state)[rule.count_slot];
	if (rule.counting == Counting::once)
	{
		RuleOutcome paid = pay_once(rule, state, matched);
		group_sums_[rule.group] += fixed_term(rule.points * paid.decayed);
		if (outcome != nullptr)
		{
			*outcome = {matched, rule.points * paid.raw, rule.points * paid.decayed};
		}
		return;
	}
	if (outcome != nullptr)
	{
		double decayed = state == nullptr ? 0 : fixed_value(states_.sums(state)[rule.sum_slot]);
		*outcome = {matched, rule.points * matched, decayed};
	}
}

// Return what a rule that pays once gives, as factors of its points before and after decay
RuleOutcome
Finisher::pay_once(const FinishRule &rule, std::byte *state, uint32_t matched) const noexcept
{
	if (matched < rule.count.lower || matched > rule.count.upper)
	{
		return {matched, 0, 0};
	}
	if (rule.decay == no_slot || matched == 0)
	{
		return {matched, 1, 1};
	}
	double age = age_us(program_.as_of, states_.instants(state)[rule.newest_slot]);
	return {matched, 1, program_.curves[rule.decay].factor(age)};
}

ScoreResult
Finisher::total(std::byte *state, Account *account) const noexcept
{
	double parts[] = {0, 0}; // fit, engagement

	for (size_t group = 0; group < program_.groups.size(); group++)
	{
		double sum = fixed_value(group_sums_[group]);
		double value = clamp(sum, program_.groups[group].limits);
		parts[static_cast<size_t>(program_.groups[group].part)] += value;
		if (account != nullptr)
		{
			account->group_sums[group] = sum;
			account->group_values[group] = value;
		}
	}
	double adjustment = 0;
	if (state != nullptr && program_.adjustment_slot != no_slot)
	{
		adjustment = fixed_value(states_.sums(state)[program_.adjustment_slot]);
	}
	double sum = parts[0] + parts[1] + adjustment;
	if (account != nullptr)
	{
		account->adjustment = adjustment;
		account->unlimited_total = sum;
	}
	constexpr double absent = std::numeric_limits<double>::quiet_NaN();
	ScoreResult result;
	result.in_scope = true;
	result.total = round_score(clamp(sum, program_.limits));
	result.fit = program_.kind == ScoreKind::engagement ? absent : round_score(parts[0]);
	result.engagement = program_.kind == ScoreKind::fit ? absent : round_score(parts[1]);
	result.labels = program_.bands.labels(result.total, result.fit, result.engagement);
	return result;
}

} // namespace lead_scoring::core
