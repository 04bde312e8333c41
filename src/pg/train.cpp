// lead_scoring.training_set and lead_scoring.train_model: what a model is trained on, and its training.
//
// The features come out of the pipeline that evaluates scores, once for each snapshot, each time as of that snapshot; so
// nothing that happened later can leak into them. Training itself is work of the core on plain memory: it holds no locks
// and no snapshot but that of the statement.
#include "pg/postgres_api.hpp"

#include "core/samples.hpp"
#include "pg/loaded_model.hpp"
#include "pg/owned.hpp"
#include "pg/pipeline.hpp"
#include "pg/progress.hpp"
#include "pg/row_set.hpp"
#include "pg/settings.hpp"
#include "pg/training_result.hpp"

extern "C"
{
#include "common/int.h"
#include "datatype/timestamp.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_training_set);
LEAD_SCORING_FUNCTION(lead_scoring_champion_training_set);
LEAD_SCORING_FUNCTION(lead_scoring_train_model);

namespace lead_scoring::pg
{

namespace
{

// A training set under construction
struct Collecting
{
	core::SampleCollector *collector;
	TimestampTz snapshot;
};

void
collect_rows(void *argument, const core::Batch &records, const double *values, const bool *in_scope)
{
	auto *collecting = static_cast<Collecting *>(argument);
	core::SampleCollector *collector = collecting->collector;
	size_t features = collector->data.columns.size();
	std::span<const double> all{values, core::batch_rows * features};
	auto snapshot = static_cast<int64_t>(collecting->snapshot);

	guarded([collector, &records, all, in_scope, snapshot]() { collector->add(records, all, in_scope, snapshot); });
}

core::SampleRules
rules_of(const LoadedModel *model, TimestampTz as_of, bool keeps_keys)
{
	core::SampleRules rules;
	// What a sample takes: its features, twice as learners copy them, once more for segments, and what else is known of it
	size_t copies = model->has_segment ? 3 : 2;
	size_t row_bytes = model->score->definition.rules.size() * sizeof(double) * copies + 64 + (keeps_keys ? 48 : 0);

	rules.key_kind = model->score->definition.key_kind;
	rules.instant_outcome = model->instant_outcome;
	rules.outcome_column = model->outcome;
	rules.instant_column = model->snapshot_at;
	rules.observed_column = model->observed_from;
	rules.fold_column = model->fold;
	rules.horizon_us = model->horizon_us;
	rules.as_of = static_cast<int64_t>(as_of);
	rules.folds = static_cast<uint32_t>(model->folds);
	rules.seed = static_cast<uint64_t>(model->seed);
	rules.most_rows = Max(work_memory_bytes() / row_bytes, size_t{1000});
	rules.keeps_keys = keeps_keys;
	return rules;
}

// Find a snapshot of a model: one of the grid, or as_of itself where records have their own or outcomes no horizon; false
// if it would lie before the first instant that there is
bool
find_snapshot(const LoadedModel *model, TimestampTz as_of, int number, TimestampTz *snapshot)
{
	int64 back = 0;

	*snapshot = as_of;
	if (!model->instant_outcome || model->snapshot_at != core::no_column)
	{
		return true;
	}
	return !pg_mul_s64_overflow(number, model->every_us, &back) && !pg_add_s64_overflow(back, model->horizon_us, &back) &&
		   !pg_sub_s64_overflow(as_of, back, snapshot) && IS_VALID_TIMESTAMP(*snapshot);
}

int
snapshot_count(const LoadedModel *model)
{
	return !model->instant_outcome || model->snapshot_at != core::no_column ? 1 : model->snapshots;
}

// Take over the names of the features, and the categories that have come
void
name_columns(core::SampleCollector *collector, core::Scorer *scorer)
{
	for (size_t feature = 0; feature < collector->data.columns.size(); feature++)
	{
		core::DataColumn &column = collector->data.columns[feature];
		const core::FinishRule &rule = scorer->program().rules[feature];
		column.name = rule.name;
		column.categorical = rule.statistic == core::Statistic::value && rule.value_kind == core::ColumnKind::text;
		column.categories = scorer->categories(feature);
	}
}

void
warn_of_sampling(const core::SampleCollector *collector)
{
	if (collector->seen() > collector->data.rows())
	{
		ereport(NOTICE, (errmsg("%llu of %llu samples are used, drawn by lot",
								static_cast<unsigned long long>(collector->data.rows()),
								static_cast<unsigned long long>(collector->seen())),
						 errhint("Raise lead_scoring.work_mem to use more.")));
	}
}

core::SampleCollector *
collect(const LoadedModel *model, TimestampTz as_of, bool keeps_keys)
{
	core::SampleRules rules = rules_of(model, as_of, keeps_keys);
	size_t features = model->score->definition.rules.size();
	Evaluation *evaluation = begin_evaluation(model->score, as_of, nullptr, {});
	core::Scorer *scorer = evaluation->scorer;
	Collecting collecting{make_owned<core::SampleCollector>(CurrentMemoryContext, rules, features), as_of};
	core::SampleCollector *collector = collecting.collector;

	begin_phase(Phase::collecting, model->name, snapshot_count(model));
	for (int number = 0; number < snapshot_count(model) && find_snapshot(model, as_of, number, &collecting.snapshot); number++)
	{
		note_progress(number);
		run_features(evaluation, collecting.snapshot, collect_rows, &collecting);
	}
	guarded([collector, scorer]() { name_columns(collector, scorer); });
	warn_of_sampling(collector);
	return collector;
}

// What the two functions are called with
struct Arguments
{
	const char *model;
	TimestampTz as_of;
};

Arguments
arguments_of(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be NULL", PG_ARGISNULL(0) ? "model" : "as_of"),
						errhint("Name a model, and the instant up to which facts are known.")));
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(1));
	return {text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_TIMESTAMPTZ(1)};
}

// Return the samples of a model that is read in one way or another
void
put_training_set(FunctionCallInfo fcinfo, LoadedModel *(*load)(const char *name))
{
	RowSet rows = begin_row_set(fcinfo);
	Arguments arguments = arguments_of(fcinfo);
	LoadedModel *model = load(arguments.model);

	begin_training_progress(model->name, model->score->records->relation);
	put_samples(model, collect(model, arguments.as_of, true), rows);
	end_progress();
}

} // namespace

} // namespace lead_scoring::pg

// Return what a model would be trained on
Datum
lead_scoring_training_set(PG_FUNCTION_ARGS)
{
	lead_scoring::pg::put_training_set(fcinfo, lead_scoring::pg::load_model);
	return static_cast<Datum>(0);
}

// Return what the champion of a model would be trained on
Datum
lead_scoring_champion_training_set(PG_FUNCTION_ARGS)
{
	lead_scoring::pg::put_training_set(fcinfo, lead_scoring::pg::load_champion_model);
	return static_cast<Datum>(0);
}

// Train a model and return what came of it
Datum
lead_scoring_train_model(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	RowSet rows = begin_row_set(fcinfo);
	Arguments arguments = arguments_of(fcinfo);
	LoadedModel *model = load_model(arguments.model);
	begin_training_progress(model->name, model->score->records->relation);
	lead_scoring::core::SampleCollector *samples = collect(model, arguments.as_of, false);
	begin_phase(Phase::training, model->name, 1000);
	train_on(model, samples, rows);
	end_progress();
	return static_cast<Datum>(0);
}
