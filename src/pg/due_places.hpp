// Where rows of lead_scoring.due are that have just been read.
//
// Whoever follows time reads a batch of them, and writes them once more when their records have been scored: they need not be
// searched for twice. A place says nothing for certain, as others may have changed the row meanwhile: whoever goes there looks
// whether it is the one. There is a page, at least, as long as the snapshot lasts that the rows were read in: only where
// somebody writes the whole table anew there may be none.
#pragma once

#include "pg/postgres_api.hpp"

extern "C"
{
#include "storage/itemptr.h"
}

namespace lead_scoring::pg
{

// Forget all places, and be ready for so many of a score in the table, in the current memory context: they are forgotten with it
void expect_places(Relation table, Datum score, size_t most);

// Remember where the row of a key is, text that lives as long as the context
void remember_place(Datum key, const ItemPointerData &place);

// Where the row of a record was, or null, as it is if the table has been written anew since
const ItemPointerData *recall_place(Relation table, Datum score, Datum key);

// Say that a record whose place may be remembered was scored
void meet_place(Datum score, Datum key);

// Whether all of them were
bool all_places_met();

} // namespace lead_scoring::pg
