// A scorecard: logistic regression over bins. Each feature says by its bin how much it adds to the log-odds.
//
// Numbers fall into bins of about equally many rows, categories have a bin each, rare ones share one, and missing values
// have a bin of their own. The points of a feature are centred: over the rows of the training they average 0. So the base
// is the log-odds of an average record, points above 0 speak for a conversion, and a value that training has not seen
// gives 0.
#pragma once

#include "core/dataset.hpp"
#include "core/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lead_scoring::core
{

inline constexpr size_t most_scorecard_features = 1000;
inline constexpr size_t most_scorecard_bins = 1002; // of a feature

// How a scorecard is made
struct ScorecardSettings
{
	uint32_t bins = 10;            // of a number, besides that of missing values
	uint32_t min_rows = 20;        // of a bin; rarer categories share one
	uint32_t most_categories = 50; // with a bin of their own; the rarer ones share one
	uint32_t most_bins = 2000;     // of all features together; with many features, each has fewer, but at least two and two more
	double penalty = 3;            // L2: half of it times the sum of squares is added to the negative log-likelihood
};

// Values that are treated alike
struct ScorecardBin
{
	double points = 0;      // what the feature adds to the log-odds
	uint64_t rows = 0;      // of the training
	uint64_t converted = 0; // of these
};

// A feature of a scorecard
struct ScorecardFeature
{
	static constexpr uint32_t no_bin = UINT32_MAX;

	bool categorical = false;
	std::vector<double> lower_bounds;  // numbers: ascending, bin b + 1 begins at lower_bounds[b]
	std::vector<uint32_t> bin_of_code; // categories: by code, no_bin for one that was not in the training
	std::vector<ScorecardBin> bins;    // the last is that of missing values

	// Find the bin of a value, or no_bin
	uint32_t bin_of(double value) const noexcept;

	// Return what a value adds to the log-odds
	double points_of(double value) const noexcept;
};

struct Scorecard
{
	double base = 0; // log-odds of an average record
	std::vector<ScorecardFeature> features;

	// Return the log-odds of a row, whose values are in the order of the features
	double log_odds(std::span<const double> row) const noexcept;

	// Return what each feature adds to the log-odds and, last, the base
	void contributions(std::span<const double> row, std::span<double> out) const noexcept;
};

// Train a scorecard on some rows; deterministic
Scorecard fit_scorecard(const Dataset &data, std::span<const uint32_t> rows, const ScorecardSettings &settings, Poll cancelled);

} // namespace lead_scoring::core
