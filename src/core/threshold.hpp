// What a threshold makes of scores, and which threshold to use: records whose score reaches it are selected.
#pragma once

#include "core/scored_outcomes.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace lead_scoring::core
{

// Selected and not, converted and not; what is not defined is NaN
struct Confusion
{
	int64_t true_positives = 0;  // selected, and converted
	int64_t false_positives = 0; // selected, did not convert
	int64_t true_negatives = 0;
	int64_t false_negatives = 0; // missed

	int64_t records() const noexcept;
	int64_t selected() const noexcept;
	int64_t converted() const noexcept;

	double accuracy() const noexcept;
	double precision() const noexcept; // conversion rate of the selected
	double recall() const noexcept;    // share of those that converted which is selected
	double f1() const noexcept;        // harmonic mean of precision and recall
	double false_positive_rate() const noexcept;
	double false_negative_rate() const noexcept;
	double conversion_rate() const noexcept; // of all
	double share() const noexcept;           // of the records, selected
	double youden() const noexcept;          // recall - false positive rate; Youden, Cancer 3, 1950, pages 32 to 35
	double lift() const noexcept;            // precision / conversion rate
};

// Count what a threshold selects; the scores need no order
Confusion confusion(const ScoredOutcomes &scored, double threshold);

enum class ThresholdMethod
{
	f1,       // highest F1
	youden,   // highest Youden index
	lift,     // as far down as each tenth of the records converts at least as well as all
	capacity, // as many records as one can take care of
};

// Return the method of this name; raises for others
ThresholdMethod threshold_method(std::string_view name);

// Return the threshold that a method recommends, one of the scores, which must be sorted; of equally good ones the highest.
// Nothing where the method is undefined: no record converted, for youden none did not either, for lift already the best
// tenth is below the average. Where more than capacity records share the highest score, it is that score.
std::optional<double> recommend_threshold(const ScoredOutcomes &sorted, ThresholdMethod method, int64_t capacity);

} // namespace lead_scoring::core
