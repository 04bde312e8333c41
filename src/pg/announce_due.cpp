// Changes of labels that a dwell held back, once it is over.
#include "pg/postgres_api.hpp"

#include "pg/announce_due.hpp"

#include "pg/announcements.hpp"
#include "pg/held.hpp"
#include "pg/kept_plan.hpp"
#include "pg/own_rows.hpp"
#include "pg/pipeline.hpp"
#include "pg/score_columns.hpp"
#include "pg/upkeep_score.hpp"

extern "C"
{
#include "tcop/utility.h"
#include "utils/snapmgr.h"
}

LEAD_SCORING_FUNCTION(lead_scoring_announce_due);

namespace lead_scoring::pg
{

namespace
{

// Labels that were announced and still had to stand then, of one score
constexpr const char *dwelling_labels =
	"SELECT a.record_key, a.label, a.announced_at FROM lead_scoring.announced a WHERE a.score = $1 AND a.announced_at <= $2";
// Those of some records; who is at one of them announces it himself
constexpr const char *lock_labels =
	"SELECT a.record_key, a.label, a.announced_at FROM lead_scoring.announced a WHERE a.score = $1 AND a.announced_at <= $2 "
	"AND a.record_key = ANY ($3) ORDER BY a.record_key FOR UPDATE SKIP LOCKED";

// Keys of records, as texts
struct Waiting
{
	Datum *keys;
	uint64 count;
};

// Return the records whose announced label need not stand any longer, of those that a query finds
Waiting
find_waiting(const LoadedScore *score, TimestampTz as_of, const char *sql, const Waiting &among)
{
	Oid types[] = {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID};
	Datum values[] = {CStringGetTextDatum(score->name), TimestampTzGetDatum(as_of), text_array(among.keys, nullptr, among.count)};

	if (SPI_execute_with_args(sql, lengthof(types), types, values, nullptr, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "could not find what is to be announced");
	}
	Waiting waiting{static_cast<Datum *>(palloc(sizeof(Datum) * Max(SPI_processed, 1))), 0};
	for (uint64 at = 0; at < SPI_processed; at++)
	{
		Datum row[3];
		bool nulls[3];
		heap_deform_tuple(SPI_tuptable->vals[at], SPI_tuptable->tupdesc, row, nulls);
		if (nulls[1] || !still_stands(score, row[1], DatumGetTimestampTz(row[2]), as_of))
		{
			waiting.keys[waiting.count++] = row[0];
		}
	}
	return waiting;
}

// The same, with their rows locked; most labels need to stand on, and to lock them all would be to write them
Waiting
lock_waiting(const LoadedScore *score, TimestampTz as_of)
{
	Waiting waiting = find_waiting(score, as_of, dwelling_labels, {nullptr, 0});

	return waiting.count == 0 ? waiting : find_waiting(score, as_of, lock_labels, waiting);
}

// Read the stored values of some records, as the owner of their table: the rows as they are, whoever asks
Change *
read_stored(const LoadedScore *score, Datum keys, size_t *count)
{
	ScoreColumns columns = score_columns(score->name);
	Oid key_type = getBaseType(
		get_atttype(score->target, get_attnum(score->target, score->records->key_column)));
	const char *key = quote_identifier(score->records->key_column);
	const char *sql =
		psprintf("SELECT t.%s::text, t.%s, t.%s, t.%s, t.%s FROM %s t WHERE t.%s = ANY ($1::%s[])",
				 key, quote_identifier(columns.total), quote_identifier(columns.fit),
				 quote_identifier(columns.engagement), quote_identifier(columns.label),
				 relation_sql(score->target), key, format_type_be_qualified(key_type));
	Oid type = TEXTARRAYOID;
	Session session = begin_as_table_owner(owner_of(score->target));

	if (SPI_execute_with_args(sql, 1, &type, &keys, nullptr, false, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "could not read stored scores: %s", sql);
	}
	end_session(session);
	auto *changes = static_cast<Change *>(palloc0(sizeof(Change) * Max(SPI_processed, 1)));
	for (uint64 at = 0; at < SPI_processed; at++)
	{
		Datum row[5];
		bool nulls[5];
		heap_deform_tuple(SPI_tuptable->vals[at], SPI_tuptable->tupdesc, row, nulls);
		ScoreValues values{DatumGetFloat8(nulls[1] ? Float8GetDatum(0) : row[1]),
						   DatumGetFloat8(nulls[2] ? Float8GetDatum(0) : row[2]),
						   DatumGetFloat8(nulls[3] ? Float8GetDatum(0) : row[3]),
						   row[4],
						   {nulls[1], nulls[2], nulls[3], nulls[4]}};
		changes[at] = {row[0], values, values};
	}
	*count = SPI_processed;
	return changes;
}

// Forget the labels of records that are not there any more; theirs are locked
void
forget_gone(const LoadedScore *score, const Waiting &waiting, const Change *changes, size_t count)
{
	Oid types[] = {TEXTOID, TEXTARRAYOID, TEXTARRAYOID};
	auto *there = static_cast<Datum *>(palloc(sizeof(Datum) * Max(count, 1)));

	for (size_t at = 0; at < count; at++)
	{
		there[at] = changes[at].key;
	}
	Datum values[] = {CStringGetTextDatum(score->name), text_array(waiting.keys, nullptr, waiting.count), text_array(there, nullptr, count)};
	if (SPI_execute_with_args("DELETE FROM lead_scoring.announced WHERE score = $1 AND record_key = ANY ($2) AND record_key <> ALL ($3)",
							  lengthof(types), types, values, nullptr, false, 0) != SPI_OK_DELETE)
	{
		elog(ERROR, "could not forget what was announced");
	}
}

uint64
announce_waiting(const LoadedScore *score, TimestampTz as_of)
{
	size_t count;
	uint64 announced = 0;

	SPI_connect();
	Session session = begin_own_statements();
	Waiting waiting = lock_waiting(score, as_of);
	if (waiting.count > 0)
	{
		// Read behind the locks, in a new snapshot
		const Change *changes = read_stored(score, text_array(waiting.keys, nullptr, waiting.count), &count);
		if (count < waiting.count)
		{
			forget_gone(score, waiting, changes, count);
		}
		if (count > 0)
		{
			announced = announce({score, CStringGetTextDatum(score->name), changes, count, "time", as_of, false});
		}
	}
	end_session(session);
	SPI_finish();
	return announced;
}

} // namespace

uint64
announce_dwelled(const char *name, TimestampTz as_of)
{
	uint64 announced = 0;

	if (!has_rows_by_now(own::dwelling, name))
	{
		return 0;
	}
	share_score(name);
	PushActiveSnapshot(GetTransactionSnapshot());
	LoadedScore *score = load_score(name, Reader::writer);
	if (score->active && get_attnum(score->target, score_columns(name).label) != InvalidAttrNumber)
	{
		announced = announce_waiting(score, as_of);
	}
	PopActiveSnapshot();
	return announced;
}

} // namespace lead_scoring::pg

// Announce changes of labels that had to wait
Datum
lead_scoring_announce_due(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	if (PG_ARGISNULL(0))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("as_of must not be NULL"),
						errhint("Give the instant up to which to announce.")));
	}
	TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(0);
	require_finite_instant(as_of);
	PreventCommandIfReadOnly("lead_scoring.announce_due()");
	uint64 announced = 0;
	ListCell *cell;
	foreach (cell, scores_to_keep({nullptr, CurrentMemoryContext, false}, nullptr))
	{
		announced += announce_dwelled(static_cast<const char *>(lfirst(cell)), as_of);
	}
	PG_RETURN_INT64(static_cast<int64>(announced));
}
