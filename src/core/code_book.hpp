// The texts that rules speak of, numbered from 1: a row's text becomes a code once and is compared as a number after.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace lead_scoring::core
{

class CodeBook
{
public:
	CodeBook() : slots_(16)
	{
	}

	// Return the code of a text, giving it the next one if it is new
	uint32_t add(std::string_view text);

	// Return the code of a text, 0 if no rule speaks of it
	uint32_t
	find(std::string_view text) const noexcept
	{
		size_t mask = slots_.size() - 1;
		Ends ends = ends_of(text);

		for (size_t at = hash(ends, text.size()) & mask;; at = (at + 1) & mask)
		{
			const Slot &slot = slots_[at];
			if (slot.code == 0)
			{
				return 0;
			}
			if (slot.length == text.size() && slot.ends.head == ends.head && slot.ends.tail == ends.tail &&
				(text.size() <= sizeof ends ||
				 std::memcmp(texts_.data() + slot.offset, text.data(), text.size()) == 0))
			{
				return slot.code;
			}
		}
	}

	// Return how many codes there are, 0 (other) included
	uint32_t
	size() const noexcept
	{
		return count_ + 1;
	}

	// Return the length of the longest text, in bytes
	size_t
	longest() const noexcept
	{
		return longest_;
	}

private:
	// The first and the last bytes of a text, which may overlap: the whole of it up to 16 bytes
	struct Ends
	{
		uint64_t head = 0;
		uint64_t tail = 0;
	};

	struct Slot
	{
		uint32_t code = 0;
		uint32_t length = 0;
		Ends ends = {};
		size_t offset = 0; // in texts_
	};

	static Ends
	ends_of(std::string_view text) noexcept
	{
		Ends ends;

		if (text.size() >= 8)
		{
			std::memcpy(&ends.head, text.data(), 8);
			std::memcpy(&ends.tail, text.data() + text.size() - 8, 8);
		}
		else if (text.size() >= 4)
		{
			std::memcpy(&ends.head, text.data(), 4);
			std::memcpy(&ends.tail, text.data() + text.size() - 4, 4);
		}
		else if (!text.empty())
		{
			// The first, middle and last byte are all there are
			ends.head = static_cast<unsigned char>(text.front());
			ends.tail = static_cast<uint64_t>(static_cast<unsigned char>(text[text.size() / 2])) << 8 |
						static_cast<unsigned char>(text.back());
		}
		return ends;
	}

	// Mix the length with the first and the last bytes: enough to tell names of events apart
	static uint64_t
	hash(const Ends &ends, size_t length) noexcept
	{
		uint64_t mixed = (ends.head ^ (length * 0x9E3779B97F4A7C15u)) * 0xFF51AFD7ED558CCDu;
		mixed = (mixed ^ (mixed >> 32) ^ ends.tail) * 0xC4CEB9FE1A85EC53u;
		return mixed ^ (mixed >> 29);
	}

	void grow();

	std::vector<Slot> slots_; // a power of two, at most half full
	std::string texts_;
	uint32_t count_ = 0;
	size_t longest_ = 0;
};

} // namespace lead_scoring::core
