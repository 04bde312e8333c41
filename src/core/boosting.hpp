// Training of boosted trees.
#pragma once

#include "core/dataset.hpp"
#include "core/fault.hpp"
#include "core/forest.hpp"

#include <cstdint>
#include <span>

namespace lead_scoring::core
{

struct ForestSettings
{
	uint64_t seed = 1;
};

Forest fit_forest(const Dataset &data, std::span<const uint32_t> rows, const ForestSettings &settings, Poll cancelled);

} // namespace lead_scoring::core
