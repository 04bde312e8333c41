// Training of boosted trees, by XGBoost (Chen, Guestrin, "XGBoost: A Scalable Tree Boosting System", 2016).
//
// Deterministic for the same rows, settings and number of threads. With one thread XGBoost starts none; those that it does
// start have all signals blocked, so the program's handlers run where they always do. Memory: about 25 bytes for each value
// of the rows beside the dataset, until the training ends.
#pragma once

#include "core/dataset.hpp"
#include "core/fault.hpp"
#include "core/forest.hpp"

#include <cstdint>
#include <span>

namespace lead_scoring::core
{

// How trees are trained
struct ForestSettings
{
	uint32_t trees = 200;
	uint32_t depth = 6;            // steps to the deepest leaf
	double learning_rate = 0.05;   // share of its best step that a tree takes
	double subsample = 0.8;        // share of the rows that a tree is shown
	double column_share = 0.8;     // share of the columns that a tree is shown
	double min_child_weight = 5;   // least sum of p * (1 - p) over the rows of a leaf
	double penalty = 5;            // half of it times a leaf's squared log-odds is added to the loss
	uint32_t bins = 256;           // of a column
	double smoothing = 20;         // rows of the average kind that each category is given
	uint32_t threads = 1;
	uint64_t seed = 1;
};

// Train trees on some rows. Raises invalid_parameter for settings or rows that make no sense, missing_library without
// XGBoost, library_failure if that reports an error, cancelled if asked to stop, which it asks after each tree
Forest fit_forest(const Dataset &data, std::span<const uint32_t> rows, const ForestSettings &settings, Poll cancelled);

} // namespace lead_scoring::core
