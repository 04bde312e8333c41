#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"

#include "pg/batch_guard.hpp"
#include "pg/key_set.hpp"
#include "pg/owned.hpp"
#include "pg/parallel_scan.hpp"
#include "pg/progress.hpp"
#include "pg/ranking.hpp"
#include "pg/selection.hpp"
#include "pg/settings.hpp"
#include "pg/source_query.hpp"
#include "pg/stream.hpp"

extern "C"
{
#include "access/table.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

core::KeyKind
kind_of(const Evaluation *evaluation)
{
	return evaluation->score->definition.key_kind;
}

Reading
reading_of(const Evaluation *evaluation)
{
	return evaluation->keys == nullptr ? Reading::all : Reading::keys;
}

// Where a batch of a source goes
struct SourceSink
{
	Evaluation *evaluation;
	size_t source;
};

// Whether what is known of the records still fits
bool
fits(Evaluation *evaluation)
{
	evaluation->overflowed = evaluation->scorer->memory() > work_memory_bytes();
	return !evaluation->overflowed;
}

bool
add_source_rows(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<SourceSink *>(argument);
	core::Scorer *scorer = sink->evaluation->scorer;
	size_t source = sink->source;

	guarded_batch(scorer, kind_of(sink->evaluation), batch, [scorer, source, &batch]() { scorer->add_rows(source, batch); });
	return fits(sink->evaluation);
}

bool
add_adjustment_rows(void *argument, const core::Batch &batch)
{
	auto *evaluation = static_cast<Evaluation *>(argument);
	core::Scorer *scorer = evaluation->scorer;

	guarded([scorer, &batch]() { scorer->add_adjustments(batch); });
	return fits(evaluation);
}

bool
add_reset_rows(void *argument, const core::Batch &batch)
{
	auto *evaluation = static_cast<Evaluation *>(argument);
	core::Scorer *scorer = evaluation->scorer;

	guarded([scorer, &batch]() { scorer->add_resets(batch); });
	return fits(evaluation);
}

// Where the records go
struct RecordSink
{
	Evaluation *evaluation;
	ResultSink sink;
	void *argument;
	core::ScoreResult results[core::batch_rows];
};

bool
finish_record_rows(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<RecordSink *>(argument);
	core::Scorer *scorer = sink->evaluation->scorer;

	guarded_batch(scorer, kind_of(sink->evaluation), batch,
				  [scorer, sink, &batch]() { scorer->finish_records(batch, sink->results); });
	sink->sink(sink->argument, batch, sink->results);
	return true;
}

// Where the features of records go
struct FeaturesSink
{
	Evaluation *evaluation;
	FeatureSink sink;
	void *argument;
	double *values; // [batch_rows][features]
	bool in_scope[core::batch_rows];
};

bool
read_feature_rows(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<FeaturesSink *>(argument);
	core::Scorer *scorer = sink->evaluation->scorer;
	std::span<double> values{sink->values, core::batch_rows * scorer->program().rules.size()};

	guarded_batch(scorer, kind_of(sink->evaluation), batch,
				  [scorer, sink, &batch, values]() { scorer->read_features(batch, values, sink->in_scope); });
	sink->sink(sink->argument, batch, sink->values, sink->in_scope);
	return true;
}

// Take the instants out of a batch of records
bool
add_instant_rows(void *argument, const core::Batch &batch)
{
	auto *evaluation = static_cast<Evaluation *>(argument);
	core::Scorer *scorer = evaluation->scorer;
	auto column = static_cast<size_t>(evaluation->score->definition.instant_column);
	core::Key keys[core::batch_rows];
	int64_t times[core::batch_rows];
	core::Batch instants{0, keys, times, nullptr, nullptr};

	for (size_t row = 0; row < batch.rows; row++)
	{
		if (!batch.is_null(column, row))
		{
			keys[instants.rows] = batch.keys[row];
			times[instants.rows++] = batch.cell(column, row).integer;
		}
	}
	guarded([scorer, &instants]() { scorer->add_instants(instants); });
	return fits(evaluation);
}

// Where the one record goes that is explained
struct ExplanationSink
{
	Evaluation *evaluation;
	core::Account *account;
	core::ScoreResult *result;
	bool found;
};

bool
explain_record_row(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<ExplanationSink *>(argument);
	core::Scorer *scorer = sink->evaluation->scorer;

	sink->found = true;
	guarded_batch(scorer, kind_of(sink->evaluation), batch,
				  [scorer, sink, &batch]() { *sink->result = scorer->explain_record(batch, 0, *sink->account); });
	return false;
}

// Where the accounts of many records go
struct AccountsSink
{
	Evaluation *evaluation;
	core::Account *account;
	AccountSink sink;
	void *argument;
};

bool
explain_record_rows(void *argument, const core::Batch &batch)
{
	auto *sink = static_cast<AccountsSink *>(argument);
	core::Scorer *scorer = sink->evaluation->scorer;
	core::ScoreResult result{};

	for (size_t row = 0; row < batch.rows; row++)
	{
		guarded_batch(scorer, kind_of(sink->evaluation), batch, [scorer, sink, &batch, &result, row]() {
			*sink->account = core::Account();
			result = scorer->explain_record(batch, row, *sink->account);
		});
		sink->sink(sink->argument, batch.keys[row], result, *sink->account);
	}
	return true;
}

void
run(Evaluation *evaluation, Stream *stream, BatchSink sink, void *argument)
{
	stream->share = evaluation->share;
	stream->sink = sink;
	stream->argument = argument;
	run_stream(*stream, evaluation->as_of, evaluation->keys);
}

void
stream_source(Evaluation *evaluation, size_t number)
{
	SourceSink sink{evaluation, number};
	Stream stream{};
	const LoadedStream *source = evaluation->score->sources[number];
	int helpers = helpers_for(evaluation, number);

	choose_access(evaluation, source, &stream);
	describe_source(evaluation->score, source,
					helpers > 0 ? Reading::blocks : stream.selection != nullptr ? Reading::all : reading_of(evaluation), &stream);
	stream.program = &evaluation->scorer->program().sources[number];
	stream.books = stream.program->books.data();
	begin_phase(Phase::reading, stream.name, expected_rows(source->relation));
	if (helpers > 0)
	{
		scan_in_parallel(evaluation, number, stream, helpers);
		return;
	}
	run(evaluation, &stream, add_source_rows, &sink);
}

// Stream the records themselves
void
stream_records(Evaluation *evaluation, BatchSink sink, void *argument)
{
	Stream stream{};

	describe_records(evaluation->score, evaluation->compared ? Reading::compared : reading_of(evaluation), &stream);
	evaluation->stored = stream.stored;
	stream.books = evaluation->scorer->program().record_books.data();
	begin_phase(Phase::scoring, stream.name, expected_rows(evaluation->score->records->relation));
	run(evaluation, &stream, sink, argument);
}

// Stream all that a share of the records is computed from; false if it does not fit into memory
bool
stream_facts(Evaluation *evaluation)
{
	const core::Definition &definition = evaluation->score->definition;
	bool keys = evaluation->keys != nullptr;

	evaluation->overflowed = false;
	if (definition.own_instants)
	{
		stream_records(evaluation, add_instant_rows, evaluation);
	}
	if (definition.has_resets && !evaluation->overflowed)
	{
		Stream stream{};
		describe_resets(evaluation->score, keys, &stream);
		run(evaluation, &stream, add_reset_rows, evaluation);
	}
	for (size_t source = 0; source < definition.sources.size() && !evaluation->overflowed; source++)
	{
		stream_source(evaluation, source);
	}
	if (definition.has_adjustments && !evaluation->overflowed)
	{
		Stream stream{};
		describe_adjustments(evaluation->score, keys, evaluation->scorer->program().needs.due, &stream);
		run(evaluation, &stream, add_adjustment_rows, evaluation);
	}
	return !evaluation->overflowed;
}

void
require_divisible(const Evaluation *evaluation)
{
	constexpr unsigned most_bits = 24;

	if (evaluation->share.bits == most_bits)
	{
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
						errmsg("what a single record of score \"%s\" needs does not fit into lead_scoring.work_mem",
							   evaluation->score->name),
						errhint("Raise lead_scoring.work_mem, now %d MB: rules with max_times, every_n or followed_by keep "
								"24 bytes for each matching event.",
								static_cast<int>(work_memory_bytes() / (1024 * 1024)))));
	}
}

