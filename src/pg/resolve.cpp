// The trigger that has PostgreSQL check the expressions of a definition as it is written.
#include "pg/postgres_api.hpp"

#include "pg/attempt.hpp"
#include "pg/expression.hpp"
#include "pg/feature.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "commands/trigger.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_resolve_expressions);

namespace lead_scoring::pg
{

namespace
{

// Return a field as text, null also if the table has no such field
char *
text_field(HeapTuple row, TupleDesc descriptor, const char *field)
{
	int number = SPI_fnumber(descriptor, field);

	return number > 0 ? SPI_getvalue(row, descriptor, number) : nullptr;
}

// Say what a row of a definition table is, for errors
const char *
describe(HeapTuple row, TupleDesc descriptor, const char *table)
{
	if (strcmp(table, "rule") == 0)
	{
		return psprintf("rule \"%s\" of score \"%s\"", text_field(row, descriptor, "name"),
						text_field(row, descriptor, "score"));
	}
	if (strcmp(table, "event_factor") == 0)
	{
		return psprintf("event factor \"%s\" of score \"%s\"", text_field(row, descriptor, "name"),
						text_field(row, descriptor, "score"));
	}
	if (strcmp(table, "segment_decay") == 0)
	{
		return psprintf("a decay of group \"%s\" of score \"%s\"", text_field(row, descriptor, "group_name"),
						text_field(row, descriptor, "score"));
	}
	if (strcmp(table, "band") == 0)
	{
		return psprintf("band \"%s\" of score \"%s\"", text_field(row, descriptor, "label"),
						text_field(row, descriptor, "score"));
	}
	if (strcmp(table, "scope") == 0)
	{
		return psprintf("a scope of score \"%s\"", text_field(row, descriptor, "score"));
	}
	if (strcmp(table, "feature") == 0)
	{
		return psprintf("feature \"%s\" of model \"%s\"", text_field(row, descriptor, "name"),
						text_field(row, descriptor, "model"));
	}
	return psprintf("%s \"%s\"", strcmp(table, "record_type") == 0 ? "record type" : table,
					text_field(row, descriptor, "name"));
}

// An argument of the trigger: a field, what it yields, and the column that names the relation that it looks at
struct Argument
{
	const char *field;
	ExpressionType type;
	bool by_statistic; // the type depends on the row's statistic
	const char *relation_column;
};

ExpressionType
type_named(const char *name)
{
	static const struct
	{
		const char *name;
		ExpressionType type;
	} types[] = {
		{"number", ExpressionType::number}, {"integer", ExpressionType::integer}, {"text", ExpressionType::text},
		{"instant", ExpressionType::instant}, {"outcome", ExpressionType::outcome},
	};

	for (const auto &known : types)
	{
		if (strcmp(known.name, name) == 0)
		{
			return known.type;
		}
	}
	return ExpressionType::any;
}

// Take "field" or "field:type" apart, each with "@column" at its end if the relation is not the row's own
Argument
parse_argument(const char *text, HeapTuple row, TupleDesc descriptor)
{
	char *field = pstrdup(text);
	Argument argument = {field, ExpressionType::boolean, false, "relation"};

	if (char *at = strchr(field, '@'); at != nullptr)
	{
		*at = '\0';
		argument.relation_column = at + 1;
	}
	if (char *colon = strchr(field, ':'); colon != nullptr)
	{
		*colon = '\0';
		argument.by_statistic = strcmp(colon + 1, "statistic") == 0;
		const char *statistic = argument.by_statistic ? text_field(row, descriptor, "statistic") : nullptr;
		argument.type = statistic == nullptr ? type_named(colon + 1) : type_of_feature(statistic);
	}
	return argument;
}

// Return the relation that a column of a row names; without such a column, the relation of the row's source or else of
// the records of its score or model
Oid
relation_of(HeapTuple row, TupleDesc descriptor, const char *table, const char *column)
{
	int relation = SPI_fnumber(descriptor, column);
	const char *owner = "score";
	const char *query = "SELECT lead_scoring.expression_relation($1, $2)::oid";

	if (relation > 0)
	{
		bool is_null;
		return DatumGetObjectId(SPI_getbinval(row, descriptor, relation, &is_null));
	}
	if (strcmp(table, "feature") == 0)
	{
		owner = "model";
		query = "SELECT lead_scoring.feature_relation($1, $2)::oid";
	}
	else if (strcmp(table, "model") == 0)
	{
		owner = "record_type";
		query = "SELECT relation::oid FROM lead_scoring.record_type WHERE name = $1 AND $2 IS NULL";
	}
	const char *parameters[] = {text_field(row, descriptor, owner), text_field(row, descriptor, "source")};
	QueryRows rows = run_query(CurrentMemoryContext, query, 2, parameters);
	return rows.count == 0 ? InvalidOid : DatumGetObjectId(datum_at(rows, 0, 1));
}

bool
is_restoring()
{
	QueryRows rows = run_query(CurrentMemoryContext, "SELECT lead_scoring.restoring()", 0, nullptr);

	return DatumGetBool(datum_at(rows, 0, 1));
}

// Parse an expression under the writer's search path and write it back with its names resolved
char *
resolve(Relation relation, const char *text, const ExpressionSite &site)
{
	Node *expression = parse_expression(relation, text, site);
	Session session = begin_neutral();
	char *resolved = expression_sql(expression, RelationGetRelid(relation), nullptr);

	end_session(session);
	return resolved;
}

bool
same_field(HeapTuple left, HeapTuple right, TupleDesc descriptor, const char *field)
{
	const char *left_text = text_field(left, descriptor, field);
	const char *right_text = text_field(right, descriptor, field);
	return left_text == nullptr || right_text == nullptr ? left_text == right_text
														 : strcmp(left_text, right_text) == 0;
}

// Whether a row has no pins, or is pinned to this relation
bool
is_pinned_to(HeapTuple row, TupleDesc descriptor, Relation relation)
{
	int field = SPI_fnumber(descriptor, "criterion_relation");
	bool is_null = false;

	if (field <= 0)
	{
		return true;
	}
	Datum pinned = SPI_getbinval(row, descriptor, field, &is_null);
	return !is_null && DatumGetObjectId(pinned) == RelationGetRelid(relation);
}

// Whether an update leaves an expression as it is, over the same relation: it then keeps the meaning it had when it was
// written, also when a new owner confirms it
bool
is_unchanged(TriggerData *trigger, HeapTuple row, TupleDesc descriptor, const Argument &argument, Relation relation)
{
	HeapTuple old = trigger->tg_trigtuple;

	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && same_field(old, row, descriptor, argument.field) &&
		   same_field(old, row, descriptor, argument.relation_column) &&
		   (!argument.by_statistic || same_field(old, row, descriptor, "statistic")) &&
		   is_pinned_to(old, descriptor, relation) &&
		   text_field(old, descriptor, psprintf("%s_resolved", argument.field)) != nullptr;
}

// Whether an update by somebody, not one that follows another, says what a field shall be
bool
is_mentioned(TriggerData *trigger, TupleDesc descriptor, const char *field)
{
	const char *cascading = GetConfigOption("lead_scoring.cascading", true, false);

	if (cascading != nullptr && strcmp(cascading, "on") == 0)
	{
		return false;
	}
	return bms_is_member(SPI_fnumber(descriptor, field) - FirstLowInvalidHeapAttributeNumber, trigger->tg_updatedcols);
}

// An expression as it is kept
struct Kept
{
	Relation relation;
	const char *resolved;
	ExpressionSite site;
};

bool
parse_kept(void *argument)
{
	auto *kept = static_cast<Kept *>(argument);
	// Reading a constant may call what its type says: with the rights of who wrote it
	Session session = begin_as_owner(kept->relation->rd_rel->relowner);

	parse_expression(kept->relation, kept->resolved, kept->site);
	end_session(session);
	return true;
}

// Whether what an expression has meant can still be read: what it names may be called otherwise by now
bool
still_reads(Relation relation, const char *resolved, ExpressionSite site)
{
	site.resolved = true;
	Kept kept{relation, resolved, site};
	Failure failure;
	if (attempt(parse_kept, &kept, &failure))
	{
		return true;
	}
	switch (failure.sqlstate)
	{
	case ERRCODE_UNDEFINED_COLUMN:
	case ERRCODE_UNDEFINED_FUNCTION: // operators, too
	case ERRCODE_UNDEFINED_OBJECT:
	case ERRCODE_UNDEFINED_SCHEMA:
	case ERRCODE_DATATYPE_MISMATCH:
	case ERRCODE_AMBIGUOUS_FUNCTION:
	case ERRCODE_INVALID_TEXT_REPRESENTATION: // of a value that its type does not have any more
		return false;
	default:
		// What else is wrong passes, or is told by whoever reads it
		return true;
	}
}

// Write down what the expressions of a row have been checked for
HeapTuple
pin(HeapTuple row, TupleDesc descriptor, Relation relation)
{
	int fields[] = {SPI_fnumber(descriptor, "criterion_relation"), SPI_fnumber(descriptor, "criterion_owner")};
	Datum values[] = {ObjectIdGetDatum(RelationGetRelid(relation)),
					  DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(relation->rd_rel->relowner, false)))};
	bool nulls[] = {false, false};

