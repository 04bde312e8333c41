// What there is to do for a score because time has passed.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

struct Chores
{
	bool everybody;     // all records, together
	bool fading;        // those that change continuously
	bool due;           // there are records whose instant has come
	bool parked;        // there are records to be tried again
	bool failed_before; // the last turn failed
};

// Find out what there is to do to bring a score to an instant
Chores find_chores(const char *score, TimestampTz as_of);

} // namespace lead_scoring::pg
