// From the key of a record to its number: 0, 1, 2 ... in the order in which keys are first seen.
//
// A batch of keys is looked up in two rounds, so that the memory of all of them is on its way to the cache before the
// first is touched: memory latency, not arithmetic, bounds bulk evaluation.
#pragma once

#include "core/batch.hpp"
#include "core/large_memory.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lead_scoring::core
{

inline constexpr uint32_t no_record = UINT32_MAX;

struct IntegerKeys
{
	struct Slot
	{
		uint64_t key;
		uint32_t number;
	};

	static uint64_t
	hash(const Key &key) noexcept
	{
		uint64_t mixed = key.low * 0x9E3779B97F4A7C15u;
		return mixed ^ (mixed >> 32);
	}
	uint64_t
	hash(const Slot &slot) const noexcept
	{
		return hash(Key{slot.key, 0, {}});
	}
	bool
	same(const Slot &slot, const Key &key) const noexcept
	{
		return slot.key == key.low;
	}
	Slot
	make(const Key &key, uint32_t number)
	{
		return {key.low, number};
	}
};

struct UuidKeys
{
	struct Slot
	{
		uint64_t low;
		uint64_t high;
		uint32_t number;
	};

	static uint64_t
	hash(const Key &key) noexcept
	{
		uint64_t mixed = (key.low ^ (key.high * 0xC4CEB9FE1A85EC53u)) * 0x9E3779B97F4A7C15u;
		return mixed ^ (mixed >> 32);
	}
	uint64_t
	hash(const Slot &slot) const noexcept
	{
		return hash(Key{slot.low, slot.high, {}});
	}
	bool
	same(const Slot &slot, const Key &key) const noexcept
	{
		return slot.low == key.low && slot.high == key.high;
	}
	Slot
	make(const Key &key, uint32_t number)
	{
		return {key.low, key.high, number};
	}
};

struct TextKeys
{
	struct Slot
	{
		uint64_t hash;
		size_t offset; // in texts
		uint32_t length;
		uint32_t number;
	};

	static uint64_t
	hash(const Key &key) noexcept
	{
		return std::hash<std::string_view>()(key.text);
	}
	uint64_t
	hash(const Slot &slot) const noexcept
	{
		return slot.hash;
	}
	bool
	same(const Slot &slot, const Key &key) const noexcept
	{
		return slot.hash == hash(key) && std::string_view(texts.data() + slot.offset, slot.length) == key.text;
	}
	Slot
	make(const Key &key, uint32_t number)
	{
		size_t offset = texts.size();
		texts.append(key.text);
		return {hash(key), offset, static_cast<uint32_t>(key.text.size()), number};
	}

	std::string texts;
};

template <typename Keys>
class KeyIndex
{
public:
	KeyIndex()
	{
		slots_.assign(first_capacity, empty());
	}

	// Number the keys of a batch, adding those that are new
	void
	number(const Key *keys, size_t count, uint32_t *numbers)
	{
		size_t homes[batch_rows];

		reserve(count);
		locate(keys, count, homes);
		for (size_t row = 0; row < count; row++)
		{
			Slot &slot = probe(keys[row], homes[row]);
			if (slot.number == no_record)
			{
				slot = keys_.make(keys[row], size_++);
			}
			numbers[row] = slot.number;
		}
	}

	// Find the numbers of a batch of keys, no_record for those never seen
	void
	find(const Key *keys, size_t count, uint32_t *numbers) noexcept
	{
		size_t homes[batch_rows];

		locate(keys, count, homes);
		for (size_t row = 0; row < count; row++)
		{
			numbers[row] = probe(keys[row], homes[row]).number;
		}
	}

	uint32_t
	size() const noexcept
	{
		return size_;
	}

private:
	using Slot = typename Keys::Slot;
	using Slots = std::vector<Slot, LargeAllocator<Slot>>;

	static constexpr size_t first_capacity = 1024;

	static Slot
	empty() noexcept
	{
		Slot slot{};
		slot.number = no_record;
		return slot;
	}

	void
	locate(const Key *keys, size_t count, size_t *homes) noexcept
	{
		for (size_t row = 0; row < count; row++)
		{
			homes[row] = Keys::hash(keys[row]) & (slots_.size() - 1);
			__builtin_prefetch(&slots_[homes[row]]);
		}
	}

	Slot &
	probe(const Key &key, size_t home) noexcept
	{
		size_t mask = slots_.size() - 1;

		for (size_t at = home;; at = (at + 1) & mask)
		{
			Slot &slot = slots_[at];
			if (slot.number == no_record || keys_.same(slot, key))
			{
				return slot;
			}
		}
	}

	// Keep the table at most half full with count more keys
	void
	reserve(size_t count)
	{
		size_t capacity = slots_.size();
		while ((size_ + count) * 2 > capacity)
		{
			capacity *= 2;
		}
		if (capacity == slots_.size())
		{
			return;
		}
		Slots old(capacity, empty());
		old.swap(slots_);
		for (const Slot &slot : old)
		{
			if (slot.number == no_record)
			{
				continue;
			}
			size_t at = keys_.hash(slot) & (capacity - 1);
			while (slots_[at].number != no_record)
			{
				at = (at + 1) & (capacity - 1);
			}
			slots_[at] = slot;
		}
	}

	Keys keys_;
	Slots slots_; // a power of two
	uint32_t size_ = 0;
};

} // namespace lead_scoring::core
