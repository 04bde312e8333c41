// What is known of each record while rows stream by: sums, peaks and counts, side by side in one stretch of memory
// so that a row costs one cache line, or few.
#pragma once

#include "core/large_memory.hpp"
#include "core/program.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

namespace lead_scoring::core
{

class StateTable
{
public:
	explicit StateTable(StateLayout layout)
		: layout_(layout), peaks_at_(layout.sums * sizeof(FixedSum)),
		  counts_at_(peaks_at_ + layout.peaks * sizeof(uint64_t)),
		  stride_(round_up(counts_at_ + layout.counts * sizeof(uint32_t))),
		  chunk_shift_(chunk_shift(stride_))
	{
	}

	// Make room for the states of records 0 to count - 1, new ones zeroed
	void
	reserve(uint32_t count)
	{
		if (count <= capacity_)
		{
			return;
		}
		size_t chunk = size_t{1} << chunk_shift_;
		if (capacity_ < chunk)
		{
			// The first chunk begins small, and grows
			size_t records = std::bit_ceil(std::max(count, few_records));
			capacity_ = std::min(records, chunk);
			chunks_.resize(1);
			chunks_.front().resize(capacity_ * stride_);
		}
		for (; capacity_ < count; capacity_ += chunk)
		{
			chunks_.emplace_back(chunk * stride_);
		}
	}

	// Forget the states of records 0 to count - 1, those in use; keeps the memory if it is little
	void
	clear(uint32_t count) noexcept
	{
		if (memory() > kept_memory)
		{
			chunks_.clear();
			capacity_ = 0;
			return;
		}
		count = static_cast<uint32_t>(std::min<size_t>(count, capacity_));
		for (uint32_t record = 0; record < count;)
		{
			// A chunk, or what is in use of it
			uint32_t records = std::min(count - record, uint32_t{1} << chunk_shift_);
			std::memset(state(record), 0, records * stride_);
			record += records;
		}
	}

	std::byte *
	state(uint32_t record) noexcept
	{
		size_t within = record & ((size_t{1} << chunk_shift_) - 1);

		return chunks_[record >> chunk_shift_].data() + stride_ * within;
	}

	// Begin to bring a state into the cache. Inlined by force: the compiler takes a function that only prefetches for
	// one without effect, and drops its calls
	[[gnu::always_inline]] void
	prefetch(uint32_t record) noexcept
	{
		std::byte *at = state(record);

		for (size_t line = 0; line < stride_; line += LargeAllocator<std::byte>::cache_line)
		{
			__builtin_prefetch(at + line, 1);
		}
	}

	FixedSum *
	sums(std::byte *state) const noexcept
	{
		return reinterpret_cast<FixedSum *>(state);
	}

	uint64_t *
	peaks(std::byte *state) const noexcept
	{
		return reinterpret_cast<uint64_t *>(state + peaks_at_);
	}

	uint32_t *
	counts(std::byte *state) const noexcept
	{
		return reinterpret_cast<uint32_t *>(state + counts_at_);
	}

	const StateLayout &
	layout() const noexcept
	{
		return layout_;
	}

	// Return the bytes of a state that mean something
	size_t
	state_size() const noexcept
	{
		return counts_at_ + layout_.counts * sizeof(uint32_t);
	}

	size_t
	memory() const noexcept
	{
		return capacity_ * stride_;
	}

private:
	using Chunk = std::vector<std::byte, LargeAllocator<std::byte>>;

	// The evaluation of a few records should not pay for a large chunk
	static constexpr uint32_t few_records = 64;
	static constexpr size_t kept_memory = 256 * 1024;

	// Small states divide a cache line evenly, larger ones fill whole lines
	static size_t
	round_up(size_t bytes) noexcept
	{
		constexpr size_t line = LargeAllocator<std::byte>::cache_line;

		return bytes <= sizeof(FixedSum) ? sizeof(FixedSum)
			   : bytes <= line           ? std::bit_ceil(bytes)
										 : (bytes + line - 1) / line * line;
	}

	// A chunk has as many records as fill a huge page, but not fewer than few_records
	static unsigned
	chunk_shift(size_t stride) noexcept
	{
		size_t records = LargeAllocator<std::byte>::huge_page / stride;

		return static_cast<unsigned>(std::bit_width(records < few_records ? few_records : records) - 1);
	}

	StateLayout layout_;
	size_t peaks_at_;
	size_t counts_at_;
	size_t stride_;
	unsigned chunk_shift_;
	size_t capacity_ = 0; // in records
	std::vector<Chunk> chunks_;
};

} // namespace lead_scoring::core
