// What is to be announced of facts and of time comes before an edit, which announces nothing.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Evaluate the records of an active score that wait in the queue, have failed or are due, for that reason; holds the definition
// alone. Returns the number of rows written
uint64 catch_up(const char *score);

} // namespace lead_scoring::pg
