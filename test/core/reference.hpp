// The score as the specification says it, record by record, with vectors and long doubles: slow, and plain enough to be
// believed.
#pragma once

#include "feed.hpp"
#include "model.hpp"

#include <string>
#include <vector>

namespace lead_scoring::core::test
{

struct NaiveRule
{
	size_t matched = 0;
	long double raw = 0;     // points before decay
	long double fading = 0;  // points after the decay of each event, all of which may yet fade by quiet time
	long double lasting = 0; // points that never fade
	long double decayed = 0; // what is left of both
	bool pays = false;       // for a multiplier, whether it applies
};

// A value on its way: the sum of its parts, limited, weighted, multiplied
struct NaiveStep
{
	long double sum = 0;
	long double limited = 0;
	long double weighted = 0;
	long double value = 0;
};

struct NaiveScore
{
	bool in_scope = true;
	bool is_open = true;
	bool dormant = false;
	bool has_activity = false;
	int64_t last_activity = infinitely_old;
	std::vector<NaiveRule> rules;
	std::vector<NaiveStep> groups;
	NaiveStep parts[3]; // by Part
	long double adjustment = 0;
	long double machine = 0;
	long double total = 0;
};

// The facts of one record
struct RecordFacts
{
	Record record;
	std::vector<std::vector<Row>> rows; // by source
	std::vector<Row> adjustments;
	std::vector<Row> resets;
};

// Sort facts by record, in the order of facts.records
std::vector<RecordFacts> facts_by_record(const Model &model, const Facts &facts);

NaiveScore naive_score(const Model &model, const RecordFacts &facts);

// The label of a part by bands that are not relative
std::string naive_label(const Model &model, Part part, double value, const Record &record);

} // namespace lead_scoring::core::test
