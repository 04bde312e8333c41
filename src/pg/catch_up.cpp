#include "pg/postgres_api.hpp"

#include "pg/catch_up.hpp"

#include "pg/held.hpp"
#include "pg/own_tables.hpp"
#include "pg/query.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

// Records of a score that wait
struct Waiting
{
	bool any;
	bool everybody;   // an entry of the queue says so
	Datum keys;       // an array of texts
	const char *last; // number of the last entry of the queue, null if there is none
};

// Those that wait in the queue, or have failed
constexpr const char *with_facts = "SELECT bool_or(w.record_key IS NULL), array_agg(w.record_key), max(w.queue_id) FROM ("
								   "SELECT q.record_key, q.queue_id FROM lead_scoring.queue q WHERE q.score = $1 UNION ALL "
								   "SELECT p.record_key, NULL FROM lead_scoring.parked p WHERE p.score = $1) w HAVING count(*) > 0";

// Those whose time has come, but for points that fade: these change all the time, and wait for nothing
constexpr const char *with_time = "SELECT false, array_agg(d.record_key), NULL FROM lead_scoring.due d "
								  "WHERE d.score = $1 AND d.due_at > '-infinity' AND d.due_at <= pg_catalog.clock_timestamp() HAVING count(*) > 0";

OwnCommand end_entries = {"DELETE FROM lead_scoring.queue q WHERE q.score = $1 AND q.queue_id <= $2::bigint", 2, {TEXTOID, TEXTOID}, nullptr};

// By what is committed now: who holds the definition alone has waited for all who write facts
Waiting
who_waits(const char *score, const char *sql)
{
	MemoryContext context = CurrentMemoryContext;
	Waiting waiting = {};

	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	QueryRows rows = run_query(context, sql, 1, &score);
	if (rows.count > 0)
	{
		// What the rows point to goes with SPI
		MemoryContext before = MemoryContextSwitchTo(context);
		waiting = {true, DatumGetBool(datum_at(rows, 0, 1)), PointerGetDatum(PG_DETOAST_DATUM_COPY(datum_at(rows, 0, 2))), text_at(rows, 0, 3)};
		MemoryContextSwitchTo(before);
	}
	end_session(session);
	SPI_finish();
	PopActiveSnapshot();
	return waiting;
}

// Evaluate them, with the rights of the caller; returns the number of rows written
uint64
evaluate_waiting(const char *score, const char *reason, const Waiting &waiting)
{
	Oid types[] = {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID};
	Datum values[] = {CStringGetTextDatum(score), TimestampTzGetDatum(GetCurrentTimestamp()), waiting.keys};
	const char nulls[] = {' ', ' ', waiting.everybody ? 'n' : ' ', '\0'};

	SPI_connect();
	Session session = begin_safe_path();
	give_reason(reason);
	if (SPI_execute_with_args("SELECT lead_scoring.refresh($1, $2, $3)", lengthof(types), types, values, nulls, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "could not evaluate what waits of score \"%s\"", score);
	}
	bool is_null;
	auto written = static_cast<uint64>(DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null)));
	end_session(session);
	SPI_finish();
	return written;
}

// A transaction that sees the past does not see all of them: those are worked on again
void
end_waiting(const char *score, const Waiting &waiting)
{
	if (waiting.last != nullptr && !IsolationUsesXactSnapshot())
	{
		Datum values[] = {CStringGetTextDatum(score), CStringGetTextDatum(waiting.last)};
		run_own_command(&end_entries, values);
	}
}

} // namespace

uint64
catch_up(const char *score)
{
	uint64 written = 0;

	// Who edits holds it. Others wait for all whose entries are on their way: these end by their numbers
	seize_score(score, Wanted::if_active);
	if (Waiting waiting = who_waits(score, with_facts); waiting.any)
	{
		written += evaluate_waiting(score, "facts", waiting);
		end_waiting(score, waiting);
	}
	if (Waiting waiting = who_waits(score, with_time); waiting.any)
	{
		written += evaluate_waiting(score, "time", waiting);
	}
	return written;
}

} // namespace lead_scoring::pg
