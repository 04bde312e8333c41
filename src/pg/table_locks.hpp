// Which tables are locked before definitions are held.
//
// Whoever writes a table has locked it before any trigger can take the definitions of its scores. So whoever is going to
// alter tables, or to watch them, locks these first; and as somebody may be at one of them and come for another, he waits
// for one at a time while he has no other.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

bool can_have_triggers(Oid relation);

// Whether an active score still uses a relation; one of them may be left out. SPI is connected
bool is_used(Oid relation, const char *but);

// Wait for those who have written a relation without holding the definition of a score, as it did not concern them, and
// keep others from doing so. SPI is connected
void await_writers(const char *score, Oid relation);

// Lock a table, with its parts, alone, unless that takes to wait
bool lock_at_once(Oid relation);

// Hold the extension, and lock the row that says whether a score is switched on, before all else: who edits that row has
// locked it, too, when he comes for the definition
void lock_status(const char *score);

// Lock the table that has the columns of a score alone, and keep others from writing what the score is going to look at,
// once those are done who do so
void lock_to_attach(const char *score, Oid target);

// Lock the table that has the columns of a score alone, and, if they can be had at one moment, those whose triggers are to go
// with the score
void lock_to_detach(const char *score, Oid target);

} // namespace lead_scoring::pg
