// The one pipeline: source queries -> batches -> scorer -> finish -> sink.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/key_selection.hpp"
#include "core/scorer.hpp"
#include "core/share.hpp"
#include "pg/loaded_score.hpp"
#include "pg/stream.hpp"

namespace lead_scoring::pg
{

// What happens to the scores of a batch of records; of the batch only the keys mean anything
using ResultSink = void (*)(void *argument, const core::Batch &records, const core::ScoreResult *results);

// What happens to the features of a batch of records: values[batch_rows][features], and by row whether it is in scope
using FeatureSink = void (*)(void *argument, const core::Batch &records, const double *values, const bool *in_scope);

// What happens to the account of a score of a record
using AccountSink = void (*)(void *argument, const core::Key &key, const core::ScoreResult &result, const core::Account &account);

// One evaluation of a score
struct Evaluation
{
	LoadedScore *score;
	TimestampTz as_of;
	const Datum *keys;    // array of keys, or null for all records
	core::KeySelection *selection; // the same keys, or null if nobody has asked for it yet
	core::Scorer *scorer;
	core::KeyShare share; // of the records, that the scorer is at work on
	bool overflowed;      // what is known of the share does not fit into lead_scoring.work_mem
	bool compared;        // records come with what is stored of the score
	const StoredScore *stored; // of the batch that the sink has at hand, if compared
};

// Prepare an evaluation. Everything lives in the current memory context
Evaluation *begin_evaluation(LoadedScore *score, TimestampTz as_of, ArrayType *keys, core::EvaluationNeeds needs);

// Score the records; the sink gets each batch with its scores
void run_evaluation(Evaluation *evaluation, ResultSink sink, void *argument);

// Compute the features of the records as of an instant; the sink gets each batch of them
void run_features(Evaluation *evaluation, TimestampTz as_of, FeatureSink sink, void *argument);

// Explain one record, the first that the keys name; false if there is none
bool run_explanation(Evaluation *evaluation, core::Account *account, core::ScoreResult *result);

// Explain the records; the sink gets one after the other
void run_explanations(Evaluation *evaluation, AccountSink sink, void *argument);

// How many rows the planner expects of a relation, whether or not that was analyzed
double expected_rows(Oid relation);

// How many pages a table has
size_t count_pages(Oid table);

// Raise unless an instant can be evaluated at
void require_finite_instant(TimestampTz as_of);

} // namespace lead_scoring::pg
