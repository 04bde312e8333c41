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
};

// Clean up when transactions end; called when the library is loaded
void watch_transactions();

// Note a link at the start of a path
void touch_link(const PathStart &start, Datum link);

// Note that every record may be concerned
void touch_everybody(const PathStart &start);

// Give all that was noted, of Touched, by the transaction or subtransaction at hand, and forget it; whoever takes it deletes the
// context that it lives in
List *take_touched(MemoryContext *context);

} // namespace lead_scoring::pg
