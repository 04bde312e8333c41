// What is noted of a score's changes: its history, changes of labels, alerts.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// What the columns of a score hold
struct ScoreValues
{
	double total;
	double fit;
	double engagement;
	Datum label;
	bool nulls[4];
};

// A row that was written
struct Change
{
	Datum key; // of the record, as text
	ScoreValues before;
	ScoreValues after;
};

// Whether note_changes has anything to do for a score
bool wants_changes(const LoadedScore *score);

// Write history, label changes and alerts of rows just written, in the order given; a chunk of some thousands at a time.
// The reason is one of facts, time, rule_change, adjustment, activation and repair. SPI is not connected by the caller
void note_changes(const LoadedScore *score, const Change *changes, size_t count, const char *reason,
				  TimestampTz as_of);

} // namespace lead_scoring::pg
