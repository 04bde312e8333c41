// What a trigger for rows is told of: a row before and after.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/paths.hpp"

extern "C"
{
#include "commands/trigger.h"
}

namespace lead_scoring::pg
{

// Rows before and after; either may be missing
struct Rows
{
	TupleTableSlot *before;
	TupleTableSlot *after;
};

// Whether a relation has a trigger of a name that is not disabled
bool has_enabled_trigger(Relation relation, const char *name);

Rows rows_of(const TriggerData *trigger);

// Whether an update left a column as it was
bool same_column(const Rows &rows, AttrNumber attribute);

// Whether an update left all of some columns as they were; anything else leaves none
bool left_alone(const Bitmapset *columns, const Rows &rows);

// Whether an update changed nothing that the path's scores look at
bool is_indifferent(const PathStart &start, const Rows &rows);

// The same for all paths that begin there
bool are_indifferent(const PathStarts *starts, const Rows &rows);

} // namespace lead_scoring::pg
