// A score as defined, in plain memory that the PostgreSQL layer owns; the program is compiled from it.
#pragma once

#include "core/batch.hpp"
#include "core/decay.hpp"
#include "core/predicate.hpp"

#include <cstdint>
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
	each, // pays for every matching row
	once, // pays once when the number of matching rows lies within bounds
};

// The "source" of rules about the record itself
inline constexpr int32_t record_itself = -1;

// Bounds, both inclusive; the infinities stand for none
struct Limits
{
	double lower;
	double upper;
};

struct GroupDefinition
{
	std::string_view name;
	Part part;          // fit or engagement
	Limits limits;      // of the sum of its rules
	const Decay *decay; // null for points that never fade
};

struct RuleDefinition
{
	std::string_view name;
	uint32_t group;                 // in Definition::groups
	int32_t source;                 // in Definition::sources, or record_itself
	const PredicateTree *criterion;
	double points;
	Counting counting;
	Limits count;                   // for Counting::once
	int64_t since;                  // first instant that counts
	int64_t until;                  // first instant that no longer counts
	int64_t within_us;              // age of the oldest event that counts, 0 for any
};

struct ScopeDefinition
{
	bool include;
	int32_t source; // as in RuleDefinition
	const PredicateTree *criterion;
};

struct BandDefinition
{
	Part part;
	std::string_view label;
	double lower_bound; // minus infinity for the rest
};

struct SourceDefinition
{
	bool has_time; // events rather than related rows
	std::span<const ColumnKind> columns;
};

struct Definition
{
	ScoreKind kind;
	Limits limits;
	KeyKind key_kind;
	bool unique_keys;     // the relation guarantees that no two records share a key
	bool has_adjustments;
	std::span<const GroupDefinition> groups;
	std::span<const RuleDefinition> rules;
	std::span<const ScopeDefinition> scopes;
	std::span<const BandDefinition> bands;
	std::span<const SourceDefinition> sources;
	std::span<const ColumnKind> record_columns;
};

} // namespace lead_scoring::core
