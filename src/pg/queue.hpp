// Work that waits: the table lead_scoring.queue, for scores whose mode is queued.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Let records wait for their evaluation, by their keys as texts; with count 0 everybody
void enqueue(const char *score, const Datum *text_keys, size_t count);

} // namespace lead_scoring::pg
