// What PostgreSQL says of characters under a collation, asked once and remembered.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/keywords.hpp"

extern "C"
{
#include "mb/pg_wchar.h"
}

#include <string_view>

namespace lead_scoring::pg
{

// Characters that are remembered: all of ASCII, and others in slots that may be taken over
inline constexpr size_t ascii_slots = 128;
inline constexpr size_t other_slots = 4096;

// A symbol that is not known yet
inline constexpr core::Symbol no_symbol = PG_UINT32_MAX;

struct LetterSlot
{
	uint32 character; // its bytes, 0 in an empty slot
	core::Letter letter;
	core::Symbol symbol; // for the keywords of the moment
};

struct LetterTable
{
	Oid collation;
	Oid class_collation;  // the one that is asked for classes
	MemoryContext asking; // of what answers leave behind
	LetterSlot slots[ascii_slots + other_slots];
};

// A place in a text
struct Reader
{
	const char *next;
	const char *end;
};

// Make an empty table
LetterTable *make_letter_table(MemoryContext parent, Oid collation);

// Forget all symbols, as there are other keywords now
void forget_symbols(LetterTable *table) noexcept;

// Fill a slot with what PostgreSQL says of a character
void ask_letter(LetterTable *table, LetterSlot *slot, uint32 code, std::string_view character);

// Take the next character of a text and return its slot, with its letter filled in
inline LetterSlot *
take_letter(LetterTable *table, Reader &reader)
{
	const char *begin = reader.next;
	auto first = static_cast<unsigned char>(*begin);
	if (first < ascii_slots)
	{
		reader.next++;
		LetterSlot *slot = &table->slots[first];
		if (slot->character != first)
		{
			ask_letter(table, slot, first, {begin, 1});
		}
		return slot;
	}
	auto length = static_cast<size_t>(pg_encoding_mblen(GetDatabaseEncoding(), begin));
	if (length > static_cast<size_t>(reader.end - begin))
	{
		// Broken encoding
		length = static_cast<size_t>(reader.end - begin);
	}
	reader.next += length;
	uint32 code = 0;
	for (size_t at = 0; at < length; at++)
	{
		code = code << 8 | static_cast<unsigned char>(begin[at]);
	}
	LetterSlot *slot = &table->slots[ascii_slots + (code * 0x9E3779B1u >> 16) % other_slots];
	if (slot->character != code)
	{
		ask_letter(table, slot, code, {begin, length});
	}
	return slot;
}

} // namespace lead_scoring::pg
