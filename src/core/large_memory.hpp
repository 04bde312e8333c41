// Memory for large tables: asks for huge pages, as random access to tens of megabytes otherwise waits for page walks.
#pragma once

#include "core/fault.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <vector>

namespace lead_scoring::core
{

template <typename Item>
struct LargeAllocator
{
	using value_type = Item;

	LargeAllocator() = default;
	template <typename Other>
	LargeAllocator(const LargeAllocator<Other> &) noexcept
	{
	}

	Item *
	allocate(size_t count)
	{
		size_t bytes = count * sizeof(Item);
		size_t alignment = bytes >= huge_page ? huge_page : cache_line;
		size_t rounded = (bytes + alignment - 1) / alignment * alignment;
		void *memory = std::aligned_alloc(alignment, rounded);
		if (memory == nullptr)
		{
			throw std::bad_alloc();
		}
		if (alignment == huge_page)
		{
			// Only a wish: where the system has no huge pages, it stays with small ones
			madvise(memory, rounded, MADV_HUGEPAGE);
		}
		return static_cast<Item *>(memory);
	}

	void
	deallocate(Item *memory, size_t) noexcept
	{
		std::free(memory);
	}

	template <typename Other>
	bool
	operator==(const LargeAllocator<Other> &) const noexcept
	{
		return true;
	}

	static constexpr size_t cache_line = 64;
	static constexpr size_t huge_page = 2 * 1024 * 1024;
};

// How many items of a large table are worked on between two looks at whether somebody cancels
inline constexpr size_t items_between_polls = 1 << 16;

// Make a large table of equal items: the first touch of gigabytes takes long enough to be cancelled
template <typename Item>
std::vector<Item, LargeAllocator<Item>>
make_large(size_t count, const Item &item, Poll cancelled)
{
	std::vector<Item, LargeAllocator<Item>> made;

	made.reserve(count);
	while (made.size() < count)
	{
		give_up_if(cancelled);
		made.resize(std::min(count, made.size() + items_between_polls), item);
	}
	return made;
}

} // namespace lead_scoring::core
