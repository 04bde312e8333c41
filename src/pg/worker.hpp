// The background worker: time followed without a scheduler.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Have the server run the launcher; called while the server starts
void register_launcher();

} // namespace lead_scoring::pg
