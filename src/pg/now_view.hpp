// The view <score>_now: a score as of the present instant, for those who need it exact.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Make the view beside the table with the score's columns, unless it is there. SPI is connected
void make_now_view(const LoadedScore *score);

// Drop it. SPI is connected
void drop_now_view(Oid target, const char *score);

} // namespace lead_scoring::pg
