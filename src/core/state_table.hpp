// What is known of each record while rows stream by: sums, instants and counts, side by side in one stretch of memory
// so that a row costs one cache line, or few.
#pragma once

#include "core/program.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace lead_scoring::core
{

class StateTable
{
public:
	explicit StateTable(StateLayout layout)
		: instants_at_(layout.sums * sizeof(FixedSum)),
		  counts_at_(instants_at_ + layout.instants * sizeof(int64_t)),
		  stride_(round_up(counts_at_ + layout.counts * sizeof(uint32_t)))
	{
	}

	// Make room for the states of records 0 to count - 1, new ones zeroed
	void
	reserve(uint32_t count)
	{
		while (chunks_.size() * chunk_records < count)
		{
			std::byte *chunk = static_cast<std::byte *>(
				std::aligned_alloc(line_bytes, round_to_line(stride_ * chunk_records)));
			if (chunk == nullptr)
			{
				throw std::bad_alloc();
			}
			chunks_.emplace_back(chunk);
			std::memset(chunk, 0, stride_ * chunk_records);
		}
	}

	std::byte *
	state(uint32_t record) const noexcept
	{
		return chunks_[record / chunk_records].get() + stride_ * (record % chunk_records);
	}

	void
	prefetch(uint32_t record) const noexcept
	{
		std::byte *at = state(record);

		for (size_t line = 0; line < stride_; line += line_bytes)
		{
			__builtin_prefetch(at + line, 1);
		}
	}

	FixedSum *
	sums(std::byte *state) const noexcept
	{
		return reinterpret_cast<FixedSum *>(state);
	}

	int64_t *
	instants(std::byte *state) const noexcept
	{
		return reinterpret_cast<int64_t *>(state + instants_at_);
	}

	uint32_t *
	counts(std::byte *state) const noexcept
	{
		return reinterpret_cast<uint32_t *>(state + counts_at_);
	}

private:
	static constexpr size_t chunk_records = 4096;
	static constexpr size_t line_bytes = 64;

	struct FreeChunk
	{
		void
		operator()(std::byte *chunk) const noexcept
		{
			std::free(chunk);
		}
	};

	static size_t
	round_to_line(size_t bytes) noexcept
	{
		return (bytes + line_bytes - 1) / line_bytes * line_bytes;
	}

	// Small states divide a cache line evenly, larger ones fill whole lines
	static size_t
	round_up(size_t bytes) noexcept
	{
		size_t size = sizeof(FixedSum);
		while (size < bytes && size < line_bytes)
		{
			size *= 2;
		}
		return bytes <= size ? size : round_to_line(bytes);
	}

	size_t instants_at_;
	size_t counts_at_;
	size_t stride_;
	std::vector<std::unique_ptr<std::byte, FreeChunk>> chunks_;
};

} // namespace lead_scoring::core
