// Pages of tables in shared memory, by where they were found last.
//
// To look a page up costs about as much as to read a row from it, as the table of all pages is large and lies anywhere. A session
// remembers some thousand places; each is asked whether it is still that page, before anything in it is relied on.
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

// Where a page is, as far as is known without holding it; begins to read one that is not in memory. Invalid if it is nowhere, or
// not in memory that is shared
Buffer recent_page(Relation table, BlockNumber block);

// Have a page at hand for the next row that is fetched
void bring_page(IndexFetchTableData *fetch, BlockNumber block);

// Fetch the next row of a scan for an MVCC snapshot, as index_getnext_slot does
bool next_row(IndexScanDesc scan, TupleTableSlot *slot);

} // namespace lead_scoring::pg
