// A share of the records, by the hashes of their keys: what does not fit into memory at once is scored share by share.
#pragma once

#include "core/key_index.hpp"

#include <cstdint>

namespace lead_scoring::core
{

struct KeyShare
{
	unsigned bits = 0;   // 2^bits shares
	uint64_t number = 0; // this one

	bool
	holds(KeyKind kind, const Key &key) const noexcept
	{
		// Mixed once more: the index uses the lower bits of the hash
		return bits == 0 || (hash_key(kind, key) * 0x9E3779B97F4A7C15u) >> (64 - bits) == number;
	}
};

} // namespace lead_scoring::core
