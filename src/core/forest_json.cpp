#include "core/forest_json.hpp"

#include "core/fault.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
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

[[noreturn]] void
raise_invalid(const std::string &what)
{
	throw ScoringError(Fault::invalid_text, fmt::format("invalid trees: {}", what));
}

// Return a member of an object, which has to be there
const Json &
member(const Json &object, const char *name)
{
	if (!object.is_object())
	{
		raise_invalid(fmt::format("no object where \"{}\" should be", name));
	}
	auto found = object.find(name);
	if (found == object.end())
	{
		raise_invalid(fmt::format("\"{}\" is missing", name));
	}
	return *found;
}

const Json &
array_member(const Json &object, const char *name, size_t most)
{
	const Json &array = member(object, name);

	if (!array.is_array())
	{
		raise_invalid(fmt::format("\"{}\" is no array", name));
	}
	if (array.size() > most)
	{
		throw ScoringError(Fault::limit_exceeded, fmt::format("invalid trees: more than {} elements in \"{}\"", most, name));
	}
	return array;
}

double
number(const Json &json, const char *name)
{
	if (!json.is_number())
	{
		raise_invalid(fmt::format("\"{}\" is no number", name));
	}
	return json.get<double>();
}

// Return an integer of -1 or more
int64_t
index_or_none(const Json &json, const char *name)
{
	bool fits = json.is_number_unsigned() ? json.get<uint64_t>() <= INT32_MAX : json.is_number_integer() && json.get<int64_t>() == -1;

	if (!fits)
	{
		raise_invalid(fmt::format("\"{}\" is no index", name));
	}
	return json.get<int64_t>();
}

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
	TreeFeature feature;

	if (json.is_null())
	{
		return feature;
	}
	feature.categorical = true;
	const Json &values = array_member(json, "values", most_tree_categories);
	feature.values.reserve(values.size());
	for (const Json &value : values)
	{
		feature.values.push_back(number(value, "values"));
	}
	feature.unseen = number(member(json, "unseen"), "unseen");
	return feature;
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
		missing_left.push_back(node.missing_left ? 1 : 0);
		value.push_back(node.value);
		left_share.push_back(node.left_share);
	}
	return {{"feature", std::move(feature)},
			{"missing_left", std::move(missing_left)},
			{"value", std::move(value)},
			{"left_share", std::move(left_share)}};
}

Tree
tree_from_json(const Json &json)
{
	const Json &feature = array_member(json, "feature", most_forest_nodes);
	const Json &missing_left = array_member(json, "missing_left", most_forest_nodes);
	const Json &value = array_member(json, "value", most_forest_nodes);
	const Json &left_share = array_member(json, "left_share", most_forest_nodes);
	Tree tree;

	if (missing_left.size() != feature.size() || value.size() != feature.size() || left_share.size() != feature.size())
	{
		raise_invalid("the arrays of a tree differ in length");
	}
	tree.reserve(feature.size());
	for (size_t at = 0; at < feature.size(); at++)
	{
		int64_t index = index_or_none(feature[at], "feature");
		tree.push_back({index < 0 ? no_feature : static_cast<uint32_t>(index), number(missing_left[at], "missing_left") != 0,
						number(value[at], "value"), number(left_share[at], "left_share")});
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

	for (const Json &feature : array_member(json, "features", most_forest_features))
	{
		seen.push_back(feature_from_json(feature));
	}
	if (seen.size() != features)
	{
		raise_invalid(fmt::format("{} features instead of {}", seen.size(), features));
	}
	for (const Json &tree : array_member(json, "trees", most_trees))
	{
		trees.push_back(tree_from_json(tree));
	}
	return {number(member(json, "base"), "base"), std::move(seen), trees};
}

} // namespace lead_scoring::core
