// Rows of our own tables, read without a query.
//
// What a session has to learn of the definitions it would otherwise ask by a dozen queries, and each of them takes longer to be
// made ready than to run.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/query.hpp"

#include <span>

namespace lead_scoring::pg
{

// One of our tables, and a text column that tells which of its rows belong together
struct OwnTable
{
	const char *name;
	const char *index; // that begins with the column; or null: the table is read as a whole
	const char *key;   // the column
};

// The rows that have a text in the key column, or all of them, under the active snapshot, in the order of the index. Columns are
// numbered as they are named here. Rows live in the current memory context, texts that are taken from them in the other one
QueryRows own_rows(MemoryContext context, const OwnTable &table, const char *key, std::span<const char *const> columns);

// Whether there are such rows
bool has_rows(const OwnTable &table, const char *key);

// Sort by a column, what is NULL last
struct RowOrder
{
	int column;
	PGFunction compare;
	Oid collation;
	bool descending;
};

void sort_rows(QueryRows *rows, std::span<const RowOrder> orders);

} // namespace lead_scoring::pg
