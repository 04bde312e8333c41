// The records that are asked for, where rows of others come along, too.
#pragma once

#include "core/key_index.hpp"

#include <bit>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

namespace lead_scoring::core
{

class KeySelection
{
public:
	KeySelection(KeyKind kind, std::span<const Key> keys, Poll cancelled)
		: kind_(kind), marks_(std::bit_ceil(keys.size() / keys_per_word + 1)), keys_(make_index(kind, cancelled))
	{
		std::visit(
			[keys](auto &index)
			{
				index.make_room(keys.size());
				for (const Key &key : keys)
				{
					index.number_as(key, index.size());
				}
			},
			keys_);
		for (const Key &key : keys)
		{
			uint64_t hash = mixed_hash(key);
			marks_[word_of(hash)] |= bit_of(hash);
		}
	}

	bool
	contains(const Key &key) noexcept
	{
		uint64_t hash = mixed_hash(key);

		if ((marks_[word_of(hash)] & bit_of(hash)) == 0)
		{
			return false;
		}
		return std::visit([&key](auto &index) { return index.find(key) != no_record; }, keys_);
	}

private:
	using Index = std::variant<KeyIndex<IntegerKeys>, KeyIndex<UuidKeys>, KeyIndex<TextKeys>>;

	// Sixteen bits or more for each key: most others are told apart by memory that stays in the cache
	static constexpr size_t keys_per_word = 4;

	static Index
	make_index(KeyKind kind, Poll cancelled)
	{
		if (kind == KeyKind::integer)
		{
			return KeyIndex<IntegerKeys>(cancelled);
		}
		return kind == KeyKind::uuid ? Index(KeyIndex<UuidKeys>(cancelled)) : Index(KeyIndex<TextKeys>(cancelled));
	}

	uint64_t
	mixed_hash(const Key &key) const noexcept
	{
		return hash_key(kind_, key) * 0x9E3779B97F4A7C15u;
	}

	size_t
	word_of(uint64_t hash) const noexcept
	{
		return (hash >> 32) & (marks_.size() - 1);
	}

	static uint64_t
	bit_of(uint64_t hash) noexcept
	{
		return uint64_t{1} << (hash >> 26 & 63);
	}

	KeyKind kind_;
	std::vector<uint64_t> marks_; // by hash: a bit for each key
	Index keys_;
};

} // namespace lead_scoring::core
