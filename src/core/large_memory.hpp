// Memory for large tables: asks for huge pages, as random access to tens of megabytes otherwise waits for page walks.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <sys/mman.h>

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

} // namespace lead_scoring::core
