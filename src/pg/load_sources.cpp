// Reading the sources that a score uses, and compiling the expressions that look at each relation's rows.
#include "pg/postgres_api.hpp"

#include "pg/loading.hpp"

#include "core/time.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/table.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/typcache.h"
}

#include <algorithm>

namespace lead_scoring::pg
{

namespace
{

enum SourceColumn
{
	name_column = 1,
	relation_column,
	record_key_column,
	record_column_column,
	occurred_at_column,
	filter_column,
	owner_column,
	dedup_key_column,
	dedup_within_column,
	through_column,
	through_key_column,
	through_record_column,
	through_filter_column,
	through_owner_column,
};

constexpr const char *source_columns[] = {
	"name", "relation", "record_key", "record_column", "occurred_at", "filter_resolved", "relation_owner", "dedup_key_resolved",
	"dedup_within", "through", "through_key", "through_record", "through_filter_resolved", "through_owner"};
constexpr const char *scope_source[] = {"source"};

// The sources that the features of a model look at
constexpr const char *feature_sources_sql =
	"SELECT DISTINCT f ->> 'source' FROM jsonb_array_elements($1::jsonb -> 'features') f WHERE f ->> 'source' IS NOT NULL";

LoadedStream *
read_source(Loading *loading, const QueryRows &rows, uint64 at)
{
	auto *stream = make_array<LoadedStream>(loading->context, 1);

	stream->is_source = true;
	stream->name = text_at(rows, at, name_column);
	stream->relation = DatumGetObjectId(datum_at(rows, at, relation_column));
	stream->key_column = text_at(rows, at, record_key_column);
	stream->record_column = text_at(rows, at, record_column_column);
	stream->time_column = text_at(rows, at, occurred_at_column);
	stream->filter_sql = text_at(rows, at, filter_column);
	stream->mark_sql = text_at(rows, at, dedup_key_column);
	stream->cleaned = stream->time_column != nullptr &&
					  (stream->mark_sql != nullptr || !null_at(rows, at, dedup_within_column));
	stream->dedup_us = length_at(rows, at, dedup_within_column, core::infinitely_late, "dedup_within",
								 loading_text(loading, "source \"%s\"", stream->name));
	settle_stream(stream, text_at(rows, at, owner_column));
	if (!null_at(rows, at, through_column))
	{
		stream->hop = {DatumGetObjectId(datum_at(rows, at, through_column)), text_at(rows, at, through_key_column),
					   text_at(rows, at, through_record_column), text_at(rows, at, through_filter_column), nullptr};
		const char *owner = text_at(rows, at, through_owner_column);
		settle_hop(stream, owner == nullptr ? "" : owner);
	}
	if (stream->record_column != nullptr && strcmp(stream->record_column, loading->score->records->key_column) == 0)
	{
		stream->record_column = nullptr;
	}
	require_same_kind(stream, loading->score->records);
	return stream;
}

// Raise if an expression reads what the score itself has written: it would never come to rest
void
require_no_own_column(const LoadedScore *score, Oid relation, Node *expression, const RawExpression *raw)
{
	ScoreColumns columns = score_columns(score->name);
	Bitmapset *attributes = nullptr;

	if (relation != score->target)
	{
		return;
	}
	pull_varattnos(expression, 1, &attributes);
	for (const char *column : {columns.total, columns.fit, columns.engagement, columns.label})
	{
		AttrNumber attribute = get_attnum(relation, column);
		if (attribute != InvalidAttrNumber &&
			bms_is_member(attribute - FirstLowInvalidHeapAttributeNumber, attributes))
		{
			ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
							errmsg("%s of %s reads the score's own column \"%s\"", raw->field, raw->what, column),
							errhint("A score depends on facts, not on itself: refer to other columns.")));
		}
	}
}

// Raise unless an expression was written over this relation and for its owner: nobody's condition ever runs with the
// rights of another
void
require_pinned(const Loading *loading, const RawExpression *raw, const LoadedStream *stream, Relation relation)
{
	if (raw->relation != stream->relation || raw->owner == nullptr ||
		strcmp(raw->owner, GetUserNameFromId(stream->owner, false)) != 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s of %s was written for another relation or owner", raw->field, raw->what),
				 errhint("The owner of \"%s\" confirms it by writing it again: UPDATE lead_scoring.rule (or scope, "
						 "band, ...) SET %s = %s WHERE score = %s;",
						 RelationGetRelationName(relation), raw->field, raw->field,
						 quote_literal_cstr(loading->score->name))));
	}
}

