// What a ranking is worth to those who can only reach its top: gains and lift.
//
// Records of one score are alike: where a border falls among them, each side gets the same rate of converted ones, so that
// a count of them can be a fraction, and no order in which ties were given changes a digit. All want sorted scores.
#pragma once

#include "core/scored_outcomes.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lead_scoring::core
{

// Some of the records next to each other in the ranking; numbers that are not defined are NaN
struct GainsBin
{
	int32_t number; // from 1, the highest scores
	int64_t records;
	double converted;
	double conversion_rate;
	double captured; // share of all that converted
	double lift;     // conversion rate / that of all
	double lowest_score;
	double cumulative_share; // of the records, up to and with this bin
	double cumulative_captured;
	double cumulative_lift;
};

// Deal the records, best first, into bins of sizes that differ by at most one, larger ones first; empty ones are left out
std::vector<GainsBin> gains(const ScoredOutcomes &sorted, int32_t bins);

// Return the conversion rate of the best share of the records divided by that of all; NaN if none converted
double lift(const ScoredOutcomes &sorted, double share);

// What became of the records with one label
struct BandOutcomes
{
	std::string_view label;
	int64_t records;
	int64_t converted;
	double conversion_rate;
	double captured;
	double lift;
};

// Counts what became of records by their labels
class BandCapture
{
public:
	// Add a record
	void add(std::string_view label, bool outcome);

	// Return the bands by their conversion rate, the highest first, equals by the bytes of their labels
	std::vector<BandOutcomes> bands() const;

	int64_t
	records() const noexcept
	{
		return all_.records;
	}

	int64_t
	converted() const noexcept
	{
		return all_.converted;
	}

private:
	struct Count
	{
		int64_t records = 0;
		int64_t converted = 0;
	};

	struct Hash
	{
		using is_transparent = void;

		size_t
		operator()(std::string_view label) const noexcept
		{
			return std::hash<std::string_view>()(label);
		}
	};

	Count all_;
	std::unordered_map<std::string, Count, Hash, std::equal_to<>> counts_;
};

} // namespace lead_scoring::core
