// Keeping stored scores true for records whose facts have changed: lock them, evaluate them, write what differs.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/key_set.hpp"

namespace lead_scoring::pg
{

struct Keeping
{
	TimestampTz as_of;   // DT_NOBEGIN stands for the time at which the records are locked
	const char *reason;
	bool awaits_records; // keys may be of records that another transaction is just adding
	bool only_rows;      // rows of sources have come, changed or gone, and nothing else
};

// Bring the stored scores of some records to an instant: scores of one record type by their names, in order. Returns how
// many rows were written
uint64 keep_scores(const char *const *scores, int score_count, KeySet *keys, const Keeping &keeping);

// Lock the records of some keys as keeping a score does, as far as they are there
void lock_records(const char *score, KeySet *keys);

} // namespace lead_scoring::pg
