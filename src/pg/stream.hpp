// Rows out of PostgreSQL's executor, in batches of plain values.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/key_selection.hpp"
#include "core/program.hpp"
#include "core/share.hpp"
#include "pg/predicate_compiler.hpp"

namespace lead_scoring::pg
{

// What happens to a full batch, and to the last one; false to stop
using BatchSink = bool (*)(void *argument, const core::Batch &batch);

// Where a query's rows carry a column of a batch
struct StreamColumn
{
	core::ColumnKind kind;
	Oid type;             // domains looked through
	AttrNumber position;  // in the rows, 0 for an expression
	Node *expression;     // over the rows, its columns numbered by their positions; null if it has a position
	const char *what;     // for errors
	const char *field;
};

// What the columns of a score hold for a record
inline constexpr int stored_values = 3; // total, fit, engagement; then the label

struct StoredScore
{
	double values[stored_values];
	std::string_view label;
	bool nulls[stored_values + 1];
};

// A query, and how its rows become batches
struct Stream
{
	const char *sql;
	Oid owner;                          // the query runs as this role
	core::KeyKind key_kind;
	AttrNumber key_position;            // in the rows
	AttrNumber time_position;           // 0 for none
	AttrNumber mark_position;           // 0 for none
	bool key_required;                  // records must have a key; rows without one otherwise belong to nobody
	const char *name;                   // for errors
	int column_count;
	const StreamColumn *columns;
	const core::CodeBook *books;        // by column, for those of texts
	const core::SourceProgram *program; // tells what must be read of which row; null for all of all
	core::KeyShare share;               // of the records
	core::KeySelection *selection;      // of the records, if the query brings rows of others, too; or null
	bool by_bitmap;                     // an index finds the rows of all keys, before they are read in the order of the table
	BatchSink sink;
	void *argument;
	BlockNumber first_block;            // with last_block: parameters 3 and 4 of the query, as bounds of ctid
	BlockNumber last_block;
	AttrNumber stored_positions[stored_values + 1]; // in the rows, with stored
	StoredScore *stored;                // [batch_rows] or null: what records have in the score's columns
};

// Run a stream's query as of an instant, for all keys or, if keys is not null, for an array of them
void run_stream(const Stream &stream, TimestampTz as_of, const Datum *keys);

// The type of an array of keys as a parameter
Oid key_array_type(core::KeyKind kind);

// Make the datum of a key in a type of its kind
Datum make_key_datum(Oid type, const core::Key &key);

// Write a key as text
const char *key_string(core::KeyKind kind, const core::Key &key);

} // namespace lead_scoring::pg
