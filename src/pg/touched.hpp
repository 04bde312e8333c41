// What the statements of this session have touched and not yet been scored for.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/key_set.hpp"
#include "pg/paths.hpp"

namespace lead_scoring::pg
{

// Links at the start of a path
struct Touched
{
	PathKind kind;
	const char *record_type;
	const char *source; // or null
	KeySet *links;
	bool everybody;     // rows are gone of which nobody knows which: every record may be concerned
	int level;          // of the transaction in which it was noted first
};

// Clean up when transactions end; called when the library is loaded
void watch_transactions();

// Hold the definitions of the scores that a relation matters to, until the end of the transaction, and return the paths
// that begin there; what a row is worth is judged by the definition that it will be scored by
const PathStarts *hold_paths_from(Oid relation);

// The same without waiting for anybody: null if this transaction does not hold the definitions yet, as they are now
const PathStarts *held_paths_from(Oid relation);

// Note a link at the start of a path
void touch_link(const PathStart &start, Datum link);

// Note that every record may be concerned
void touch_everybody(const PathStart &start);

// Give all that was noted, of Touched, and forget it; whoever takes it deletes the context that it lives in
List *take_touched(MemoryContext *context);

} // namespace lead_scoring::pg
