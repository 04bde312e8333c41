// Rows on their way from PostgreSQL to the core: a few hundred at a time, column by column, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lead_scoring::core
{

inline constexpr size_t batch_rows = 512;

enum class ColumnKind : uint8_t
{
	code,     // a text, as its code in the column's book; 0 stands for every text no rule speaks of
	integer,  // a whole number, an enum's OID, a date or an instant
	real,     // a double
	truth,    // a boolean
	presence, // only whether it is NULL
	text,     // a text itself
};

union Cell
{
	int64_t integer;
	double real;
	const std::string_view *text; // lives as long as the batch
};

enum class KeyKind : uint8_t
{
	integer,
	uuid,
	text,
};

// A key of any kind; text points into memory that lives as long as its batch
struct Key
{
	uint64_t low;  // the integer, or the first half of the uuid
	uint64_t high; // the second half of the uuid
	std::string_view text;
};

struct Batch
{
	size_t rows;
	Key *keys;            // [batch_rows]
	int64_t *times;       // [batch_rows], null for rows that have no time
	Cell *cells;          // [columns][batch_rows]
	bool *nulls;          // [columns][batch_rows]
	std::string_view *marks = nullptr; // [batch_rows], of cleaned sources: rows of one mark may repeat each other; without data for none
	bool *standing = nullptr;          // [batch_rows], whether a row was there before the transaction; null if that is not known

	Cell
	cell(size_t column, size_t row) const noexcept
	{
		return cells[column * batch_rows + row];
	}

	bool
	is_null(size_t column, size_t row) const noexcept
	{
		return nulls[column * batch_rows + row];
	}
};

} // namespace lead_scoring::core
