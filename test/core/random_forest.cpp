#include "random_forest.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace lead_scoring::core::test
{

namespace
{

double
uniform(Random &random, double low, double high)
{
	return low + random.share() * (high - low);
}

Tree
random_tree(Random &random, size_t features, uint32_t depth)
{
	Tree tree;
	std::vector<uint32_t> depths{0};

	for (size_t at = 0; at < depths.size(); at++)
	{
		bool leaf = depths[at] == depth || random.one_in(8);
		if (leaf)
		{
			tree.push_back({no_feature, false, uniform(random, -1, 1), 0});
			continue;
		}
		double threshold = random.one_in(20) ? largest_tree_threshold : std::round(uniform(random, -4, 4)) / 2;
		double share = random.one_in(4) ? least_tree_share : uniform(random, 0.01, 0.99);
		tree.push_back({static_cast<uint32_t>(random.below(features)), random.one_in(2), threshold, share});
		depths.insert(depths.end(), 2, depths[at] + 1);
	}
	return tree;
}

// Return what a tree says if only the features in a set are known
double
expected_value(const RandomForest &forest, const Tree &tree, uint32_t node, const std::vector<double> &row, uint64_t known)
{
	const TreeNode &split = tree[node];

	if (split.feature == no_feature)
	{
		return split.value;
	}
	uint32_t left = left_child(tree, node);
	if ((known >> split.feature & 1) != 0)
	{
		return expected_value(forest, tree, goes_left(forest, split, row) ? left : left + 1, row, known);
	}
	return split.left_share * expected_value(forest, tree, left, row, known) +
		   (1 - split.left_share) * expected_value(forest, tree, left + 1, row, known);
}

} // namespace

RandomForest
random_forest(Random &random, size_t trees, size_t features, uint32_t depth)
{
	RandomForest forest{uniform(random, -2, 2), {}, {}};

	for (size_t at = 0; at < features; at++)
	{
		TreeFeature feature;
		feature.categorical = at % 3 == 2;
		for (size_t code = 0; feature.categorical && code < 5; code++)
		{
			feature.values.push_back(uniform(random, -2, 2));
		}
		forest.features.push_back(feature);
	}
	for (size_t at = 0; at < trees; at++)
	{
		forest.trees.push_back(random_tree(random, features, depth));
	}
	return forest;
}

std::vector<double>
random_row(Random &random, const std::vector<TreeFeature> &features)
{
	constexpr double strange[] = {not_a_number, infinity, -infinity, 1e305, -0.0, 0.5};
	std::vector<double> row;

	for (const TreeFeature &feature : features)
	{
		double usual = feature.categorical ? static_cast<double>(random.below(8)) - 1 : uniform(random, -3, 3);
		row.push_back(random.one_in(4) ? random.one_of(strange) : usual);
	}
	return row;
}

uint32_t
left_child(const Tree &tree, uint32_t node)
{
	auto splits = std::count_if(tree.begin(), tree.begin() + node, [](const TreeNode &other) { return other.feature != no_feature; });

	return 1 + 2 * static_cast<uint32_t>(splits);
}

bool
goes_left(const RandomForest &forest, const TreeNode &node, const std::vector<double> &row)
{
	const TreeFeature &feature = forest.features[node.feature];
	double value = row[node.feature];

	if (std::isnan(value))
	{
		return node.missing_left;
	}
	if (feature.categorical)
	{
		value = value >= 0 && value < static_cast<double>(feature.values.size()) ? feature.values.at(static_cast<size_t>(value)) : feature.unseen;
	}
	return std::min(value, 1e300) < node.value;
}

double
naive_log_odds(const RandomForest &forest, const std::vector<double> &row)
{
	double sum = forest.base;

	for (const Tree &tree : forest.trees)
	{
		uint32_t node = 0;
		while (tree[node].feature != no_feature)
		{
			node = left_child(tree, node) + (goes_left(forest, tree[node], row) ? 0 : 1);
		}
		sum += tree[node].value;
	}
	return sum;
}

std::vector<double>
naive_contributions(const RandomForest &forest, const std::vector<double> &row)
{
	size_t features = forest.features.size();
	std::vector<double> by_set;

	for (uint64_t known = 0; known < uint64_t{1} << features; known++)
	{
		double sum = forest.base;
		for (const Tree &tree : forest.trees)
		{
			sum += expected_value(forest, tree, 0, row, known);
		}
		by_set.push_back(sum);
	}
	std::vector<double> out(features + 1);
	for (size_t feature = 0; feature < features; feature++)
	{
		for (uint64_t known = 0; known < by_set.size(); known++)
		{
			if ((known >> feature & 1) == 0)
			{
				auto size = static_cast<double>(std::popcount(known));
				double weight = std::exp(std::lgamma(size + 1) + std::lgamma(static_cast<double>(features) - size) - std::lgamma(static_cast<double>(features) + 1));
				out[feature] += weight * (by_set[known | uint64_t{1} << feature] - by_set[known]);
			}
		}
	}
	out[features] = by_set[0];
	return out;
}

} // namespace lead_scoring::core::test
