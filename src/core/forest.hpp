// Boosted trees once trained: log-odds and what each feature adds to them, without the library that trained them.
//
// A category is looked up as a number, its smoothed conversion rate in training (see tree_columns.hpp), and compared like
// one. A category that training has not seen counts as the rate of all, which says nothing for or against.
#pragma once

#include "core/flat_tree.hpp"
#include "core/forest_json.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lead_scoring::core
{

inline constexpr size_t most_forest_features = 2000;
inline constexpr size_t most_trees = 10'000;
inline constexpr size_t most_forest_nodes = 4'000'000;
inline constexpr size_t most_tree_categories = 10'000'000;
// With more, the contributions would lose their ninth digit
inline constexpr uint32_t most_tree_depth = 16;
// Values are cut off here, infinite ones too; a threshold may lie above, and then only a missing value goes right
inline constexpr double largest_tree_value = 1e300;
inline constexpr double largest_tree_threshold = 1e301;
// Of a leaf and of the base, either way
inline constexpr double largest_tree_log_odds = 1e6;
// The least share of the training rows that a side of a split may have
inline constexpr double least_tree_share = 1e-6;

inline constexpr uint32_t no_feature = std::numeric_limits<uint32_t>::max();

// A node of a tree as it is made, written and read. The nodes of a tree are in breadth-first order: the children of the
// k-th that splits, from 0, are nodes 1 + 2k and 2 + 2k.
struct TreeNode
{
	uint32_t feature = no_feature; // or no_feature: a leaf
	bool missing_left = false;     // where a missing value goes
	double value = 0;              // split: lower values go left; leaf: its log-odds
	double left_share = 0;         // split: share of the training rows, by their weight, that went left
};

using Tree = std::vector<TreeNode>;

// What the trees see of a feature
struct TreeFeature
{
	bool categorical = false;
	std::vector<double> values; // categorical: by code
	double unseen = 0;          // categorical: of any other code

	// Return what the trees see of a value
	double
	seen(double value) const noexcept
	{
		if (categorical && !std::isnan(value))
		{
			bool known = value >= 0 && value < static_cast<double>(values.size());
			value = known ? values[static_cast<size_t>(value)] : unseen;
		}
		return std::clamp(value, -largest_tree_value, largest_tree_value);
	}
};

class Forest
{
public:
	// Says 0 to a row of no features
	Forest() = default;

	// Raise invalid_text if anything is out of its range
	Forest(double base, std::vector<TreeFeature> features, const std::vector<Tree> &trees);

	// Return the log-odds of a row, which has one value for each feature
	double log_odds(std::span<const double> row) const noexcept;

	// Say what each feature of a row adds to the log-odds; the last of out is the average over the training rows
	void contributions(std::span<const double> row, std::span<double> out) const;

	double
	base() const noexcept
	{
		return base_;
	}

	const std::vector<TreeFeature> &
	features() const noexcept
	{
		return features_;
	}

	size_t
	tree_count() const noexcept
	{
		return roots_.size();
	}

	// Return a tree as it was given
	Tree tree(size_t index) const;

private:
	void add_tree(const Tree &tree);
	void add_split(const TreeNode &node, uint32_t left);
	void add_leaf(double value);
	uint32_t place_of_feature(uint32_t feature);
	void fill_slots(std::span<const double> row, double *slots) const noexcept;

	double base_ = 0;
	std::vector<TreeFeature> features_;
	std::vector<uint32_t> used_;     // by place: a feature that occurs in a tree
	std::vector<uint32_t> places_;   // by feature: its place, or no_feature
	std::vector<FlatNode> nodes_;    // the first is a leaf of 0 that belongs to no tree
	std::vector<double> values_;     // by node: log-odds of a leaf, left_share of a split
	std::vector<uint32_t> roots_;    // by tree
	std::vector<uint32_t> depths_;   // by tree: steps to its deepest leaf
};

} // namespace lead_scoring::core
