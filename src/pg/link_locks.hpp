// Locks on what rows name, for where no record stands for it: a row and the record that it will belong to may be written
// by two transactions that cannot see each other yet. Whoever comes second waits, and then sees.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/key_set.hpp"

namespace lead_scoring::pg
{

// Who locks a link. Those on one side wait for each other only about the same one, never for who locks all: each comes about a row of
// its own, and about what it leads to has that locked. About the same one they wait, as who names it first may be going to hold it
enum class LinkSide
{
	names, // rows name something that need not be there yet
	holds, // rows are what may be named, or hold it
};

// Lock keys of records that may not be there yet, until the end of the transaction: one by one if they are few, else all
// that there may be. Returns the locks
List *lock_record_keys(LinkSide side, const char *record_type, core::KeyKind kind, const core::Key *keys, int count);

// Lock keys of records whose rows cannot be locked, until the end of the transaction; others wait now and then for no reason
void lock_rowless_keys(const char *record_type, core::KeyKind kind, const core::Key *keys, int count);

// As lock_record_keys, for what the rows of a source name
List *lock_link_keys(LinkSide side, const char *record_type, const char *source, core::KeyKind kind, const core::Key *keys, int count);

// The same for what records hold that rows of a hop name
List *lock_held_keys(LinkSide side, const char *record_type, const char *source, core::KeyKind kind, const core::Key *keys, int count);

// Give locks back before anything was done by them. Those that the transaction had before it keeps
void unlock_links(const List *locks);

} // namespace lead_scoring::pg
