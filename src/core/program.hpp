// A score compiled for one instant: which rules look at which rows, and where in a record's state they write.
//
// What is known of a record while rows stream by is a row of plain numbers, all zero at first, of three sorts: sums, which
// are added up; peaks, of which the greatest stays; and counts. None of them depends on the order of rows, and two states
// of a record merge by the same three operations. Only rules that must see their matches in order of time (caps, pairs)
// log them one by one.
#pragma once

#include "core/bands.hpp"
#include "core/definition.hpp"
#include "core/dispatch.hpp"
#include "core/fixed_sum.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lead_scoring::core
{

inline constexpr uint32_t no_slot = UINT32_MAX;

// What matching rows of a rule write into a record's state, each of them optional
struct RuleSlots
{
	uint32_t sum = no_slot;     // points, one slot for each way in which the group's points fade
	uint32_t raw = no_slot;     // points before decay
	uint32_t count = no_slot;   // how many rows matched
	uint32_t values = no_slot;  // the sum of their values
	uint32_t newest = no_slot;  // the peak of their times
	uint32_t extreme = no_slot; // the peak of their values, or of their opposites
	uint32_t log = no_slot;     // number of the rule in the log of matches
	uint32_t oldest = no_slot;  // the peak of their times, the earliest the highest
};

// A rule, or an item of the scope, as the rows of its source see it
struct RowRule
{
	Period window = {};              // times that count, as of the program's instant
	double points = 0;
	RuleSlots slots = {};
	bool plain = false;              // only pays points of its own into one sum
	Rollup rollup = Rollup::sum;
	uint32_t decay = no_slot;        // of a single sum, in Program::curves
	uint32_t group = no_slot;
	int32_t value_column = no_column;
	uint32_t name = no_slot;         // in Program::rules, for errors
	std::vector<Predicate> criteria = {}; // what the dispatch has not tested yet; all must hold
	std::vector<Predicate> roles = {};    // of a pair: the criterion of the opening event, that of the closing one
	Period dates = {};                    // times that count at any instant
	int64_t within_us = 0;                // age of the oldest event that counts, 0 for any
	uint32_t due_slot = no_slot;          // peak: the next instants at which its rows begin or cease to count
	int64_t worth_us = 0;                 // greater ages are worth nothing, 0 for none
	Statistic statistic = Statistic::none;
	ColumnKind value_kind = ColumnKind::real; // of a feature
	int32_t known_column = no_column;
};

// What the points of matching rows are multiplied by
struct RowFactor
{
	Period window;
	double factor;
	Predicate criterion;
};

// What must be read of a row, by the code that dispatches it
struct RowNeeds
{
	Period window;                   // rows of other times concern nobody
	std::vector<uint16_t> columns;   // those that its rules read, but for the one that dispatches
};

// What rows of one source go through
struct SourceProgram
{
	bool has_time;
	bool cleaned;
	bool all_times = true; // rows of any time concern somebody, whatever the rules
	bool looks_ahead = false; // some feature is of events to come
	int64_t dedup_us;
	std::vector<CodeBook> books; // by column
	std::vector<RowRule> rules;
	std::vector<RowFactor> factors;
	std::vector<Dispatch> dispatch; // one
	std::vector<RowNeeds> needs;    // by code
};

// A rule as the finish of a record sees it
struct FinishRule
{
	std::string name;
	uint32_t group;
	int32_t source;
	Counting counting;
	Limits count;
	double points;
	Multiplies multiplies;
	Rollup rollup;
	uint32_t max_times;
	int64_t max_times_per_us;
	uint32_t every_n;
	int64_t within_us;           // age of the oldest event that counts, 0 for any; the period of Counting::quiet
	bool paired;
	int64_t followed_within_us;
	Period dates;                // of a pair's closing event, at any instant
	bool has_value;
	int32_t value_column;        // of a rule about the record
	uint32_t criterion;          // in Program::record_criteria for rules about the record, else no_slot
	RuleSlots slots;
	Statistic statistic = Statistic::none;
	ColumnKind value_kind = ColumnKind::real; // of a feature
};

struct FinishScope
{
	bool include;
	uint32_t count_slot; // or no_slot
	uint32_t criterion;  // or no_slot
};

// How a likelihood comes about
struct FinishPrediction
{
	const Model *model = nullptr;
	bool instant_outcome = false;
	int32_t outcome_column = no_column;
	int32_t closed_column = no_column;
	uint32_t customer_when = no_slot; // in Program::record_criteria
};

// One of the ways in which the points of a group fade
struct Fade
{
	uint32_t segment;   // in Program::record_criteria, or no_slot for all that no other matches
	uint32_t curve;     // in Program::curves, or no_slot
	int64_t quiet_us;   // -1 if each event fades by its own age; else all fade by the quiet time beyond this
	uint32_t due_slot = no_slot; // peak: the next instant at which an event fades by its own age
};

struct FinishGroup
{
	std::string name;
	Part part;
	Limits limits;
	double weight;
	std::vector<Fade> fades; // the last one is for all

	bool
	fades_by_event(size_t fade) const noexcept
	{
		return fades[fade].quiet_us < 0 && fades[fade].curve != no_slot;
	}
};

// Which group a sum belongs to, and for which of its fades it was added up
struct SumUse
{
	uint32_t group; // or no_slot
	uint32_t fade;
};

// Sizes of a record's state
struct StateLayout
{
	uint32_t sums = 0;
	uint32_t peaks = 0;
	uint32_t counts = 0;
};

// What an evaluation is for
struct EvaluationNeeds
{
	bool detail = false;   // a sum and a count for each rule, for explain
	bool activity = false; // the newest event of each record
	bool due = false;      // when the score of each record may change next, by time alone
};

class Program
{
public:
	// Compile a definition as of an instant
	Program(const Definition &definition, int64_t as_of, EvaluationNeeds needs);

	// Evaluate as of another instant from now on: all that is relative to it is computed anew, in place and in no time.
	// Raises unless the instant lies in `valid`: other rules and factors are in force there, so the definition must be
	// compiled again
	void move_to(int64_t as_of);

	// Return the instant before which no row of a source concerns anybody: infinitely_old if all do, or if they have no
	// time; infinitely_late if none does. It moves along with as_of
	int64_t earliest(size_t source) const noexcept;

	ScoreKind kind;
	Limits limits;
	Limits adjustment_limits;
	int64_t as_of;
	Period valid;                 // instants of evaluation for which this compilation holds; as_of is one of them
	EvaluationNeeds needs;
	int64_t dormant_us;
	BandTable bands;
	StateLayout layout;
	std::vector<DecayCurve> curves;
	std::vector<SourceProgram> sources;
	std::vector<CodeBook> record_books; // by column of the record
	std::vector<Predicate> record_criteria;
	std::vector<FinishRule> rules;
	std::vector<FinishScope> scopes;
	bool any_include = false;
	uint32_t open_when = no_slot; // in record_criteria
	std::vector<FinishGroup> groups;
	std::vector<SumUse> sum_uses; // by sum slot
	uint32_t adjustment_slot = no_slot;
	uint32_t activity_slot = no_slot; // peak: time of the newest event
	uint32_t reset_slot = no_slot;    // peak: events before this time do not exist
	uint32_t due_slot = no_slot;      // peak: the next instant at which the score may change, as peak_of_due
	uint32_t scope_due_slot = no_slot; // peak: the next instant at which events begin or cease to count for the scope
	bool reads_clock;                 // everything may change at any time
	bool quiet_fades = false;         // any event counts, as points of some group fade by quiet time
	uint32_t log_slot = no_slot;      // count: place of the newest logged match, 0 for none
	uint32_t log_rules = 0;
	bool measures = false;            // rules are features
	FinishPrediction prediction = {};
	std::vector<std::vector<std::string>> categories; // by feature
	bool learns_categories = false;
	bool own_instants = false;        // each record is as of an instant of its own, which its rows' times are moved to
	uint32_t instant_slot = no_slot;  // peak: that instant
	int32_t instant_column = no_column;

private:
	class Compiler;

	void set_windows() noexcept;
};

// Return the part of a period that an age of at most within_us as of an instant leaves; 0 leaves all of it
Period last_of(Period period, int64_t as_of, int64_t within_us) noexcept;

} // namespace lead_scoring::core
