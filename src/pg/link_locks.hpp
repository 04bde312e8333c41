// Locks on what rows name, for where no record stands for it: a row and the record that it will belong to may be written
// by two transactions that cannot see each other yet. Whoever comes second waits, and then sees.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/key_set.hpp"

namespace lead_scoring::pg
{

// Lock keys of records that may not be there yet, until the end of the transaction: one by one if they are few, else all
// that there may be
void lock_record_keys(const char *record_type, core::KeyKind kind, const core::Key *keys, int count);

// Lock keys of records whose rows cannot be locked, until the end of the transaction; others wait now and then for no reason
void lock_rowless_keys(const char *record_type, core::KeyKind kind, const core::Key *keys, int count);

// As lock_record_keys, for what the rows of a source name
void lock_link_keys(const char *record_type, const char *source, core::KeyKind kind, const core::Key *keys, int count);

// The same for what records hold that rows of a hop name
void lock_held_keys(const char *record_type, const char *source, core::KeyKind kind, const core::Key *keys, int count);

} // namespace lead_scoring::pg
