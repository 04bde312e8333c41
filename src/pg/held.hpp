// Which definitions of scores a transaction holds.
//
// A definition is held by whoever writes a score, or facts that it is evaluated from: shared, as others may do so, too; alone by
// whoever changes it or scores all its records at once. Scores of one table are written into the same rows, and one may look
// at the columns of another. So whoever is going to write one holds them all, before he locks a row, and takes them in the
// order of their names; and of those who score all records, one at a time is at a table. Relations that are read come
// before the definitions: whoever alters a relation has all others locked out of it while he waits for definitions.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/paths.hpp"

namespace lead_scoring::pg
{

// Clean up when transactions end; called when the library is loaded
void watch_held_definitions();

// The relations, of Oid in their order, that a score has its columns in or may look at. SPI is connected
List *relations_around(const char *score);

// The relations, of Oid, that are locked before the definitions of a table's scores
List *relations_near(Oid target);

// Keep others from editing a record type, and its sources, until the end of the transaction
void share_record_type(const char *record_type);

// Hold one definition alone, until the end of the transaction; what is read after it must be read in a new snapshot
void seize_definition(const char *score);

// Whose table is wanted
enum class Wanted
{
	if_active, // of a score that is switched on
	always,
};

// Hold a definition alone, and those of the scores around it, to write all its records
void seize_score(const char *score, Wanted wanted);

// Hold a definition, and those of the scores around it, to write some of its records; nobody changes it meanwhile, or scores
// all its records at once
void share_score(const char *score);

// The score, if it is switched on, as the definitions are now
const ActiveScore *find_active(const char *score);

// Wait until nobody else follows time for a score, and keep others from doing so until the end of the transaction
void take_turn(const char *score);

// Hold the definitions of the scores that a relation matters to, until the end of the transaction, and return the paths
// that begin there; what a row is worth is judged by the definition that it will be scored by
const PathStarts *hold_paths_from(Oid relation);

// The same without waiting for anybody: null if this transaction does not hold the definitions yet, as they are now
const PathStarts *held_paths_from(Oid relation);

// The same, but read them if they are not known yet
const PathStarts *find_held_paths_from(Oid relation);

} // namespace lead_scoring::pg