// Hand all records to a sink once their facts are known, in as many passes over shares of them as memory asks for
void
run_passes(Evaluation *evaluation, BatchSink sink, void *argument)
{
	core::Scorer *scorer = evaluation->scorer;

	evaluation->share = {};
	begin_progress(evaluation->score->name, evaluation->score->records->relation);
	while (evaluation->share.number < uint64_t{1} << evaluation->share.bits)
	{
		if (!stream_facts(evaluation))
		{
			require_divisible(evaluation);
			evaluation->share = {evaluation->share.bits + 1, evaluation->share.number * 2};
		}
		else
		{
			stream_records(evaluation, sink, argument);
			evaluation->share.number++;
		}
		if (evaluation->share.bits != 0)
		{
			guarded([scorer]() { scorer->clear(); });
		}
	}
	end_progress();
}

void
score_records(Evaluation *evaluation, ResultSink sink, void *argument)
{
	auto *records = static_cast<RecordSink *>(palloc0(sizeof(RecordSink)));

	records->evaluation = evaluation;
	records->sink = sink;
	records->argument = argument;
	run_passes(evaluation, finish_record_rows, records);
}

} // namespace

double
expected_rows(Oid relation)
{
	BlockNumber pages;
	double rows;
	double visible_part;
	Relation opened = table_open(relation, AccessShareLock);

	estimate_rel_size(opened, nullptr, &pages, &rows, &visible_part);
	table_close(opened, NoLock);
	return Max(rows, 0);
}

