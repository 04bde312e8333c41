// Taking changes, and forgetting.
//
// Nobody has a right to write the tables: each function looks at what its caller may do to the records, and then works as
// the owner of the tables.
#include "pg/postgres_api.hpp"

#include "pg/announcements.hpp"
#include "pg/held.hpp"
#include "pg/kept_plan.hpp"
#include "pg/pipeline.hpp"
#include "pg/query.hpp"
#include "pg/row_set.hpp"
#include "pg/score_columns.hpp"

extern "C"
{
#include "commands/trigger.h"
#include "tcop/utility.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_take_changes);
LEAD_SCORING_FUNCTION(lead_scoring_forget_changes);
LEAD_SCORING_FUNCTION(lead_scoring_follow_history);

namespace lead_scoring::pg
{

namespace
{

constexpr int outbox_columns = 13;

// A score and the relations that its rights hang on
struct ScorePlace
{
	const char *name;
	Oid records;
	Oid target;
};

// Find a score, or all of them, in the order of their names. SPI is connected, in a session of our own
ScorePlace *
find_scores(const char *name, MemoryContext context, uint64 *count)
{
	QueryRows rows = run_query(
		context,
		"SELECT s.name, t.relation::oid, coalesce(s.target, t.relation)::oid "
		"FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type "
		"WHERE s.name = $1 OR $1 IS NULL ORDER BY s.name",
		1, &name);
	auto *scores = static_cast<ScorePlace *>(
		MemoryContextAlloc(context, sizeof(ScorePlace) * Max(rows.count, 1)));

	for (uint64 at = 0; at < rows.count; at++)
	{
		scores[at] = {text_at(rows, at, 1), DatumGetObjectId(datum_at(rows, at, 2)),
					  DatumGetObjectId(datum_at(rows, at, 3))};
	}
	*count = rows.count;
	return scores;
}

// Tell whether a user may do something to every row of a relation
bool
may(Oid user, Oid relation, AclMode mode)
{
	return OidIsValid(owner_of(relation)) &&
		   pg_class_aclcheck(relation, user, mode) == ACLCHECK_OK &&
		   check_enable_rls(relation, user, true) != RLS_ENABLED;
}

bool
may_take(Oid user, const ScorePlace &score)
{
	return may(user, score.records, ACL_SELECT) && may(user, score.records, ACL_UPDATE) &&
		   may(user, score.target, ACL_SELECT);
}

// The names of the scores whose changes a user may take, as an array
Datum
takeable(const char *name, Oid user)
{
	uint64 count;
	ScorePlace *scores = find_scores(name, CurrentMemoryContext, &count);
	auto *names = static_cast<Datum *>(palloc(sizeof(Datum) * Max(count, 1)));
	size_t found = 0;

	if (name != nullptr && count == 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("score \"%s\" does not exist", name),
				 errhint("The scores are the rows of lead_scoring.score.")));
	}
	for (uint64 at = 0; at < count; at++)
	{
		if (may_take(user, scores[at]))
		{
			names[found++] = CStringGetTextDatum(scores[at].name);
		}
		else if (name != nullptr)
		{
			ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
							errmsg("permission denied to take the changes of score \"%s\"", name),
							errhint("It takes the right to read and to update every record.")));
		}
	}
	return text_array(names, nullptr, found);
}

void
take_changes(const char *name, int32 most, const RowSet &rows)
{
	Oid user = GetUserId();

	SPI_connect();
	Session session = begin_own_statements();
	Oid types[] = {TEXTARRAYOID, INT4OID};
	Datum values[] = {takeable(name, user), Int32GetDatum(most)};
	if (SPI_execute_with_args(
			"WITH waiting AS (SELECT o.change_id FROM lead_scoring.outbox o WHERE o.score = ANY ($1) "
			"AND o.delivered_at IS NULL ORDER BY o.change_id LIMIT $2 FOR UPDATE SKIP LOCKED), "
			"taken AS (UPDATE lead_scoring.outbox o SET delivered_at = clock_timestamp() FROM waiting w "
			"WHERE w.change_id = o.change_id RETURNING o.*) "
			"SELECT change_id, score, record_key, kind, part, alert, from_label, to_label, total_before, "
			"total_after, reason, changed_at, delivered_at FROM taken ORDER BY change_id",
			2, types, values, nullptr, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "could not take changes");
	}
	for (uint64 at = 0; at < SPI_processed; at++)
	{
		Datum row[outbox_columns];
		bool nulls[outbox_columns];
		heap_deform_tuple(SPI_tuptable->vals[at], SPI_tuptable->tupdesc, row, nulls);
		tuplestore_putvalues(rows.store, rows.descriptor, row, nulls);
	}
	end_session(session);
	SPI_finish();
}

