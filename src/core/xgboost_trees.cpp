#include "core/xgboost_trees.hpp"

#include "core/fault.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

using Json = nlohmann::json;

// A tree as it is saved: by node, in no order but that the root is the first
struct SavedTree
{
	std::vector<double> left;       // child, or -1: a leaf
	std::vector<double> right;
	std::vector<double> column;
	std::vector<double> condition;  // lower bins go left; of a leaf its log-odds
	std::vector<double> missing_left;
	std::vector<double> weight;     // sum of p * (1 - p) over the rows that came here
};

[[noreturn]] void
raise_unknown_form(std::string_view what)
{
	throw ScoringError(Fault::library_failure, fmt::format("the model that XGBoost returns is of an unknown form: {}", what),
					   "Versions 1.7 to 3.x of XGBoost are known to work.");
}

const Json &
find_member(const Json &model, std::initializer_list<const char *> path)
{
	const Json *at = &model;

	for (const char *name : path)
	{
		if (!at->is_object() || !at->contains(name))
		{
			raise_unknown_form(fmt::format("no {}", name));
		}
		at = &(*at)[name];
	}
	return *at;
}

std::vector<double>
read_numbers(const Json &tree, const char *name, size_t length)
{
	const Json &array = find_member(tree, {name});
	std::vector<double> numbers;

	if (!array.is_array() || (length > 0 && array.size() != length))
	{
		raise_unknown_form(fmt::format("length of {}", name));
	}
	for (const Json &element : array)
	{
		if (!element.is_number() && !element.is_boolean())
		{
			raise_unknown_form(name);
		}
		numbers.push_back(element.is_boolean() ? static_cast<double>(element.get<bool>()) : element.get<double>());
	}
	return numbers;
}

SavedTree
read_saved_tree(const Json &json)
{
	SavedTree tree;

	tree.left = read_numbers(json, "left_children", 0);
	size_t nodes = tree.left.size();
	tree.right = read_numbers(json, "right_children", nodes);
	tree.column = read_numbers(json, "split_indices", nodes);
	tree.condition = read_numbers(json, "split_conditions", nodes);
	tree.missing_left = read_numbers(json, "default_left", nodes);
	tree.weight = read_numbers(json, "sum_hessian", nodes);
	return tree;
}

size_t
require_index(double index, size_t end, const char *what)
{
	if (!(index >= 0 && index < static_cast<double>(end)))
	{
		raise_unknown_form(what);
	}
	return static_cast<size_t>(index);
}

// Return the share of the rows at a split that went left, at six decimals
double
left_share(double left_weight, double right_weight)
{
	double share = left_weight / (left_weight + right_weight);
	double rounded = std::isfinite(share) ? std::round(share * 1e6) / 1e6 : 0.5;

	return std::clamp(rounded, least_tree_share, 1 - least_tree_share);
}

// Put the nodes of a tree into breadth-first order
Tree
order_nodes(const SavedTree &saved, std::span<const TreeColumn> columns)
{
	size_t nodes = saved.left.size();
	std::vector<size_t> order{require_index(0, nodes, "a tree without nodes")};
	Tree tree;

	for (size_t at = 0; at < order.size(); at++)
	{
		size_t node = order[at];
		if (saved.left[node] == -1)
		{
			tree.push_back({no_feature, false, saved.condition[node], 0});
			continue;
		}
		size_t left = require_index(saved.left[node], nodes, "left_children");
		size_t right = require_index(saved.right[node], nodes, "right_children");
		if (order.size() > nodes)
		{
			raise_unknown_form("a tree with a cycle");
		}
		order.push_back(left);
		order.push_back(right);
		const TreeColumn &column = columns[require_index(saved.column[node], columns.size(), "split_indices")];
		tree.push_back({column.feature, saved.missing_left[node] != 0, tree_threshold(column, saved.condition[node]),
						left_share(saved.weight[left], saved.weight[right])});
	}
	return tree;
}

} // namespace

std::vector<Tree>
read_xgboost_trees(std::string_view model, std::span<const TreeColumn> columns)
{
	std::vector<Tree> trees;
	Json json = Json::parse(model, nullptr, false);

	if (json.is_discarded())
	{
		raise_unknown_form("no JSON");
	}
	const Json &saved = find_member(json, {"learner", "gradient_booster", "model", "trees"});
	if (!saved.is_array())
	{
		raise_unknown_form("trees");
	}
	for (const Json &tree : saved)
	{
		trees.push_back(order_nodes(read_saved_tree(tree), columns));
	}
	return trees;
}

} // namespace lead_scoring::core