size_t
count_pages(Oid table)
{
	Relation opened = table_open(table, AccessShareLock);
	size_t pages = RelationGetNumberOfBlocks(opened);

	table_close(opened, NoLock);
	return pages;
}

void
require_finite_instant(TimestampTz as_of)
{
	if (TIMESTAMP_NOT_FINITE(as_of))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("as_of must be finite"),
						errhint("Give the instant at which to evaluate, such as now().")));
	}
}

Evaluation *
begin_evaluation(LoadedScore *score, TimestampTz as_of, ArrayType *keys, core::EvaluationNeeds needs)
{
	auto *evaluation = static_cast<Evaluation *>(palloc0(sizeof(Evaluation)));

	evaluation->score = score;
	evaluation->as_of = as_of;
	if (keys != nullptr)
	{
		auto *array = static_cast<Datum *>(palloc(sizeof(Datum)));
		*array = make_key_array(score->records, keys);
		evaluation->keys = array;
	}
	evaluation->scorer = make_owned<core::Scorer>(CurrentMemoryContext, score->definition, static_cast<int64_t>(as_of),
												  needs, stop_wanted);
	return evaluation;
}

void
run_evaluation(Evaluation *evaluation, ResultSink sink, void *argument)
{
	if (evaluation->scorer->program().bands.relative().empty())
	{
		score_records(evaluation, sink, argument);
		return;
	}
	// Where a record stands among all others takes all others
	Ranking *ranking = begin_ranking(evaluation);
	const Datum *keys = evaluation->keys;
	evaluation->keys = nullptr;
	score_records(evaluation, add_to_ranking, ranking);
	evaluation->keys = keys;
	end_ranking(ranking, sink, argument);
}

void
run_features(Evaluation *evaluation, TimestampTz as_of, FeatureSink sink, void *argument)
{
	core::Scorer *scorer = evaluation->scorer;
	auto *features = static_cast<FeaturesSink *>(palloc0(sizeof(FeaturesSink)));
	Size size = sizeof(double) * core::batch_rows * Max(scorer->program().rules.size(), 1);

	features->evaluation = evaluation;
	features->sink = sink;
	features->argument = argument;
	features->values = static_cast<double *>(palloc(size));
	evaluation->as_of = as_of;
	guarded([scorer, as_of]() { scorer->move_to(static_cast<int64_t>(as_of)); });
	run_passes(evaluation, read_feature_rows, features);
}

bool
run_explanation(Evaluation *evaluation, core::Account *account, core::ScoreResult *result)
{
	ExplanationSink sink{evaluation, account, result, false};

	begin_progress(evaluation->score->name, evaluation->score->records->relation);
	if (!stream_facts(evaluation))
	{
		evaluation->share.bits = 24;
		require_divisible(evaluation);
	}
	stream_records(evaluation, explain_record_row, &sink);
	end_progress();
	return sink.found;
}

void
run_explanations(Evaluation *evaluation, AccountSink sink, void *argument)
{
	AccountsSink accounts{evaluation, make_owned<core::Account>(CurrentMemoryContext), sink, argument};

	run_passes(evaluation, explain_record_rows, &accounts);
}

} // namespace lead_scoring::pg
