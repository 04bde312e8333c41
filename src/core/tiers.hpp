// Tiers: labels for shares of the records, best first, numbered from 1.
#pragma once

#include <cstdint>

namespace lead_scoring::core
{

// Return the tier of the row at a position (from 0, best first) when rows are dealt into tiers of sizes that differ by
// at most one, larger ones first, as ntile does
inline int32_t
ntile_tier(int64_t position, int64_t rows, int32_t tiers) noexcept
{
	int64_t size = rows / tiers;
	int64_t larger = rows % tiers;
	int64_t in_larger = larger * (size + 1);

	if (position < in_larger || size == 0)
	{
		return static_cast<int32_t>(position / (size + 1)) + 1;
	}
	return static_cast<int32_t>(larger + (position - in_larger) / size) + 1;
}

// Return the tier that all rows with the same score share: floor(tiers * share of strictly higher scores) + 1
inline int32_t
together_tier(int64_t higher, int64_t rows, int32_t tiers) noexcept
{
	__extension__ typedef __int128 Wide;

	return static_cast<int32_t>(static_cast<Wide>(tiers) * higher / rows) + 1;
}

// Return the position behind the last row of a tier, as ntile deals them
inline int64_t
tier_end(int32_t tier, int64_t rows, int32_t tiers) noexcept
{
	int64_t size = rows / tiers;
	int64_t larger = rows % tiers;

	return tier * size + (tier < larger ? tier : larger);
}

// The most tiers that make sense
inline constexpr int32_t most_tiers = 1'000'000;

} // namespace lead_scoring::core
