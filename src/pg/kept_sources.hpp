// The sources of a score as a session keeps them, ready to be read for a few records.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/scorer.hpp"
#include "pg/kept_stream.hpp"
#include "pg/loaded_score.hpp"
#include "pg/session.hpp"

namespace lead_scoring::pg
{

// Prepare a stream as the owner that it will run as; SPI is connected, in a session for owners
KeptStream *keep_as_owner(const Stream &stream, const Session &session);

// Prepare all sources of a score, whose rows go to a scorer
KeptStream **keep_sources(const LoadedScore *score, core::Scorer *scorer, const Session &session);

// Ask to be told when the relations change that a score reads
void watch_relations(const LoadedScore *score);

} // namespace lead_scoring::pg
