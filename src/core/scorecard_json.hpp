// Scorecards as JSON, to be stored.
#pragma once

#include "core/scorecard.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace lead_scoring::core
{

nlohmann::json scorecard_json(const Scorecard &scorecard);

// Read a scorecard; categories: by feature how many it has, or nothing for a number. Raises invalid_text
Scorecard scorecard_from_json(const nlohmann::json &object, std::span<const std::optional<size_t>> categories);

} // namespace lead_scoring::core
