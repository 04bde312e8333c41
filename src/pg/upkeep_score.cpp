// One score under upkeep.
#include "pg/postgres_api.hpp"

#include "pg/upkeep_score.hpp"

#include "pg/own_rows.hpp"
#include "pg/own_tables.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace lead_scoring::pg
{

namespace
{

OwnCommand note_failure = {
	"INSERT INTO lead_scoring.score_state AS s (score, sqlstate, message, detail, hint, context, failed_at, attempts, retry_at) "
	"SELECT $1, $2[1], $2[2], $2[3], $2[4], $2[5], c.now, 1, c.now + '10 seconds' FROM (SELECT pg_catalog.clock_timestamp()) c (now) "
	"ON CONFLICT (score) DO UPDATE SET sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail, "
	"hint = excluded.hint, context = excluded.context, failed_at = excluded.failed_at, attempts = s.attempts + 1, "
	"retry_at = excluded.failed_at + LEAST(pg_catalog.power(2, LEAST(s.attempts, 20)) * interval '10 seconds', "
	// Who was in the way may be gone at any time
	"CASE WHEN excluded.sqlstate IN ('55P03', '40P01', '40001') THEN interval '1 minute' ELSE interval '1 hour' END)",
	2, {TEXTOID, TEXTARRAYOID}, nullptr};
// Not while entries of the queue wait that may have failed
OwnCommand clear_failure = {
	"UPDATE lead_scoring.score_state s SET failed_at = NULL, sqlstate = NULL, message = NULL, detail = NULL, hint = NULL, "
	"context = NULL, attempts = 0, retry_at = NULL WHERE s.score = $1 AND s.failed_at IS NOT NULL "
	"AND NOT EXISTS (SELECT FROM lead_scoring.queue q WHERE q.score = $1 AND q.queued_at <= s.failed_at)",
	1, {TEXTOID}, nullptr};

// Whether the caller may write a table; of one that is gone he is told
bool
may_write(Oid target)
{
	return !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(target)) ||
		   (pg_class_aclcheck(target, GetUserId(), ACL_UPDATE) == ACLCHECK_OK && check_enable_rls(target, InvalidOid, true) != RLS_ENABLED);
}

// The table that has the columns of a score, by its name, status, record type and target
Oid
target_of(const QueryRows &scores, uint64 row)
{
	constexpr const char *columns[] = {"relation"};

	if (!null_at(scores, row, 4))
	{
		return DatumGetObjectId(datum_at(scores, row, 4));
	}
	QueryRows types = own_rows(CurrentMemoryContext, own::record_types, text_at(scores, row, 3), columns);
	return types.count == 0 ? InvalidOid : DatumGetObjectId(datum_at(types, 0, 1));
}

// An instant that is kept of a score as a whole; before all others if there is none
TimestampTz
kept_instant(const char *score, const char *column)
{
	const char *const columns[] = {column};

	PushActiveSnapshot(GetLatestSnapshot());
	QueryRows states = own_rows(CurrentMemoryContext, own::states, score, columns);
	PopActiveSnapshot();
	return states.count == 0 || null_at(states, 0, 1) ? DT_NOBEGIN : DatumGetTimestampTz(datum_at(states, 0, 1));
}

bool
is_active(const char *score)
{
	constexpr const char *columns[] = {"status"};

	PushActiveSnapshot(GetLatestSnapshot());
	QueryRows scores = own_rows(CurrentMemoryContext, own::scores, score, columns);
	PopActiveSnapshot();
	return has_text_anywhere(scores, 1, "active");
}

} // namespace

Datum
failure_texts(const Failure &failure)
{
	const char *texts[] = {unpack_sql_state(failure.sqlstate), failure.message, failure.detail, failure.hint, failure.context};
	Datum values[lengthof(texts)];
	bool nulls[lengthof(texts)];
	int dimensions[] = {lengthof(texts)};
	int bounds[] = {1};

	for (size_t at = 0; at < lengthof(texts); at++)
	{
		nulls[at] = texts[at] == nullptr;
		values[at] = nulls[at] ? 0 : CStringGetTextDatum(texts[at]);
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, dimensions, bounds, TEXTOID, -1, false, TYPALIGN_INT));
}

bool
is_resting(const char *score)
{
	return kept_instant(score, "retry_at") > GetCurrentTimestamp();
}

List *
scores_to_keep(const Upkeep &upkeep, const char *only)
{
	constexpr const char *columns[] = {"name", "status", "record_type", "target"};
	constexpr RowOrder order[] = {{1, bttextcmp, C_COLLATION_OID, false}};
	List *names = NIL;

	PushActiveSnapshot(GetLatestSnapshot());
	QueryRows scores = own_rows(upkeep.context, own::scores, only, columns);
	sort_rows(&scores, order);
	for (uint64 row = 0; row < scores.count; row++)
	{
		const char *name = text_at(scores, row, 1);
		bool active = strcmp(text_at(scores, row, 2), "active") == 0;
		if (active && may_write(target_of(scores, row)) && (!upkeep.patient || !is_resting(name)))
		{
			MemoryContext before = MemoryContextSwitchTo(upkeep.context);
			names = lappend(names, pstrdup(name));
			MemoryContextSwitchTo(before);
		}
	}
	PopActiveSnapshot();
	return names;
}

