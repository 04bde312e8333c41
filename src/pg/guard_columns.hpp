// Who may write the columns of scores.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/row_change.hpp"

namespace lead_scoring::pg
{

// Whether whoever is at work may write scores: the extension itself, a superuser who repairs, pg_restore
bool may_write_scores();

// Whether an update gives a row a score that is not what a trigger of ours has just computed
bool is_score_written(const PathStarts *starts, const Rows &rows);

// Raise, as somebody else has written the scores of a relation
[[noreturn]] void refuse_write(Relation relation);

} // namespace lead_scoring::pg
