// Reading what a score of kind likelihood is computed from: the champion of its model, by the definition that it was
// trained with.
#include "pg/postgres_api.hpp"

#include "pg/loading.hpp"

#include "core/model.hpp"
#include "pg/owned.hpp"

namespace lead_scoring::pg
{

namespace
{

// The columns of the query, in its order
enum ChampionColumn
{
	definition_column = 1,
	body_column,
	outcome_column, // each expression is four columns: text, resolved, relation, owner
	closed_at_column = outcome_column + 4,
	customer_when_column = closed_at_column + 4,
};

constexpr const char *champion_sql =
	"SELECT v.definition::text, v.body, "
	"m.outcome, m.outcome_resolved, t.relation::oid, m.criterion_owner, "
	"m.closed_at, m.closed_at_resolved, t.relation::oid, m.criterion_owner, "
	"m.customer_when, m.customer_when_resolved, t.relation::oid, m.criterion_owner "
	"FROM lead_scoring.model_version v JOIN lead_scoring.record_type t ON t.name = $2, "
	"jsonb_populate_record(NULL::lead_scoring.model, (v.definition -> 'model') - 'criterion_relation') m "
	"WHERE v.model = $1 AND v.status = 'champion'";

core::PredictionDefinition *
prediction_of(Loading *loading)
{
	return &loading->score->definition.prediction;
}

// Raise unless the model predicts from the features that the definition has
void
require_same_features(const Loading *loading, const core::Model *model)
{
	const core::Definition &definition = loading->score->definition;
	bool same = model->features().size() + loading->has_segment == definition.rules.size();

	for (size_t at = 0; same && at < model->features().size(); at++)
	{
		same = model->features()[at].name == definition.rules[at].name;
	}
	if (!same)
	{
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the champion of model \"%s\" was trained with other features than its definition has",
							   loading->model_name),
						errhint("Train the model again.")));
	}
}

// Tell a rule the categories that it knows
template <typename Name>
void
set_categories(Loading *loading, size_t rule, size_t count, Name name)
{
	auto *texts = make_array<std::string_view>(loading->context, count);

	for (size_t number = 0; number < count; number++)
	{
		texts[number] = name(number);
	}
	loading->rules[rule].categories = {texts, count};
}

// What make_owned constructs: a model read from its text
struct ReadModel
{
	explicit ReadModel(std::string_view text) : model(core::read_model(text))
	{
	}

	core::Model model;
};

} // namespace

void
load_champion(Loading *loading, const char *model)
{
	const char *parameters[] = {model, loading->record_type};
	QueryRows rows = run_query(loading->context, champion_sql, 2, parameters);
	core::PredictionDefinition *prediction = prediction_of(loading);

	if (rows.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has not been trained", model),
						errhint("SELECT lead_scoring.train(%s);", quote_literal_cstr(model))));
	}
	loading->model_name = MemoryContextStrdup(loading->context, model);
	loading->model = text_at(rows, 0, definition_column);
	loading->model_body = text_at(rows, 0, body_column);
	loading->score->predicted = true;
	RawExpression expression{loading_text(loading, "model \"%s\"", model), "outcome", nullptr, false, core::record_itself,
							 InvalidOid, nullptr, ExpressionType::outcome, nullptr, &prediction->outcome_column};
	read_expression(loading, rows, 0, outcome_column, expression);
	expression.field = "closed_at";
	expression.type = ExpressionType::instant;
	expression.column = &prediction->closed_column;
	read_expression(loading, rows, 0, closed_at_column, expression);
	expression.field = "customer_when";
	expression.type = ExpressionType::boolean;
	expression.column = nullptr;
	expression.tree = &prediction->customer_when;
	read_expression(loading, rows, 0, customer_when_column, expression);
}

void
settle_prediction(Loading *loading)
{
	core::Definition *definition = &loading->score->definition;

	if (loading->model == nullptr)
	{
		return;
	}
	std::string_view body(loading->model_body);
	const core::Model *model = &make_owned<ReadModel>(loading->context, body)->model;
	require_same_features(loading, model);
	for (size_t at = 0; at < model->features().size(); at++)
	{
		const std::vector<std::string> &categories = model->features()[at].categories;
		set_categories(loading, at, categories.size(), [&categories](size_t number) { return std::string_view(categories[number]); });
	}
	if (loading->has_segment)
	{
		const std::vector<core::Segment> &segments = model->segments();
		set_categories(loading, model->features().size(), segments.size(),
					   [&segments](size_t number) { return std::string_view(segments[number].name); });
	}
	core::PredictionDefinition *prediction = prediction_of(loading);
	auto outcome = static_cast<size_t>(prediction->outcome_column);
	prediction->model = model;
	prediction->instant_outcome = definition->record_columns[outcome] == core::ColumnKind::integer;
}

} // namespace lead_scoring::pg