// Whether what is stored may depend on an expression: whether a record is open matters to likelihoods and to bands for the best only
bool
is_heeded(const Loading *loading, const RawExpression *raw)
{
	const core::Definition &definition = loading->score->definition;

	return raw->tree != &definition.open_when || loading->model != nullptr ||
		   std::any_of(definition.bands.begin(), definition.bands.end(),
					   [](const core::BandDefinition &band) { return band.capacity > 0 || band.top_share > 0; });
}

// Note what an expression asks of whoever evaluates it
void
note_demands(LoadedScore *score, Node *expression, bool heeded)
{
	score->parallel_safe &= is_parallel_safe(expression);
	score->settings_matter |= contain_mutable_functions(expression);
	score->calls_others |= calls_others(expression);
	score->definition.reads_clock |= heeded && reads_as_of(expression);
}

// Note which columns the query of a stream reads by itself
void
note_attributes(LoadedStream *stream, Relation relation, Node *expression)
{
	Bitmapset **attributes = RelationGetRelid(relation) == stream->relation ? &stream->query_attributes : &stream->hop.attributes;

	pull_varattnos(expression, 1, attributes);
}

// The kind of column that holds what an expression yields that is no number
core::ColumnKind
kind_of_column(Node *expression, ExpressionType type)
{
	switch (type == ExpressionType::hashable ? TEXTOID : type == ExpressionType::any ? InvalidOid : exprType(expression))
	{
	case InvalidOid:
		return core::ColumnKind::presence;
	case TEXTOID:
		return core::ColumnKind::text;
	case BOOLOID:
		return core::ColumnKind::truth;
	case FLOAT8OID:
		return core::ColumnKind::real;
	default:
		// A whole number, or an instant
		return core::ColumnKind::integer;
	}
}

// Let what is only told apart be compared by its text form
Node *
as_text(Node *expression, ExpressionType type)
{
	return type != ExpressionType::hashable
			   ? expression
			   : coerce_to_target_type(nullptr, expression, exprType(expression), TEXTOID, -1, COERCION_EXPLICIT,
									   COERCE_EXPLICIT_CAST, -1);
}

void
compile_expression(const Loading *loading, const RawExpression *raw, LoadedStream *stream, Relation relation)
{
	require_pinned(loading, raw, stream, relation);
	Node *expression = parse_expression(relation, raw->text, {raw->what, raw->field, raw->resolved, raw->type});
	require_no_own_column(loading->score, stream->relation, expression, raw);
	bool is_number = raw->type == ExpressionType::number;
	Node *read = raw->tree != nullptr || is_number ? expression : as_text(expression, raw->type);
	// Of all that is called: to make a text of a value may be somebody's function
	note_demands(loading->score, read, is_heeded(loading, raw));
	stream->inputs->what = raw->what;
	stream->inputs->field = raw->field;
	if (raw->tree != nullptr)
	{
		*raw->tree = compile_criterion(expression, stream->inputs);
		return;
	}
	*raw->column = is_number ? compile_value(read, stream->inputs)
							 : compile_column(read, kind_of_column(expression, raw->type), stream->inputs);
}

// Write an expression of a source that the query itself computes, for the row called so
const char *
query_expression(LoadedScore *score, LoadedStream *stream, Relation relation, const char *text, const char *field, ExpressionType type,
				 const char *alias)
{
	Node *expression = parse_expression(relation, text, {psprintf("source \"%s\"", stream->name), field, true, type});

	note_demands(score, expression, true);
	note_attributes(stream, relation, expression);
	return expression_sql(expression, RelationGetRelid(relation), alias);
}

// Whether the type of a source's dedup key can be sorted; others are compared as texts
bool
has_order(const LoadedStream *stream, Relation relation)
{
	Node *expression = parse_expression(
		relation, stream->mark_sql, {psprintf("source \"%s\"", stream->name), "dedup_key", true, ExpressionType::any});
	Oid type = exprType(expression);

	return !type_is_rowtype(type) && OidIsValid(lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr);
}

