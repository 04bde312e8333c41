// Boosted trees as they predict.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <span>

namespace lead_scoring::core
{

class Forest
{
public:
	double log_odds(std::span<const double> row) const noexcept;

	// Return what each feature adds to the log-odds and, last, the base
	void contributions(std::span<const double> row, std::span<double> out) const;
};

nlohmann::json forest_json(const Forest &forest);
Forest forest_from_json(const nlohmann::json &json, size_t features);

} // namespace lead_scoring::core
