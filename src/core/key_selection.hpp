// The records that are asked for, where rows of others come along, too.
#pragma once

#include "core/key_index.hpp"

#include <span>
#include <variant>

namespace lead_scoring::core
{

class KeySelection
{
public:
	KeySelection(KeyKind kind, std::span<const Key> keys, Poll cancelled) : keys_(make_index(kind, cancelled))
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
	}

	bool
	contains(const Key &key) noexcept
	{
		if (auto *integers = std::get_if<KeyIndex<IntegerKeys>>(&keys_); integers != nullptr)
		{
			return integers->find(key) != no_record;
		}
		return std::visit([&key](auto &index) { return index.find(key) != no_record; }, keys_);
	}

private:
	using Index = std::variant<KeyIndex<IntegerKeys>, KeyIndex<UuidKeys>, KeyIndex<TextKeys>>;

	static Index
	make_index(KeyKind kind, Poll cancelled)
	{
		if (kind == KeyKind::integer)
		{
			return KeyIndex<IntegerKeys>(cancelled);
		}
		return kind == KeyKind::uuid ? Index(KeyIndex<UuidKeys>(cancelled)) : Index(KeyIndex<TextKeys>(cancelled));
	}

	Index keys_;
};

} // namespace lead_scoring::core
