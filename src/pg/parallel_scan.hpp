// Reading a large source in several processes at once.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"
#include "pg/stream.hpp"

namespace lead_scoring::pg
{

// Return how many processes beside this one should help to read a source, 0 if it is not worth it or not possible
int helpers_for(const Evaluation *evaluation, size_t source);

// Read a source together with helpers; what they have seen ends up in the evaluation's scorer
void scan_in_parallel(Evaluation *evaluation, size_t source, const Stream &stream, int helpers);

} // namespace lead_scoring::pg
