// Stored scores: evaluated, compared with what is stored, and written where they differ.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Raise unless the current user may write the columns of a score
void require_writable(const LoadedScore *score);

// Whether one record's change may change the labels of others: bands for the best records
bool has_relative_bands(const LoadedScore *score);

// Bring the stored scores of all records to an instant; the definition is held alone. Returns how many rows were written
uint64 write_scores(LoadedScore *score, TimestampTz as_of, const char *reason);

// The same for an active score by its name, whoever asks
uint64 refresh_whole(const char *name, TimestampTz as_of, const char *reason);

} // namespace lead_scoring::pg
