// How the score of one record comes about.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"
#include "pg/row_set.hpp"

namespace lead_scoring::pg
{

// Write the rows of lead_scoring.explain for a record whose key is given as a text; false if there is no such record
bool explain_record(LoadedScore *score, Datum key, TimestampTz as_of, const RowSet &rows);

} // namespace lead_scoring::pg