bool
is_any_active()
{
	constexpr const char *columns[] = {"status"};

	PushActiveSnapshot(GetLatestSnapshot());
	QueryRows scores = own_rows(CurrentMemoryContext, own::scores, nullptr, columns);
	PopActiveSnapshot();
	return has_text_anywhere(scores, 1, "active");
}

void
keep_failure(const UpkeepScore &score)
{
	// It may have been switched off while it was waited for
	if (!is_active(score.name))
	{
		return;
	}
	Datum values[] = {CStringGetTextDatum(score.name), failure_texts(score.failure)};

	run_own_command(&note_failure, values);
	ereport(WARNING, (errcode(score.failure.sqlstate),
					  errmsg("score \"%s\" could not be kept current: %s", score.name, score.failure.message),
					  score.failure.detail == nullptr ? 0 : errdetail_internal("%s", score.failure.detail),
					  score.failure.hint == nullptr ? 0 : errhint("%s", score.failure.hint)));
}

bool
has_just_failed(const char *score)
{
	return kept_instant(score, "failed_at") >= GetCurrentStatementStartTimestamp();
}

void
forget_failure(const char *score)
{
	Datum values[] = {CStringGetTextDatum(score)};

	run_own_command(&clear_failure, values);
}

void
next_part(const Upkeep &upkeep, const char *score)
{
	MemoryContext before = CurrentMemoryContext;

	CHECK_FOR_INTERRUPTS();
	if (upkeep.next_transaction != nullptr)
	{
		upkeep.next_transaction(psprintf("lead_scoring: keeping score \"%s\" current", score));
	}
	MemoryContextSwitchTo(before);
}

KeyList
found_keys(MemoryContext context)
{
	KeyList list{};
	MemoryContext before = MemoryContextSwitchTo(context);

	list.keys = static_cast<Datum *>(MemoryContextAllocHuge(context, sizeof(Datum) * (SPI_processed + 1)));
	for (uint64 at = 0; at < SPI_processed; at++)
	{
		bool is_null;
		Datum key = SPI_getbinval(SPI_tuptable->vals[at], SPI_tuptable->tupdesc, 1, &is_null);
		list.keys[list.count++] = PointerGetDatum(PG_DETOAST_DATUM_COPY(key));
	}
	MemoryContextSwitchTo(before);
	return list;
}

KeyList
without_parked(const char *score, const KeyList &keys)
{
	MemoryContext context = CurrentMemoryContext;
	Oid types[] = {TEXTOID, TEXTARRAYOID};
	Datum values[] = {CStringGetTextDatum(score), text_array(keys.keys, keys.count)};

	if (!has_rows_by_now(own::parked, score))
	{
		return keys;
	}
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	if (SPI_execute_with_args("SELECT k FROM unnest($2) k WHERE NOT EXISTS (SELECT FROM lead_scoring.parked p WHERE p.score = $1 "
							  "AND p.record_key = k AND p.retry_at > pg_catalog.clock_timestamp())",
							  lengthof(types), types, values, nullptr, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "could not find what is parked of score \"%s\"", score);
	}
	KeyList list = found_keys(context);
	end_session(session);
	SPI_finish();
	return list;
}

KeyList
read_keys(const char *sql, const char *score, TimestampTz until, TimestampTz after, Datum after_key, int64 limit)
{
	MemoryContext context = CurrentMemoryContext;
	Oid types[] = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, INT8OID};
	Datum values[] = {CStringGetTextDatum(score), TimestampTzGetDatum(until), TimestampTzGetDatum(after), after_key,
					  Int64GetDatum(limit)};
	KeyList list{};

	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	// Tables that were filled a moment ago have no statistics
	forbid_whole_scans();
	int result = SPI_execute_with_args(sql, lengthof(values), types, values, nullptr, false, 0);
	if (result < 0)
	{
		elog(ERROR, "query failed: %s: %s", SPI_result_code_string(result), sql);
	}
	end_session(session);
	MemoryContext before = MemoryContextSwitchTo(context);
	list.keys = static_cast<Datum *>(MemoryContextAllocHuge(context, sizeof(Datum) * (SPI_processed + 1)));
	for (uint64 at = 0; at < SPI_processed; at++)
	{
		HeapTuple row = SPI_tuptable->vals[at];
		bool is_null;
		Datum key = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &is_null);
		list.keys[list.count++] = is_null ? 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(key));
		list.last_due = SPI_tuptable->tupdesc->natts > 1
							? DatumGetTimestampTz(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &is_null))
							: DT_NOBEGIN;
	}
	MemoryContextSwitchTo(before);
	SPI_finish();
	return list;
}

} // namespace lead_scoring::pg
