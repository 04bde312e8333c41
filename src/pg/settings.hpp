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

// How old a stored value that changes continuously may become, in microseconds; 0: brought along every time
int64 refresh_interval_us();

// How long the background worker sleeps between two turns, in milliseconds
int naptime_ms();

// The databases that have a background worker, separated by commas
const char *worker_databases();

// Why the refresh under way is done, for the history
const char *refresh_reason();

} // namespace lead_scoring::pg
