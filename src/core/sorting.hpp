// Sorts what may be long, and can be told to stop meanwhile.
#pragma once

#include "core/fault.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace lead_scoring::core
{

// Sort values: pieces of about a millisecond each, then merged pair by pair
template <typename Value>
void
sort_values(std::vector<Value> &values, Poll cancelled)
{
	constexpr size_t piece = 1 << 14;
	const size_t size = values.size();

	for (size_t first = 0; first < size; first += piece)
	{
		give_up_if(cancelled);
		std::sort(values.begin() + first, values.begin() + std::min(size, first + piece));
	}
	std::vector<Value> merged(size > piece ? size : 0);
	for (size_t width = piece; width < size; width *= 2)
	{
		for (size_t first = 0; first < size; first += 2 * width)
		{
			give_up_if(cancelled);
			const auto begin = values.begin();
			const size_t middle = std::min(size, first + width);
			std::merge(begin + first, begin + middle, begin + middle, begin + std::min(size, first + 2 * width),
					   merged.begin() + first);
		}
		values.swap(merged);
	}
}

} // namespace lead_scoring::core
