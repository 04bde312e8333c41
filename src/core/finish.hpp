// The last step for a record: from its sums, peaks and counts to its score.
#pragma once

#include "core/features.hpp"
#include "core/matches.hpp"
#include "core/program.hpp"
#include "core/state_table.hpp"

#include <cstdint>
#include <vector>

namespace lead_scoring::core
{

struct ScoreResult
{
	bool in_scope;
	bool is_open;
	bool dormant;
	double total;         // all points rounded to 4 decimals
	double fit;
	double engagement;
	double machine;       // the total without adjustments
	double adjustment;
	bool has_activity;     // whether there is any event, where that is known
	int64_t last_activity; // time of the newest event
	int64_t due = infinitely_late; // where that is asked for: the earliest instant after as_of at which the finish of
								   // the same facts may differ, but for dormant, which any instant may change, and
								   // last_activity. Perhaps early, never late; infinitely_late for never,
								   // infinitely_old if it may change at any instant, as points fade
	bool due_stands = false; // it may change at any instant, and already did before the transaction: a standing row fades, and will
							 // for an hour
	LadderChoice ladders;
	LabelSet labels;
};

// What a rule gave, for explain
struct RuleOutcome
{
	int64_t matched = 0;
	double raw = 0;     // points before decay
	double decayed = 0; // points after it
};

// A multiplier at work, for explain
struct MultiplierOutcome
{
	uint32_t rule;
	double before;
	double after;
};

// How a value came about from the sum of its parts, for explain
struct StepOutcome
{
	double sum = 0;
	double limited = 0;
	double weighted = 0;
	std::vector<MultiplierOutcome> multipliers = {};
	double value = 0;
};

// How a score came about, for explain; before any rounding
struct Account
{
	std::vector<RuleOutcome> rules;
	std::vector<StepOutcome> groups;
	StepOutcome parts[3]; // by Part
	double adjustment = 0;
	double unlimited_total = 0;
	// Of a likelihood: the features, and what each adds to the log-odds, last what the average record begins with
	std::vector<double> features;
	std::vector<double> contributions;
};

// Return the term of a sum for points that a value of the user's own is part of; raises if they are too many
FixedSum checked_term(double points, const std::string &rule);

// Add a term to a sum; raises if the sum leaves its range
void add_checked(FixedSum &sum, FixedSum term, const std::string &rule);

// Round to 4 decimals, half away from zero (decision D26)
double round_score(double value) noexcept;

// Give a probability as a likelihood: in per cent, 0.01 to 99.99, rounded as scores are (E47)
double likelihood_of(double probability) noexcept;

// Return how many full periods a quiet rule pays for at most
double most_periods(const FinishRule &rule) noexcept;

class Finisher
{
public:
	Finisher(const Program &program, StateTable &states, const MatchLog &log, Poll cancelled);

	// Finish one row of a batch of records; state is null for a record without rows in any source
	ScoreResult finish(const Batch &records, size_t row, std::byte *state, Account *account);

	// Read the features of one row of a batch of records; false if the record is out of scope
	bool read_features(const Batch &records, size_t row, std::byte *state, std::span<double> values);

	FeatureReader &
	features() noexcept
	{
		return features_;
	}

private:
	// What a rule pays, apart by whether the group's fading by quiet time applies to it
	struct Payment
	{
		bool paid = false;
		RuleOutcome outcome = {};
		FixedSum fading = 0;
		FixedSum lasting = 0;
	};

	// A rule about the record that adds the same points to all that it matches
	struct SimpleRule
	{
		uint32_t criterion; // in Program::record_criteria
		uint32_t group;
		FixedSum term;
	};

	ScoreResult predict(const Batch &records, size_t row, std::byte *state, Account *account);
	bool has_converted(const Batch &records, size_t row) noexcept;
	bool is_undecided(const Batch &records, size_t row) const noexcept;
	void sort_rules();
	void apply_rule(size_t at, const Batch &records, size_t row, std::byte *state, RuleOutcome *outcome);
	int64_t scope_due(std::byte *state) const noexcept;
	void begin_due(std::byte *state) noexcept;
	void note_due(int64_t instant) noexcept;
	void note_fading(uint32_t group, int64_t time, double points) noexcept;
	void note_rule(const FinishRule &rule, const Payment &payment, std::byte *state) noexcept;
	void note_matches(const FinishRule &rule, const Payment &payment) noexcept;
	void note_quiet(const FinishRule &rule, std::byte *state) noexcept;
	void note_quiet_groups(std::byte *state) noexcept;
	void add_simple_rules(const Batch &records, size_t row) noexcept;
	Payment pay_rule(const FinishRule &rule, const Batch &records, size_t row, std::byte *state);
	bool in_scope(const Batch &records, size_t row, const uint32_t *counts) const noexcept;
	void choose_fades(const Batch &records, size_t row, const std::byte *state) noexcept;
	void add_sums(std::byte *state);
	void add_to_group(FixedSum &sum, FixedSum term, uint32_t group) const;
	void take_matches(std::byte *state);
	Payment pay_record_rule(const FinishRule &rule, const Batch &records, size_t row) const;
	Payment pay_counted(const FinishRule &rule, std::byte *state) const;
	Payment pay_summed(const FinishRule &rule, std::byte *state, uint32_t matched) const noexcept;
	Payment pay_logged(const FinishRule &rule);
	Payment pay_each_logged(const FinishRule &rule, const Matches &matches, int64_t matched) const;
	Payment pay_quiet(const FinishRule &rule, std::byte *state, uint32_t matched) const noexcept;
	Payment pay_amount(const FinishRule &rule, double amount, int64_t matched, int64_t newest) const;
	double amount_of(const FinishRule &rule, std::byte *state, uint32_t matched) const noexcept;
	double factor_at(uint32_t group, int64_t time) const noexcept;
	void settle(size_t rule, const Payment &payment, RuleOutcome *outcome);
	double multiply(Multiplies scope, uint32_t group, double value, StepOutcome *step) const;
	double finish_group(size_t group, StepOutcome *step) const;
	ScoreResult total(const Batch &records, size_t row, std::byte *state, Account *account) const;

	const Program &program_;
	StateTable &states_;
	const MatchLog &log_;
	Poll cancelled_;
	FeatureReader features_;
	std::vector<double> feature_values_;
	std::vector<SimpleRule> simple_rules_;
	std::vector<uint32_t> other_rules_; // all that pay when the record is finished
	bool any_choice_;                   // whether any group fades in more than one way
	bool any_quiet_;                    // whether any group fades by quiet time
	bool wants_due_;
	bool scope_by_rows_;                // whether rows of sources decide who is in scope
	int64_t due_ = infinitely_late;     // of the record at hand, as far as is known
	bool due_stands_ = false;           // by some standing row
	std::vector<FixedSum> fading_;      // by group
	std::vector<FixedSum> lasting_;     // by group
	std::vector<uint32_t> fades_;       // by group: the way its points fade for the record at hand
	std::vector<double> quiet_factors_; // by group
	std::vector<uint32_t> multipliers_; // rules that multiply for the record at hand
	std::vector<Matches> matches_;      // by number in the log
	std::vector<uint32_t> logged_;      // which of them are not empty
};

} // namespace lead_scoring::core
