// Reading a score's rules.
#include "pg/postgres_api.hpp"

#include "pg/loading.hpp"

#include "core/time.hpp"

namespace lead_scoring::pg
{

namespace
{

// The columns, in the order of their names
enum RuleColumn
{
	name_column = 1,
	group_column,
	source_column = rule_source_column,
	points_column,
	counting_column,
	at_least_column,
	at_most_column,
	within_column,
	since_column,
	until_column,
	rollup_column,
	max_times_column,
	max_times_per_column,
	every_n_column,
	followed_within_column,
	effect_column,
	multiplies_column,
	valid_from_column,
	valid_to_column,
	criterion_column, // each expression is four columns: text, resolved, relation, owner
	value_column = criterion_column + 4,
	followed_by_column = value_column + 4,
	enabled_column = followed_by_column + 4,
};

constexpr const char *rule_columns[] = {
	"name", "group_name", "source", "points", "counting", "at_least", "at_most", "within", "since", "until",
	"rollup", "max_times", "max_times_per", "every_n", "followed_within", "effect", "multiplies", "valid_from", "valid_to",
	"criterion", "criterion_resolved", "criterion_relation", "criterion_owner",
	"value", "value_resolved", "criterion_relation", "criterion_owner",
	"followed_by", "followed_by_resolved", "criterion_relation", "criterion_owner", "enabled"};

core::Counting
counting_of(const char *text)
{
	return strcmp(text, "each") == 0   ? core::Counting::each
		   : strcmp(text, "once") == 0 ? core::Counting::once
									   : core::Counting::quiet;
}

core::Rollup
rollup_of(const char *text)
{
	return text == nullptr || strcmp(text, "sum") == 0 ? core::Rollup::sum
		   : strcmp(text, "avg") == 0                  ? core::Rollup::average
		   : strcmp(text, "min") == 0                  ? core::Rollup::minimum
													   : core::Rollup::maximum;
}

core::Multiplies
multiplies_of(const char *effect, const char *text)
{
	return strcmp(effect, "multiply") != 0   ? core::Multiplies::nothing
		   : text == nullptr                 ? core::Multiplies::group
		   : strcmp(text, "fit") == 0        ? core::Multiplies::fit
		   : strcmp(text, "engagement") == 0 ? core::Multiplies::engagement
		   : strcmp(text, "total") == 0      ? core::Multiplies::total
											 : core::Multiplies::group;
}

uint32
number_at(const QueryRows &rows, uint64 row, int column)
{
	return null_at(rows, row, column) ? 0 : static_cast<uint32>(DatumGetInt32(datum_at(rows, row, column)));
}

// What a count, or a sum of values, must lie within; without any bounds a count must be one
core::Limits
bounds_at(const QueryRows &rows, uint64 row)
{
	bool has_value = !null_at(rows, row, value_column);
	double lowest = has_value ? -unlimited : null_at(rows, row, at_most_column) ? 1 : 0;

	return {real_at(rows, row, at_least_column, lowest), real_at(rows, row, at_most_column, unlimited)};
}

void
read_rule(Loading *loading, const QueryRows &rows, uint64 at, uint64 number)
{
	core::RuleDefinition *rule = &loading->rules[number];
	rule->name = text_at(rows, at, name_column);
	const char *what = loading_text(loading, "rule \"%s\" of score \"%s\"", rule->name.data(), loading->score->name);
	const char *source = text_at(rows, at, source_column);

	rule->group = group_number(loading, text_at(rows, at, group_column), what);
	rule->source = source_number(loading, source, what);
	rule->points = DatumGetFloat8(datum_at(rows, at, points_column));
	rule->counting = counting_of(text_at(rows, at, counting_column));
	rule->count = bounds_at(rows, at);
	rule->within_us = length_at(rows, at, within_column, 0, "within", what);
	rule->since = instant_at(rows, at, since_column, core::infinitely_old);
	rule->until = instant_at(rows, at, until_column, core::infinitely_late);
	rule->rollup = rollup_of(text_at(rows, at, rollup_column));
	rule->max_times = number_at(rows, at, max_times_column);
	rule->max_times_per_us = length_at(rows, at, max_times_per_column, 0, "max_times_per", what);
	rule->every_n = number_at(rows, at, every_n_column);
	rule->followed_within_us = length_at(rows, at, followed_within_column, 0, "followed_within", what);
	rule->multiplies = multiplies_of(text_at(rows, at, effect_column), text_at(rows, at, multiplies_column));
	rule->valid = {instant_at(rows, at, valid_from_column, core::infinitely_old),
				   instant_at(rows, at, valid_to_column, core::infinitely_late)};
	RawExpression expression{what, "criterion", nullptr, false, rule->source, InvalidOid, nullptr, ExpressionType::boolean,
							 &rule->criterion, nullptr};
	read_expression(loading, rows, at, criterion_column, expression);
	expression.field = "followed_by";
	expression.tree = &rule->followed_by;
	read_expression(loading, rows, at, followed_by_column, expression);
	expression.field = "value";
	expression.tree = nullptr;
	expression.type = ExpressionType::number;
	expression.column = &rule->value_column;
	read_expression(loading, rows, at, value_column, expression);
	loading->score->rule_sources[number] = source;
}

} // namespace

uint32_t
group_number(const Loading *loading, const char *group, const char *what)
{
	for (int at = 0; at < loading->group_count; at++)
	{
		if (strcmp(loading->group_names[at], group) == 0)
		{
			return static_cast<uint32_t>(at);
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("group \"%s\" of %s does not exist", group, what),
			 errhint("Insert it into lead_scoring.score_group first.")));
	pg_unreachable();
}

void
load_rule_rows(Loading *loading)
{
	QueryRows rows = own_rows(loading->context, own::rules, loading->score->name, rule_columns);
	uint64 enabled = 0;

	for (uint64 at = 0; at < rows.count; at++)
	{
		if (DatumGetBool(datum_at(rows, at, enabled_column)))
		{
			rows.rows[enabled++] = rows.rows[at];
		}
	}
	rows.count = enabled;
	loading->rule_rows = rows;
}

void
load_rules(Loading *loading)
{
	const QueryRows &rows = loading->rule_rows;
	uint64 number = 0;

	loading->rules = make_array<core::RuleDefinition>(loading->context, rows.count);
	loading->score->rule_sources = make_array<const char *>(loading->context, rows.count);
	// In the order of the groups, as the index has them within each
	for (int group = 0; group < loading->group_count; group++)
	{
		for (uint64 at = 0; at < rows.count; at++)
		{
			if (has_text(rows, at, group_column, loading->group_names[group]))
			{
				read_rule(loading, rows, at, number++);
			}
		}
	}
	// One of a group that is not there is complained of
	for (uint64 at = 0; number < rows.count && at < rows.count; at++)
	{
		read_rule(loading, rows, at, at);
	}
	loading->score->definition.rules = {loading->rules, rows.count};
}

} // namespace lead_scoring::pg
