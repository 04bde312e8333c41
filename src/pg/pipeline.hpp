// The one pipeline: source queries -> batches -> scorer -> finish -> sink.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/scorer.hpp"
#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// What happens to the scores of a batch of records
using ResultSink = void (*)(void *argument, const core::Batch &records, const core::ScoreResult *results);

// One evaluation of a score
struct Evaluation
{
	LoadedScore *score;
	TimestampTz as_of;
	const Datum *keys;    // array of keys, or null for all records
	core::Scorer *scorer;
};

// Prepare an evaluation; detail is for explain. Everything lives in the current memory context
Evaluation *begin_evaluation(LoadedScore *score, TimestampTz as_of, ArrayType *keys, bool detail);

// Stream the sources, then the records; the sink gets each batch of records with its scores
void run_evaluation(Evaluation *evaluation, ResultSink sink, void *argument);

// Stream the sources, then the records as they are
void run_evaluation_raw(Evaluation *evaluation, void (*sink)(void *, const core::Batch &), void *argument);

// Raise unless an instant can be evaluated at
void require_finite_instant(TimestampTz as_of);

} // namespace lead_scoring::pg
