// Trees and rows made at random, and what they say, worked out slowly.
#pragma once

#include "core/forest.hpp"
#include "support.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace lead_scoring::core::test
{

struct RandomForest
{
	double base;
	std::vector<TreeFeature> features;
	std::vector<Tree> trees;
};

// Make trees of at most a depth over features of which every third is a category
RandomForest random_forest(Random &random, size_t trees, size_t features, uint32_t depth);

// Make a row with missing, infinite and unseen values among the others
std::vector<double> random_row(Random &random, const std::vector<TreeFeature> &features);

// Return the children of a node in breadth-first order
uint32_t left_child(const Tree &tree, uint32_t node);

// Return where a row goes at a split, node by node as the definition says
bool goes_left(const RandomForest &forest, const TreeNode &node, const std::vector<double> &row);

double naive_log_odds(const RandomForest &forest, const std::vector<double> &row);

// Return the contributions by their definition, over all subsets of the features, and the average
std::vector<double> naive_contributions(const RandomForest &forest, const std::vector<double> &row);

} // namespace lead_scoring::core::test
