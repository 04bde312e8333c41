// The score columns: made by activate, kept by refresh, removed by deactivate.
//
// The evaluation runs with the rights of the relations' owners; all that is written is written with those of the
// caller, by plain UPDATE and ALTER TABLE, so that permissions, triggers, indexes and partitions do what they always do.
#include "pg/postgres_api.hpp"

#include "pg/pipeline.hpp"
#include "pg/query.hpp"
#include "pg/results.hpp"
#include "pg/session.hpp"
#include "pg/stream.hpp"

#include <cmath>

extern "C"
{
#include "lib/stringinfo.h"
#include "access/xact.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/queryenvironment.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/rls.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_activate);
LEAD_SCORING_FUNCTION(lead_scoring_deactivate);
LEAD_SCORING_FUNCTION(lead_scoring_refresh);
LEAD_SCORING_FUNCTION(lead_scoring_status_may_change);

namespace lead_scoring::pg
{

namespace
{

// Set only while activate or deactivate changes a score's status; the trigger on lead_scoring.score asks for it
bool status_may_change = false;

constexpr const char *scores_name = "lead_scoring_scores";

// The scores of all records on their way into the columns
struct StoreSink
{
	Tuplestorestate *store;
	TupleDesc descriptor;
	Oid key_type;
	LabelDatums labels;
	MemoryContext row_context;
	double rows;
};

void
store_rows(void *argument, const core::Batch &records, const core::ScoreResult *results)
{
	auto *sink = static_cast<StoreSink *>(argument);
	MemoryContext before = MemoryContextSwitchTo(sink->row_context);

	for (size_t row = 0; row < records.rows; row++)
	{
		Datum values[5];
		bool nulls[5] = {};
		values[0] = make_key_datum(sink->key_type, records.keys[row]);
		put_values(results[row], values + 1, nulls + 1);
		put_label(sink->labels, results[row].labels.label, &values[4], &nulls[4]);
		tuplestore_putvalues(sink->store, sink->descriptor, values, nulls);
	}
	sink->rows += static_cast<double>(records.rows);
	MemoryContextSwitchTo(before);
	MemoryContextReset(sink->row_context);
}

TupleDesc
make_scores_descriptor(Oid key_type)
{
	TupleDesc descriptor = CreateTemplateTupleDesc(5);

	TupleDescInitEntry(descriptor, 1, "record_key", key_type, -1, 0);
	TupleDescInitEntry(descriptor, 2, "total", FLOAT8OID, -1, 0);
	TupleDescInitEntry(descriptor, 3, "fit", FLOAT8OID, -1, 0);
	TupleDescInitEntry(descriptor, 4, "engagement", FLOAT8OID, -1, 0);
	TupleDescInitEntry(descriptor, 5, "label", TEXTOID, -1, 0);
	return descriptor;
}

// Let the queries of this SPI connection read the scores as a table
void
register_scores(const StoreSink &sink)
{
	auto *relation = static_cast<EphemeralNamedRelation>(palloc0(sizeof(EphemeralNamedRelationData)));

	relation->md.name = pstrdup(scores_name);
	relation->md.reliddesc = InvalidOid;
	relation->md.tupdesc = sink.descriptor;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = sink.rows;
	relation->reldata = sink.store;
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
	{
		elog(ERROR, "could not register the scores");
	}
}

uint64
execute_command(const char *sql)
{
	int result = SPI_execute(sql, false, 0);

	if (result < 0)
	{
		elog(ERROR, "command failed: %s: %s", SPI_result_code_string(result), sql);
	}
	return SPI_processed;
}

// Execute a command with the keys that were asked for, if any
uint64
execute_with_keys(const char *sql, const Evaluation *evaluation)
{
	if (evaluation->keys == nullptr)
	{
		return execute_command(sql);
	}
	Oid type = key_array_type(evaluation->score->definition.key_kind);
	Datum keys = *evaluation->keys;
	if (SPI_execute_with_args(sql, 1, &type, &keys, nullptr, false, 0) < 0)
	{
		elog(ERROR, "command failed: %s", sql);
	}
	return SPI_processed;
}

// Write the scores that changed into the rows that are there
const char *
update_sql(const LoadedScore *score)
{
	ScoreColumns columns = score_columns(score->name);
	const char *total = quote_identifier(columns.total);
	const char *fit = quote_identifier(columns.fit);
	const char *engagement = quote_identifier(columns.engagement);
	const char *label = quote_identifier(columns.label);

	return psprintf("UPDATE %s t SET %s = n.total, %s = n.fit, %s = n.engagement, %s = n.label FROM %s n "
					"WHERE t.%s = n.record_key AND (t.%s, t.%s, t.%s, t.%s) IS DISTINCT FROM "
					"(n.total, n.fit, n.engagement, n.label)",
					relation_sql(score->target), total, fit, engagement, label, scores_name,
					quote_identifier(score->records->key_column), total, fit, engagement, label);
}

// Add rows for records that a separate target does not know yet
const char *
insert_sql(const LoadedScore *score)
{
	ScoreColumns columns = score_columns(score->name);
	const char *key = quote_identifier(score->records->key_column);

	return psprintf("INSERT INTO %s (%s, %s, %s, %s, %s) SELECT n.record_key, n.total, n.fit, n.engagement, n.label "
					"FROM %s n WHERE n.total IS NOT NULL AND NOT EXISTS (SELECT FROM %s t WHERE t.%s = n.record_key)",
					relation_sql(score->target), key, quote_identifier(columns.total),
					quote_identifier(columns.fit), quote_identifier(columns.engagement),
					quote_identifier(columns.label), scores_name, relation_sql(score->target), key);
}

// Clear the scores of records that a separate target still has though they are gone
const char *
clear_sql(const LoadedScore *score, bool some_keys)
{
	ScoreColumns columns = score_columns(score->name);
	const char *total = quote_identifier(columns.total);
	const char *fit = quote_identifier(columns.fit);
	const char *engagement = quote_identifier(columns.engagement);
	const char *label = quote_identifier(columns.label);
	const char *key = quote_identifier(score->records->key_column);

	return psprintf("UPDATE %s t SET %s = NULL, %s = NULL, %s = NULL, %s = NULL WHERE (t.%s, t.%s, t.%s, t.%s) "
					"IS DISTINCT FROM (NULL, NULL, NULL, NULL) AND NOT EXISTS (SELECT FROM %s n WHERE t.%s = "
					"n.record_key)%s",
					relation_sql(score->target), total, fit, engagement, label, total, fit, engagement, label,
					scores_name, key, some_keys ? psprintf(" AND t.%s = ANY ($1)", key) : "");
}

// Return the owner of a relation, or nobody if it is gone
Oid
owner_of(Oid relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));

	if (!HeapTupleIsValid(tuple))
	{
		return InvalidOid;
	}
	Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

// Raise unless the caller may write the columns of every row
void
require_writable(const LoadedScore *score)
{
	if (!OidIsValid(owner_of(score->target)))
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("target of score \"%s\" does not exist", score->name),
						errhint("It was dropped after the score was defined: deactivate the score, then set another "
								"target.")));
	}
	if (pg_class_aclcheck(score->target, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to write the columns of score \"%s\"", score->name),
						errhint("It takes the right to update \"%s\".", get_rel_name(score->target))));
	}
	if (check_enable_rls(score->target, InvalidOid, true) == RLS_ENABLED)
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("row-level security of \"%s\" applies to you", get_rel_name(score->target)),
						errhint("A score covers all rows: let the owner refresh it.")));
	}
}

