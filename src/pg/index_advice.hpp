// Advice on indexes, for whoever switches a score on.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Tell which large tables have no index that leads to the rows of a record: each change of a record reads them whole
void advise_indexes(const LoadedScore *score);

} // namespace lead_scoring::pg