// Compile the expressions that look at one stream's rows; the session is that of its relation's owner
void
compile_stream(Loading *loading, LoadedStream *stream, int32_t number)
{
	Relation relation = table_open(stream->relation, AccessShareLock);
	const char *alias = stream->inputs->alias;

	for (int at = 0; at < list_length(loading->expressions); at++)
	{
		auto *raw = static_cast<RawExpression *>(list_nth(loading->expressions, at));
		if (raw->stream == number)
		{
			compile_expression(loading, raw, stream, relation);
		}
	}
	if (stream->filter_sql != nullptr)
	{
		stream->filter_sql =
			query_expression(loading->score, stream, relation, stream->filter_sql, "filter", ExpressionType::boolean, alias);
	}
	if (stream->mark_sql != nullptr)
	{
		stream->mark_has_order = has_order(stream, relation);
		stream->mark_sql =
			query_expression(loading->score, stream, relation, stream->mark_sql, "dedup_key", ExpressionType::any, alias);
	}
	if (stream->hop.filter_sql != nullptr)
	{
		Relation hop = table_open(stream->hop.relation, AccessShareLock);
		stream->hop.filter_sql =
			query_expression(loading->score, stream, hop, stream->hop.filter_sql, "through_filter", ExpressionType::boolean, "h");
		table_close(hop, NoLock);
	}
	table_close(relation, NoLock);
}

} // namespace

int32_t
source_number(const Loading *loading, const char *source, const char *what)
{
	if (source == nullptr)
	{
		return core::record_itself;
	}
	for (int at = 0; at < loading->source_count; at++)
	{
		if (strcmp(loading->score->sources[at]->name, source) == 0)
		{
			return at;
		}
	}
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("source \"%s\" of %s does not exist", source, what),
					errhint("Insert it into lead_scoring.source first, for record type \"%s\".",
							loading->record_type)));
	pg_unreachable();
}

void
load_sources(Loading *loading)
{
	QueryRows rows = own_rows(loading->context, own::sources, loading->record_type, source_columns);
	QueryRows scopes = own_rows(loading->context, own::scopes, loading->score->name, scope_source);
	QueryRows features{};

	if (loading->model != nullptr)
	{
		features = run_query(loading->context, feature_sources_sql, 1, &loading->model);
	}
	loading->score->sources = make_array<LoadedStream *>(loading->context, rows.count);
	MemoryContext before = MemoryContextSwitchTo(loading->context);
	for (uint64 at = 0; at < rows.count; at++)
	{
		const char *name = text_at(rows, at, name_column);
		if (has_text_anywhere(loading->rule_rows, rule_source_column, name) || has_text_anywhere(scopes, 1, name) ||
			has_text_anywhere(features, 1, name))
		{
			loading->score->sources[loading->source_count++] = read_source(loading, rows, at);
		}
	}
	MemoryContextSwitchTo(before);
}

void
compile_streams(Loading *loading)
{
	LoadedScore *score = loading->score;
	auto *sources = make_array<core::SourceDefinition>(loading->context, static_cast<uint64>(loading->source_count));

	for (int number = core::record_itself; number < loading->source_count; number++)
	{
		LoadedStream *stream = number == core::record_itself ? score->records : score->sources[number];
		Session session = begin_as_owner(stream->owner);
		compile_stream(loading, stream, number);
		end_session(session);
		auto *kinds = make_array<core::ColumnKind>(loading->context, static_cast<uint64>(stream->inputs->count));
		for (int column = 0; column < stream->inputs->count; column++)
		{
			kinds[column] = stream->inputs->columns[column].kind;
		}
		std::span<const core::ColumnKind> columns{kinds, static_cast<size_t>(stream->inputs->count)};
		if (number == core::record_itself)
		{
			score->definition.record_columns = columns;
		}
		else
		{
			sources[number] = {stream->time_column != nullptr, columns, stream->cleaned, stream->dedup_us};
		}
	}
	score->definition.sources = {sources, static_cast<size_t>(loading->source_count)};
}

} // namespace lead_scoring::pg
