// Our own tables, reached without a look at the search path.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Ask to be told of changes; called when the library is loaded
void watch_own_relations();

// The OID of one of our relations, whose name is a literal; raises if there is none
Oid own_relation(const char *name);

// A plan for a command on our own tables, made once for the process
struct OwnCommand
{
	const char *sql;
	int count;
	Oid types[6];
	SPIPlanPtr plan;
};

// Run a command on our own tables as their owner; a value that is null is passed as 0 and named by is_null
uint64 run_own_command(OwnCommand *command, const Datum *values, const char *nulls = nullptr);

// Make an array of texts
Datum text_array(const Datum *texts, size_t count);

} // namespace lead_scoring::pg
