// The last step for a record: from its sums and counts to its score.
#pragma once

#include "core/program.hpp"
#include "core/state_table.hpp"

#include <cstdint>
#include <vector>

namespace lead_scoring::core
{

struct ScoreResult
{
	bool in_scope;
	double total; // all three rounded to 4 decimals
	double fit;
	double engagement;
	LabelSet labels;
};

// What a rule gave, for explain
struct RuleOutcome
{
	int64_t matched;
	double raw;     // points before decay
	double decayed; // points after it
};

// How a score came about, for explain; before any rounding
struct Account
{
	std::vector<RuleOutcome> rules;
	std::vector<double> group_sums;
	std::vector<double> group_values; // after the group's limits
	double adjustment = 0;
	double unlimited_total = 0;
};

// Round to 4 decimals, half away from zero (decision D26)
double round_score(double value) noexcept;

class Finisher
{
public:
	Finisher(const Program &program, StateTable &states)
		: program_(program), states_(states), group_sums_(program.groups.size())
	{
	}

	// Finish one row of a batch of records; state is null for a record without rows in any source
	ScoreResult finish(const Batch &records, size_t row, std::byte *state, Account *account) noexcept;

private:
	bool in_scope(const Batch &records, size_t row, const uint32_t *counts) const noexcept;
	void add_rule(const FinishRule &rule, const Batch &records, size_t row, std::byte *state,
				  RuleOutcome *outcome) noexcept;
	RuleOutcome pay_once(const FinishRule &rule, std::byte *state, uint32_t matched) const noexcept;
	ScoreResult total(std::byte *state, Account *account) const noexcept;

	const Program &program_;
	StateTable &states_;
	std::vector<FixedSum> group_sums_;
};

} // namespace lead_scoring::core
