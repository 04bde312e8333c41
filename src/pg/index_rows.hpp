// Rows that the entries of an index tell of, without the table.
//
// The entries of a record's rows lie side by side, its rows anywhere: where an index holds all columns that matter, and the
// visibility map says that everybody sees all rows of a page, the page need not be looked at.
#pragma once

#include "pg/postgres_api.hpp"

extern "C"
{
#include "access/genam.h"
#include "access/relscan.h"
#include "storage/buf.h"
}

namespace lead_scoring::pg
{

// A table whose rows are made of the entries of an index
struct IndexRows
{
	Relation table;
	TupleTableSlot *slot; // a row of the table, but for the columns that the index does not hold; null if the table must be read
	Buffer map;           // the part of the visibility map that was looked at last
	int column_count;     // of the index, if it is read
	int columns[INDEX_MAX_KEYS]; // the table's, from 0, that each of them is; negative for none
};

// Whether an index holds some columns of its table, as the table does; 0 stands for whole rows, which none does
bool holds_columns(Relation table, Relation index, const Bitmapset *attributes);

// Begin to read rows by an index; only if it holds all that matters of them are they made of its entries
void begin_index_rows(IndexRows *rows, Relation table, Relation index, bool holds_all);

inline bool
are_from_index(const IndexRows &rows)
{
	return rows.slot != nullptr;
}

// Make the row of the entry at hand; null if the table must tell who sees it. The scan keeps hold of the entry's page, so that
// the place means the same row still
TupleTableSlot *index_row(IndexRows *rows, IndexScanDesc scan);

void end_index_rows(IndexRows *rows);

} // namespace lead_scoring::pg
