// The mean of what predictions cost: log loss and Brier score.
//
// The costs are summed exactly, so that neither their order nor any way of splitting them between workers changes a digit.
#pragma once

#include "core/exact_sum.hpp"

#include <cstdint>

namespace lead_scoring::core
{

// The probability of what happened counts as at least this, so that a prediction of 0 or 1 that was wrong costs 34.54
inline constexpr double least_probability = 1e-15;

// Cost of a prediction: -ln(probability of what happened); raises for a probability outside 0..1
double log_loss_of(double probability, bool outcome);

// Cost of a prediction: (probability - outcome)^2; raises for a probability outside 0..1. Brier 1950, equation 2, of which
// this is one half, as usual for two classes
double brier_of(double probability, bool outcome);

// Raise unless a number is a probability
void require_probability(double probability);

// The mean of costs under way; plain memory, in which aggregates keep their state
struct MeanLoss
{
	int64_t count = 0;
	ExactSum sum;

	void add(double loss);
	void add(const MeanLoss &other);

	// Return the mean, NaN of nothing
	double mean() const noexcept;
};

// Raise unless this can be the mean of costs, whatever bytes it came from
void require_valid_mean_loss(const MeanLoss &loss);

} // namespace lead_scoring::core
