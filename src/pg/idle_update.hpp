// Statements that update only columns that no score looks at.
//
// What a statement assigns is known before its first row. Where nothing else can change a row on its way (a trigger before
// the row, a generated column), and rows are of no other relation than the statement says, none of its rows needs to be
// looked at.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/paths.hpp"

extern "C"
{
#include "commands/trigger.h"
}

namespace lead_scoring::pg
{

// Remember the statement whose trigger before an update this is, until it ends, if it updates nothing that is watched; the
// definitions are held
void note_idle_update(const TriggerData *trigger, const PathStarts *starts);

// Whether the statement, in whose condition of a trigger this is called for a row of a relation, is such a one
bool is_idle_update(Oid relation);

} // namespace lead_scoring::pg
