// Writing scores where nobody else has a say in it: no query, no triggers.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/write_changes.hpp"

namespace lead_scoring::pg
{

// Whether an update of the columns of a score is nothing but that: no trigger of others, rule or constraint takes part in
// it; then gives the columns
bool is_writable_in_place(const LoadedScore *score, AttrNumber *columns);

// Whether the indexes of a table are of columns alone, and of all rows: what an update calls for them is their operators'
bool has_plain_indexes(Oid relation);

// Write the scores of records that are locked and have rows; false if only a query will do
bool write_many_in_place(const KeptScore *kept, const ColumnChange *const *changes, int count);

// Write the score of a record that is locked, if it is known where its row is; false if only a query will do
bool write_in_place(const KeptScore *kept, const ColumnChange &change);

} // namespace lead_scoring::pg
