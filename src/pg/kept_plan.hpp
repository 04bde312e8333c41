// Statements on our own tables that are planned once in a session, and the session that they run in.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/session.hpp"

namespace lead_scoring::pg
{

// A statement; it lives as long as the process
struct KeptPlan
{
	const char *sql;
	int count; // of parameters
	Oid types[14];
	SPIPlanPtr plan; // null until it is first needed
};

// Run our own statements as the owner of our tables under the safe path, which costs nothing where it is in force already:
// a kept plan is made anew whenever the path has changed
Session begin_own_statements();

// Execute a statement; SPI is connected, in such a session. Nulls has an 'n' for each NULL, or is null. Returns how many
// rows it touched
uint64 execute_plan(KeptPlan *plan, const Datum *values, const char *nulls);

} // namespace lead_scoring::pg
