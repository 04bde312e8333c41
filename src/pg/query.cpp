#include "pg/query.hpp"

namespace lead_scoring::pg
{

namespace
{

int
place_of(const QueryRows &rows, int column)
{
	return rows.places == nullptr ? column : rows.places[column - 1];
}

} // namespace

QueryRows
returned_rows(MemoryContext context)
{
	return {SPI_tuptable->vals, SPI_tuptable->tupdesc, nullptr, SPI_processed, context};
}

QueryRows
run_query(MemoryContext context, const char *sql, int count, const char *const *texts)
{
	Oid types[4];
	Datum values[4];
	char nulls[4] = {};

	Assert(count <= 4);
	for (int at = 0; at < count; at++)
	{
		types[at] = TEXTOID;
		values[at] = texts[at] == nullptr ? 0 : CStringGetTextDatum(texts[at]);
		nulls[at] = texts[at] == nullptr ? 'n' : ' ';
	}
	if (SPI_execute_with_args(sql, count, types, values, nulls, true, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "query failed: %s", sql);
	}
	return returned_rows(context);
}

char *
text_at(const QueryRows &rows, uint64 row, int column)
{
	char *text = SPI_getvalue(rows.rows[row], rows.columns, place_of(rows, column));

	return text == nullptr ? nullptr : MemoryContextStrdup(rows.context, text);
}

Datum
datum_at(const QueryRows &rows, uint64 row, int column)
{
	bool is_null;

	return SPI_getbinval(rows.rows[row], rows.columns, place_of(rows, column), &is_null);
}

bool
null_at(const QueryRows &rows, uint64 row, int column)
{
	bool is_null;

	SPI_getbinval(rows.rows[row], rows.columns, place_of(rows, column), &is_null);
	return is_null;
}

bool
has_text(const QueryRows &rows, uint64 row, int column, std::string_view text)
{
	if (null_at(rows, row, column))
	{
		return false;
	}
	const struct varlena *held = PG_DETOAST_DATUM_PACKED(datum_at(rows, row, column));
	return std::string_view(VARDATA_ANY(held), VARSIZE_ANY_EXHDR(held)) == text;
}

bool
has_text_anywhere(const QueryRows &rows, int column, std::string_view text)
{
	for (uint64 row = 0; row < rows.count; row++)
	{
		if (has_text(rows, row, column, text))
		{
			return true;
		}
	}
	return false;
}

double
real_at(const QueryRows &rows, uint64 row, int column, double if_null)
{
	return null_at(rows, row, column) ? if_null : DatumGetFloat8(datum_at(rows, row, column));
}

uint64
execute_command(const char *sql)
{
	int result = SPI_execute(sql, false, 0);

	if (result < 0)
	{
		elog(ERROR, "command failed: %s: %s", SPI_result_code_string(result), sql);
	}
	return SPI_processed;
}

} // namespace lead_scoring::pg
