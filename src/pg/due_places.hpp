// Where rows of lead_scoring.due are that have just been read.
//
// Whoever follows time reads a batch of them, and writes them once more when their records have been scored: they need not be
// searched for twice. A place says nothing for certain, as others may have changed the row meanwhile: whoever goes there looks
// whether it is the one.
#pragma once

#include "pg/postgres_api.hpp"

extern "C"
{
#include "storage/itemptr.h"
}

namespace lead_scoring::pg
{

// Forget all places, and be ready for so many, in the current memory context: they are forgotten with it
void expect_places(size_t most);

// Remember where the row of a key is, text that lives as long as the context
void remember_place(Datum key, const ItemPointerData &place);

// Where the row of a key was, or null
const ItemPointerData *recall_place(Datum key);

} // namespace lead_scoring::pg
