// From datums to the plain values of the core. Inline, as every row of a source comes through here.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/batch.hpp"
#include "core/code_book.hpp"

extern "C"
{
#include "access/detoast.h"
#include "utils/date.h"
}

namespace lead_scoring::pg
{

// Whether a value lies there as it is. A pointer to a value out of line passes for a short one: ask for what must be
// fetched or unpacked
inline bool
is_plain(Datum datum)
{
	return !VARATT_IS_EXTERNAL(DatumGetPointer(datum)) && !VARATT_IS_COMPRESSED(DatumGetPointer(datum));
}

inline std::string_view
view_plain(const void *text)
{
	return {VARDATA_ANY(text), static_cast<size_t>(VARSIZE_ANY_EXHDR(text))};
}

// Unpack a text into a context
std::string_view unpack_text(Datum datum, MemoryContext context);

// Copy a text
std::string_view copy_text(Datum datum, MemoryContext context);

// The same, as what a cell points to
const std::string_view *keep_text(Datum datum, MemoryContext context);

// Read a key of a type; texts are copied into a context
inline core::Key
read_key(Oid type, Datum datum, MemoryContext context)
{
	core::Key key{};

	switch (type)
	{
	case INT2OID:
		key.low = static_cast<uint64>(static_cast<int64>(DatumGetInt16(datum)));
		return key;
	case INT4OID:
		key.low = static_cast<uint64>(static_cast<int64>(DatumGetInt32(datum)));
		return key;
	case INT8OID:
		key.low = static_cast<uint64>(DatumGetInt64(datum));
		return key;
	case UUIDOID:
		memcpy(&key.low, DatumGetUUIDP(datum)->data, sizeof key.low);
		memcpy(&key.high, DatumGetUUIDP(datum)->data + sizeof key.low, sizeof key.high);
		return key;
	default:
		key.text = copy_text(datum, context);
		return key;
	}
}

inline core::Cell
read_number(Oid type, Datum datum)
{
	core::Cell cell;

	switch (type)
	{
	case BOOLOID:
		cell.integer = DatumGetBool(datum);
		return cell;
	case INT2OID:
		cell.integer = DatumGetInt16(datum);
		return cell;
	case INT4OID:
		cell.integer = DatumGetInt32(datum);
		return cell;
	case DATEOID:
		cell.integer = DatumGetDateADT(datum);
		return cell;
	case INT8OID:
	case TIMESTAMPOID:
	case TIMESTAMPTZOID:
		cell.integer = DatumGetInt64(datum);
		return cell;
	case FLOAT4OID:
		cell.real = static_cast<double>(DatumGetFloat4(datum));
		return cell;
	case FLOAT8OID:
		cell.real = DatumGetFloat8(datum);
		return cell;
	default:
		// An enum
		cell.integer = static_cast<int64>(DatumGetObjectId(datum));
		return cell;
	}
}

// Read a value that is not NULL into a column of a kind; what a text must be unpacked for goes into a context
inline core::Cell
read_cell(core::ColumnKind kind, Oid type, const core::CodeBook *book, Datum datum, MemoryContext context)
{
	core::Cell cell;

	switch (kind)
	{
	case core::ColumnKind::code:
		if (is_plain(datum))
		{
			cell.integer = book->find(view_plain(DatumGetPointer(datum)));
			return cell;
		}
		// A long value that no rule can speak of need not be fetched
		cell.integer = toast_raw_datum_size(datum) - VARHDRSZ <= book->longest()
						   ? book->find(unpack_text(datum, context))
						   : 0;
		return cell;
	case core::ColumnKind::presence:
		cell.integer = 0;
		return cell;
	case core::ColumnKind::text:
		cell.text = keep_text(datum, context);
		return cell;
	default:
		return read_number(type, datum);
	}
}

} // namespace lead_scoring::pg
