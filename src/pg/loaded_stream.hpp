// A relation that a score reads, as its definition says and as it is now.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/batch.hpp"
#include "pg/predicate_compiler.hpp"

namespace lead_scoring::pg
{

// The one hop between a source's rows and the records: activities belong to contacts, contacts to companies
struct Hop
{
	Oid relation;           // invalid if there is none
	const char *row_key;    // its column that the rows name
	const char *record_key; // its column that names the record
	const char *filter_sql; // or null
	Bitmapset *attributes;  // that the filter reads
};

// The records, or the rows of one source
struct LoadedStream
{
	const char *name;          // of the source, or of the record type
	bool is_source;
	Oid relation;
	Oid owner;                 // of the relation; expressions run as this role
	const char *key_column;    // of the relation: the record's key, or what names the record
	const char *time_column;   // or null
	const char *record_column; // column of the record that key_column equals, or null for the record's key
	Oid key_type;              // domains looked through
	const char *filter_sql;    // or null
	Hop hop;
	bool cleaned;              // rows that repeat others are dropped
	const char *mark_sql;      // of a cleaned source: what rows that may repeat each other share, or null
	bool mark_has_order;       // whether its type has an order, and with it an equality of its own
	int64 dedup_us;            // how long a row keeps others of its mark away
	InputColumns *inputs;
	Bitmapset *query_attributes; // of the relation, that filter_sql and mark_sql read
};

// Look up the relation of a stream; raises unless it is there, has the columns it needs and still belongs to the role
// that it was defined for
void settle_stream(LoadedStream *stream, const char *defined_for);

// Raise unless a source's hop is as it was when it was defined
void settle_hop(const LoadedStream *stream, const char *defined_for);

// Return the kind of key that a stream has; raises for a type that is none
core::KeyKind key_kind_of(const LoadedStream *stream);

// Raise unless a source's rows name records by a key of the same kind as the column that they name
void require_same_kind(const LoadedStream *source, const LoadedStream *records);

// Whether the relation itself guarantees that no two rows share a key
bool has_unique_key(Oid relation_id, const char *key_column);

// Raise unless the current user may read all rows of a stream
void require_stream_readable(const LoadedStream *stream);

// Whether nothing but a row itself tells whose it is, and what rules need of it
bool is_from_rows(const LoadedStream *stream);

// Print a relation's name with its schema, quoted; raises if the relation is gone
char *relation_sql(Oid relation);

} // namespace lead_scoring::pg
