// Stored scores: evaluated, compared with what is stored, and written where they differ.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Raise unless the caller may write the columns of every row
void require_writable(const LoadedScore *score);

// Evaluate a score and write what differs, for a reason that the history names; returns the number of rows written
uint64 write_scores(LoadedScore *score, TimestampTz as_of, ArrayType *keys, const char *reason);

} // namespace lead_scoring::pg
