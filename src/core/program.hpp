// A score compiled for one instant: which rules look at which rows, and where in a record's state they write.
//
// Rules are dispatched on the column that most of them test for equality (the type of an event), so that a row costs
// the rules of its own type and those without a type, not all of them.
#pragma once

#include "core/bands.hpp"
#include "core/definition.hpp"
#include "core/fixed_sum.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lead_scoring::core
{

inline constexpr uint32_t no_slot = UINT32_MAX;

// A rule, or an item of the scope, as the rows of its source see it
struct RowRule
{
	int64_t from;                   // first instant that counts
	int64_t until;                  // first instant that no longer counts
	double points;
	uint32_t sum_slot;              // where each match pays, or no_slot
	uint32_t count_slot;            // where matches are counted, or no_slot
	uint32_t newest_slot;           // where the newest match is kept, or no_slot
	uint32_t decay;                 // in Program::curves, or no_slot
	std::vector<Predicate> criteria; // what the dispatch has not tested yet; all must hold
};

// What rows of one source go through
struct SourceProgram
{
	bool has_time;
	std::vector<CodeBook> books;       // by column
	std::vector<RowRule> rules;
	uint32_t dispatch_column;          // or no_slot
	ColumnKind dispatch_kind;
	CodeBook dispatch_book;            // of integers, where the dispatch column is one
	std::vector<uint32_t> first_entry; // by code, one more than there are codes
	std::vector<uint32_t> entries;     // rules, in the order of their definition
};

// A rule or an item of the scope as the finish of a record sees it
struct FinishRule
{
	std::string name;
	uint32_t group;
	int32_t source;
	Counting counting;
	Limits count;
	double points;
	uint32_t sum_slot;
	uint32_t count_slot;
	uint32_t newest_slot;
	uint32_t decay;
	uint32_t criterion; // in Program::record_criteria for rules about the record, else no_slot
};

struct FinishScope
{
	bool include;
	uint32_t count_slot; // or no_slot
	uint32_t criterion;  // or no_slot
};

struct FinishGroup
{
	std::string name;
	Part part;
	Limits limits;
};

// Sizes of a record's state: sums first, then instants, then counts
struct StateLayout
{
	uint32_t sums = 0;
	uint32_t instants = 0;
	uint32_t counts = 0;
};

class Program
{
public:
	// Compile a definition as of an instant; detail keeps a sum and a count per rule, which explain needs
	Program(const Definition &definition, int64_t as_of, bool detail);

	ScoreKind kind;
	Limits limits;
	int64_t as_of;
	bool detail;
	BandTable bands;
	StateLayout layout;
	std::vector<DecayCurve> curves;
	std::vector<SourceProgram> sources;
	std::vector<CodeBook> record_books; // by column of the record
	std::vector<Predicate> record_criteria;
	std::vector<FinishRule> rules;
	std::vector<FinishScope> scopes;
	bool any_include = false;
	std::vector<FinishGroup> groups;
	std::vector<uint32_t> slot_groups; // the group of each sum slot
	uint32_t adjustment_slot = no_slot;

private:
	class Compiler;
};

} // namespace lead_scoring::core
