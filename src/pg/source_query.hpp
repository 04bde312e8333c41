// The queries that deliver the rows of a score's relations, and where in those rows the columns are.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"
#include "pg/stream.hpp"

namespace lead_scoring::pg
{

// Which rows a query reads
enum class Reading
{
	all,
	keys,   // those of the keys that are parameter 2
	blocks, // those of the blocks from parameter 3 to before parameter 4
	recent, // those of the keys, but none that parameter 3 is later than
	locked, // those of the keys, in their order, locked against other writers
	compared, // those of the keys
	in_place, // rows as the table holds them, without a query
};

// Fill in the query, positions and columns of the stream of a source
void describe_source(const LoadedScore *score, const LoadedStream *source, Reading reading, Stream *stream);

// The same for the records themselves. When locked or compared they come with what is stored of the score, if they hold
// its columns
void describe_records(const LoadedScore *score, Reading reading, Stream *stream);

// The same for what a target apart from the records holds of the score: no columns
void describe_stored(const LoadedScore *score, Stream *stream);

// The same for points by hand: one column. With times they say when they will begin or cease to count, and those that do
// not count yet come, too
void describe_adjustments(const LoadedScore *score, bool keys, bool times, Stream *stream);

// The same for resets: a time, no column
void describe_resets(const LoadedScore *score, bool keys, Stream *stream);

} // namespace lead_scoring::pg
