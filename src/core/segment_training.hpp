// Trains a model, and models of their own for segments of the records that it does not do justice to.
#pragma once

#include "core/training.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lead_scoring::core
{

// How the records of a segment are predicted, all by learners that have not seen them
struct SegmentQuality
{
	std::string segment;
	uint64_t samples;
	uint64_t converted;
	double auc;              // of a model of their own
	double overall_auc;      // of the model of all
	double log_loss;         // the same two
	double overall_log_loss;
	bool own_model;          // whether theirs is the better one: by the log loss, and by more than chance explains
};

struct SegmentedTraining
{
	Training training; // with the segments in its model, and their predictions among the probabilities
	std::vector<SegmentQuality> segments; // those with enough records of both outcomes, the largest first
};

// Train a model of the data, whose last column, of categories, is not a feature but the segment of a row
SegmentedTraining train_segmented(Dataset data, const TrainingSettings &settings, Poll cancelled, Progress progress);

} // namespace lead_scoring::core
