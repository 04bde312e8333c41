// Which rows count for a rule, as the specification says it: slow, and plain enough to be believed.
#pragma once

#include "feed.hpp"
#include "model.hpp"

#include <vector>

namespace lead_scoring::core::test
{

using Rows = std::vector<Row>;

// An event, a related row or a pair that counts for a rule
struct NaiveMatch
{
	int64_t time;
	double value; // what the row is worth, 1 for rows without a value
	double boost; // by event factors
};

using NaiveMatches = std::vector<NaiveMatch>;

bool holds(const PredicateTree *tree, std::span<const ColumnKind> kinds, const std::vector<Value> &values);

// The age of an instant in microseconds, as of now
long double age_of(int64_t time);

// Leave the events of a record that exist: not later than now, not before a reset, and none twice
Rows existing(const Model &model, size_t source, Rows rows, int64_t reset);

// The rows of a record, or pairs of them, that match a rule, in order of time
NaiveMatches matches_of(const Model &model, const RuleDefinition &rule, const Rows &rows);

// What is left of matches by caps: the newest, in all or in each interval; then each n-th
NaiveMatches capped(const RuleDefinition &rule, const NaiveMatches &matches);

} // namespace lead_scoring::core::test