void
require_columns(const LoadedScore *score)
{
	ScoreColumns columns = score_columns(score->name);

	for (const char *column : {columns.total, columns.fit, columns.engagement, columns.label})
	{
		if (get_attnum(score->target, column) == InvalidAttrNumber)
		{
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of score \"%s\" does not exist", column, score->name),
					 errhint("It was dropped while the score was active: SELECT lead_scoring.activate(%s); makes it "
							 "again.",
							 quote_literal_cstr(score->name))));
		}
	}
}

// Evaluate a score and write what differs; returns the number of rows written
uint64
write_scores(LoadedScore *score, TimestampTz as_of, ArrayType *keys)
{
	Evaluation *evaluation = begin_evaluation(score, as_of, keys, false);
	Oid key_type = get_atttype(score->records->relation,
							   get_attnum(score->records->relation, score->records->key_column));
	StoreSink sink{tuplestore_begin_heap(true, false, work_mem), make_scores_descriptor(key_type),
				   score->records->key_type, make_label_datums(evaluation->scorer->program()),
				   AllocSetContextCreate(CurrentMemoryContext, "lead_scoring rows", ALLOCSET_DEFAULT_SIZES), 0};

	run_evaluation(evaluation, store_rows, &sink);
	SPI_connect();
	Session session = begin_as_writer(owner_of(score->target));
	register_scores(sink);
	uint64 written = execute_command(update_sql(score));
	if (!score->own_target)
	{
		written += execute_command(insert_sql(score));
		written += execute_with_keys(clear_sql(score, keys != nullptr), evaluation);
	}
	end_session(session);
	SPI_finish();
	tuplestore_end(sink.store);
	return written;
}

void
require_owner(Oid relation)
{
	Oid owner = owner_of(relation);

	if (OidIsValid(owner) && !has_privs_of_role(GetUserId(), owner))
	{
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of relation \"%s\"", get_rel_name(relation)),
						errhint("Score columns are added and dropped by the owner of their relation.")));
	}
}

