// Statements that update only columns that no score looks at.
//
// What a statement assigns is known before its first row. Where nothing else can change a row on its way (a trigger before
// the row, a generated column), and rows are of no other relation than the statement says, none of its rows needs to be
// looked at: the trigger for each row, which PostgreSQL copies for each statement, is switched off in that copy. So a row
// costs nothing, neither its old version, which PostgreSQL reads for any trigger after an update, nor the condition.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/paths.hpp"

extern "C"
{
#include "commands/trigger.h"
}

namespace lead_scoring::pg
{

// Know which statement is being run; called when the library is loaded
void watch_statements();

// Have no row looked at by the statement whose trigger before an update this is, if it updates nothing that is watched; the
// definitions are held. Should they change nevertheless, by what the statement itself calls, all records are touched in
// its end
void skip_idle_update(const TriggerData *trigger, const PathStarts *starts);

} // namespace lead_scoring::pg
