// Any bytes either are no decaying total or make one that its own text makes again, that can be valued and added to.
#include "core/decaying_total.hpp"
#include "core/fault.hpp"
#include "core/time.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

// What is made of totals is one
void
require_valid(const DecayingTotal &total, const std::string &text)
{
	DecayingTotal again{};

	try
	{
		again = parse_decaying_total(decaying_total_text(total));
	}
	catch (const ScoringError &error)
	{
		require(false, error.what(), text);
	}
	require(std::memcmp(&again, &total, sizeof total) == 0, "read back as another total", text);
	for (int64_t instant : {int64_t{-211'813'488'000'000'000}, int64_t{0}, int64_t{9'223'371'331'199'999'999}})
	{
		double value = value_at(total, instant);
		require(std::isfinite(value), "value out of range", text);
		require(value == 0 || std::signbit(value) == std::signbit(total.amplitude), "value of another sign", text);
	}
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	DecayingTotal total;

	try
	{
		// The binary form: the fields, of which nothing is known
		if (size == sizeof total)
		{
			std::memcpy(&total, data, size);
			require_valid_total(total);
		}
		else
		{
			total = parse_decaying_total({reinterpret_cast<const char *>(data), size});
		}
	}
	catch (const ScoringError &)
	{
		return 0;
	}
	std::string text = decaying_total_text(total);
	require_valid(total, text);
	require(compare_totals(total, total) == 0, "not equal to itself", text);
	for (int64_t time : {infinitely_old, int64_t{-211'813'488'000'000'000}, total.newest, int64_t{9'223'371'331'199'999'999}})
	{
		DecayingTotal sum = total;
		DecayingTotal twice = total;
		try
		{
			add_points(sum, 1.5, time);
			add_total(twice, sum);
		}
		catch (const ScoringError &)
		{
			continue;
		}
		require_valid(sum, text);
		require_valid(twice, text);
		require(compare_totals(sum, total) >= 0, "less than without the points", text);
	}
	return 0;
}