	return fields[0] <= 0 ? row : heap_modify_tuple_by_cols(row, descriptor, 2, fields, values, nulls);
}

Relation
open_relation(Oid id, HeapTuple row, TupleDesc descriptor, const char *table)
{
	Relation relation = try_relation_open(id, AccessShareLock);

	if (relation == nullptr)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("the relation that %s looks at no longer exists", describe(row, descriptor, table)),
						errhint("It was dropped: name another relation in its source or record type, or delete what looks at it.")));
	}
	return relation;
}

// Return a row with the resolved form of one of its expressions; as it was if nothing about it has changed
HeapTuple
resolve_field(TriggerData *trigger, HeapTuple row, TupleDesc descriptor, const Argument &argument, Relation relation)
{
	const char *resolved_field = psprintf("%s_resolved", argument.field);
	int number = SPI_fnumber(descriptor, resolved_field);
	const char *text = text_field(row, descriptor, argument.field);
	bool is_null = text == nullptr;
	Datum value = 0;

	if (is_null)
	{
		return heap_modify_tuple_by_cols(row, descriptor, 1, &number, &value, &is_null);
	}
	ExpressionSite site{describe(row, descriptor, RelationGetRelationName(trigger->tg_relation)), argument.field, false,
						argument.type};
	const char *resolved = is_unchanged(trigger, row, descriptor, argument, relation)
							   ? text_field(trigger->tg_trigtuple, descriptor, resolved_field)
							   : nullptr;
	if (resolved == nullptr || (is_mentioned(trigger, descriptor, argument.field) && !still_reads(relation, resolved, site)))
	{
		resolved = resolve(relation, text, site);
	}
	value = CStringGetTextDatum(resolved);
	return heap_modify_tuple_by_cols(row, descriptor, 1, &number, &value, &is_null);
}

