#include "core/boosting.hpp"

#include "core/booster.hpp"
#include "core/tree_columns.hpp"
#include "core/xgboost_trees.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

void
require_within(double value, double low, double high, const char *name)
{
	if (!(value >= low && value <= high))
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("{} {} is out of range", name, value),
						   fmt::format("It must be within {} and {}.", low, high));
	}
}

void
require_valid(const ForestSettings &settings)
{
	require_within(settings.trees, 1, most_trees, "trees");
	require_within(settings.depth, 1, most_tree_depth, "depth");
	require_within(settings.learning_rate, 1e-4, 1, "learning_rate");
	require_within(settings.subsample, 0.01, 1, "subsample");
	require_within(settings.column_share, 0.01, 1, "column_share");
	require_within(settings.min_child_weight, 0, 1e9, "min_child_weight");
	require_within(settings.penalty, 0, 1e9, "penalty");
	require_within(settings.bins, 2, 65536, "bins");
	require_within(settings.smoothing, 1e-3, 1e9, "smoothing");
	require_within(settings.threads, 1, 1024, "threads");
}

std::vector<float>
labels_of(const Dataset &data, std::span<const uint32_t> rows)
{
	std::vector<float> labels;

	labels.reserve(rows.size());
	for (uint32_t row : rows)
	{
		labels.push_back(data.outcome[row] != 0 ? 1 : 0);
	}
	return labels;
}

// Return the log-odds of all rows together, half a row of each kind added so that they are finite
float
base_of(std::span<const float> labels)
{
	double converted = 0.5;

	for (float label : labels)
	{
		converted += static_cast<double>(label);
	}
	return static_cast<float>(std::log(converted / (static_cast<double>(labels.size()) + 1 - converted)));
}

// With nothing that holds them back, trees answer rows of one outcome by log-odds that grow without end
void
require_settled(const std::vector<Tree> &trees, const ForestSettings &settings)
{
	for (const Tree &tree : trees)
	{
		for (const TreeNode &node : tree)
		{
			if (node.feature == no_feature && !(std::fabs(node.value) <= largest_tree_log_odds))
			{
				throw ScoringError(Fault::invalid_parameter,
								   fmt::format("boosted trees do not settle with learning_rate {}, lambda {} and min_child_weight {}: a "
											   "leaf comes to {}",
											   settings.learning_rate, settings.penalty, settings.min_child_weight, node.value),
								   "Use a lambda above 0, or a larger min_child_weight; 5 is the default of both.");
			}
		}
	}
}

} // namespace

Forest
fit_forest(const Dataset &data, std::span<const uint32_t> rows, const ForestSettings &settings, Poll cancelled)
{
	require_valid(settings);
	if (rows.empty())
	{
		throw ScoringError(Fault::invalid_parameter, "no rows to train boosted trees on");
	}
	if (data.columns.size() > most_forest_features)
	{
		throw ScoringError(Fault::limit_exceeded, fmt::format("{} features are too many for boosted trees, which take at most {}",
															  data.columns.size(), most_forest_features));
	}
	TreeColumns columns = make_tree_columns(data, rows, {settings.bins, settings.smoothing}, cancelled);
	std::vector<float> labels = labels_of(data, rows);
	float base = base_of(labels);
	if (columns.columns.empty())
	{
		return {base, std::move(columns.features), {}};
	}
	Booster booster(columns, labels, base, settings);
	std::vector<float>().swap(columns.bins);
	for (uint32_t tree = 0; tree < settings.trees; tree++)
	{
		give_up_if(cancelled);
		booster.add_tree();
	}
	std::vector<Tree> trees = read_xgboost_trees(booster.model(), columns.columns);
	require_settled(trees, settings);
	return {base, std::move(columns.features), trees};
}

} // namespace lead_scoring::core
