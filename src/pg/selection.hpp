// When to read a source as a whole though only some records are asked for.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"

namespace lead_scoring::pg
{

// The records that an evaluation asks for, if that is so many of all that to read through a source is faster than to find
// the rows of each; null if there is no need to choose, or the query chooses
core::KeySelection *selection_for(Evaluation *evaluation, const LoadedStream *source);

} // namespace lead_scoring::pg
