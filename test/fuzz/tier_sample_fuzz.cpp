// Any bytes either are no sample or make one that its own text and bytes make again, that has cut-offs and takes more.
// The first byte chooses what the others are: the text form, or the stored one.
#include "core/fault.hpp"
#include "core/tier_sample.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

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

TierSample
from_bytes(const std::string &bytes)
{
	return parse_tier_sample_bytes({reinterpret_cast<const std::byte *>(bytes.data()), bytes.size()});
}

void
require_valid(const TierSample &sample, const std::string &text)
{
	try
	{
		std::string bytes = tier_sample_bytes(sample);
		require(tier_sample_bytes(from_bytes(bytes)) == bytes, "other bytes of its bytes", text);
		require(tier_sample_bytes(parse_tier_sample(tier_sample_text(sample))) == bytes, "other bytes of its text", text);
	}
	catch (const ScoringError &error)
	{
		require(false, error.what(), text);
	}
	// More tiers only take longer
	if (sample.head.tiers > 10'000)
	{
		return;
	}
	std::vector<double> cutoffs = find_cutoffs(sample);
	require(cutoffs.size() == (sample.head.count == 0 ? 0 : static_cast<size_t>(sample.head.tiers - 1)),
			"not a cut-off for each tier", text);
	require(std::is_sorted(cutoffs.begin(), cutoffs.end(), std::greater<>()), "cut-offs out of order", text);
	require(std::all_of(cutoffs.begin(), cutoffs.end(), [](double cutoff) { return std::isfinite(cutoff); }),
			"cut-off out of range", text);
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TierSample sample;

	if (size == 0)
	{
		return 0;
	}
	std::string input(reinterpret_cast<const char *>(data) + 1, size - 1);
	try
	{
		sample = data[0] % 2 == 0 ? from_bytes(input) : parse_tier_sample(input);
	}
	catch (const ScoringError &)
	{
		return 0;
	}
	std::string text = tier_sample_text(sample);
	require_valid(sample, text);
	for (double score : {0.0, -1e308})
	{
		TierSample more = sample;
		TierSample twice = sample;
		try
		{
			add_score(more, score);
			add_sample(twice, more);
		}
		catch (const ScoringError &)
		{
			continue;
		}
		require_valid(more, text);
		require_valid(twice, text);
	}
	return 0;
}
