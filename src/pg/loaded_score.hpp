// A score read from the definition tables, its expressions parsed: all that the pipeline needs to run.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/definition.hpp"
#include "pg/loaded_stream.hpp"

namespace lead_scoring::pg
{

struct LoadedScore
{
	const char *name;
	bool active;
	Oid target;                  // relation with the score columns
	bool own_target;             // target is the record's own relation
	core::Definition definition;
	bool parallel_safe;          // all that its expressions call may run in several processes at once
	bool settings_matter;        // some expression calls what depends on the session's settings
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

} // namespace lead_scoring::pg
