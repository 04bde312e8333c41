// Rows as the query of the records would deliver them: without what was dropped.
#pragma once

#include "pg/postgres_api.hpp"

extern "C"
{
#include "executor/tuptable.h"
}

namespace lead_scoring::pg
{

// Make a slot for the rows of a relation
TupleTableSlot *make_row_slot(TupleDesc descriptor);

// Put a row into it; what it refers to stays where it is
void put_row(TupleTableSlot *slot, HeapTuple row, TupleDesc descriptor);

} // namespace lead_scoring::pg
