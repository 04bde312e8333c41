#include "pg/postgres_api.hpp"

#include "pg/loaded_model.hpp"

#include "pg/loading.hpp"
#include "pg/session.hpp"

#include <limits>

namespace lead_scoring::pg
{

namespace
{

// The columns of the query, in its order
enum ModelColumn
{
	type_column = 1,
	relation_column,
	key_column_column,
	owner_column,
	algorithm_column,
	horizon_column,
	every_column,
	snapshots_column,
	folds_column,
	min_converted_column,
	min_unconverted_column,
	seed_column,
	parameter_column, // the first of LearnerParameters
	outcome_column = parameter_column + 12, // each expression is four columns: text, resolved, relation, owner
	snapshot_at_column = outcome_column + 4,
	observed_from_column = snapshot_at_column + 4,
	fold_column = observed_from_column + 4,
};

constexpr const char *model_columns =
	"SELECT t.name, t.relation::oid, t.key_column, t.relation_owner, m.algorithm, m.horizon, m.snapshot_every, m.snapshots, "
	"m.folds, m.min_converted, m.min_unconverted, m.seed, "
	"(m.parameters ->> 'bins')::float8, (m.parameters ->> 'l2')::float8, (m.parameters ->> 'min_category')::float8, "
	"(m.parameters ->> 'trees')::float8, (m.parameters ->> 'depth')::float8, (m.parameters ->> 'learning_rate')::float8, "
	"(m.parameters ->> 'subsample')::float8, (m.parameters ->> 'colsample')::float8, "
	"(m.parameters ->> 'min_child_weight')::float8, (m.parameters ->> 'lambda')::float8, "
	"(m.parameters ->> 'threads')::float8, (m.parameters ->> 'margin')::float8, "
	"m.outcome, m.outcome_resolved, w.relation, m.criterion_owner, "
	"m.snapshot_at, m.snapshot_at_resolved, w.relation, m.criterion_owner, "
	"m.observed_from, m.observed_from_resolved, w.relation, m.criterion_owner, "
	"m.fold, m.fold_resolved, w.relation, m.criterion_owner";

// A model as it is defined now
constexpr const char *from_model =
	"FROM lead_scoring.model m JOIN lead_scoring.record_type t ON t.name = m.record_type, "
	"LATERAL (SELECT m.criterion_relation::oid) w (relation) WHERE m.name = $1";

// A model as its champion was trained; the relation is in there by its name, which may have changed since
constexpr const char *from_champion =
	"FROM lead_scoring.model c JOIN lead_scoring.record_type t ON t.name = c.record_type "
	"JOIN lead_scoring.model_version v ON v.model = c.name AND v.status = 'champion', "
	"jsonb_populate_record(NULL::lead_scoring.model, (v.definition -> 'model') - 'criterion_relation') m, "
	"LATERAL (SELECT t.relation::oid) w (relation) WHERE c.name = $1";

constexpr const char *definition_sql = "SELECT lead_scoring.model_definition($1)::text";

constexpr const char *champion_definition_sql =
	"SELECT v.definition::text FROM lead_scoring.model_version v WHERE v.model = $1 AND v.status = 'champion'";

int32_t *
column_target(int32_t *column)
{
	*column = core::no_column;
	return column;
}

void
read_model_expression(Loading *loading, const QueryRows &rows, int column, const char *field, ExpressionType type, int32_t *target)
{
	const char *what = loading_text(loading, "model \"%s\"", loading->score->name);

	read_expression(loading, rows, 0, column,
					{what, field, nullptr, false, core::record_itself, InvalidOid, nullptr, type, nullptr, column_target(target)});
}

int
integer_at(const QueryRows &rows, int column)
{
	return DatumGetInt32(datum_at(rows, 0, column));
}

void
read_settings(const Loading *loading, const QueryRows &rows, LoadedModel *model)
{
	const char *what = loading_text(loading, "model \"%s\"", model->name);
	auto *parameters = reinterpret_cast<double *>(&model->parameters);

	model->algorithm = text_at(rows, 0, algorithm_column);
	model->horizon_us = length_at(rows, 0, horizon_column, 0, "horizon", what);
	model->every_us = length_at(rows, 0, every_column, 0, "snapshot_every", what);
	model->snapshots = integer_at(rows, snapshots_column);
	model->folds = integer_at(rows, folds_column);
	model->min_converted = integer_at(rows, min_converted_column);
	model->min_unconverted = integer_at(rows, min_unconverted_column);
	model->seed = DatumGetInt64(datum_at(rows, 0, seed_column));
	for (size_t at = 0; at < sizeof(LearnerParameters) / sizeof(double); at++)
	{
		parameters[at] = real_at(rows, 0, parameter_column + static_cast<int>(at), std::numeric_limits<double>::quiet_NaN());
	}
}

void
read_model(Loading *loading, LoadedModel *model, const char *from)
{
	QueryRows rows = run_query(loading->context, psprintf("%s %s", model_columns, from), 1, &model->name);

	if (rows.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" does not exist%s", model->name, from == from_model ? "" : ", or has not been trained"),
						errhint("The models are the rows of lead_scoring.model.")));
	}
	loading->record_type = text_at(rows, 0, type_column);
	settle_records(loading, DatumGetObjectId(datum_at(rows, 0, relation_column)), text_at(rows, 0, key_column_column),
				   text_at(rows, 0, owner_column));
	read_settings(loading, rows, model);
	read_model_expression(loading, rows, outcome_column, "outcome", ExpressionType::outcome, &model->outcome);
	read_model_expression(loading, rows, snapshot_at_column, "snapshot_at", ExpressionType::instant, &model->snapshot_at);
	read_model_expression(loading, rows, observed_from_column, "observed_from", ExpressionType::instant, &model->observed_from);
	read_model_expression(loading, rows, fold_column, "fold", ExpressionType::integer, &model->fold);
}

