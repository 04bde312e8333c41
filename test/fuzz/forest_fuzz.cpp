// Any bytes either are no forest or make one that predicts, explains its predictions and is written as it was read.
#include "core/fault.hpp"
#include "core/flat_tree.hpp"
#include "core/forest.hpp"
#include "core/forest_contributions.hpp"
#include "core/forest_json.hpp"
#include "core/json_reading.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

using namespace lead_scoring::core;

namespace
{

// Stop where the fuzzer keeps the input
void
require(bool holds, const char *what)
{
	if (!holds)
	{
		std::fprintf(stderr, "%s\n", what);
		std::abort();
	}
}

std::optional<Forest>
read(const nlohmann::json &json, size_t features)
{
	try
	{
		return forest_from_json(json, features);
	}
	catch (const ScoringError &)
	{
		return std::nullopt;
	}
}

void
require_explained(const Forest &forest, double value)
{
	std::vector<double> row(forest.features().size(), value);
	std::vector<double> out(row.size() + 1);
	double log_odds = forest.log_odds(row);
	double size = 1;

	require(std::isfinite(log_odds), "log-odds are not finite");
	forest.contributions(row, out);
	for (double contribution : out)
	{
		size += std::abs(contribution);
	}
	require(std::abs(std::accumulate(out.begin(), out.end(), 0.0) - log_odds) < 1e-9 * size, "contributions are not the log-odds");
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto json = nlohmann::json::parse(data, data + size, nullptr, false);
	size_t features = json.is_object() && json.contains("features") ? json["features"].size() : 1;
	std::optional<Forest> forest = read(json, features);

	if (!forest)
	{
		return 0;
	}
	std::string text = forest_json(*forest).dump();
	std::optional<Forest> again = read(nlohmann::json::parse(text), features);
	require(again && forest_json(*again).dump() == text, "read back as another forest");
	for (double value : {0.0, 1.0, -1.0, 30.5, 1e18, HUGE_VAL, -HUGE_VAL, std::nan("")})
	{
		require_explained(*forest, value);
	}
	return 0;
}
