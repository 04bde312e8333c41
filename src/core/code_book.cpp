#include "core/code_book.hpp"

#include <algorithm>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

uint32_t
CodeBook::add(std::string_view text)
{
	if (uint32_t code = find(text))
	{
		return code;
	}
	if ((count_ + 1) * 2 > slots_.size())
	{
		grow();
	}
	size_t mask = slots_.size() - 1;
	Ends ends = ends_of(text);
	size_t at = hash(ends, text.size()) & mask;
	while (slots_[at].code != 0)
	{
		at = (at + 1) & mask;
	}
	size_t offset = texts_.size();
	texts_.append(text);
	longest_ = std::max(longest_, text.size());
	slots_[at] = {++count_, static_cast<uint32_t>(text.size()), ends, offset};
	return count_;
}

void
CodeBook::grow()
{
	std::vector<Slot> old(slots_.size() * 2);
	old.swap(slots_);
	size_t mask = slots_.size() - 1;

	for (const Slot &slot : old)
	{
		if (slot.code == 0)
		{
			continue;
		}
		size_t at = hash(slot.ends, slot.length) & mask;
		while (slots_[at].code != 0)
		{
			at = (at + 1) & mask;
		}
		slots_[at] = slot;
	}
}

} // namespace lead_scoring::core
