// Trained trees as JSON:
//   {"base": 0.5,
//    "features": [null, {"values": [0.1, 0.25], "unseen": 0.2}],
//    "trees": [{"feature": [0, -1, -1], "missing_left": [1, 0, 0], "value": [35, -0.2, 0.3], "left_share": [0.4, 0, 0]}]}
// A feature is null or, if it is a category, what the trees see of it. The nodes of a tree are in breadth-first order, -1 is
// a leaf, and the rest is as in TreeNode. There are no child indexes, so none can be wrong.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>

namespace lead_scoring::core
{

class Forest;

nlohmann::json forest_json(const Forest &forest);

// Read trees over that many features; raise invalid_text for anything that is not what forest_json writes
Forest forest_from_json(const nlohmann::json &json, size_t features);

} // namespace lead_scoring::core
