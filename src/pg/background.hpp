// What the processes that run without a client have in common.
#pragma once

#include "pg/postgres_api.hpp"

extern "C"
{
#include "postmaster/bgworker.h"
}

namespace lead_scoring::pg
{

// Describe a process that runs a function of this library
BackgroundWorker describe_process(const char *function, const char *type);

// The same for a process that works in a database: it is started once, and ends without being started again
BackgroundWorker describe_database_process(const char *function, const char *type, const char *database);

// Begin to work in the database that the process was started for: with settings that are the same for all
void enter_database(const char *application);

// Begin and end a transaction, and let others see what is done in it
void begin_transaction(const char *activity);
void commit_transaction();

// Undo the transaction whose error is being caught, and report the error
void abandon_transaction(MemoryContext context);

// Whether the extension is there, and with it its functions; in a transaction
bool extension_is_there();

// Run a query that yields one value, as a text, or null if it yields NULL; in a transaction
const char *ask(const char *query);

} // namespace lead_scoring::pg
