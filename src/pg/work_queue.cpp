// Working off the queue: lead_scoring.work_queue().
//
// A batch of entries is taken and deleted in the transaction that stores the scores of its records, so that none is lost
// and none is reported done before it is. Entries that another session has taken are skipped: they are its own to finish.
#include "pg/postgres_api.hpp"

#include "pg/own_rows.hpp"
#include "pg/session.hpp"
#include "pg/upkeep_score.hpp"

extern "C"
{
#include "utils/builtins.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_work_queue);

namespace lead_scoring::pg
{

namespace
{

constexpr int64 usual_batch = 1000;

// Parameters: score, newest entry, how many
constexpr const char *take_entries =
	"WITH taken AS (DELETE FROM lead_scoring.queue q WHERE q.score = $1 AND q.queue_id = ANY (ARRAY("
	"SELECT w.queue_id FROM lead_scoring.queue w WHERE w.score = $1 AND w.queue_id <= $2 ORDER BY w.queue_id LIMIT $3 "
	"FOR UPDATE SKIP LOCKED)) RETURNING q.record_key) "
	"SELECT record_key, pg_catalog.count(*) FROM taken GROUP BY record_key ORDER BY record_key NULLS FIRST";

// A batch of one score
struct QueueBatch
{
	UpkeepScore score;
	int64 newest; // entry to look at
	int64 limit;
	int64 taken;
};

// Delete a batch of entries and name their records once each, the first being null if everybody is among them
KeyList
take_batch(QueueBatch *batch)
{
	MemoryContext context = CurrentMemoryContext;
	Oid types[] = {TEXTOID, INT8OID, INT8OID};
	Datum values[] = {CStringGetTextDatum(batch->score.name), Int64GetDatum(batch->newest), Int64GetDatum(batch->limit)};
	KeyList list{};

	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	forbid_whole_scans();
	if (SPI_execute_with_args(take_entries, lengthof(values), types, values, nullptr, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "query failed: %s", take_entries);
	}
	end_session(session);
	MemoryContext before = MemoryContextSwitchTo(context);
	list.keys = static_cast<Datum *>(palloc0(sizeof(Datum) * (SPI_processed + 1)));
	for (uint64 at = 0; at < SPI_processed; at++)
	{
		HeapTuple row = SPI_tuptable->vals[at];
		bool is_null;
		Datum key = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &is_null);
		list.keys[list.count++] = is_null ? 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(key));
		batch->taken += DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &is_null));
	}
	MemoryContextSwitchTo(before);
	SPI_finish();
	return list;
}

// Do a batch, or nothing of it
bool
do_batch(void *argument)
{
	auto *batch = static_cast<QueueBatch *>(argument);
	KeyList keys = take_batch(batch);

	if (keys.count == 0)
	{
		return true;
	}
	return keys.keys[0] == 0 ? refresh_everybody(&batch->score) : refresh_or_park(&batch->score, keys);
}

// Do a batch of a score; returns how many entries are done
int64
work_on(QueueBatch *batch)
{
	batch->taken = 0;
	if (attempt(do_batch, batch, &batch->score.failure))
	{
		return batch->taken;
	}
	keep_failure(batch->score);
	return 0;
}

// The newest entry of a score; 0 if it has none
int64
newest_entry(const char *score)
{
	if (!has_rows_by_now(own::queue, score))
	{
		return 0;
	}
	SPI_connect();
	Session session = begin_as_table_owner(definitions_owner());
	// With what this transaction has written since it began
	PushActiveSnapshot(GetLatestSnapshot());
	QueryRows rows = run_query(CurrentMemoryContext, "SELECT coalesce(max(queue_id), 0) FROM lead_scoring.queue WHERE score = $1", 1, &score);
	int64 newest = DatumGetInt64(datum_at(rows, 0, 1));
	PopActiveSnapshot();
	end_session(session);
	SPI_finish();
	return newest;
}

// Work off what waits for one score by now, in memory for a batch; returns how many entries are done, and says whether none
// could be
uint64
work_off(const Upkeep &upkeep, const char *name, TimestampTz as_of, MemoryContext scratch, bool *stuck)
{
	int64 newest = newest_entry(name);
	int64 taken = newest;
	uint64 done = 0;

	while (newest != 0 && taken != 0)
	{
		QueueBatch batch{{name, as_of, 0, {}, "facts", as_of == DT_NOBEGIN, false, false, longest_wait_ms(upkeep)}, newest, usual_batch, 0};
		taken = work_on(&batch);
		done += static_cast<uint64>(taken);
		next_part(upkeep, name);
		MemoryContextReset(scratch);
	}
	*stuck = newest != 0 && done == 0;
	return done;
}

// Say why the caller cannot keep a score
[[noreturn]] void
raise_not_kept(const char *name)
{
	constexpr const char *columns[] = {"status"};

	PushActiveSnapshot(GetLatestSnapshot());
	QueryRows scores = own_rows(CurrentMemoryContext, own::scores, name, columns);
	PopActiveSnapshot();
	if (scores.count == 0)
	{
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("score \"%s\" does not exist", name),
						errhint("The scores are the rows of lead_scoring.score.")));
	}
	if (strcmp(text_at(scores, 0, 1), "active") != 0)
	{
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("score \"%s\" is not active", name),
						errhint("Switch it on first: SELECT lead_scoring.activate(%s);", quote_literal_cstr(name))));
	}
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for score \"%s\"", name),
					errhint("It takes the right to update the table with its columns.")));
	pg_unreachable();
}

} // namespace

uint64
work_off_queue(const Upkeep &upkeep, TimestampTz as_of)
{
	List *names = scores_to_keep(upkeep, nullptr);
	ListCell *cell;
	uint64 done = 0;
	bool going_on = true;
	MemoryContext scratch = AllocSetContextCreate(upkeep.context, "lead_scoring queue", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);

	// Scores that look at others may wait for them: a chain of them is as long as there are scores, or it is a circle
	for (int left = list_length(names); left > 0 && going_on; left--)
	{
		uint64 before_round = done;
		foreach (cell, names)
		{
			bool stuck = false;
			done += work_off(upkeep, static_cast<const char *>(lfirst(cell)), as_of, scratch, &stuck);
			names = stuck ? foreach_delete_current(names, cell) : names;
		}
		going_on = done > before_round;
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
	return done;
}

} // namespace lead_scoring::pg

// Evaluate a batch of the records that wait, of one score or of all; returns how many entries are done
Datum
lead_scoring_work_queue(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	const char *only = PG_ARGISNULL(0) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(0));
	int64 limit = PG_ARGISNULL(1) ? usual_batch : PG_GETARG_INT32(1);
	int64 done = 0;
	ListCell *cell;

	if (limit <= 0)
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch must be positive: " INT64_FORMAT, limit),
						errhint("It is the largest number of entries to work on.")));
	}
	PreventCommandIfReadOnly("lead_scoring.work_queue()");
	Upkeep upkeep{nullptr, CurrentMemoryContext, only == nullptr};
	List *names = scores_to_keep(upkeep, only);
	if (only != nullptr && names == NIL)
	{
		raise_not_kept(only);
	}
	foreach (cell, names)
	{
		if (done >= limit)
		{
			break;
		}
		QueueBatch batch{{static_cast<const char *>(lfirst(cell)), DT_NOBEGIN, 0, {}, "facts", true, false, false, 0}, PG_INT64_MAX, limit - done, 0};
		done += work_on(&batch);
	}
	PG_RETURN_INT64(done);
}
