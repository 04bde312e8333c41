// The active scores, their records and the sources that they look at, as the definition tables have them.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/paths.hpp"

namespace lead_scoring::pg
{

// A source of records
struct ReadSource
{
	const char *name;
	Oid relation;
	const char *record_key;
	const char *record_column; // of the records, that it names instead of their key, or null
	Oid through;
	const char *through_key;
	const char *through_record;
	bool guarded; // by a foreign key that always holds: no row of it, or of its hop, names a record that others cannot see yet
	List *scores; // of ActiveScore: those that look at it
};

// The records of a type
struct ReadRecords
{
	const char *record_type;
	Oid relation;
	const char *key_column;
	List *scores;  // of ActiveScore, in the order of their names
	List *sources; // of ReadSource, in the order of their names
};

// The record types that have active scores, of ReadRecords, in the order of their names, as of the active snapshot. SPI is
// connected, for the owner of the definitions
List *read_active_records(MemoryContext context);

} // namespace lead_scoring::pg
