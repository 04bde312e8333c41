// The triggers on users' tables that keep scores current, and keep others from writing their columns.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Make the triggers that a score needs and that are not there yet. An activation, besides, tells of relations that can have none,
// and lets those fire that somebody has switched off. SPI is connected
void attach_triggers(const LoadedScore *score, bool activating);

// Drop the triggers of a relation that no active score needs any more. SPI is connected
void detach_triggers(Oid relation);

// Guard the columns of all active scores that have theirs in a table; those of one score are left out if it is named.
// SPI is connected
void guard_columns(Oid target, const char *but);

} // namespace lead_scoring::pg
