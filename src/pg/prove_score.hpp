// Whether a score can be evaluated at all, though nothing of it is due.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/upkeep_score.hpp"

namespace lead_scoring::pg
{

// Evaluate nobody: the definition is read, and its queries are run. False if that fails. Where it would take to wait for others,
// the score stays unproven
bool prove_score(UpkeepScore *score);

} // namespace lead_scoring::pg
