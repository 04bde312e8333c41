// Changes of labels that a dwell held back, once it is over.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Announce those of an active score by an instant; returns how many
uint64 announce_dwelled(const char *name, TimestampTz as_of);

} // namespace lead_scoring::pg
