// A score read from the definition tables, its expressions parsed: all that the pipeline needs to run.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/definition.hpp"
#include "pg/predicate_compiler.hpp"

namespace lead_scoring::pg
{

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
	InputColumns *inputs;
};

struct LoadedScore
{
	const char *name;
	bool active;
	Oid target;                  // relation with the score columns
	bool own_target;             // target is the record's own relation
	core::Definition definition;
	LoadedStream *records;
	LoadedStream **sources;      // as many as definition.sources
	const char **rule_sources;   // by rule of the definition: name of its source, or null
};

// Who asks for a score to be loaded
enum class Reader
{
	anybody, // must be allowed to read all that the score is computed from, whole: results are not filtered
	writer,  // writes the columns; his right to do so is checked elsewhere
};

// Read a score; raises if there is none of that name or if it no longer fits the relations
LoadedScore *load_score(const char *name, Reader reader);

// The columns that a score has, or will have
struct ScoreColumns
{
	const char *total;
	const char *fit;
	const char *engagement;
	const char *label;
};

ScoreColumns score_columns(const char *score);

// Print a relation's name with its schema, quoted
char *relation_sql(Oid relation);

} // namespace lead_scoring::pg
