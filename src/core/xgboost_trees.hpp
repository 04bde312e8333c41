// The trees in the JSON that XGBoost saves a model as, https://xgboost.readthedocs.io/en/stable/dev/structxgboost_1_1RegTree.html
#pragma once

#include "core/forest.hpp"
#include "core/tree_columns.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace lead_scoring::core
{

// Read the trees of a model over some columns, with thresholds in the units of the features; raise library_failure if it
// is not of the form that is known
std::vector<Tree> read_xgboost_trees(std::string_view model, std::span<const TreeColumn> columns);

} // namespace lead_scoring::core
