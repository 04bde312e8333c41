// Numbers of records whose keys are integers. Keys from a sequence lie close together: once enough are known, a plain
// array by key takes less memory than a hash table, and half the time.
#pragma once

#include "core/key_index.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace lead_scoring::core
{

class IntegerIndex
{
public:
	// Number the keys of a batch, adding those that are new
	void
	number(const Key *keys, size_t count, uint32_t *numbers)
	{
		if (!direct_.empty() && !make_room(keys, count))
		{
			go_back();
		}
		if (!direct_.empty())
		{
			number_directly(keys, count, numbers);
			return;
		}
		hashed_.number(keys, count, numbers);
		for (size_t row = 0; row < count; row++)
		{
			greatest_ = std::max(greatest_, keys[row].low);
		}
		if (hashed_.size() >= next_look_ && may_switch_)
		{
			next_look_ = hashed_.size() * 2;
			if (is_dense(greatest_, hashed_.size()))
			{
				go_direct();
			}
		}
	}

	// Find the numbers of a batch of keys, no_record for those never seen
	void
	find(const Key *keys, size_t count, uint32_t *numbers) noexcept
	{
		if (direct_.empty())
		{
			hashed_.find(keys, count, numbers);
			return;
		}
		prefetch(keys, count);
		for (size_t row = 0; row < count; row++)
		{
			numbers[row] = keys[row].low < direct_.size() ? direct_[keys[row].low] : no_record;
		}
	}

	uint32_t
	size() const noexcept
	{
		return direct_.empty() ? hashed_.size() : size_;
	}

	// Forget all keys; keeps the memory if it is little
	void
	clear()
	{
		hashed_.clear();
		if (!direct_.empty())
		{
			direct_ = Numbers();
		}
		size_ = 0;
		greatest_ = 0;
		next_look_ = first_look;
		may_switch_ = true;
	}

	// Return how much memory adding another batch may take at its height
	size_t
	memory() const noexcept
	{
		// An array that grows stands beside its successor
		return direct_.empty() ? hashed_.memory() : direct_.size() * sizeof(uint32_t) * 3;
	}

	// Give the next few keys and their numbers, in no order; returns how many, 0 at the end
	size_t
	collect(size_t &cursor, Key *keys, uint32_t *numbers) const noexcept
	{
		if (direct_.empty())
		{
			return hashed_.collect(cursor, keys, numbers);
		}
		size_t count = 0;
		for (; cursor < direct_.size() && count < batch_rows; cursor++)
		{
			if (direct_[cursor] != no_record)
			{
				keys[count] = {cursor, 0, {}};
				numbers[count++] = direct_[cursor];
			}
		}
		return count;
	}

private:
	using Numbers = std::vector<uint32_t, LargeAllocator<uint32_t>>;

	static constexpr uint32_t first_look = 1024;

	// Whether an array for keys up to the greatest takes no more than the hash table of so many
	static bool
	is_dense(uint64_t greatest, size_t size) noexcept
	{
		return greatest / 8 < size;
	}

	void
	prefetch(const Key *keys, size_t count) const noexcept
	{
		for (size_t row = 0; row < count; row++)
		{
			if (keys[row].low < direct_.size())
			{
				__builtin_prefetch(&direct_[keys[row].low]);
			}
		}
	}

	void
	number_directly(const Key *keys, size_t count, uint32_t *numbers) noexcept
	{
		prefetch(keys, count);
		for (size_t row = 0; row < count; row++)
		{
			uint32_t &slot = direct_[keys[row].low];
			if (slot == no_record)
			{
				slot = size_++;
			}
			numbers[row] = slot;
		}
	}

	// Let the array hold the keys of a batch; false if they lie too far apart
	bool
	make_room(const Key *keys, size_t count)
	{
		uint64_t greatest = 0;

		for (size_t row = 0; row < count; row++)
		{
			greatest = std::max(greatest, keys[row].low);
		}
		if (greatest < direct_.size())
		{
			return true;
		}
		if (!is_dense(greatest, size_))
		{
			return false;
		}
		direct_.resize(std::bit_ceil(greatest + 1), no_record);
		return true;
	}

	void
	go_direct()
	{
		Numbers direct(std::bit_ceil(greatest_ + 1), no_record);

		each_of(hashed_, [&direct](const Key &key, uint32_t number) { direct[key.low] = number; });
		size_ = hashed_.size();
		direct_ = std::move(direct);
		hashed_ = KeyIndex<IntegerKeys>();
	}

	// Keys turned out to lie far apart: hash them after all, under the same numbers
	void
	go_back()
	{
		std::vector<Key> keys(size_);
		uint32_t numbers[batch_rows];

		each_of(*this, [&keys](const Key &key, uint32_t number) { keys[number] = key; });
		direct_ = Numbers();
		may_switch_ = false;
		for (size_t at = 0; at < keys.size(); at += batch_rows)
		{
			hashed_.number(keys.data() + at, std::min(batch_rows, keys.size() - at), numbers);
		}
	}

	template <typename From, typename Visit>
	static void
	each_of(const From &index, const Visit &visit)
	{
		Key keys[batch_rows];
		uint32_t numbers[batch_rows];
		size_t cursor = 0;

		while (size_t count = index.collect(cursor, keys, numbers))
		{
			for (size_t at = 0; at < count; at++)
			{
				visit(keys[at], numbers[at]);
			}
		}
	}

	KeyIndex<IntegerKeys> hashed_;
	Numbers direct_;           // by key, empty while keys are hashed
	uint32_t size_ = 0;        // how many keys the array knows
	uint64_t greatest_ = 0;    // key seen while they are hashed
	uint32_t next_look_ = first_look;
	bool may_switch_ = true;
};

} // namespace lead_scoring::core
