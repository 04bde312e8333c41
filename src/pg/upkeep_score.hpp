// One score under upkeep: its records evaluated in batches, its errors kept.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/attempt.hpp"
#include "pg/upkeep.hpp"

namespace lead_scoring::pg
{

// A score that the caller may write
struct UpkeepScore
{
	const char *name;
	TimestampTz as_of;
	uint64 written;  // rows, so far
	Failure failure; // why the score as a whole failed
	const char *reason; // of changes, for the history
	bool by_clock;      // as_of stands for now, of each batch anew
	bool failed_before; // and that is kept
	bool unproven;      // what it depends on may have changed since this session saw that it can be evaluated
	int longest_wait_ms; // for a lock, as there are others to keep; 0: as long as it takes
};

// Keys as texts
struct KeyList
{
	Datum *keys;
	size_t count;
	TimestampTz last_due;
};

// The active scores that the caller may write, in the order of their names; one of them if it is named
List *scores_to_keep(const Upkeep &upkeep, const char *only);

// Whether there is a score that is switched on, whoever may write it
bool is_any_active();

// Evaluate all records of a score and write what differs; false if it fails
bool refresh_everybody(UpkeepScore *score);

// Evaluate records of a score and write what differs; those that fail are parked. False if the score as a whole fails
bool refresh_or_park(UpkeepScore *score, const KeyList &keys);

// What went wrong, as an array of texts
Datum failure_texts(const Failure &failure);

// Keep what went wrong with a score as a whole, and tell, if it is active still
void keep_failure(const UpkeepScore &score);

// Whether a score that failed is not to be tried again yet
bool is_resting(const char *score);

// Whether a score as a whole has failed in this statement
bool has_just_failed(const char *score);

// Forget what went wrong with a score as a whole
void forget_failure(const char *score);

// Go on in another transaction if that is how the work is divided
void next_part(const Upkeep &upkeep, const char *score);

// Copy the keys that the last query of SPI found into a context
KeyList found_keys(MemoryContext context);

// Those of some records that are not parked, or are to be tried again
KeyList without_parked(const char *score, const KeyList &keys);

// Read keys: a query on our own tables with the score as its first parameter, and perhaps an instant, another, a text and
// a number; its first column is the key, its second, if it has one, an instant
KeyList read_keys(const char *sql, const char *score, TimestampTz until, TimestampTz after, Datum after_key, int64 limit);

} // namespace lead_scoring::pg
