// Whose rights and which search path code runs under.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// What to go back to; a transaction's abort goes back by itself, so an error needs no care
struct Session
{
	Oid user;
	int security_context;
	int guc_level;
};

// Change nothing yet
Session begin_bare();

// Find only what is in pg_catalog by its bare name
Session begin_safe_path();

// The same, with all settings that change how values are read, written or computed at fixed ones: time zone UTC, ISO
// dates and so on
Session begin_neutral();

// Run, so neutrally, as the owner of a relation, in a security-restricted operation and with row security off, as a materialized
// view's refresh does: expressions get no more rights than the owner has, and the caller's policies cannot make a
// score wrong
Session begin_as_owner(Oid owner);

// Run our own statements as the owner of the table that they read or write, as foreign keys do: the triggers of the table
// then run with its owner's rights, whoever asked for the write
Session begin_as_table_owner(Oid owner);

// Make ready to become owners one after the other: with row security off, and neutral if settings matter
Session begin_for_owners(bool settings_matter);

// Make a session that has changed nothing so
void prepare_for_owners(bool settings_matter);

// Become an owner so, until the session ends or another is become: no more rights, and no lasting effects but in its name
void become_owner(Oid owner, const Session &session);

// Say why scores are refreshed, for the history, until the session ends
void give_reason(const char *reason);

// Let the planner of this session look up single rows by indexes, one by one
void prefer_single_lookups();

// Let the planner of this session read tables by ranges of blocks or by indexes only
void forbid_whole_scans();

// Let this session fail with lock_not_available rather than wait for a lock
void do_not_wait();

// Let this session fail so rather than wait for a lock for longer, unless that is set already
void wait_at_most(int milliseconds);

// Let the planner of this session find rows by bitmaps, in so much memory
void prefer_bitmaps(size_t bytes);

void end_session(const Session &session);

// The owner of our own tables
Oid definitions_owner();

// Whether pg_restore is at work: it brings stored scores together with the facts and definitions that they belong to
bool is_restoring();

// Return the owner of a relation, or nobody if it is gone
Oid owner_of(Oid relation);

} // namespace lead_scoring::pg
