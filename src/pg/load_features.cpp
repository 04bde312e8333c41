// Reading the features of a model, which take the place of a score's groups and rules. What is read is the definition that
// a version was trained by, or that the next training looks at: both have the same form.
#include "pg/postgres_api.hpp"

#include "pg/loading.hpp"

#include "core/time.hpp"
#include "pg/decay_type.hpp"
#include "pg/feature.hpp"

namespace lead_scoring::pg
{

namespace
{

// The columns of the query, in its order
enum FeatureColumn
{
	name_column = 1,
	source_column,
	statistic_column,
	within_column,
	decay_column,
	expression_column, // each expression is four columns: text, resolved, relation, owner
	criterion_column = expression_column + 4,
	known_column = criterion_column + 4,
};

constexpr const char *features_sql =
	"SELECT f.name, f.source, f.statistic, f.within, f.decay, "
	"f.expression, f.expression_resolved, w.relation, f.criterion_owner, "
	"f.criterion, f.criterion_resolved, w.relation, f.criterion_owner, "
	"f.known_at, f.known_at_resolved, w.relation, f.criterion_owner "
	// The relation is in there by its name, which may have changed since: what counts is whose it is
	// Behind the features, without a name, the segment: what is known of a record is found in the same way
	"FROM (SELECT item, false FROM jsonb_array_elements($1::jsonb -> 'features') e (item) "
	"UNION ALL SELECT jsonb_build_object('name', '', 'statistic', 'value', 'criterion', 'true', 'criterion_resolved', 'true', "
	"'expression', m ->> 'segment', 'expression_resolved', m ->> 'segment_resolved', 'criterion_owner', m ->> 'criterion_owner'), true "
	"FROM (SELECT $1::jsonb -> 'model') d (m) WHERE m ->> 'segment' IS NOT NULL) i (item, is_segment), "
	"jsonb_populate_record(NULL::lead_scoring.feature, i.item - 'criterion_relation') f, "
	"LATERAL (SELECT CASE WHEN f.source IS NULL THEN (SELECT t.relation::oid FROM lead_scoring.record_type t WHERE t.name = $2) "
	"ELSE (SELECT o.relation::oid FROM lead_scoring.source o WHERE o.record_type = $2 AND o.name = f.source) END) w (relation) "
	"ORDER BY i.is_segment, f.name COLLATE \"C\"";

core::Statistic
statistic_of(const char *text)
{
	static const struct
	{
		const char *name;
		core::Statistic statistic;
	} statistics[] = {
		{"value", core::Statistic::value},
		{"has_value", core::Statistic::has_value},
		{"days_since", core::Statistic::days_since},
		{"days_until", core::Statistic::days_until},
		{"count", core::Statistic::count},
		{"has_any", core::Statistic::has_any},
		{"sum", core::Statistic::sum},
		{"average", core::Statistic::average},
		{"minimum", core::Statistic::minimum},
		{"maximum", core::Statistic::maximum},
		{"distinct", core::Statistic::distinct},
		{"days_since_newest", core::Statistic::days_since_newest},
		{"days_since_oldest", core::Statistic::days_since_oldest},
		{"days_until_next", core::Statistic::days_until_next},
	};

	for (const auto &known : statistics)
	{
		if (strcmp(known.name, text) == 0)
		{
			return known.statistic;
		}
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("statistic \"%s\" does not exist", text),
					errhint("Perhaps a newer release of the extension has written it.")));
	pg_unreachable();
}

// Return the number of a group for a feature: those that fade have one of their own, all others share the first
uint32_t
group_of(Loading *loading, const QueryRows &rows, uint64 at)
{
	if (null_at(rows, at, decay_column))
	{
		return 0;
	}
	auto *decay = make_array<core::Decay>(loading->context, 1);
	auto *fade = make_array<core::FadeDefinition>(loading->context, 1);
	core::GroupDefinition *group = &loading->groups[loading->group_count];
	*decay = *decay_from_datum(datum_at(rows, at, decay_column));
	*fade = {nullptr, decay, -1};
	group->name = text_at(rows, at, name_column);
	group->part = core::Part::engagement;
	group->limits = {-unlimited, unlimited};
	group->weight = 1;
	group->fades = {fade, 1};
	return static_cast<uint32_t>(loading->group_count++);
}

void
read_feature(Loading *loading, const QueryRows &rows, uint64 at, core::RuleDefinition *rule)
{
	const char *source = text_at(rows, at, source_column);
	const char *statistic = text_at(rows, at, statistic_column);

	rule->name = text_at(rows, at, name_column);
	bool is_segment = rule->name.empty();
	const char *what = is_segment ? loading_text(loading, "model \"%s\"", loading->model_name)
								  : loading_text(loading, "feature \"%s\" of model \"%s\"", rule->name.data(), loading->model_name);
	rule->group = group_of(loading, rows, at);
	rule->source = source_number(loading, source, what);
	rule->points = 1;
	rule->statistic = statistic_of(statistic);
	rule->within_us = length_at(rows, at, within_column, 0, "within", what);
	RawExpression expression{what, "criterion", nullptr, false, rule->source, InvalidOid, nullptr, ExpressionType::boolean,
							 &rule->criterion, nullptr};
	read_expression(loading, rows, at, criterion_column, expression);
	expression.tree = nullptr;
	expression.field = is_segment ? "segment" : "expression";
	expression.type = type_of_feature(statistic);
	expression.column = &rule->value_column;
	read_expression(loading, rows, at, expression_column, expression);
	expression.field = "known_at";
	expression.type = ExpressionType::instant;
	expression.column = &rule->known_column;
	read_expression(loading, rows, at, known_column, expression);
	loading->score->rule_sources[at] = source;
}

} // namespace

void
load_features(Loading *loading)
{
	const char *parameters[] = {loading->model, loading->record_type};
	QueryRows rows = run_query(loading->context, features_sql, 2, parameters);

	loading->groups = make_array<core::GroupDefinition>(loading->context, rows.count + 1);
	loading->groups[0].name = "features";
	loading->groups[0].part = core::Part::engagement;
	loading->group_count = 1;
	loading->rules = make_array<core::RuleDefinition>(loading->context, rows.count);
	loading->score->rule_sources = make_array<const char *>(loading->context, rows.count);
	for (uint64 at = 0; at < rows.count; at++)
	{
		read_feature(loading, rows, at, &loading->rules[at]);
	}
	loading->score->definition.rules = {loading->rules, rows.count};
	loading->score->definition.groups = {loading->groups, static_cast<size_t>(loading->group_count)};
	loading->has_segment = rows.count > 0 && loading->rules[rows.count - 1].name.empty();
}

} // namespace lead_scoring::pg
