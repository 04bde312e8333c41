// Changes that others are told of: labels and alerts, in lead_scoring.outbox.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/changes.hpp"

namespace lead_scoring::pg
{

// Changes of a score on their way into our tables. SPI is connected, in a session of begin_own_statements
struct Noting
{
	const LoadedScore *score;
	Datum name;
	const Change *changes;
	size_t count;
	const char *reason;
	TimestampTz as_of;
	bool silent; // nobody is told
};

// Announce changes of labels, and alerts; returns how many rows went into the outbox
size_t announce(const Noting &noting);

// Whether a label that was announced must still stand
bool still_stands(const LoadedScore *score, Datum label, TimestampTz announced_at, TimestampTz as_of);

// Arrays of texts and of numbers; nulls tells which are NULL, or is null
Datum text_array(Datum *texts, bool *nulls, size_t count);
Datum real_array(Datum *values, bool *nulls, size_t count);

// The keys of the changes as an array of texts
Datum key_array(const Noting &noting);

} // namespace lead_scoring::pg
