// Numbers of records whose keys are integers. Keys from a sequence lie close together: once enough are known, a plain
// array by key takes less memory than a hash table, and half the time. Keys that lie far from those stay in a hash table
// beside it, under numbers of the same series.
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
	explicit IntegerIndex(Poll cancelled = nullptr) : cancelled_(cancelled), hashed_(cancelled)
	{
	}

	// Number the keys of a batch, adding those that are new
	void
	number(const Key *keys, size_t count, uint32_t *numbers)
	{
		uint64_t greatest = greatest_of(keys, count);

		if (!direct_.empty())
		{
			grow(greatest);
			number_directly(keys, count, numbers, greatest >= direct_.size());
			return;
		}
		hashed_.number(keys, count, numbers);
		greatest_ = std::max(greatest_, greatest);
		if (hashed_.size() >= next_look_)
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
			numbers[row] = is_near(keys[row]) ? direct_[keys[row].low] : hashed_.find(keys[row]);
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
	}

	// Return how much memory adding another batch may take at its height
	size_t
	memory() const noexcept
	{
		// An array that grows stands beside its successor
		return direct_.size() * sizeof(uint32_t) * 3 + hashed_.memory();
	}

	// Give the next few keys and their numbers, in no order; returns how many, 0 at the end
	size_t
	collect(size_t &cursor, Key *keys, uint32_t *numbers) const noexcept
	{
		size_t count = 0;

		for (; cursor < direct_.size() && count < batch_rows; cursor++)
		{
			if (direct_[cursor] != no_record)
			{
				keys[count] = {cursor, 0, {}};
				numbers[count++] = direct_[cursor];
			}
		}
		if (count > 0)
		{
			return count;
		}
		size_t hashed_cursor = cursor - direct_.size();
		count = hashed_.collect(hashed_cursor, keys, numbers);
		cursor = direct_.size() + hashed_cursor;
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

	static uint64_t
	greatest_of(const Key *keys, size_t count) noexcept
	{
		uint64_t greatest = 0;

		for (size_t row = 0; row < count; row++)
		{
			greatest = std::max(greatest, keys[row].low);
		}
		return greatest;
	}

	// Whether the array is where a key belongs
	bool
	is_near(const Key &key) const noexcept
	{
		return key.low < direct_.size();
	}

	void
	prefetch(const Key *keys, size_t count) const noexcept
	{
		for (size_t row = 0; row < count; row++)
		{
			if (is_near(keys[row]))
			{
				__builtin_prefetch(&direct_[keys[row].low]);
			}
			else
			{
				hashed_.prefetch(keys[row]);
			}
		}
	}

	void
	number_directly(const Key *keys, size_t count, uint32_t *numbers, bool some_far)
	{
		if (some_far)
		{
			hashed_.make_room(count);
		}
		prefetch(keys, count);
		for (size_t row = 0; row < count; row++)
		{
			if (!is_near(keys[row]))
			{
				numbers[row] = hashed_.number_as(keys[row], size_);
				size_ += numbers[row] == size_;
				continue;
			}
			uint32_t &slot = direct_[keys[row].low];
			if (slot == no_record)
			{
				slot = size_++;
			}
			numbers[row] = slot;
		}
	}

	// Let the array reach a key, unless that lies too far away
	void
	grow(uint64_t greatest)
	{
		if (greatest < direct_.size() || !is_dense(greatest, size_))
		{
			return;
		}
		Numbers grown = make_large(std::bit_ceil(greatest + 1), no_record, cancelled_);
		std::copy(direct_.begin(), direct_.end(), grown.begin());
		direct_.swap(grown);
		if (hashed_.size() > 0)
		{
			take_in();
		}
	}

	// Move the hashed keys that the array reaches by now
	void
	take_in()
	{
		KeyIndex<IntegerKeys> far(cancelled_);

		each_hashed(
			[this, &far](const Key &key, uint32_t number)
			{
				if (is_near(key))
				{
					direct_[key.low] = number;
					return;
				}
				far.make_room(1);
				far.number_as(key, number);
			});
		hashed_ = std::move(far);
	}

	void
	go_direct()
	{
		direct_ = make_large(std::bit_ceil(greatest_ + 1), no_record, cancelled_);
		size_ = hashed_.size();
		take_in();
	}

	template <typename Visit>
	void
	each_hashed(const Visit &visit) const
	{
		Key keys[batch_rows];
		uint32_t numbers[batch_rows];
		size_t cursor = 0;

		while (size_t count = hashed_.collect(cursor, keys, numbers))
		{
			for (size_t at = 0; at < count; at++)
			{
				visit(keys[at], numbers[at]);
			}
		}
	}

	Poll cancelled_;
	KeyIndex<IntegerKeys> hashed_; // all keys, or those that the array does not reach
	Numbers direct_;               // by key, empty while all keys are hashed
	uint32_t size_ = 0;            // how many keys are known once there is an array
	uint64_t greatest_ = 0;        // key seen until then
	uint32_t next_look_ = first_look;
};

} // namespace lead_scoring::core
