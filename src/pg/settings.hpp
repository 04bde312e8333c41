// The settings of the extension.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Define the settings; called when the library is loaded
void define_settings();

// Memory that an evaluation may use for what it knows of the records, per process
Size work_memory_bytes();

// Why the refresh under way is done, for the history
const char *refresh_reason();

} // namespace lead_scoring::pg
