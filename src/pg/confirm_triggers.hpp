// Triggers of the extension that somebody has switched off, or made fire at other times.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Whether those triggers of ours that a table has fire when they should
bool triggers_fire(Oid relation);

// Let them fire when they should
void confirm_triggers(Oid relation);

} // namespace lead_scoring::pg
