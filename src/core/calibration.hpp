// Whether predicted probabilities come true: of the records predicted about 20 %, do 20 % convert?
//
// Records of one probability are alike: where a border between bins falls among them, each side gets the same rate of
// converted ones, so that no order in which ties were given changes a digit.
#pragma once

#include "core/scored_outcomes.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lead_scoring::core
{

// How probabilities are put into bins
enum class Binning
{
	equal_count, // as many records in each: bins that are all measured equally well, wherever the probabilities are
	equal_width, // bin i of n has those from (i - 1) / n on, below i / n; 1 is in the last
};

// Records of similar probabilities
struct CalibrationBin
{
	int32_t number; // from 1, the lowest probabilities
	int64_t records;
	double lowest;
	double highest;
	double predicted; // mean of the probabilities
	double observed;  // share that converted
};

inline constexpr int32_t calibration_bins = 10;

// Return the binning of this name; raises for others
Binning binning_of(std::string_view name);

// Put records into bins; empty ones are left out. Raises for probabilities outside 0..1
std::vector<CalibrationBin> calibration(const ScoredOutcomes &sorted, int32_t bins, Binning binning);

// Return the mean over all records of |predicted - observed| of their bins, NaN of nothing. With bins of equal width it is
// ECE of Naeini, Cooper, Hauskrecht, AAAI 2015, pages 2901 to 2907; of equal count,
// Nguyen, O'Connor, EMNLP 2015, pages 1587 to 1598
double calibration_error(std::span<const CalibrationBin> bins) noexcept;
double calibration_error(std::span<const double> probabilities, std::span<const uint8_t> outcomes,
						 int32_t bins = calibration_bins, Binning binning = Binning::equal_count, Poll cancelled = nullptr);

} // namespace lead_scoring::core
