// Locks on the records of many keys, all of them before any is evaluated: writing a score may lock more, so that whoever locked
// some records, wrote them and locked others then could wait for somebody who waits for him.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/kept_score.hpp"

namespace lead_scoring::pg
{

// Records that are kept
struct Records
{
	const core::Key *keys;   // in their order
	int count;
	Datum array;             // of the keys
	ItemPointerData *places; // of their rows, once all are locked without a query, invalid where there is none; else null
};

// Lock records in the order of their keys, then those keys of which there is none if others may be adding it. Returns how many
// records there are. SPI is connected; what is kept may be forgotten once this returns
uint64 lock_all_records(KeptScore *kept, Records *records, bool awaits_records);

} // namespace lead_scoring::pg
