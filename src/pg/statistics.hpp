// What the evaluations cost and which workers run: counters in shared memory, there if the library was preloaded.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// Ask for shared memory; called while the server starts
void request_statistics_memory();

// Count an evaluation of a score; nothing happens if the library was not preloaded
void note_evaluation(const char *score, uint64 evaluated, uint64 written, double milliseconds);

// Count anew, should a score of that name come again
void forget_evaluations(const char *score);

// Claim the place of the one worker of this database; false if another one has it. Given back when the process exits
bool claim_database();

} // namespace lead_scoring::pg
