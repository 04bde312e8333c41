// A score as defined, in plain memory that the PostgreSQL layer owns; the program is compiled from it.
#pragma once

#include "core/batch.hpp"
#include "core/decay.hpp"
#include "core/predicate.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace lead_scoring::core
{

enum class ScoreKind : uint8_t
{
	fit,
	engagement,
	combined,
};

enum class Part : uint8_t
{
	fit,
	engagement,
	total,
};

enum class Counting : uint8_t
{
	each,  // pays for every matching row
	once,  // pays once when the number of matching rows, or what their values come to, lies within bounds
	quiet, // pays once for every full period since the newest matching event
};

// How the values of matching rows become one
enum class Rollup : uint8_t
{
	sum,
	average,
	minimum,
	maximum,
};

// What a multiplier multiplies
enum class Multiplies : uint8_t
{
	fit,
	engagement,
	total,
	group,
	nothing, // the rule adds its points
};

// What a feature of a model is of: a rule that measures instead of paying
enum class Statistic : uint8_t
{
	none,              // it pays
	value,             // of the record, or of the newest of its rows, the greatest of those of one time
	has_value,         // of the record: 1 or 0
	days_since,        // of the record: from an instant to that of evaluation
	days_until,        // of the record: the opposite
	count,             // of matching rows; with decay each counts for what is left of it
	has_any,           // 1 or 0
	sum,               // of their values; with decay of what is left of them
	average,
	minimum,
	maximum,
	distinct,          // how many different values there are
	days_since_newest,
	days_since_oldest,
	days_until_next,   // from the instant of evaluation to the first event after it that is known by then
};

// The "source" of rules about the record itself
inline constexpr int32_t record_itself = -1;

// For a column that a definition may do without
inline constexpr int32_t no_column = -1;

// Bounds, both inclusive; the infinities stand for none
struct Limits
{
	double lower = -std::numeric_limits<double>::infinity();
	double upper = std::numeric_limits<double>::infinity();
};

// Instants from which and before which something holds
struct Period
{
	int64_t from = infinitely_old;
	int64_t until = infinitely_late;

	bool
	contains(int64_t instant) const noexcept
	{
		return instant >= from && instant < until;
	}
};

// How the points of a group fade for some records, or for all others
struct FadeDefinition
{
	const PredicateTree *segment; // over the record; null for all that no other matches
	const Decay *decay;           // null for points that never fade
	int64_t quiet_us;             // points fade only after so long without any event, by the quiet time beyond; -1 for always
};

struct GroupDefinition
{
	std::string_view name;
	Part part = Part::fit;              // fit or engagement
	Limits limits = {};                 // of the sum of its rules
	double weight = 1;                  // of that sum, once limited
	std::span<const FadeDefinition> fades = {}; // the last one has no segment; none for points that never fade
};

struct RuleDefinition
{
	std::string_view name;
	uint32_t group = 0;                       // in Definition::groups
	int32_t source = record_itself;           // in Definition::sources, or record_itself
	const PredicateTree *criterion = nullptr;
	double points = 0;                        // or the factor of a multiplier
	Counting counting = Counting::each;
	Limits count = {};                        // for Counting::once: of the number of rows, or of what their values come to
	int64_t since = infinitely_old;           // first instant that counts
	int64_t until = infinitely_late;          // first instant that no longer counts
	int64_t within_us = 0;                    // age of the oldest event that counts, 0 for any; the period of Counting::quiet
	int32_t value_column = no_column;         // of kind real: what a row is worth; rows without a value do not match
	Rollup rollup = Rollup::sum;
	uint32_t max_times = 0;                   // how many matches count, the newest; 0 for all
	int64_t max_times_per_us = 0;             // in each interval of this length; 0 for ever
	uint32_t every_n = 0;                     // pays once for so many matches; 0 for each
	const PredicateTree *followed_by = nullptr; // matches are pairs: an event, then one of this criterion
	int64_t followed_within_us = 0;
	Multiplies multiplies = Multiplies::nothing;
	Period valid = {};                        // instants of evaluation at which the rule is in force
	Statistic statistic = Statistic::none;    // of a feature; its value column is of the kind that this takes
	int32_t known_column = no_column;         // of days_until_next: when a row became known
	std::span<const std::string_view> categories = {}; // of texts, in the model's order; others are unseen
};

// What the points of matching events are multiplied by
struct FactorDefinition
{
	int32_t source = 0;
	const PredicateTree *criterion = nullptr;
	double factor = 1;
	Period events = {}; // times of the events that it is about
	Period valid = {};  // instants of evaluation at which it is in force
};

struct ScopeDefinition
{
	bool include;
	int32_t source; // as in RuleDefinition
	const PredicateTree *criterion;
};

// A label for the values from a lower bound up, for the best so many, or for the best share
struct BandDefinition
{
	Part part;
	std::string_view label;
	double lower_bound = -std::numeric_limits<double>::infinity(); // minus infinity for the rest
	uint32_t capacity = 0;                                         // how many records at most; 0 for any number
	double top_share = 0;                                          // of the records, above 0 to 1; 0 for any
	std::string_view segment_text = {};                            // orders the segments
	const PredicateTree *segment = nullptr;                        // over the record; null for all that no other matches
};

class Model;

// How a likelihood comes about; columns are those of the record
struct PredictionDefinition
{
	const Model *model = nullptr;      // its features are the rules, in their order; null for points
	bool instant_outcome = false;      // the outcome is when a record converted, else whether it did
	int32_t outcome_column = no_column;
	int32_t closed_column = no_column; // customers have a label only with an instant in it; no_column: always
	const PredicateTree *customer_when = nullptr; // null: those that have converted
};

struct SourceDefinition
{
	bool has_time; // events rather than related rows
	std::span<const ColumnKind> columns;
	bool cleaned = false;    // its rows come sorted and marked, for duplicates to be dropped
	int64_t dedup_us = 0;    // rows of one mark count when so far apart; infinitely_late for the first only
};

struct Definition
{
	ScoreKind kind;
	Limits limits;
	Limits adjustment_limits = {}; // of the sum of the points by hand
	KeyKind key_kind;
	bool unique_keys;     // the relation guarantees that no two records share a key
	bool has_adjustments;
	bool has_resets = false;
	int64_t dormant_us = 0; // a record is dormant when its newest event is so old; 0 for never
	bool reads_clock = false; // some criterion or value depends on the instant of evaluation by itself
	const PredicateTree *open_when = nullptr; // over the record; null if all are open
	PredictionDefinition prediction = {};
	bool learns_categories = false;           // features have no categories yet: they are what comes
	bool own_instants = false;                // each record is evaluated as of an instant of its own
	int32_t instant_column = no_column;       // of the record: that instant
	std::span<const GroupDefinition> groups;
	std::span<const RuleDefinition> rules;
	std::span<const FactorDefinition> factors = {};
	std::span<const ScopeDefinition> scopes;
	std::span<const BandDefinition> bands;
	std::span<const SourceDefinition> sources;
	std::span<const ColumnKind> record_columns;
};

} // namespace lead_scoring::core
