// Records that are due or not, but not there any more.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/upkeep_score.hpp"

namespace lead_scoring::pg
{

// The keys of all records of a score, in no order; none if they cannot be read
KeyList record_keys(const char *score);

// Forget when records are due that are no longer there: those of some keys, or, without keys, of all.
// What cannot be done without waiting is left to the next time
void remove_gone_records(const char *score, TimestampTz as_of, const KeyList &keys);

} // namespace lead_scoring::pg
