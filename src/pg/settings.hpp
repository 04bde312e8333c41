// The settings of the extension.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Define the settings; called when the library is loaded
void define_settings();

// Memory that an evaluation may use for what it knows of the records, per process
Size work_memory_bytes();

// Whether a superuser lets this session write the columns of scores
bool score_writes_allowed();

} // namespace lead_scoring::pg
