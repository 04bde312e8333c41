// Rows of a table that are fetched where an index says, all that are known at once.
//
// The rows of a record lie anywhere in a table. Fetched one by one, each page waits for the one before it: to be read from disk,
// or, if it is there, until the processor has found out where. So the pages of many rows are asked for first, and
// looked at before any of them is used: then these waits run side by side.
#pragma once

#include "pg/postgres_api.hpp"

extern "C"
{
#include "access/relscan.h"
}

namespace lead_scoring::pg
{

// So many rows are fetched at once
constexpr int most_ahead = 64;

// Rows that wait to be fetched
struct LookAhead
{
	Relation table;
	IndexFetchTableData *fetch;
	ItemPointerData places[most_ahead];
	int count;
	int next;
};

// What became of a row
enum class Fetched
{
	seen,
	unseen,
	dead, // nobody can see it any more
	none, // there was no further place; others can be added
};

void begin_look_ahead(LookAhead *ahead, Relation table);

// Add the place of a row, unless there are most_ahead already
void add_place(LookAhead *ahead, const ItemPointerData &place);

// Have the pages of all rows at hand, to fetch the rows in their order; there must be no others before them
void approach_rows(LookAhead *ahead);

// Fetch the next row, if a snapshot sees it
Fetched fetch_next(LookAhead *ahead, Snapshot snapshot, TupleTableSlot *slot);

void end_look_ahead(LookAhead *ahead);

} // namespace lead_scoring::pg
