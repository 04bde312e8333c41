// Any bytes either are no model or make one that predicts finite numbers, explains them and is written as it was read.
#include "core/fault.hpp"
#include "core/model.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace lead_scoring::core;

namespace
{

// Stop where the fuzzer keeps the input
void
require(bool holds, std::string_view what, const std::string &text)
{
	if (!holds)
	{
		std::fprintf(stderr, "%.*s: \"%s\"\n", static_cast<int>(what.size()), what.data(), text.c_str());
		std::abort();
	}
}

std::optional<Model>
read(const std::string &text)
{
	try
	{
		return read_model(text);
	}
	catch (const ScoringError &)
	{
		return std::nullopt;
	}
}

void
require_answers(const Model &model, const std::string &text)
{
	const size_t width = model.features().size();
	std::vector<double> contributions(width + 1);

	for (double value : {0.0, 1.0, 2.0, -1.0, 0.5, 1e308, -HUGE_VAL, HUGE_VAL, std::nan("")})
	{
		const std::vector<double> row(width, value);
		const double log_odds = model.log_odds(row);
		const double probability = model.probability(row);
		double sum = 0;
		double size = 1;
		require(std::isfinite(log_odds), "log-odds are not finite", text);
		require(probability >= 0 && probability <= 1, "probability out of range", text);
		model.contributions(row, contributions);
		for (double contribution : contributions)
		{
			sum += contribution;
			size += std::abs(contribution);
		}
		require(std::abs(sum - log_odds) <= 1e-9 * size, "contributions do not sum", text);
	}
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::string input(reinterpret_cast<const char *>(data), size);
	const std::optional<Model> model = read(input);

	if (!model.has_value())
	{
		return 0;
	}
	require_answers(*model, input);
	const std::string text = write_model(*model);
	const std::optional<Model> again = read(text);
	require(again.has_value(), "cannot be read back", text);
	require(write_model(*again) == text, "has a second text", text);
	return 0;
}