// Write the status, past the trigger that keeps others from doing so
void
set_status(const char *score, const char *status)
{
	status_may_change = true;
	PG_TRY();
	{
		execute_command(psprintf("UPDATE lead_scoring.score SET status = %s WHERE name = %s",
								 quote_literal_cstr(status), quote_literal_cstr(score)));
	}
	PG_FINALLY();
	{
		status_may_change = false;
	}
	PG_END_TRY();
}

// Keep the definition of a score as it is until the end of the transaction; shared, against edits only, or alone. What
// is read after it must be read in a new snapshot, as the wait may have been for a change
void
lock_definition(const char *score, bool shared)
{
	SPI_connect();
	Session session = begin_safe_path();
	run_query(CurrentMemoryContext,
			  shared ? "SELECT pg_advisory_xact_lock_shared('lead_scoring.score'::regclass::oid::int4, hashtext($1))"
					 : "SELECT lead_scoring.lock_definition($1)",
			  1, &score);
	end_session(session);
	SPI_finish();
}

// Where the columns of a score are, and whether they are there already
struct Whereabouts
{
	bool active;
	Oid records;
	Oid target;
	const char *target_sql; // null if the relation is gone
};

Whereabouts
find_score(const char *name)
{
	MemoryContext context = CurrentMemoryContext;

	SPI_connect();
	Session session = begin_safe_path();
	QueryRows rows = run_query(context,
							   "SELECT s.status = 'active', t.relation::oid, c.oid, c.oid::regclass::text "
							   "FROM lead_scoring.score s LEFT JOIN lead_scoring.record_type t ON t.name = s.record_type "
							   "LEFT JOIN pg_class c ON c.oid = coalesce(s.target, t.relation) WHERE s.name = $1",
							   1, &name);
	if (rows.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("score \"%s\" does not exist", name),
						errhint("The scores are the rows of lead_scoring.score.")));
	}
	Whereabouts found{};
	found.active = DatumGetBool(datum_at(rows, 0, 1));
	found.records = null_at(rows, 0, 2) ? InvalidOid : DatumGetObjectId(datum_at(rows, 0, 2));
	found.target = null_at(rows, 0, 3) ? InvalidOid : DatumGetObjectId(datum_at(rows, 0, 3));
	found.target_sql = text_at(rows, 0, 4);
	end_session(session);
	SPI_finish();
	return found;
}

void
require_activatable(const LoadedScore *score)
{
	char kind = get_rel_relkind(score->target);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
	{
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a table: score \"%s\" cannot have its columns there",
							   get_rel_name(score->target), score->name),
						errhint("Set the target of the score to a table with the same key.")));
	}
	if (score->definition.groups.empty() || score->definition.rules.empty())
	{
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("score \"%s\" has no %s", score->name,
							   score->definition.groups.empty() ? "groups" : "enabled rules"),
						errhint("Insert them into lead_scoring.score_group and lead_scoring.rule first.")));
	}
}

const char *
limit_text(double limit)
{
	return std::isfinite(limit) ? DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(limit))) : "(none)";
}

// Warn where the limits of the groups and of the score do not fit together (decision D5)
void
warn_of_limits(const LoadedScore *score)
{
	double upper = 0;
	double lower = 0;

	for (const core::GroupDefinition &group : score->definition.groups)
	{
		upper += group.limits.upper;
		lower += group.limits.lower;
	}
	const core::Limits &limits = score->definition.limits;
	const char *const bounds[] = {limit_text(lower), limit_text(upper), limit_text(limits.lower), limit_text(limits.upper)};
	bool differs = (std::isfinite(upper) && std::isfinite(limits.upper) && upper != limits.upper) ||
				   (std::isfinite(lower) && std::isfinite(limits.lower) && lower != limits.lower);
	if (differs)
	{
		ereport(WARNING, (errmsg("the limits of the groups of score \"%s\" do not add up to its own", score->name),
						  errdetail("The groups add up to %s .. %s, the score is limited to %s .. %s.", bounds[0],
									bounds[1], bounds[2], bounds[3]),
						  errhint("Both limits hold.")));
	}
}

