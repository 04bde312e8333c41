// Which operators of PostgreSQL the core can imitate: those of the btree families of common types.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/predicate.hpp"

namespace lead_scoring::pg
{

// Return the family whose operators the core knows for a type, and the kind of column that holds it; no family, and a
// column that only says whether it is NULL, for other types
Oid family_of(Oid type, core::ColumnKind *kind);

// Read a constant as the core compares it; false if it is not of a type that the family compares as such
bool read_constant(Datum value, Oid type, Oid family, core::Constant *constant);

// Say what an operator tests, if it belongs to a family; false if it does not
bool test_of(Oid operator_id, Oid family, core::Test *test);

// Whether texts that are equal under a collation are equal byte by byte
bool usable_collation(Oid collation);

// Dates, instants and instants without a zone compare with each other only through the session's time zone
bool same_clock(Oid family, Oid left, Oid right);

} // namespace lead_scoring::pg
