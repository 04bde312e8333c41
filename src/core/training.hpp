// Trains a model: each learner is judged by rows that it has not seen, the better one is calibrated and then trained on all.
//
// The rows of a fold are predicted by a learner that was trained on the other folds. These predictions, out of fold, are
// what the learners are compared by, what the calibration is fitted to and what every number of quality should come from.
#pragma once

#include "core/boosting.hpp"
#include "core/dataset.hpp"
#include "core/fault.hpp"
#include "core/model.hpp"
#include "core/scorecard.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lead_scoring::core
{

enum class Learner
{
	scorecard,
	boosted_trees,
};

inline constexpr uint32_t most_folds = 100;

// Kept of what a model gives those that it was trained on
inline constexpr size_t most_likelihoods = 1000;

// Of a categorical feature; the rarer ones are merged: to the model they are as good as unseen
inline constexpr size_t most_known_categories = 1000;

struct TrainingSettings
{
	std::vector<Learner> learners = {Learner::scorecard, Learner::boosted_trees};
	ScorecardSettings scorecard = {};
	ForestSettings forest = {}; // its seed is that of the training
	uint64_t min_converted = 25;
	uint64_t min_unconverted = 25;
	double scorecard_margin = 0.005; // boosted trees must have an AUC higher by this: a scorecard explains itself
	double leakage_auc = 0.9;        // a feature that alone separates the outcomes so well is warned of
};

// How well a learner predicted rows that it had not seen
struct LearnerQuality
{
	Learner learner;
	double auc;
};

struct Training
{
	Model model;
	Learner learner;                       // the one that was chosen
	std::vector<LearnerQuality> qualities; // of each that was asked for
	std::vector<double> probabilities;     // by row: calibrated, out of fold
	std::vector<double> fitted;            // by row: what the model itself predicts, which was trained on it
	std::vector<double> importance;        // by feature: mean absolute contribution to the log-odds
	std::vector<std::string> warnings;
};

// Long work tells how far it is: what it does, and the share of all that is done, 0 .. 1
using Progress = void (*)(const char *phase, double share) noexcept;

// "scorecard" or "boosted_trees"
const char *learner_name(Learner learner) noexcept;

// Raise unless there are enough rows of both outcomes; the error names both counts
void check_outcomes(uint64_t converted, uint64_t unconverted, uint64_t min_converted, uint64_t min_unconverted);

// How many records there are to learn from, and of how many these have been drawn
struct SampleCounts
{
	uint64_t converted;
	uint64_t unconverted;
	uint64_t seen_converted;
	uint64_t seen_unconverted;
};

// The same of records that may be a sample of more: the error tells whether it is drawing them that leaves too few
void check_sample(const SampleCounts &counts, uint64_t min_converted, uint64_t min_unconverted);

// Return what stands for the likelihoods of many: all of them, or most_likelihoods evenly by rank; in ascending order
std::vector<double> sample_likelihoods(std::vector<double> probabilities, Poll cancelled);

// Train a model. Deterministic; takes the data, so move it where it is large
Training train(Dataset data, const TrainingSettings &settings, Poll cancelled, Progress progress);

} // namespace lead_scoring::core
