// Any bytes either are no decay or make one that its own text makes again.
#include "core/decay.hpp"
#include "core/fault.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
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

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Decay decay;

	try
	{
		decay = parse_decay({reinterpret_cast<const char *>(data), size});
	}
	catch (const ScoringError &)
	{
		return 0;
	}
	std::string text = decay_text(decay);
	Decay again = decay;
	try
	{
		again = parse_decay(text);
	}
	catch (const ScoringError &error)
	{
		require(false, error.what(), text);
	}
	require(again == decay, "read back as another decay", text);
	require(compare_decays(again, decay) == 0, "equal but not in order", text);
	require(decay_text(again) == text, "has a second text", text);
	DecayCurve curve(decay);
	for (double age_us : {0.0, 1.0, 86'400e6, 1e18, HUGE_VAL})
	{
		double factor = curve.factor(age_us);
		require(factor >= 0 && factor <= 1, "factor out of range", text);
	}
	return 0;
}
