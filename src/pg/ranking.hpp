// Bands for the best records: all scores are set aside and sorted, then labelled.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"

namespace lead_scoring::pg
{

struct Ranking;

// Begin to set scores aside, for an evaluation whose keys, if any, say which of them are wanted in the end
Ranking *begin_ranking(Evaluation *evaluation);

// Set the scores of a batch aside
void add_to_ranking(void *ranking, const core::Batch &records, const core::ScoreResult *results);

// Find out who is among the best, and hand on the scores with their labels
void end_ranking(Ranking *ranking, ResultSink sink, void *argument);

} // namespace lead_scoring::pg
