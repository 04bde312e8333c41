// Streams that a session runs again and again for a few records: the plan is made once, and so is what receives its rows.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/receiver.hpp"

namespace lead_scoring::pg
{

struct KeptStream
{
	Stream stream;
	SPIPlanPtr plan;          // null if rows are brought without a query
	ParamListInfo parameters; // as_of, the keys, the time before which no row matters
	Receiver *receiver;
	ItemPointerData place;    // of the row that was locked last without a query, or invalid
};

// Plan a statement once for all values of its parameters; the plan lives as long as a memory context. SPI is connected
SPIPlanPtr prepare_kept(MemoryContext context, const char *sql, int count, Oid *types);

// Prepare a stream; it lives in the current memory context. SPI is connected, and the session is the one in which it will
// run
KeptStream *keep_stream(const Stream &stream);

// The same for a stream whose rows are brought without a query
KeptStream *keep_receiver(const Stream &stream);

// Run a stream under the active snapshot; its batches go to its sink
void run_kept_stream(KeptStream *kept, TimestampTz as_of, Datum keys, TimestampTz earliest);

// Run a stream of at most batch_rows rows, which locks them or reads them under the active snapshot; the batch is there
// until it runs again
const core::Batch &fetch_kept_stream(KeptStream *kept, TimestampTz as_of, Datum keys, bool locks);

} // namespace lead_scoring::pg
