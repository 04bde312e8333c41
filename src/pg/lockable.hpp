// Which records can be locked.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Whether rows of the records can be locked: not those of a materialized view, and those of a view only where each is made of
// rows of tables
bool can_lock_rows(const LoadedStream *records);

} // namespace lead_scoring::pg
