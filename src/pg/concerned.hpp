// The records that what was touched concerns: what links them is locked before they are looked for, in an order in which those who write
// such rows come to it.
//
// Who writes a row of a hop has that, then locks what it links, and then the records. Who changes what a record holds has the record, and
// then locks what it holds. An event does the same: so two who are about one record never wait for each other.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/touched.hpp"

namespace lead_scoring::pg
{

// The records of one type that are to be scored, and the scores that look at what has changed
struct Concerned
{
	const char *record_type;
	int turn; // contacts before the companies whose scores look at them: who writes a contact has that before its company
	KeySet *keys;
	bool everybody;
	bool awaits_records; // rows may name records that nobody sees yet
	bool only_rows;      // only rows of sources that name the records themselves are touched
	List *scores; // of ActiveScore
	List *steps;  // of Step
};

// What was touched at the start of a path
struct Step
{
	Touched *touched;
	const Path *path;
};

// The types whose records touched rows concern, of Concerned in their turns; no record is known yet
List *find_concerned(const Paths *paths, const List *touched);

// Lock what links rows and records of a type, until the end of the transaction, and find the records; perhaps these are locked, too
void find_records(Concerned *concerned);

} // namespace lead_scoring::pg
