// What reading a score from the definition tables carries from step to step. Included by the load_*.cpp only.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/expression.hpp"
#include "pg/loaded_score.hpp"
#include "pg/own_rows.hpp"

#include <limits>

namespace lead_scoring::pg
{

inline constexpr double unlimited = std::numeric_limits<double>::infinity();

// An expression over the rows of one stream before it is compiled, and where its compiled form goes
struct RawExpression
{
	const char *what;  // for errors
	const char *field; // "criterion", "value"
	const char *text;
	bool resolved;     // whether the names in the text are
	int32_t stream;    // in LoadedScore::sources, or record_itself
	Oid relation;      // that it was written for
	const char *owner; // of that relation, then; null if unknown
	ExpressionType type;
	const core::PredicateTree **tree; // for a boolean, unless it is to be a column
	int32_t *column;                  // for what is no boolean
};

struct Loading
{
	LoadedScore *score;
	const char *record_type;
	MemoryContext context;
	core::GroupDefinition *groups;
	const char **group_names;
	int group_count;
	core::RuleDefinition *rules;
	QueryRows rule_rows; // that are enabled
	int source_count;
	List *expressions; // of RawExpression
	const char *model; // definition of the model whose features take the place of rules, as JSON; or null
	const char *model_name;
	const char *model_body; // as training has made it
	bool has_segment;       // the last of the rules is no feature but the segment
};

// Which column of Loading::rule_rows names the source
inline constexpr int rule_source_column = 3;

template <typename Item>
Item *
make_array(MemoryContext context, uint64 count)
{
	auto *items = static_cast<Item *>(MemoryContextAllocZero(context, sizeof(Item) * Max(count, 1)));

	for (uint64 at = 0; at < count; at++)
	{
		items[at] = Item{};
	}
	return items;
}

core::Part part_of(const char *text);

// Read an expression of a definition row: text, resolved text, relation and owner stand in columns one after the other
void read_expression(Loading *loading, const QueryRows &rows, uint64 row, int column, RawExpression expression);

// Return the number of a source, record_itself for null; raises if it is not there
int32_t source_number(const Loading *loading, const char *source, const char *what);

// Return the number of a group; raises if it is not there
uint32_t group_number(const Loading *loading, const char *group, const char *what);

// Read the length of time in a column in microseconds, or another one where it is NULL
int64 length_at(const QueryRows &rows, uint64 row, int column, int64 if_null, const char *field, const char *what);

// Read an instant, or another one where it is NULL
int64 instant_at(const QueryRows &rows, uint64 row, int column, int64 if_null);

// Write a text into the loading's context
const char *loading_text(const Loading *loading, const char *format, ...) pg_attribute_printf(2, 3);

// Settle the relation of the records
void settle_records(Loading *loading, Oid relation, const char *key_column, const char *defined_for);

// Read the features of a model in the place of groups and rules
void load_features(Loading *loading);

// Read the champion of the model that a score of kind likelihood shows, and what says who has converted
void load_champion(Loading *loading, const char *model);

// Make the model that predicts, once streams have been compiled
void settle_prediction(Loading *loading);

// The steps, in this order
void load_head(Loading *loading, const char *name);
void load_rule_rows(Loading *loading);
void load_sources(Loading *loading);
void load_groups(Loading *loading);
void load_rules(Loading *loading);
void load_factors(Loading *loading);
void load_scopes(Loading *loading);
void load_bands(Loading *loading);
void load_announcing(Loading *loading);
void load_alerts(Loading *loading);
void compile_streams(Loading *loading);

} // namespace lead_scoring::pg
