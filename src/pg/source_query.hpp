// The queries that deliver the rows of a score's relations, and where in those rows the columns are.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"
#include "pg/stream.hpp"

namespace lead_scoring::pg
{

// Fill in the query, positions and columns of the stream of a source; keys tells whether some keys are asked for, blocks
// whether only a part of the table is read
void describe_source(const LoadedScore *score, const LoadedStream *source, bool keys, bool blocks, Stream *stream);

// The same for the records themselves
void describe_records(const LoadedScore *score, bool keys, Stream *stream);

// The same for points by hand: one column
void describe_adjustments(const LoadedScore *score, bool keys, Stream *stream);

// The same for resets: a time, no column
void describe_resets(const LoadedScore *score, bool keys, Stream *stream);

} // namespace lead_scoring::pg
