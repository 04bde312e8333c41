// From the key of a record to its number: 0, 1, 2 ... in the order in which keys are first seen.
//
// A batch of keys is looked up in two rounds, so that the memory of all of them is on its way to the cache before the
// first is touched: memory latency, not arithmetic, bounds bulk evaluation.
#pragma once

#include "core/batch.hpp"
#include "core/large_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
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
	Key
	key(const Slot &slot) const noexcept
	{
		return {slot.key, 0, {}};
	}
	size_t
	memory() const noexcept
	{
		return 0;
	}
	void
	clear() noexcept
	{
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
	Key
	key(const Slot &slot) const noexcept
	{
		return {slot.low, slot.high, {}};
	}
	size_t
	memory() const noexcept
	{
		return 0;
	}
	void
	clear() noexcept
	{
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
	Key
	key(const Slot &slot) const noexcept
	{
		return {0, 0, {texts.data() + slot.offset, slot.length}};
	}
	size_t
	memory() const noexcept
	{
		return texts.capacity() * (texts.capacity() < 2 * texts.size() ? 3 : 1);
	}

	void
	clear() noexcept
	{
		texts.clear();
		if (texts.capacity() > kept_texts)
		{
			texts.shrink_to_fit();
		}
	}

	static constexpr size_t kept_texts = 64 * 1024;

	std::string texts;
};

// Return the hash of a key of any kind
inline uint64_t
hash_key(KeyKind kind, const Key &key) noexcept
{
	return kind == KeyKind::integer ? IntegerKeys::hash(key)
		   : kind == KeyKind::uuid  ? UuidKeys::hash(key)
									: TextKeys::hash(key);
}

template <typename Keys>
class KeyIndex
{
public:
	explicit KeyIndex(Poll cancelled = nullptr) : cancelled_(cancelled)
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
				add(slot, keys[row], size_);
			}
			numbers[row] = slot.number;
		}
	}

	// Number a key; a new one, for which there must be room, gets the number that is given
	uint32_t
	number_as(const Key &key, uint32_t next)
	{
		Slot &slot = probe(key, home(key));

		if (slot.number == no_record)
		{
			add(slot, key, next);
		}
		return slot.number;
	}

	// Make room for so many more keys
	void
	make_room(size_t count)
	{
		reserve(count);
	}

	// Find the number of a key, no_record for one never seen
	uint32_t
	find(const Key &key) noexcept
	{
		return probe(key, home(key)).number;
	}

	// Begin to bring the place of a key into the cache
	[[gnu::always_inline]] void
	prefetch(const Key &key) const noexcept
	{
		__builtin_prefetch(&slots_[home(key)]);
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

	// Forget all keys; keeps the memory if it is little, and takes no time if they were few
	void
	clear()
	{
		if (slots_.size() > first_capacity)
		{
			slots_ = Slots(first_capacity, empty());
		}
		else if (size_ > few_keys)
		{
			std::fill(slots_.begin(), slots_.end(), empty());
		}
		else
		{
			std::for_each_n(places_, size_, [this](uint32_t place) { slots_[place] = empty(); });
		}
		size_ = 0;
		keys_.clear();
	}

	// Return how much memory adding another batch may take at its height
	size_t
	memory() const noexcept
	{
		size_t slots = slots_.size() * sizeof(Slot);

		// A table that grows stands beside its successor
		return keys_.memory() + ((size_ + batch_rows) * 2 > slots_.size() ? 3 * slots : slots);
	}

	// Give the next few keys and their numbers, in no order; returns how many, 0 at the end
	size_t
	collect(size_t &cursor, Key *keys, uint32_t *numbers) const noexcept
	{
		size_t count = 0;

		for (; cursor < slots_.size() && count < batch_rows; cursor++)
		{
			if (slots_[cursor].number != no_record)
			{
				keys[count] = keys_.key(slots_[cursor]);
				numbers[count++] = slots_[cursor].number;
			}
		}
		return count;
	}

private:
	using Slot = typename Keys::Slot;
	using Slots = std::vector<Slot, LargeAllocator<Slot>>;

	static constexpr size_t first_capacity = 1024;
	static constexpr uint32_t few_keys = 64;

	static_assert(std::is_trivially_copyable_v<Slot>);

	static Slot
	empty() noexcept
	{
		Slot slot{};
		slot.number = no_record;
		return slot;
	}

	size_t
	home(const Key &key) const noexcept
	{
		return Keys::hash(key) & (slots_.size() - 1);
	}

	void
	locate(const Key *keys, size_t count, size_t *homes) noexcept
	{
		for (size_t row = 0; row < count; row++)
		{
			homes[row] = home(keys[row]);
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

	void
	add(Slot &slot, const Key &key, uint32_t number)
	{
		if (size_ < few_keys)
		{
			places_[size_] = static_cast<uint32_t>(&slot - slots_.data());
		}
		slot = keys_.make(key, number);
		size_++;
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
		Slots grown = make_large(capacity, empty(), cancelled_);
		for (size_t from = 0; from < slots_.size(); from++)
		{
			const Slot &slot = slots_[from];
			if (from % items_between_polls == 0)
			{
				give_up_if(cancelled_);
			}
			if (slot.number == no_record)
			{
				continue;
			}
			size_t at = keys_.hash(slot) & (capacity - 1);
			while (grown[at].number != no_record)
			{
				at = (at + 1) & (capacity - 1);
			}
			grown[at] = slot;
		}
		slots_.swap(grown);
	}

	Poll cancelled_;
	Keys keys_;
	Slots slots_; // a power of two
	uint32_t size_ = 0;
	uint32_t places_[few_keys] = {}; // of the first keys, until the table grows
};

} // namespace lead_scoring::core
