// The statements that write scores into rows of a table.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/write_changes.hpp"

namespace lead_scoring::pg
{

// The label of a score that has one
Datum label_datum(const StoredScore &score);

// Write what changes, in one statement for rows that are there and one for others. SPI is connected. Marks rows that triggers of
// others did not let be written, and returns how many
int write_rows(KeptScore *kept, ColumnChange *changes, int count);

// Tell that rows were not written
void warn_of_refused(const LoadedScore *score, uint64 count);

} // namespace lead_scoring::pg