// Add the columns that are missing; on a draft none of them may be there
void
add_columns(const LoadedScore *score)
{
	ScoreColumns columns = score_columns(score->name);
	const char *const names[] = {columns.total, columns.fit, columns.engagement, columns.label};
	const char *const comments[] = {"score", "fit part of score", "engagement part of score", "label of score"};
	StringInfoData sql;

	initStringInfo(&sql);
	for (const char *column : names)
	{
		bool exists = get_attnum(score->target, column) != InvalidAttrNumber;
		if (exists && !score->active)
		{
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
							errmsg("column \"%s\" of relation \"%s\" already exists", column,
								   get_rel_name(score->target)),
							errhint("Give the score another name, or drop the column.")));
		}
		if (!exists)
		{
			appendStringInfo(&sql, "%s ADD COLUMN %s %s", sql.len == 0 ? "" : ",", quote_identifier(column),
							 column == columns.label ? "text" : "double precision");
		}
	}
	if (sql.len == 0)
	{
		return;
	}
	execute_command(psprintf("ALTER TABLE %s%s", relation_sql(score->target), sql.data));
	for (int at = 0; at < 4; at++)
	{
		execute_command(psprintf("COMMENT ON COLUMN %s.%s IS %s", relation_sql(score->target),
								 quote_identifier(names[at]),
								 quote_literal_cstr(psprintf("%s \"%s\", kept by lead_scoring", comments[at],
															 score->name))));
	}
}

void
drop_columns(const char *target, const char *score)
{
	ScoreColumns columns = score_columns(score);

	execute_command(psprintf("ALTER TABLE %s DROP COLUMN IF EXISTS %s, DROP COLUMN IF EXISTS %s, "
							 "DROP COLUMN IF EXISTS %s, DROP COLUMN IF EXISTS %s",
							 target, quote_identifier(columns.total), quote_identifier(columns.fit),
							 quote_identifier(columns.engagement), quote_identifier(columns.label)));
}

uint64
activate(const char *name)
{
	lock_definition(name, false);
	PushActiveSnapshot(GetTransactionSnapshot());
	Whereabouts found = find_score(name);
	require_owner(found.target);
	require_owner(found.records);
	if (OidIsValid(found.target))
	{
		// The strongest lock that is needed, at once: ALTER TABLE would upgrade a weaker one and could deadlock
		LockRelationOid(found.target, AccessExclusiveLock);
	}
	PopActiveSnapshot();
	// What is read from here on is read behind both locks
	PushActiveSnapshot(GetTransactionSnapshot());
	LoadedScore *score = load_score(name, Reader::writer);
	require_writable(score);
	require_activatable(score);
	warn_of_limits(score);
	SPI_connect();
	Session session = begin_safe_path();
	add_columns(score);
	set_status(name, "active");
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
	PushActiveSnapshot(GetTransactionSnapshot());
	uint64 written = write_scores(score, GetCurrentTransactionStartTimestamp(), nullptr);
	PopActiveSnapshot();
	return written;
}

void
deactivate(const char *name)
{
	lock_definition(name, false);
	PushActiveSnapshot(GetTransactionSnapshot());
	Whereabouts found = find_score(name);
	require_owner(found.target);
	require_owner(found.records);
	SPI_connect();
	Session session = begin_safe_path();
	if (found.active && found.target_sql != nullptr)
	{
		drop_columns(found.target_sql, name);
	}
	if (found.active)
	{
		set_status(name, "draft");
	}
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
}

} // namespace

} // namespace lead_scoring::pg

// Switch a score on: make its columns and score every record
Datum
lead_scoring_activate(PG_FUNCTION_ARGS)
{
	const char *score = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PreventCommandIfReadOnly("lead_scoring.activate()");
	PG_RETURN_INT64(static_cast<int64>(lead_scoring::pg::activate(score)));
}

// Switch a score off: drop its columns
Datum
lead_scoring_deactivate(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("lead_scoring.deactivate()");
	lead_scoring::pg::deactivate(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

// Bring the stored values of a score to an instant
Datum
lead_scoring_refresh(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be NULL", PG_ARGISNULL(0) ? "score" : "as_of"),
						errhint("Name a score, and the instant to which to refresh it.")));
	}
	require_finite_instant(PG_GETARG_TIMESTAMPTZ(1));
	PreventCommandIfReadOnly("lead_scoring.refresh()");
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	lock_definition(name, true);
	PushActiveSnapshot(GetTransactionSnapshot());
	LoadedScore *score = load_score(name, Reader::writer);
	if (!score->active)
	{
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("score \"%s\" is not active", score->name),
						errhint("Switch it on first: SELECT lead_scoring.activate(%s);",
								quote_literal_cstr(score->name))));
	}
	require_writable(score);
	require_columns(score);
	ArrayType *keys = PG_ARGISNULL(2) ? nullptr : PG_GETARG_ARRAYTYPE_P(2);
	uint64 written = write_scores(score, PG_GETARG_TIMESTAMPTZ(1), keys);
	PopActiveSnapshot();
	PG_RETURN_INT64(static_cast<int64>(written));
}

// Tell whether activate or deactivate is at work
Datum
lead_scoring_status_may_change(FunctionCallInfo)
{
	PG_RETURN_BOOL(lead_scoring::pg::status_may_change);
}
