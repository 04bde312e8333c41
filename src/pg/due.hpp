// When time alone changes stored scores: the table lead_scoring.due, kept by whoever writes scores.
//
// A row says that the stored value of a record may differ from an evaluation at due_at or later. It is written under the
// lock of the record's row that the writer of the score holds anyway, so no two sessions write one row at once.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// When the stored value of a record will change by itself
struct DueRow
{
	Datum key;       // text
	TimestampTz due; // DT_NOBEGIN: continuously, DT_NOEND: never
};

// How a writer's knowledge relates to a row that is there already
enum class DueMode
{
	sooner,  // leave a row that is not later alone: too early costs a look, a write costs every event
	exactly, // make it so: the record was evaluated because it was due
	first,   // there is no row of the score yet
};

// Keep in mind when records change by themselves
void note_due(const LoadedScore *score, const DueRow *rows, size_t count, DueMode mode = DueMode::sooner);

// The first place of an instant in the order of time and key
DueRow first_due(TimestampTz instant);

// Read the rows of a score that are due by an instant, in the order of time and key, from a place in it on; keys live in the
// current memory context, and with it what is remembered of where they are. Returns how many there are, at most so many
size_t read_due(const char *score, const DueRow &from, TimestampTz until, DueRow *rows, size_t most);

// Whether there are such rows
bool has_due(const char *score, const DueRow &from, TimestampTz until);

// Whether there is any row of a score
bool any_due(const LoadedScore *score);

// Put rows into the order of the table's key
void sort_due(DueRow *rows, size_t count);

// Keep in mind that all records of a score were brought to an instant
void note_whole_refresh(const LoadedScore *score, TimestampTz as_of);

} // namespace lead_scoring::pg
