// What differs between stored scores and evaluated ones, and what follows from it.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/due.hpp"
#include "pg/kept_score.hpp"

namespace lead_scoring::pg
{

// The columns of one record before and after
struct ColumnChange
{
	core::Key key;
	StoredScore before;
	StoredScore after;
	bool is_new; // the target has no row for the record yet
	bool stands; // a publisher has sent with the row what comes after
	bool refused; // a trigger of others has kept the row as it was
	ItemPointerData place; // of the row that was locked, or invalid
};

// What an evaluation of some records has come to
struct ColumnChanges
{
	ColumnChange *changes;
	int count;
	int capacity;
	DueRow *dues; // when the scores of the records will change by themselves
	int due_count;
	int due_capacity;
	TimestampTz as_of;
};

// Begin a list with room for so many records, in the current memory context
ColumnChanges make_changes(size_t room, TimestampTz as_of);

// A record that is locked
struct LockedRecord
{
	const core::Key &key;
	const ItemPointerData *place; // of its row, or null
};

// Compare a result with what is stored of a record that has a row for it; a list that is full grows
void compare_result(ColumnChanges *changes, const core::Program &program, core::KeyKind kind, const LockedRecord &record,
					const StoredScore &stored, const core::ScoreResult &result);

// Records that are locked, and what is known of them
struct LockedRecords
{
	const core::Batch *batch;
	const StoredScore *stored;     // in their rows, or null
	const ItemPointerData *places; // of their rows, or null
};

// Compare the results of a batch of records with what is stored; what is returned lives in the current memory context. When records
// are due is not told of those that were due at any instant already, where only rows of sources have come, changed or gone
ColumnChanges find_changes(const KeptScore *kept, const LockedRecords &records, const core::ScoreResult *results, TimestampTz as_of,
						   bool only_rows);

// Write changes into the columns, and note them. SPI is connected. Returns how many rows were written
uint64 write_changes(KeptScore *kept, const ColumnChanges &changes, const char *reason);

} // namespace lead_scoring::pg
