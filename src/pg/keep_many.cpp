#include "pg/postgres_api.hpp"

#include "pg/keep_many.hpp"

#include "pg/key_set.hpp"
#include "pg/pipeline.hpp"
#include "pg/record_locks.hpp"
#include "pg/session.hpp"
#include "pg/write_changes.hpp"

extern "C"
{
#include "access/xact.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

namespace lead_scoring::pg
{

namespace
{

// The place of the row of a record, null if it is not known
const ItemPointerData *
place_of(const Records &records, core::KeyKind kind, const core::Key &key)
{
	const core::Key *end = records.keys + records.count;
	const core::Key *found = records.places == nullptr ? end
													   : std::lower_bound(records.keys, end, key, [kind](const core::Key &left, const core::Key &right) {
															 return core::key_before(kind, left, right);
														 });

	return found == end || !same_key(kind, *found, key) ? nullptr : &records.places[found - records.keys];
}

// Where results are compared with what is stored
struct CompareSink
{
	const Evaluation *evaluation;
	const Records *locked;
	ColumnChanges *changes;
	MemoryContext context; // of the changes
};

void
compare_rows(void *argument, const core::Batch &records, const core::ScoreResult *results)
{
	auto *sink = static_cast<CompareSink *>(argument);
	const core::Program &program = sink->evaluation->scorer->program();
	core::KeyKind kind = sink->evaluation->score->definition.key_kind;
	MemoryContext before = MemoryContextSwitchTo(sink->context);

	for (size_t row = 0; row < records.rows; row++)
	{
		compare_result(sink->changes, program, kind, {records.keys[row], place_of(*sink->locked, kind, records.keys[row])},
					   sink->evaluation->stored[row], results[row]);
	}
	MemoryContextSwitchTo(before);
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
keep_many(KeptScore *kept, Records *records, const Keeping &keeping)
{
	// Triggers of the owner run while scores are written, and must not find what the caller's path leads to
	Session session = begin_for_owners(kept->score->settings_matter);
	uint64 seen = lock_all_records(kept, records, keeping.awaits_records);

	if (IsolationUsesXactSnapshot() && seen < static_cast<uint64>(records->count))
	{
		require_all_seen(kept->score, records->array, seen);
	}
	TimestampTz instant = keeping.as_of == DT_NOBEGIN ? GetCurrentTimestamp() : keeping.as_of;
	if (!scores_are_current())
	{
		kept = settled_score(pstrdup(kept->score->name), instant);
	}
	kept->users++;
	ColumnChanges changes = make_changes(core::batch_rows, instant);
	PushActiveSnapshot(GetLatestSnapshot());
	Evaluation *evaluation = begin_evaluation(kept->score, instant, nullptr, {false, false, true});
	evaluation->keys = &records->array;
	evaluation->compared = true;
	CompareSink sink{evaluation, records, &changes, CurrentMemoryContext};
	run_evaluation(evaluation, compare_rows, &sink);
	PopActiveSnapshot();
	uint64 written = write_changes(kept, changes, keeping.reason);
	kept->users--;
	end_session(session);
	return written;
}

} // namespace lead_scoring::pg
