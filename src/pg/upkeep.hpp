// Following time and working off the queue, in small transactions, with errors kept to the records that they are about.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// How the work is divided
struct Upkeep
{
	void (*next_transaction)(const char *activity); // commit and go on; null: all is part of one transaction
	MemoryContext context;                          // what outlives a transaction
	bool patient;                                   // leave scores alone that failed a moment ago
};

// How long to wait for a lock, in milliseconds; 0: as long as it takes. The worker has all scores of a database to keep
int longest_wait_ms(const Upkeep &upkeep);

// Bring what time changed until an instant, or, with DT_NOBEGIN, until now there, score by score; if the instant stands for
// now, each batch as of the clock. Returns how many rows were written
uint64 refresh_what_is_due(const Upkeep &upkeep, TimestampTz as_of, bool is_now);

// Evaluate the records that wait as of an instant, or, with DT_NOBEGIN, as of the clock; returns how many entries are done
uint64 work_off_queue(const Upkeep &upkeep, TimestampTz as_of);

} // namespace lead_scoring::pg
