// Rows of a few keys, found through an index directly.
//
// For a single record making a query ready costs more than running it, and no query reads from the latest row of a key
// back. Where a table and its index are as simple as most are, rows are read, and locked, as the query would; where they are
// not, the query does it.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/kept_stream.hpp"
#include "pg/loaded_stream.hpp"

extern "C"
{
#include "access/genam.h"
}

#include <span>

namespace lead_scoring::pg
{

// An index whose first column is the key that rows are looked up by
struct RowIndex
{
	Oid relation;
	Oid index;
	Oid key_type;                // that the index compares
	Oid collation;
	RegProcedure is_key;
	bool timed;                  // rows have a time
	ScanDirection latest_first;  // from what is NULL and the latest row of a key back, if the second column is the time; or none
	bool holds_all;              // that is read of the rows
	uint64 version;              // of the definitions, as of which all this holds
};

// Whether the rows of a key are in the order of their time
inline bool
is_by_time(const RowIndex &index)
{
	return index.latest_first != NoMovementScanDirection;
}

// A table at work, and the row of it that was found
struct RowLookup
{
	Relation table;
	Relation index;
	IndexScanDesc scan; // null before the first key
	TupleTableSlot *slot;
};

// Open the table and lock it; false if it has changed before that, so that the index may be gone and columns be others, or if
// the current user must be refused: only a query will do then
bool begin_lookup(RowLookup *lookup, const RowIndex *index, LOCKMODE mode);

// Find the one row that a key has; false if there is none
bool find_row(RowLookup *lookup, const RowIndex *index, Snapshot snapshot, const core::Key &key);

void end_lookup(const RowLookup &lookup);

// Find an index to look up rows of a stream by, null if only a query will do. To lock means to read one row of each key
const RowIndex *find_row_index(const LoadedStream *stream, bool to_lock);

// Lock the rows of some keys, in their order, against other writers and read them, as of the transaction's snapshot; their
// batch is there until the stream runs again, and so are their places. Where all have been locked before, their places then, or
// invalid ones, spare looking them up again; else null. Says whether one was gone, or had another key, once it could be locked:
// others may have its key now. False if only a query will do
bool lock_by_index(KeptStream *kept, const RowIndex *index, TimestampTz as_of, std::span<const core::Key> keys,
				   const ItemPointerData *places, bool *gone);

// Lock the rows of some keys, in their order, without reading them; fills in their places, invalid for a key without a row, and
// how many there are, and whether one was gone, or had another key. False if only a query will do
bool lock_places(const RowIndex *index, std::span<const core::Key> keys, ItemPointerData *places, uint64 *locked, bool *gone);

// Read the rows of some keys under the active snapshot, but none that a time is later than. Batches go to the sink. False if
// only a query will do
bool read_by_index(KeptStream *kept, const RowIndex *index, TimestampTz as_of, std::span<const core::Key> keys, TimestampTz earliest);

} // namespace lead_scoring::pg
