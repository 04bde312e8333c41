// The sources of a score as a session keeps them, ready to be read for a few records.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/scorer.hpp"
#include "pg/kept_stream.hpp"
#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Keep all sources of a score, whose rows go to a scorer, in the current memory context
KeptStream **keep_sources(const LoadedScore *score, core::Scorer *scorer);

// Ask to be told when the relations change that a score reads
void watch_relations(const LoadedScore *score);

} // namespace lead_scoring::pg
