// Scores as a session keeps them, ready to evaluate a few records at a time: loaded, compiled, their queries planned.
//
// What is kept is forgotten when definitions, relations or functions change: PostgreSQL tells every session.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/scorer.hpp"
#include "pg/kept_stream.hpp"
#include "pg/loaded_score.hpp"
#include "pg/results.hpp"

namespace lead_scoring::pg
{

// The statements that write the columns of a score, planned when they are first needed
struct WritePlans
{
	SPIPlanPtr update_one;
	SPIPlanPtr update_many;
	SPIPlanPtr insert_many;
};

struct RowIndex;

// Rows of a few records, read without a query
struct KeptLookup
{
	const RowIndex *index; // null if only a query will do
	KeptStream *rows;
};

struct KeptScore
{
	MemoryContext context;   // of all that belongs to it
	LoadedScore *score;
	core::Scorer *scorer;
	bool lockable;           // the rows of the records can be locked; of views and the like their keys stand for them
	KeptStream *records;     // locks them, if that can be done
	KeptStream *stored;      // what a target apart from the records holds, or null
	KeptStream *resets;      // or null
	KeptStream *adjustments; // or null
	KeptStream **sources;
	KeptLookup record;       // of records
	KeptLookup *lookups;     // of the sources
	LabelDatums labels;
	Oid target_key_type;
	WritePlans plans;
	bool in_place;           // its columns may be written without a query
	AttrNumber columns[stored_values + 1]; // then: total, fit, engagement, label
	bool bare;               // records are evaluated and written without queries, and nothing is called that looks up a name
	bool ready;              // the session is ready for queries of the evaluation at hand
	bool busy;               // evaluating: an evaluation inside an evaluation must not use it
	int users;               // who may come back to it after calls that forget it
};

// Whether rows of a few records, and all that happened to them, are found through indexes, without a query
bool reads_directly(const KeptScore *kept);

// Make the session ready for queries of an evaluation, which began bare
void prepare_for_queries(KeptScore *kept);

// Ask to be told of changes; called when the library is loaded
void watch_definitions();

// A number that grows whenever something that scores depend on may have changed
uint64 definitions_version();

// Let the number grow when a relation changes
void watch_relation(Oid relation);

// Return a score by its name, ready to be moved to an instant. SPI is connected, and the active snapshot sees the
// definition that is locked
KeptScore *kept_score(const char *name, TimestampTz as_of);

// The definition of a score as it is kept, null if it is not kept as it is now
const LoadedScore *definition_at_hand(const char *name);

// Forget the scores that have changed; what is forgotten is there until the end of the transaction if somebody uses it
void forget_changed_scores();

// Let all sessions look for adjustments and resets of a score from now on, once this transaction commits; most scores have none
void announce_adjustments(const char *score);

// Let all sessions know that a score is about to be brought to an instant, if that is ahead of the clock: when its records are due as
// of then says little about the present
void announce_if_ahead(const char *score, TimestampTz as_of);

// Whether the scores are kept as they are now, by all that has been told to this session
bool scores_are_current();

// The same as kept_score, as of now: nobody alters what the score reads until the end of the transaction
KeptScore *settled_score(const char *name, TimestampTz as_of);

} // namespace lead_scoring::pg
