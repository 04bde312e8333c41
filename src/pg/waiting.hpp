// What waits for a score: entries of the queue, and records whose evaluation failed. Whoever evaluates their records ends it.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/batch.hpp"

extern "C"
{
#include "datatype/timestamp.h"
}

#include <span>

namespace lead_scoring::pg
{

// Whether records are parked
bool any_parked(const char *score);

// Say that some records were evaluated and did not fail
void end_parked(const char *score, core::KeyKind kind, std::span<const core::Key> keys);

// Say that all records were evaluated as of an instant and did not fail. Nobody else can write facts, as the definition is held
// alone
void end_all_waiting(const char *score, TimestampTz as_of);

} // namespace lead_scoring::pg
