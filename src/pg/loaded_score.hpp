// A score read from the definition tables, its expressions parsed: all that the pipeline needs to run.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/announcing.hpp"
#include "core/definition.hpp"
#include "pg/loaded_stream.hpp"

namespace lead_scoring::pg
{

// What is kept of each change of a score
enum class History : uint8
{
	none,
	values,
	explained,
};

enum class AlertKind : uint8
{
	above,
	at_least,
	label,
};

// A row of lead_scoring.alert
struct LoadedAlert
{
	const char *name;
	AlertKind kind;
	core::Part part;    // whose value is watched; of no meaning for a label
	double threshold;
	double margin;      // points below the threshold that arm it again, once given
	const char *label;
};

struct LoadedScore
{
	const char *name;
	bool active;
	bool predicted;              // a likelihood: its rules are the features of a model
	Oid target;                  // relation with the score columns
	bool own_target;             // target is the record's own relation
	core::Definition definition;
	bool parallel_safe;          // all that its expressions call may run in several processes at once
	bool settings_matter;        // some expression calls what depends on the session's settings
	bool calls_others;           // some expression calls functions that are not PostgreSQL's own
	bool was_ahead;              // somebody has brought it to an instant ahead of the clock
	LoadedStream *records;
	LoadedStream **sources;      // as many as definition.sources
	const char **rule_sources;   // by rule of the definition: name of its source, or null
	History history;
	bool announce_rule_changes;  // edits and activation are announced too
	bool has_damped_bands;       // some band has a margin or a dwell, or had
	core::AnnouncedLadders announced; // of the bands, if there are such
	const LoadedAlert *alerts;
	int alert_count;
};

// Who asks for a score to be loaded
enum class Reader
{
	anybody, // must be allowed to read all that the score is computed from, whole: results are not filtered
	writer,  // writes the columns; his right to do so is checked elsewhere
};

// Read a score; raises if there is none of that name or if it no longer fits the relations
LoadedScore *load_score(const char *name, Reader reader);

// What all sessions have been told of a score, as of the active snapshot: whether there may be points by hand or resets, and whether
// it was ahead of the clock
struct ScoreMarks
{
	bool adjusted;
	bool ahead;
};

ScoreMarks marks_of(const char *score);

} // namespace lead_scoring::pg