HeapTuple
resolve_row(TriggerData *trigger)
{
	HeapTuple row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);
	const char *table = RelationGetRelationName(trigger->tg_relation);

	SPI_connect();
	Session session = begin_safe_path();
	bool restoring = is_restoring();
	Oid relation_id = restoring ? InvalidOid : relation_of(row, descriptor, table, "relation");
	end_session(session);
	if (restoring)
	{
		SPI_finish();
		return row;
	}
	Relation relation = open_relation(relation_id, row, descriptor, table);
	for (int at = 0; at < trigger->tg_trigger->tgnargs; at++)
	{
		Argument argument = parse_argument(trigger->tg_trigger->tgargs[at], row, descriptor);
		bool is_own = strcmp(argument.relation_column, "relation") == 0;
		if (is_own || text_field(row, descriptor, argument.field) == nullptr)
		{
			row = resolve_field(trigger, row, descriptor, argument, relation);
			continue;
		}
		Relation other = open_relation(relation_of(row, descriptor, table, argument.relation_column), row, descriptor, table);
		row = resolve_field(trigger, row, descriptor, argument, other);
		relation_close(other, NoLock);
	}
	row = pin(row, descriptor, relation);
	relation_close(relation, NoLock);
	row = SPI_copytuple(row);
	SPI_finish();
	return row;
}

} // namespace

} // namespace lead_scoring::pg

// Check the expressions in the columns that are the trigger's arguments (see parse_argument)
Datum
lead_scoring_resolve_expressions(PG_FUNCTION_ARGS)
{
	auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);

	if (!CALLED_AS_TRIGGER(fcinfo))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("resolve_expressions() must be called as a trigger")));
	}
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("resolve_expressions() must be fired before insert or update of a row")));
	}
	return PointerGetDatum(lead_scoring::pg::resolve_row(trigger));
}
