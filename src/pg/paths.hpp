// How rows of relations lead to the records whose scores they change.
//
// A path is one of the ways in which active scores use a relation: as the records themselves, as a source, or as the hop
// between a source and the records. What a session knows of them it learns from the definition tables, anew whenever
// those change.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/batch.hpp"

namespace lead_scoring::pg
{

enum class PathKind
{
	record,      // rows are the records
	source,      // rows name the records, or a row of the hop, or another column of the records
	hop,         // rows name the records that a source's rows are linked with
	record_key,  // rows, records, that events may have come before: only to be locked
	record_link, // rows, records, hold what a source's rows may name: only to be locked
	hop_link,    // the same for rows of the hop
	target,      // rows hold the columns of scores, apart from the records
};

// A score that is kept current
struct ActiveScore
{
	const char *name;
	const char *record_type;
	bool queued;
	bool relative; // has bands for the best records: one record's change may change the labels of others
	bool filled;   // is decided by the row of the record alone; known once the paths from the records have been asked for
	bool apart;    // its columns are in a table of their own
	Oid target;    // has its columns
};

// A query that leads on from links ($1)
struct PathQuery
{
	const char *sql;
	mutable SPIPlanPtr plan; // for few links; null until it is needed
};

struct Path
{
	PathKind kind;
	const char *record_type;
	const char *source;       // or null; of a target the table
	Oid relation;
	const char *link_column;  // of the relation
	const char *second_column; // of the relation, that matters too, or null: of a hop the other one of its two, of records their key
	PathQuery resolve;        // from links to the keys of records; without SQL if links are those keys
	PathQuery middle;         // from links to what records hold, where there is a hop before it; else without SQL
	bool leads;               // to records; else its links are only locked
	bool locks;               // what rows name must be locked: the record that they lead to does not stand for it
	bool held;                // links are what records hold, behind a hop
	bool by_column;           // records hold, in a column that is not their key, what links lead to
	bool severed;             // the hop was dropped: nothing can be followed
	bool awaits_records;      // rows may name records that nobody sees yet: no foreign key says otherwise
	Oid owner;                // of the records' relation
	core::KeyKind key_kind;   // of the records
	core::KeyKind middle_kind; // of what records hold, if there is a hop before it
	List *scores;             // of ActiveScore, in the order of their names
};

struct Paths
{
	uint64 version; // of the definitions
	List *scores;   // of ActiveScore
	List *paths;    // of Path
	List *starts;   // of PathStarts, as far as they have been asked for
	List *types;    // names of the record types that have scores, those first at whose records or scores the scores of others look;
					// of types that look at each other, in the order of their names
};

// A path as it begins at one relation: at the relation itself, a partition or a child of it
struct PathStart
{
	const Path *path;
	AttrNumber link;   // the columns, as this relation has them
	AttrNumber second; // 0 for none
	Oid link_type;
	bool all_matter;   // every column does
	Bitmapset *matter; // columns that scores read, links included
};

// The columns of a score in the table that has them
struct KeptColumns
{
	const ActiveScore *score;
	Bitmapset *columns;
};

// What begins at a relation, and which scores are kept there
struct PathStarts
{
	Oid relation;
	int count;
	PathStart *starts;
	bool from_above;   // statements about another relation, which has no triggers of ours, may write its rows
	bool all_matter;   // as of all the paths together
	Bitmapset *matter;
	List *kept;        // of KeptColumns
	Bitmapset *watched; // the columns that matter, and those that are kept
	List *concerned;   // of ActiveScore, in the order of their names: of these paths, and those that look at what they write
	List *relations;   // of Oid: that the concerned scores read or write
};

// All paths of the active scores, as of the active snapshot. What is returned is there until the end of the transaction
const Paths *all_paths();

// Put scores, of ActiveScore, in the order of their names
void sort_scores(List *scores);

// The scores, of ActiveScore in the order of their names, that look at what is written into a relation, or at what is
// written in turn
List *scores_around(const Paths *paths, Oid relation);

// The relations, of Oid in their order, that some scores read or write
List *relations_of(const Paths *paths, const List *scores);

// The paths that begin at a relation, if they have been asked for since definitions changed, or null
const PathStarts *known_paths_from(Oid relation);

// The paths that begin at a relation, by the active snapshot
const PathStarts *paths_from(Oid relation);

} // namespace lead_scoring::pg
