// Small queries on our own tables: run through SPI under the safe path, results copied out as plain memory.
#pragma once

#include "pg/postgres_api.hpp"

#include <string_view>

namespace lead_scoring::pg
{

// A result set; texts are copied into a context that outlives SPI
struct QueryRows
{
	HeapTuple *rows;
	TupleDesc columns;
	const AttrNumber *places; // of the columns that were asked for, in these; null if they are the same
	uint64 count;
	MemoryContext context;
};

// What the query has returned that SPI has just run
QueryRows returned_rows(MemoryContext context);

// Run a query with text parameters; SPI is connected
QueryRows run_query(MemoryContext context, const char *sql, int count, const char *const *texts);

// The text form of a value, null if it is NULL
char *text_at(const QueryRows &rows, uint64 row, int column);

// A value that is not NULL
Datum datum_at(const QueryRows &rows, uint64 row, int column);

bool null_at(const QueryRows &rows, uint64 row, int column);

// Whether a column of type text holds a text
bool has_text(const QueryRows &rows, uint64 row, int column, std::string_view text);

// Whether it does in any of the rows
bool has_text_anywhere(const QueryRows &rows, int column, std::string_view text);

// A double, or another one where it is NULL
double real_at(const QueryRows &rows, uint64 row, int column, double if_null);

// Execute a command; SPI is connected. Returns the number of rows it touched
uint64 execute_command(const char *sql);

} // namespace lead_scoring::pg
