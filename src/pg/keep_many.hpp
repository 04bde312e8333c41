// Keeping the stored scores of many records at once, by the same pipeline that scores all of them.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/keep_scores.hpp"
#include "pg/record_locks.hpp"

namespace lead_scoring::pg
{

// Lock records, evaluate them, write what differs. SPI is connected. Returns how many rows were written
uint64 keep_many(KeptScore *kept, Records *records, const Keeping &keeping);

// How many records of some keys there are now
uint64 count_records(const LoadedScore *score, Datum keys);

// Raise if records exist that this transaction, as old as its snapshot is, cannot see: their scores would miss facts
void require_all_seen(const LoadedScore *score, Datum keys, uint64 seen);

} // namespace lead_scoring::pg
