// Streams that a session runs again and again for a few records: the plan is made once, and so is what receives its rows.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/receiver.hpp"

namespace lead_scoring::pg
{

struct KeptStream
{
	Stream stream;
	MemoryContext home;
	SPIPlanPtr plan;          // null until it is needed
	ParamListInfo parameters; // as_of, the keys, the time before which no row matters
	Receiver *receiver;
	ItemPointerData *places;  // [batch_rows], of the rows that were locked without a query; or null
};

// Plan a statement once for all values of its parameters; the plan lives as long as a memory context. SPI is connected
SPIPlanPtr prepare_kept(MemoryContext context, const char *sql, int count, Oid *types);

// The same at once, for few keys that indexes find; the planner would not know that they are few
SPIPlanPtr prepare_lookups(MemoryContext context, const char *sql, int count, Oid *types);

// Keep a stream; it lives in the current memory context
KeptStream *keep_stream(const Stream &stream);

// Run a stream under the active snapshot, in the session of its owner, with SPI connected; its batches go to its sink
void run_kept_stream(KeptStream *kept, TimestampTz as_of, Datum keys, TimestampTz earliest);

// Run a stream of at most batch_rows rows, which locks them or reads them under the active snapshot; the batch is there
// until it runs again
const core::Batch &fetch_kept_stream(KeptStream *kept, TimestampTz as_of, Datum keys, bool locks);

} // namespace lead_scoring::pg
