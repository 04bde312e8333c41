#include "pg/postgres_api.hpp"

#include "pg/keep_many.hpp"

#include "pg/key_set.hpp"
#include "pg/link_locks.hpp"
#include "pg/pipeline.hpp"
#include "pg/session.hpp"
#include "pg/write_changes.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

// Where results are compared with what is stored
struct CompareSink
{
	const Evaluation *evaluation;
	ColumnChanges *changes;
	MemoryContext context; // of the changes
};

void
compare_rows(void *argument, const core::Batch &records, const core::ScoreResult *results)
{
	auto *sink = static_cast<CompareSink *>(argument);
	const core::Program &program = sink->evaluation->scorer->program();
	MemoryContext before = MemoryContextSwitchTo(sink->context);

	for (size_t row = 0; row < records.rows; row++)
	{
		compare_result(sink->changes, program, sink->evaluation->score->definition.key_kind, records.keys[row],
					   sink->evaluation->stored[row], results[row]);
	}
	MemoryContextSwitchTo(before);
}

// Lock the records in the order of their keys; returns how many there are
uint64
lock_rows(const KeptScore *kept, Datum keys)
{
	const LoadedStream *records = kept->score->records;
	core::KeyKind kind = kept->score->definition.key_kind;
	const char *key = quote_identifier(records->key_column);
	SPIExecuteOptions options = {};
	MemoryContext before = CurrentMemoryContext;

	options.params = makeParamList(1);
	options.params->params[0] = {keys, false, PARAM_FLAG_CONST, key_array_type(kind)};
	options.dest = None_Receiver;
	const char *sql = psprintf("SELECT FROM %s r WHERE r.%s OPERATOR(pg_catalog.=) ANY ($1) ORDER BY r.%s%s "
							   "FOR NO KEY UPDATE OF r",
							   relation_sql(records->relation), key, key,
							   kind == core::KeyKind::text ? " COLLATE pg_catalog.\"C\"" : "");
	Session session = begin_as_owner(records->owner);
	int result = SPI_execute_extended(sql, &options);
	if (result < 0)
	{
		elog(ERROR, "query failed: %s", sql);
	}
	uint64 locked = SPI_processed;
	end_session(session);
	MemoryContextSwitchTo(before);
	return locked;
}

} // namespace

uint64
count_records(const LoadedScore *score, Datum keys)
{
	const LoadedStream *records = score->records;
	Oid type = key_array_type(score->definition.key_kind);
	const char *sql = psprintf("SELECT count(*) FROM %s r WHERE r.%s OPERATOR(pg_catalog.=) ANY ($1)",
							   relation_sql(records->relation), quote_identifier(records->key_column));
	MemoryContext before = CurrentMemoryContext;
	Session session = begin_as_owner(records->owner);

	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_execute_with_args(sql, 1, &type, &keys, nullptr, true, 1) != SPI_OK_SELECT)
	{
		elog(ERROR, "query failed: %s", sql);
	}
	bool is_null;
	Datum count = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	PopActiveSnapshot();
	end_session(session);
	MemoryContextSwitchTo(before);
	return static_cast<uint64>(DatumGetInt64(count));
}

void
require_all_seen(const LoadedScore *score, Datum keys, uint64 seen)
{
	if (count_records(score, keys) > seen)
	{
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not serialize access: a record of type \"%s\" was added or changed concurrently",
							   score->records->name),
						errhint("The transaction might succeed if retried.")));
	}
}

uint64
keep_many(KeptScore *kept, const core::Key *keys, int count, const Keeping &keeping)
{
	// Triggers of the owner run while scores are written, and must not find what the caller's path leads to
	Session session = begin_for_owners(kept->score->settings_matter);
	Datum array = key_array(kept->score->definition.key_kind, keys, count);
	TimestampTz asked = GetCurrentTimestamp();
	uint64 seen = lock_rows(kept, array);

	if (keeping.awaits_records && seen < static_cast<uint64>(count))
	{
		lock_record_keys(kept->score->records->name, kept->score->definition.key_kind, keys, count);
		seen = lock_rows(kept, array);
	}
	if (IsolationUsesXactSnapshot() && seen < static_cast<uint64>(count))
	{
		require_all_seen(kept->score, array, seen);
	}
	TimestampTz locked = GetCurrentTimestamp();
	bool waited = keeping.not_behind && locked - asked >= long_wait_us;
	TimestampTz instant = keeping.as_of == DT_NOBEGIN || waited ? locked : keeping.as_of;
	if (!scores_are_current())
	{
		kept = settled_score(pstrdup(kept->score->name), instant);
	}
	kept->users++;
	ColumnChanges changes = make_changes(core::batch_rows, instant);
	PushActiveSnapshot(GetLatestSnapshot());
	Evaluation *evaluation = begin_evaluation(kept->score, instant, nullptr, {false, false, true});
	evaluation->keys = &array;
	evaluation->compared = true;
	CompareSink sink{evaluation, &changes, CurrentMemoryContext};
	run_evaluation(evaluation, compare_rows, &sink);
	PopActiveSnapshot();
	uint64 written = write_changes(kept, changes, keeping.reason);
	kept->users--;
	end_session(session);
	return written;
}

} // namespace lead_scoring::pg
