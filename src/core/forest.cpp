#include "core/forest.hpp"

#include "core/fault.hpp"
#include "core/forest_contributions.hpp"
#include "core/json_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Enough that the processor always has a node to compare while others are on their way from the cache
constexpr size_t walked_in_step = 16;

using Slots = std::array<double, 1 + 2 * most_forest_features>;

void
require_within(double value, double limit, const char *what)
{
	// Not what is out of range: NaN is neither
	if (!(std::abs(value) <= limit))
	{
		refuse_model(fmt::format("{} {} is out of range", what, value));
	}
}

void
require_valid_features(const std::vector<TreeFeature> &features)
{
	size_t categories = 0;

	if (features.size() > most_forest_features)
	{
		throw ScoringError(Fault::limit_exceeded,
						   fmt::format("{} features are too many for trees, which take at most {}", features.size(), most_forest_features));
	}
	for (const TreeFeature &feature : features)
	{
		categories += feature.values.size();
		require_within(feature.unseen, largest_tree_value, "unseen category");
		for (double value : feature.values)
		{
			require_within(value, largest_tree_value, "category");
		}
	}
	if (categories > most_tree_categories)
	{
		throw ScoringError(Fault::limit_exceeded, fmt::format("trees take at most {} categories", most_tree_categories));
	}
}

void
require_valid_node(const TreeNode &node, size_t features)
{
	if (node.feature == no_feature)
	{
		require_within(node.value, largest_tree_log_odds, "leaf");
		return;
	}
	if (node.feature >= features)
	{
		refuse_model(fmt::format("feature {} of {}", node.feature, features));
	}
	require_within(node.value, largest_tree_threshold, "threshold");
	if (!(node.left_share >= least_tree_share && node.left_share <= 1 - least_tree_share))
	{
		refuse_model(fmt::format("share {} is out of range", node.left_share));
	}
}

// Raise unless the nodes are one tree, that is, each but the first is the child of an earlier one
void
require_valid_tree(const Tree &tree, size_t features)
{
	size_t known = 1;

	for (size_t at = 0; at < tree.size(); at++)
	{
		if (at >= known)
		{
			refuse_model("a node that is no child");
		}
		require_valid_node(tree[at], features);
		known += tree[at].feature == no_feature ? 0 : 2;
	}
	if (known != tree.size())
	{
		refuse_model("a node without its children");
	}
}

// Return the steps to the deepest leaf of a valid tree
uint32_t
depth_of(const Tree &tree)
{
	uint32_t depth = 0;
	size_t level_end = 1;
	size_t known = 1;

	for (size_t at = 0; at < tree.size(); at++)
	{
		if (at == level_end)
		{
			level_end = known;
			depth++;
		}
		known += tree[at].feature == no_feature ? 0 : 2;
	}
	return depth;
}

} // namespace

Forest::Forest(double base, std::vector<TreeFeature> features, const std::vector<Tree> &trees)
	: base_(base), features_(std::move(features))
{
	size_t nodes = 1;

	require_within(base, largest_tree_log_odds, "base");
	require_valid_features(features_);
	for (const Tree &tree : trees)
	{
		nodes += tree.size();
	}
	if (trees.size() > most_trees || nodes > most_forest_nodes)
	{
		throw ScoringError(Fault::limit_exceeded, fmt::format("more than {} trees or {} nodes", most_trees, most_forest_nodes));
	}
	places_.assign(features_.size(), no_feature);
	nodes_.reserve(nodes);
	values_.reserve(nodes);
	add_leaf(0);
	for (const Tree &tree : trees)
	{
		require_valid_tree(tree, features_.size());
		add_tree(tree);
	}
}

void
Forest::add_tree(const Tree &tree)
{
	uint32_t root = static_cast<uint32_t>(nodes_.size());
	uint32_t next = root + 1;
	uint32_t depth = depth_of(tree);

	if (depth > most_tree_depth)
	{
		refuse_model(fmt::format("depth {} of a tree is more than {}", depth, most_tree_depth));
	}
	for (const TreeNode &node : tree)
	{
		if (node.feature == no_feature)
		{
			add_leaf(node.value);
			continue;
		}
		add_split(node, next);
		next += 2;
	}
	roots_.push_back(root);
	depths_.push_back(depth);
}

void
Forest::add_leaf(double value)
{
	nodes_.push_back({HUGE_VAL, static_cast<uint32_t>(nodes_.size()), 0});
	values_.push_back(value);
}

void
Forest::add_split(const TreeNode &node, uint32_t left)
{
	nodes_.push_back({node.value, left, slot_of(place_of_feature(node.feature), node.missing_left)});
	values_.push_back(node.left_share);
}

uint32_t
Forest::place_of_feature(uint32_t feature)
{
	if (places_[feature] == no_feature)
	{
		places_[feature] = static_cast<uint32_t>(used_.size());
		used_.push_back(feature);
	}
	return places_[feature];
}

Tree
Forest::tree(size_t index) const
{
	size_t root = roots_[index];
	size_t end = index + 1 < roots_.size() ? roots_[index + 1] : nodes_.size();
	Tree tree;

	tree.reserve(end - root);
	for (size_t at = root; at < end; at++)
	{
		const FlatNode &node = nodes_[at];
		if (node.left == at)
		{
			tree.push_back({no_feature, false, values_[at], 0});
			continue;
		}
		uint32_t place = place_of(node.slot);
		tree.push_back({used_[place], node.slot == slot_of(place, true), node.threshold, values_[at]});
	}
	return tree;
}

// Lay out the values of a row for the walk
void
Forest::fill_slots(std::span<const double> row, double *slots) const noexcept
{
	slots[0] = 0;
	for (uint32_t place = 0; place < used_.size(); place++)
	{
		double value = features_[used_[place]].seen(row[used_[place]]);
		bool missing = std::isnan(value);
		slots[slot_of(place, true)] = missing ? -HUGE_VAL : value;
		slots[slot_of(place, false)] = missing ? HUGE_VAL : value;
	}
}

double
Forest::log_odds(std::span<const double> row) const noexcept
{
	Slots slots;
	double sum = base_;

	fill_slots(row, slots.data());
	for (size_t first = 0; first < roots_.size(); first += walked_in_step)
	{
		size_t count = std::min(walked_in_step, roots_.size() - first);
		std::array<uint32_t, walked_in_step> at{};
		std::copy_n(roots_.begin() + static_cast<std::ptrdiff_t>(first), count, at.begin());
		uint32_t depth = *std::max_element(depths_.begin() + static_cast<std::ptrdiff_t>(first),
										   depths_.begin() + static_cast<std::ptrdiff_t>(first + count));
		for (uint32_t step = 0; step < depth; step++)
		{
			for (uint32_t &node : at)
			{
				node = next_node(nodes_[node], slots.data());
			}
		}
		for (uint32_t leaf : at)
		{
			sum += values_[leaf];
		}
	}
	return sum;
}

void
Forest::contributions(std::span<const double> row, std::span<double> out) const
{
	Slots slots;
	std::vector<double> by_place(used_.size());
	double average = base_;

	fill_slots(row, slots.data());
	uint32_t depth = depths_.empty() ? 0 : *std::max_element(depths_.begin(), depths_.end());
	TreeContributions trees(nodes_.data(), values_.data(), slots.data(), depth);
	for (uint32_t root : roots_)
	{
		average += trees.add_tree(root, by_place);
	}
	std::fill(out.begin(), out.end(), 0.0);
	for (size_t place = 0; place < used_.size(); place++)
	{
		out[used_[place]] = by_place[place];
	}
	out[features_.size()] = average;
}

} // namespace lead_scoring::core
