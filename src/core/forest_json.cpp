#include "core/forest_json.hpp"

#include "core/forest.hpp"
#include "core/json_reading.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

using Json = nlohmann::json;

Json
feature_json(const TreeFeature &feature)
{
	if (!feature.categorical)
	{
		return nullptr;
	}
	return {{"values", feature.values}, {"unseen", feature.unseen}};
}

TreeFeature
feature_from_json(const Json &json)
{
	if (json.is_null())
	{
		return {};
	}
	return {true, json_numbers(json, "values", most_tree_categories), json_number(json, "unseen")};
}

Json
tree_json(const Tree &tree)
{
	Json feature = Json::array();
	Json missing_left = Json::array();
	Json value = Json::array();
	Json left_share = Json::array();

	for (const TreeNode &node : tree)
	{
		feature.push_back(node.feature == no_feature ? int64_t{-1} : int64_t{node.feature});
		missing_left.push_back(node.missing_left ? 1u : 0u);
		value.push_back(node.value);
		left_share.push_back(node.left_share);
	}
	return {{"feature", std::move(feature)},
			{"missing_left", std::move(missing_left)},
			{"value", std::move(value)},
			{"left_share", std::move(left_share)}};
}

// Return a feature from its number, or that it is a leaf from -1
uint32_t
feature_from_number(double number)
{
	if (number == -1)
	{
		return no_feature;
	}
	if (!(number >= 0 && number < most_forest_features && number == std::floor(number)))
	{
		refuse_model(fmt::format("{} is no feature of a tree", number));
	}
	return static_cast<uint32_t>(number);
}

Tree
tree_from_json(const Json &json)
{
	std::vector<double> feature = json_numbers(json, "feature", most_forest_nodes);
	std::vector<uint32_t> missing_left = json_counts(json, "missing_left", most_forest_nodes, 1);
	std::vector<double> value = json_numbers(json, "value", most_forest_nodes);
	std::vector<double> left_share = json_numbers(json, "left_share", most_forest_nodes);
	Tree tree;

	if (missing_left.size() != feature.size() || value.size() != feature.size() || left_share.size() != feature.size())
	{
		refuse_model("the arrays of a tree differ in length");
	}
	tree.reserve(feature.size());
	for (size_t at = 0; at < feature.size(); at++)
	{
		tree.push_back({feature_from_number(feature[at]), missing_left[at] != 0, value[at], left_share[at]});
	}
	return tree;
}

} // namespace

nlohmann::json
forest_json(const Forest &forest)
{
	Json features = Json::array();
	Json trees = Json::array();

	for (const TreeFeature &feature : forest.features())
	{
		features.push_back(feature_json(feature));
	}
	for (size_t at = 0; at < forest.tree_count(); at++)
	{
		trees.push_back(tree_json(forest.tree(at)));
	}
	return {{"base", forest.base()}, {"features", std::move(features)}, {"trees", std::move(trees)}};
}

Forest
forest_from_json(const nlohmann::json &json, size_t features)
{
	std::vector<TreeFeature> seen;
	std::vector<Tree> trees;

	for (const Json &feature : json_array(json, "features", most_forest_features))
	{
		seen.push_back(feature_from_json(feature));
	}
	if (seen.size() != features)
	{
		refuse_model(fmt::format("trees over {} features instead of {}", seen.size(), features));
	}
	for (const Json &tree : json_array(json, "trees", most_trees))
	{
		trees.push_back(tree_from_json(tree));
	}
	return {json_number(json, "base"), std::move(seen), trees};
}

} // namespace lead_scoring::core