void
read_definition(Loading *loading, const char *sql)
{
	QueryRows rows = run_query(loading->context, sql, 1, &loading->score->name);

	loading->model = text_at(rows, 0, 1);
}

// Tell what the columns turned out to be
void
settle_model(const Loading *loading, LoadedModel *model)
{
	core::Definition *definition = &model->score->definition;

	model->instant_outcome = definition->record_columns[static_cast<size_t>(model->outcome)] == core::ColumnKind::integer;
	definition->learns_categories = true;
	definition->own_instants = model->snapshot_at != core::no_column;
	definition->instant_column = model->snapshot_at;
	// What is learned on the way is known to one process only
	model->score->parallel_safe = false;
	model->has_segment = loading->has_segment;
	if (definition->rules.size() == model->has_segment)
	{
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has no features", model->name),
						errhint("Insert them into lead_scoring.feature.")));
	}
	if (definition->own_instants && definition->reads_clock)
	{
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("expressions of model \"%s\" read as_of, but each record has a snapshot of its own", model->name),
						errhint("Use within, and the statistics days_since and days_until.")));
	}
}

// Begin with a score that has no row of its own
Loading
begin_loading(const char *name)
{
	Loading loading = {};

	loading.context = CurrentMemoryContext;
	loading.score = static_cast<LoadedScore *>(palloc0(sizeof(LoadedScore)));
	loading.score->parallel_safe = true;
	loading.score->definition = core::Definition{};
	loading.score->definition.kind = core::ScoreKind::combined;
	loading.score->definition.limits = {-unlimited, unlimited};
	loading.score->name = loading.model_name = pstrdup(name);
	return loading;
}

void
require_readable(const Loading *loading)
{
	require_stream_readable(loading->score->records);
	for (int at = 0; at < loading->source_count; at++)
	{
		require_stream_readable(loading->score->sources[at]);
	}
}

// Read a model by what two queries say of it
LoadedModel *
load_by(const char *name, const char *from, const char *definition)
{
	Loading loading = begin_loading(name);
	auto *model = static_cast<LoadedModel *>(palloc0(sizeof(LoadedModel)));

	model->name = loading.score->name;
	model->score = loading.score;
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	read_model(&loading, model, from);
	read_definition(&loading, definition);
	load_sources(&loading);
	load_features(&loading);
	end_session(session);
	SPI_finish();
	require_readable(&loading);
	compile_streams(&loading);
	settle_model(&loading, model);
	return model;
}

} // namespace

LoadedScore *
load_predictor(const char *name)
{
	Loading loading = begin_loading(name);
	auto *model = static_cast<LoadedModel *>(palloc0(sizeof(LoadedModel)));

	model->name = loading.score->name;
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	read_model(&loading, model, from_model);
	loading.expressions = NIL;
	load_champion(&loading, name);
	load_sources(&loading);
	load_features(&loading);
	end_session(session);
	SPI_finish();
	require_readable(&loading);
	compile_streams(&loading);
	settle_prediction(&loading);
	return loading.score;
}

LoadedModel *
load_model(const char *name)
{
	return load_by(name, from_model, definition_sql);
}

LoadedModel *
load_champion_model(const char *name)
{
	return load_by(name, from_champion, champion_definition_sql);
}

} // namespace lead_scoring::pg
