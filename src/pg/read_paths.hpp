// The paths of the active scores, read from the definition tables.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/paths.hpp"

namespace lead_scoring::pg
{

// Read all paths into a context, as of the active snapshot; the starts are left to be asked for
Paths *read_paths(MemoryContext context);

} // namespace lead_scoring::pg
