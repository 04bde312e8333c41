// Rows out of PostgreSQL's executor, in batches of plain values.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/batch.hpp"
#include "core/code_book.hpp"
#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// What happens to a full batch, and to the last one
using BatchSink = void (*)(void *argument, const core::Batch &batch);

// A query whose rows are: key, time if there is one, then the input columns
struct Stream
{
	const char *sql;
	Oid owner;                    // the query runs as this role
	core::KeyKind key_kind;
	bool has_time;
	bool key_required;            // records must have a key; rows without one otherwise belong to nobody
	const char *name;             // for errors
	int column_count;
	const InputColumn *columns;
	const core::CodeBook *books;  // by column, for those of texts
	BatchSink sink;
	void *argument;
};

// Run a stream's query as of an instant, for all keys or, if keys is not null, for an array of them
void run_stream(const Stream &stream, TimestampTz as_of, const Datum *keys);

// The type of an array of keys as a parameter
Oid key_array_type(core::KeyKind kind);

// Make an array of keys of a text array; raises for a text that is not a key
Datum make_key_array(core::KeyKind kind, ArrayType *texts);

// Make the datum of a key in a type of its kind
Datum make_key_datum(Oid type, const core::Key &key);

} // namespace lead_scoring::pg