// Delete the rows of a record from one of our tables, if it is there
uint64
forget_in(const char *table, const char *record_type, const char *key)
{
	Oid relation = get_relname_relid(table, get_namespace_oid("lead_scoring", false));
	const char *parameters[] = {record_type, key};
	Oid types[] = {TEXTOID, TEXTOID};
	Datum values[] = {CStringGetTextDatum(parameters[0]), CStringGetTextDatum(parameters[1])};

	if (!OidIsValid(relation))
	{
		return 0;
	}
	const char *sql =
		psprintf("DELETE FROM lead_scoring.%s x USING lead_scoring.score s "
				 "WHERE x.score = s.name AND s.record_type = $1 AND x.record_key = $2",
				 quote_identifier(table));
	if (SPI_execute_with_args(sql, 2, types, values, nullptr, false, 0) != SPI_OK_DELETE)
	{
		elog(ERROR, "could not forget: %s", sql);
	}
	return SPI_processed;
}

uint64
forget_changes(const char *record_type, const char *key)
{
	Oid user = GetUserId();
	uint64 forgotten = 0;
	const char *parameters[] = {record_type, key};

	SPI_connect();
	Session session = begin_own_statements();
	QueryRows rows = run_query(
		CurrentMemoryContext,
		"SELECT relation::oid, lead_scoring.canonical_key(name, $2) FROM lead_scoring.record_type "
		"WHERE name = $1",
		2, parameters);
	if (rows.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("record type \"%s\" does not exist", record_type),
						errhint("The record types are the rows of lead_scoring.record_type.")));
	}
	Oid records = DatumGetObjectId(datum_at(rows, 0, 1));
	if (OidIsValid(owner_of(records)) && !may(user, records, ACL_UPDATE))
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to forget records of type \"%s\"", record_type),
						errhint("It takes the right to update every one of them.")));
	}
	const char *canonical = text_at(rows, 0, 2);
	for (const char *table : {"history", "outbox", "announced", "alerted"})
	{
		forgotten += forget_in(table, record_type, canonical);
	}
	end_session(session);
	SPI_finish();
	return forgotten;
}

// Let a table follow a score to its new name, or go with it
void
follow_in(const char *table, Datum old_name, Datum new_name)
{
	Oid types[] = {TEXTOID, TEXTOID};
	Datum values[] = {old_name, new_name};
	const char *sql =
		new_name == 0 ? psprintf("DELETE FROM lead_scoring.%s WHERE score = $1", table)
					  : psprintf("UPDATE lead_scoring.%s SET score = $2 WHERE score = $1", table);

	if (SPI_execute_with_args(sql, new_name == 0 ? 1 : 2, types, values, nullptr, false, 0) < 0)
	{
		elog(ERROR, "could not follow: %s", sql);
	}
}

void
follow_score(Datum old_name, Datum new_name)
{
	SPI_connect();
	Session session = begin_own_statements();
	for (const char *table : {"history", "outbox", "announced", "alerted"})
	{
		follow_in(table, old_name, new_name);
	}
	end_session(session);
	SPI_finish();
}

} // namespace

} // namespace lead_scoring::pg

// Take changes that nobody has taken
Datum
lead_scoring_take_changes(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	RowSet rows = begin_row_set(fcinfo);
	if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) < 0)
	{
		ereport(ERROR, (errcode(PG_ARGISNULL(1) ? ERRCODE_NULL_VALUE_NOT_ALLOWED
												: ERRCODE_INVALID_PARAMETER_VALUE),
						PG_ARGISNULL(1) ? errmsg("n must not be NULL")
										: errmsg("n must not be negative: %d", PG_GETARG_INT32(1)),
						errhint("Give the number of changes to take at most.")));
	}
	PreventCommandIfReadOnly("lead_scoring.take_changes()");
	take_changes(PG_ARGISNULL(0) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 PG_GETARG_INT32(1), rows);
	return static_cast<Datum>(0);
}

// Delete what is kept about a record
Datum
lead_scoring_forget_changes(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	PreventCommandIfReadOnly("lead_scoring.forget()");
	PG_RETURN_INT64(static_cast<int64>(forget_changes(text_to_cstring(PG_GETARG_TEXT_PP(0)),
													  text_to_cstring(PG_GETARG_TEXT_PP(1)))));
}

// Let the history of a score follow it to its new name, or go with it
Datum
lead_scoring_follow_history(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		strcmp(get_namespace_name(RelationGetNamespace(trigger->tg_relation)), "lead_scoring") !=
			0 ||
		strcmp(RelationGetRelationName(trigger->tg_relation), "score") != 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("lead_scoring.follow_history() is the trigger of lead_scoring.score"),
				 errhint("It is not for other tables.")));
	}
	TupleDesc row = RelationGetDescr(trigger->tg_relation);
	bool null;
	Datum old_name = heap_getattr(trigger->tg_trigtuple, 1, row, &null);
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		follow_score(old_name, 0);
		return PointerGetDatum(nullptr);
	}
	Datum new_name = heap_getattr(trigger->tg_newtuple, 1, row, &null);
	if (!DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, old_name, new_name)))
	{
		follow_score(old_name, new_name);
	}
	return PointerGetDatum(nullptr);
}
