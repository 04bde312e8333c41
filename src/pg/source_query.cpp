#include "pg/postgres_api.hpp"

#include "pg/source_query.hpp"

#include "pg/operator_family.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/table.h"
#include "lib/stringinfo.h"
#include "optimizer/optimizer.h"
}

namespace lead_scoring::pg
{

namespace
{

// A select list under construction
struct SelectList
{
	StringInfoData sql;
	AttrNumber count;
	AttrNumber *position_of; // by attribute of the relation, 0 for those not selected
};

AttrNumber
append_item(SelectList *list, const char *item)
{
	appendStringInfo(&list->sql, "%s%s", list->count == 0 ? "" : ", ", item);
	return ++list->count;
}

const char *
column_sql(const char *alias, const char *column)
{
	return psprintf("%s.%s", alias, quote_identifier(column));
}

// Collect the attributes that a stream's columns and expressions read
Bitmapset *
needed_attributes(const LoadedStream *stream)
{
	Bitmapset *needed = nullptr;

	for (int at = 0; at < stream->inputs->count; at++)
	{
		const InputColumn &column = stream->inputs->columns[at];
		if (column.attribute > 0)
		{
			needed = bms_add_member(needed, column.attribute);
		}
		else if (column.computed == nullptr)
		{
			Bitmapset *read = nullptr;
			pull_varattnos(column.expression, 1, &read);
			for (int member = -1; (member = bms_next_member(read, member)) >= 0;)
			{
				needed = bms_add_member(needed, member + FirstLowInvalidHeapAttributeNumber);
			}
		}
	}
	return needed;
}

// Number the columns as the table does
void
number_columns(SelectList *list, Relation relation)
{
	for (int at = 0; at < RelationGetDescr(relation)->natts; at++)
	{
		list->position_of[at + 1] = static_cast<AttrNumber>(at + 1);
	}
}

// Select whole rows of a table: the executor then hands them on as they are
void
select_all(SelectList *list, Relation relation, const char *alias)
{
	TupleDesc descriptor = RelationGetDescr(relation);

	append_item(list, psprintf("%s.*", alias));
	list->count = 0;
	for (int at = 0; at < descriptor->natts; at++)
	{
		if (!TupleDescAttr(descriptor, at)->attisdropped)
		{
			list->position_of[at + 1] = ++list->count;
		}
	}
}

void
select_needed(SelectList *list, const LoadedStream *stream)
{
	Bitmapset *needed = needed_attributes(stream);

	for (int attribute = -1; (attribute = bms_next_member(needed, attribute)) >= 0;)
	{
		const char *name = get_attname(stream->relation, static_cast<AttrNumber>(attribute), false);
		list->position_of[attribute] = append_item(list, column_sql(stream->inputs->alias, name));
	}
}

struct Renumbering
{
	const AttrNumber *position_of;
};

// Let an expression read rows of the query instead of the relation's
Node *
renumber(Node *node, void *context)
{
	if (node == nullptr)
	{
		return nullptr;
	}
	if (IsA(node, Var))
	{
		auto *var = static_cast<Var *>(copyObjectImpl(node));
		var->varattno = static_cast<Renumbering *>(context)->position_of[var->varattno];
		return reinterpret_cast<Node *>(var);
	}
#if PG_VERSION_NUM >= 160000
	return expression_tree_mutator(node, renumber, context);
#else
	auto untyped = reinterpret_cast<void (*)()>(renumber);
	return expression_tree_mutator(node, reinterpret_cast<Node *(*)()>(untyped), context);
#endif
}

// Fill in where the columns are; what only the query can compute is selected at the end
void
place_columns(SelectList *list, const LoadedStream *source, Stream *stream)
{
	const InputColumns *inputs = source->inputs;
	auto *columns = static_cast<StreamColumn *>(palloc0(sizeof(StreamColumn) * static_cast<Size>(Max(inputs->count, 1))));
	Renumbering renumbering{list->position_of};

	for (int at = 0; at < inputs->count; at++)
	{
		const InputColumn &input = inputs->columns[at];
		columns[at] = {input.kind, input.type, 0, nullptr, input.what, input.field};
		if (input.attribute > 0)
		{
			columns[at].position = list->position_of[input.attribute];
		}
		else if (input.computed != nullptr)
		{
			columns[at].position = append_item(list, input.computed);
		}
		else
		{
			columns[at].expression = renumber(input.expression, &renumbering);
		}
	}
	stream->columns = columns;
	stream->column_count = inputs->count;
}

const char *
type_of_keys(core::KeyKind kind)
{
	return kind == core::KeyKind::integer ? "int8" : kind == core::KeyKind::uuid ? "uuid" : "text";
}

char *
key_condition(core::KeyKind kind, const char *key)
{
	return psprintf("%s OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.%s[])", key, type_of_keys(kind));
}

// The same for keys that are kept as texts, in their canonical form: so that an index finds them
char *
kept_key_condition(core::KeyKind kind, const char *key)
{
	return psprintf("%s OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.%s[]::pg_catalog.text[])", key, type_of_keys(kind));
}

// Where rows come from, under construction
struct FromClause
{
	StringInfoData sql;
	bool has_condition;
};

void
append_condition(FromClause *from, const char *condition)
{
	appendStringInfo(&from->sql, "%s%s", from->has_condition ? " AND " : " WHERE ", condition);
	from->has_condition = true;
}

// Say where a source's rows come from and which record each belongs to; returns the record's key
const char *
append_from(FromClause *clause, const LoadedScore *score, const LoadedStream *source)
{
	const LoadedStream *records = score->records;
	StringInfo from = &clause->sql;
	const char *named = column_sql("s", source->key_column);

	appendStringInfo(from, " FROM %s s", relation_sql(source->relation));
	if (OidIsValid(source->hop.relation))
	{
		// Each pair links once, however often it is there
		const Hop &hop = source->hop;
		appendStringInfo(from,
						 " JOIN (SELECT DISTINCT %s AS row_key, %s AS record_key FROM %s h%s%s%s) x "
						 "ON %s OPERATOR(pg_catalog.=) x.row_key",
						 column_sql("h", hop.row_key), column_sql("h", hop.record_key), relation_sql(hop.relation),
						 hop.filter_sql == nullptr ? "" : " WHERE (", hop.filter_sql == nullptr ? "" : hop.filter_sql,
						 hop.filter_sql == nullptr ? "" : ")", named);
		named = "x.record_key";
	}
	if (source->record_column != nullptr)
	{
		// The rows name another column of the record than its key: they come once for each record that they match
		appendStringInfo(from, " JOIN %s r ON %s OPERATOR(pg_catalog.=) %s", relation_sql(records->relation), named,
						 column_sql("r", source->record_column));
		named = column_sql("r", records->key_column);
	}
	return named;
}

// Sort the rows of a cleaned source so that those that may repeat each other stand together; rows of one instant stand in
// an order that what is read of them fixes
void
append_order(StringInfo sql, const LoadedStream *source, const char *key)
{
	Bitmapset *needed = needed_attributes(source);

	appendStringInfo(sql, " ORDER BY %s", key);
	if (source->mark_sql != nullptr)
	{
		appendStringInfo(sql, source->mark_has_order ? ", (%s)" : ", ((%s)::pg_catalog.text) COLLATE pg_catalog.\"C\"",
						 source->mark_sql);
	}
	appendStringInfo(sql, ", %s", column_sql("s", source->time_column));
	for (int attribute = -1; (attribute = bms_next_member(needed, attribute)) >= 0;)
	{
		core::ColumnKind kind;
		Oid type = getBaseType(get_atttype(source->relation, static_cast<AttrNumber>(attribute)));
		const char *column =
			column_sql("s", get_attname(source->relation, static_cast<AttrNumber>(attribute), false));
		family_of(type, &kind);
		bool ordered = kind == core::ColumnKind::integer || kind == core::ColumnKind::real || kind == core::ColumnKind::truth;
		appendStringInfo(sql, ordered ? ", %s" : ", (%s::pg_catalog.text) COLLATE pg_catalog.\"C\"", column);
	}
}

// Select a text that rows of a record have in common if their marks are equal, as their type sees it
const char *
mark_item(const LoadedStream *source, const char *key)
{
	if (!source->mark_has_order)
	{
		return psprintf("(%s)::pg_catalog.text", source->mark_sql);
	}
	return psprintf("CASE WHEN (%s) IS NOT NULL THEN pg_catalog.dense_rank() OVER (PARTITION BY %s ORDER BY (%s)) "
					"END::pg_catalog.text",
					source->mark_sql, key, source->mark_sql);
}

// Whether whole rows of a relation cost nothing to select
bool
is_stored(Relation relation)
{
	char kind = relation->rd_rel->relkind;

	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_MATVIEW;
}

SelectList
begin_list(Relation relation)
{
	SelectList list{};

	initStringInfo(&list.sql);
	list.position_of =
		static_cast<AttrNumber *>(palloc0(sizeof(AttrNumber) * static_cast<Size>(RelationGetDescr(relation)->natts + 1)));
	return list;
}

// Return the position of a column of the relation itself, selecting it if need be
AttrNumber
place_own(SelectList *list, const LoadedStream *stream, const char *column)
{
	AttrNumber *position = &list->position_of[get_attnum(stream->relation, column)];

	if (*position == 0)
	{
		*position = append_item(list, column_sql(stream->inputs->alias, column));
	}
	return *position;
}

// Find the columns of the score in rows of the records
void
place_stored(SelectList *list, const LoadedScore *score, Stream *stream)
{
	ScoreColumns columns = score_columns(score->name);
	const char *const names[] = {columns.total, columns.fit, columns.engagement, columns.label};

	for (int at = 0; at <= stored_values; at++)
	{
		stream->stored_positions[at] = place_own(list, score->records, names[at]);
	}
	stream->stored = static_cast<StoredScore *>(palloc0(sizeof(StoredScore) * core::batch_rows));
}

// Whether a source's rows can be told apart by their time: one without a time must be read, to be complained of
bool
always_has_time(Relation relation, const LoadedStream *source)
{
	return source->time_column != nullptr &&
		   TupleDescAttr(RelationGetDescr(relation), get_attnum(source->relation, source->time_column) - 1)->attnotnull;
}

// Select the rows from a time on; those without a time must be read, to be complained of
const char *
recent_sql(const SelectList *list, const FromClause *from, const LoadedStream *source, bool always_timed)
{
	const char *time = column_sql("s", source->time_column);
	const char *rows = psprintf("SELECT %s%s AND %s", list->sql.data, from->sql.data, time);
	const char *recent = psprintf("%s OPERATOR(pg_catalog.>=) $3", rows);

	return always_timed ? recent : psprintf("%s UNION ALL %s IS NULL", recent, rows);
}

} // namespace

void
describe_source(const LoadedScore *score, const LoadedStream *source, Reading reading, Stream *stream)
{
	Relation relation = table_open(source->relation, AccessShareLock);
	SelectList list = begin_list(relation);
	FromClause from{};
	bool joined = source->record_column != nullptr || OidIsValid(source->hop.relation);

	initStringInfo(&from.sql);
	const char *key = append_from(&from, score, source);
	if (reading == Reading::in_place)
	{
		number_columns(&list, relation);
	}
	else if (!joined && is_stored(relation))
	{
		select_all(&list, relation, "s");
	}
	else
	{
		select_needed(&list, source);
	}
	stream->key_position = joined ? append_item(&list, key) : place_own(&list, source, source->key_column);
	stream->time_position = source->time_column == nullptr ? 0 : place_own(&list, source, source->time_column);
	stream->mark_position = source->mark_sql == nullptr ? 0 : append_item(&list, mark_item(source, key));
	place_columns(&list, source, stream);
	if (source->filter_sql != nullptr)
	{
		append_condition(&from, psprintf("(%s)", source->filter_sql));
	}
	if (reading == Reading::keys || reading == Reading::recent)
	{
		append_condition(&from, key_condition(score->definition.key_kind, key));
	}
	if (reading == Reading::blocks)
	{
		append_condition(&from, "s.ctid OPERATOR(pg_catalog.>=) $3 AND s.ctid OPERATOR(pg_catalog.<) $4");
	}
	if (source->cleaned)
	{
		append_order(&from.sql, source, key);
	}
	stream->sql = reading == Reading::recent && source->time_column != nullptr && !source->cleaned
					  ? recent_sql(&list, &from, source, always_has_time(relation, source))
					  : psprintf("SELECT %s%s", list.sql.data, from.sql.data);
	stream->owner = source->owner;
	stream->key_kind = score->definition.key_kind;
	stream->name = source->name;
	table_close(relation, NoLock);
}

void
describe_records(const LoadedScore *score, Reading reading, Stream *stream)
{
	const LoadedStream *records = score->records;
	Relation relation = table_open(records->relation, AccessShareLock);
	SelectList list = begin_list(relation);
	FromClause from{};

	initStringInfo(&from.sql);
	appendStringInfo(&from.sql, " FROM %s r", relation_sql(records->relation));
	if (reading == Reading::in_place)
	{
		number_columns(&list, relation);
	}
	else if (is_stored(relation))
	{
		select_all(&list, relation, "r");
	}
	else
	{
		select_needed(&list, records);
	}
	stream->key_position = place_own(&list, records, records->key_column);
	place_columns(&list, records, stream);
	if ((reading == Reading::locked || reading == Reading::compared || reading == Reading::in_place) && score->own_target)
	{
		place_stored(&list, score, stream);
	}
	if (reading != Reading::all)
	{
		append_condition(&from, key_condition(score->definition.key_kind, column_sql("r", records->key_column)));
	}
	if (reading == Reading::locked)
	{
		// Weaker than what a foreign key of an event holds already: those two never wait for each other
		bool is_text = score->definition.key_kind == core::KeyKind::text;
		appendStringInfo(&from.sql, " ORDER BY %s%s FOR NO KEY UPDATE OF r", column_sql("r", records->key_column),
						 is_text ? " COLLATE pg_catalog.\"C\"" : "");
	}
	stream->sql = psprintf("SELECT %s%s", list.sql.data, from.sql.data);
	stream->owner = records->owner;
	stream->key_kind = score->definition.key_kind;
	stream->key_required = true;
	stream->name = records->name;
	table_close(relation, NoLock);
}

void
describe_stored(const LoadedScore *score, Stream *stream)
{
	ScoreColumns columns = score_columns(score->name);
	const char *key = quote_identifier(score->records->key_column);

	stream->sql = psprintf("SELECT t.%s, t.%s, t.%s, t.%s, t.%s FROM %s t WHERE %s", key, quote_identifier(columns.total),
						   quote_identifier(columns.fit), quote_identifier(columns.engagement),
						   quote_identifier(columns.label), relation_sql(score->target),
						   key_condition(score->definition.key_kind, psprintf("t.%s", key)));
	stream->owner = owner_of(score->target);
	stream->key_kind = score->definition.key_kind;
	stream->key_position = 1;
	stream->name = get_rel_name(score->target);
	for (int at = 0; at <= stored_values; at++)
	{
		stream->stored_positions[at] = static_cast<AttrNumber>(at + 2);
	}
	stream->stored = static_cast<StoredScore *>(palloc0(sizeof(StoredScore) * core::batch_rows));
}

void
describe_adjustments(const LoadedScore *score, bool keys, bool times, Stream *stream)
{
	static const StreamColumn points{core::ColumnKind::real, FLOAT8OID, 2, nullptr, nullptr, nullptr};
	core::KeyKind kind = score->definition.key_kind;
	const char *key = psprintf("a.record_key::pg_catalog.%s", type_of_keys(kind));
	const char *begun = "a.created_at OPERATOR(pg_catalog.<=) $1";
	const char *items = times ? psprintf("CASE WHEN %s THEN a.points ELSE 0 END, CASE WHEN %s THEN "
										 "COALESCE(a.expires_at, 'infinity') ELSE a.created_at END",
										 begun, begun)
							  : "a.points";

	stream->sql = psprintf("SELECT %s, %s FROM lead_scoring.adjustment a WHERE a.score OPERATOR(pg_catalog.=) %s "
						   "AND %s AND (a.expires_at IS NULL OR a.expires_at OPERATOR(pg_catalog.>) $1)%s%s",
						   key, items, quote_literal_cstr(score->name), times ? "true" : begun, keys ? " AND " : "",
						   keys ? kept_key_condition(kind, "a.record_key") : "");
	stream->owner = definitions_owner();
	stream->key_kind = kind;
	stream->key_position = 1;
	stream->time_position = times ? 3 : 0;
	stream->name = "adjustment";
	stream->column_count = 1;
	stream->columns = &points;
}

void
describe_resets(const LoadedScore *score, bool keys, Stream *stream)
{
	core::KeyKind kind = score->definition.key_kind;
	const char *key = psprintf("e.record_key::pg_catalog.%s", type_of_keys(kind));

	stream->sql = psprintf("SELECT %s, e.at FROM lead_scoring.engagement_reset e WHERE e.score OPERATOR(pg_catalog.=) %s%s%s",
						   key, quote_literal_cstr(score->name), keys ? " AND " : "", keys ? kept_key_condition(kind, "e.record_key") : "");
	stream->owner = definitions_owner();
	stream->key_kind = kind;
	stream->key_position = 1;
	stream->time_position = 2;
	stream->name = "engagement_reset";
}

} // namespace lead_scoring::pg
