// Scores that a row of the records' table alone decides: computed while the row is on its way into the table, so that
// nothing has to be written a second time.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/kept_score.hpp"
#include "pg/row_change.hpp"

namespace lead_scoring::pg
{

// Whether one row of the records' table is all that a score depends on
bool decided_by_row(const LoadedScore *score);

// Whether an update writes a score that is computed here
bool writes_filled(const PathStarts *starts, const Rows &rows);

// Note what a row that was written has changed of such scores
void note_filled(Relation relation, const PathStarts *starts, const Rows &rows);

} // namespace lead_scoring::pg
