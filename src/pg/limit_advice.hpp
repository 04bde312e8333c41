// Limits that do not fit what they limit. All of them hold; who defined them may not have meant them so.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Warn where the limits of the groups and of the score do not fit together (decision D5), tell where the rules of a group come to
// more than its limits (F10)
void advise_limits(const LoadedScore *score);

} // namespace lead_scoring::pg
