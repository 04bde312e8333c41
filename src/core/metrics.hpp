// How good scores and predictions are, in one number: AUC, average precision, log loss, Brier score.
//
// outcomes[i] is not 0 if record i converted; it belongs to scores[i]. A number that is not defined is NaN. All raise for
// a score that is not finite, a probability outside 0..1 and lists of different lengths. What looks at a ranking in more
// detail is in gains.hpp, threshold.hpp and calibration.hpp.
#pragma once

#include "core/fault.hpp"
#include "core/scored_outcomes.hpp"

#include <cstdint>
#include <span>

namespace lead_scoring::core
{

// Probability that a record that converted has a higher score than one that did not, ties counting one half; NaN unless
// there are both. Hanley, McNeil, Radiology 143, 1982, pages 29 to 36
double auc(std::span<const double> scores, std::span<const uint8_t> outcomes, Poll cancelled = nullptr);
double auc(const ScoredOutcomes &sorted);

// Sum over the distinct scores, from the highest, of (increase of recall) * (precision so far); NaN if none converted
double average_precision(std::span<const double> scores, std::span<const uint8_t> outcomes, Poll cancelled = nullptr);
double average_precision(const ScoredOutcomes &sorted);

// Mean of -ln(probability of what happened), which counts as at least 1e-15; NaN of nothing
double log_loss(std::span<const double> probabilities, std::span<const uint8_t> outcomes);

// Mean of (probability - outcome)^2; NaN of nothing
double brier(std::span<const double> probabilities, std::span<const uint8_t> outcomes);

} // namespace lead_scoring::core
