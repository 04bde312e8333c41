// Functions that return sets: the rows go into a tuplestore.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

struct RowSet
{
	Tuplestorestate *store;
	TupleDesc descriptor;
};

// Begin the result of a set-returning function
RowSet begin_row_set(FunctionCallInfo fcinfo);

// Make the datum of a text, and of a view of one
Datum text_datum(const char *text);
Datum text_datum(const char *text, size_t length);

} // namespace lead_scoring::pg
