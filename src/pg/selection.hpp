// How to find the rows of those records that are asked for.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"
#include "pg/stream.hpp"

namespace lead_scoring::pg
{

// Choose how a stream reads a source: whole, if so many of the records are asked for that to choose among its rows is faster
// than to find those of each; by an index in the order of the table, if they are many; else as the planner thinks
void choose_access(Evaluation *evaluation, const LoadedStream *source, Stream *stream);

} // namespace lead_scoring::pg
