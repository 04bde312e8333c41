// Stored scores: evaluated, compared with what is stored, and written where they differ.
//
// The evaluation runs with the rights of the relations' owners. Its results pass as a table by name into plain UPDATE
// and INSERT statements of the target's owner, so that triggers, indexes and partitions do what they always do.
#include "pg/postgres_api.hpp"

#include "pg/write_scores.hpp"

#include "pg/changes.hpp"
#include "pg/cells.hpp"
#include "pg/due.hpp"
#include "pg/own_tables.hpp"
#include "pg/pipeline.hpp"
#include "pg/progress.hpp"
#include "pg/query.hpp"
#include "pg/results.hpp"
#include "pg/score_columns.hpp"
#include "pg/session.hpp"
#include "pg/statistics.hpp"
#include "pg/stream.hpp"
#include "pg/waiting.hpp"
#include "pg/write_rows.hpp"
#include "pg/writing.hpp"

extern "C"
{
#include "access/xact.h"
#include "portability/instr_time.h"
#include "utils/queryenvironment.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

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
		Datum values[6];
		bool nulls[6] = {};
		values[0] = make_key_datum(sink->key_type, records.keys[row]);
		put_values(results[row], values + 1, nulls + 1);
		put_label(sink->labels, results[row].labels.label, &values[4], &nulls[4]);
		values[5] = TimestampTzGetDatum(results[row].due);
		tuplestore_putvalues(sink->store, sink->descriptor, values, nulls);
	}
	sink->rows += static_cast<double>(records.rows);
	MemoryContextSwitchTo(before);
	MemoryContextReset(sink->row_context);
}

TupleDesc
make_scores_descriptor(Oid key_type)
{
	TupleDesc descriptor = CreateTemplateTupleDesc(6);

	TupleDescInitEntry(descriptor, 1, "record_key", key_type, -1, 0);
	TupleDescInitEntry(descriptor, 2, "total", FLOAT8OID, -1, 0);
	TupleDescInitEntry(descriptor, 3, "fit", FLOAT8OID, -1, 0);
	TupleDescInitEntry(descriptor, 4, "engagement", FLOAT8OID, -1, 0);
	TupleDescInitEntry(descriptor, 5, "label", TEXTOID, -1, 0);
	TupleDescInitEntry(descriptor, 6, "due", TIMESTAMPTZOID, -1, 0);
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

// Note when the scores will change by themselves
void
note_all_due(const LoadedScore *score, const StoreSink &sink, TimestampTz as_of)
{
	// Many, as they are put in order: indexes are faster to write from one end to the other
	constexpr size_t most_rows = 131072;
	MemoryContext chunk = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring due chunk", ALLOCSET_DEFAULT_SIZES);
	auto *rows = static_cast<DueRow *>(palloc(sizeof(DueRow) * most_rows));
	TupleTableSlot *slot = MakeSingleTupleTableSlot(sink.descriptor, &TTSOpsMinimalTuple);
	DueMode mode = any_due(score) ? DueMode::exactly : DueMode::first;
	size_t count = 0;

	tuplestore_rescan(sink.store);
	for (bool more = true; more;)
	{
		more = tuplestore_gettupleslot(sink.store, true, false, slot);
		if (more)
		{
			MemoryContext before = MemoryContextSwitchTo(chunk);
			bool is_null;
			Datum key = slot_getattr(slot, 1, &is_null);
			Datum due = slot_getattr(slot, 6, &is_null);
			core::Key read = read_key(sink.key_type, key, chunk);
			rows[count++] = {CStringGetTextDatum(key_string(score->definition.key_kind, read)), DatumGetTimestampTz(due)};
			MemoryContextSwitchTo(before);
		}
		if (count == most_rows || (!more && count > 0))
		{
			CHECK_FOR_INTERRUPTS();
			sort_due(rows, count);
			note_due(score, rows, count, mode);
			MemoryContextReset(chunk);
			count = 0;
		}
	}
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(chunk);
	note_whole_refresh(score, as_of);
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
clear_sql(const LoadedScore *score)
{
	ScoreColumns columns = score_columns(score->name);
	const char *total = quote_identifier(columns.total);
	const char *fit = quote_identifier(columns.fit);
	const char *engagement = quote_identifier(columns.engagement);
	const char *label = quote_identifier(columns.label);
	const char *key = quote_identifier(score->records->key_column);

	return psprintf("UPDATE %s t SET %s = NULL, %s = NULL, %s = NULL, %s = NULL WHERE (t.%s, t.%s, t.%s, t.%s) "
					"IS DISTINCT FROM (NULL, NULL, NULL, NULL) AND NOT EXISTS (SELECT FROM %s n WHERE t.%s = "
					"n.record_key)",
					relation_sql(score->target), total, fit, engagement, label, total, fit, engagement, label,
					scores_name, key);
}

ScoreValues
values_at(HeapTuple row, TupleDesc descriptor, int column)
{
	ScoreValues values{};
	double *const numbers[] = {&values.total, &values.fit, &values.engagement};

	for (int at = 0; at < 4; at++)
	{
		Datum value = SPI_getbinval(row, descriptor, column + at, &values.nulls[at]);
		if (at == 3)
		{
			values.label = value;
		}
		else
		{
			*numbers[at] = values.nulls[at] ? 0 : DatumGetFloat8(value);
		}
	}
	return values;
}

// Run a command on the rows as they are now. Scores are evaluated from what is there now, so in a transaction that sees
// only what was there when it began, a row would pass for right that has changed since; one that is to be written raises
uint64
execute_on_latest(const char *sql)
{
	if (!IsolationUsesXactSnapshot())
	{
		return execute_command(sql);
	}
	SPIPlanPtr plan = SPI_prepare(sql, 0, nullptr);
	if (plan == nullptr)
	{
		elog(ERROR, "could not prepare: %s: %s", SPI_result_code_string(SPI_result), sql);
	}
	CommandCounterIncrement();
	int result = SPI_execute_snapshot(plan, nullptr, nullptr, GetLatestSnapshot(), GetTransactionSnapshot(), false, true, 0);
	if (result < 0)
	{
		elog(ERROR, "command failed: %s: %s", SPI_result_code_string(result), sql);
	}
	return SPI_processed;
}

// Read what the statements are going to change, in the order that the index of the history is faster to write in
Change *
read_changes(const LoadedScore *score, uint64 *count)
{
	ScoreColumns columns = score_columns(score->name);
	const char *total = quote_identifier(columns.total);
	const char *fit = quote_identifier(columns.fit);
	const char *engagement = quote_identifier(columns.engagement);
	const char *label = quote_identifier(columns.label);
	const char *key = quote_identifier(score->records->key_column);
	const char *sql =
		psprintf("SELECT coalesce(t.%s, n.record_key)::text COLLATE pg_catalog.\"C\", t.%s, t.%s, t.%s, t.%s, "
				 "n.total, n.fit, n.engagement, n.label FROM %s t %s JOIN %s n ON t.%s = n.record_key "
				 "WHERE (t.%s, t.%s, t.%s, t.%s) IS DISTINCT FROM (n.total, n.fit, n.engagement, n.label) ORDER BY 1",
				 key, total, fit, engagement, label, relation_sql(score->target), score->own_target ? "" : "FULL", scores_name,
				 key, total, fit, engagement, label);
	execute_on_latest(sql);
	auto *changes = static_cast<Change *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Change) * Max(SPI_processed, 1)));
	for (uint64 at = 0; at < SPI_processed; at++)
	{
		HeapTuple row = SPI_tuptable->vals[at];
		bool null;
		changes[at] = {SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &null), values_at(row, SPI_tuptable->tupdesc, 2),
					   values_at(row, SPI_tuptable->tupdesc, 6)};
	}
	*count = SPI_processed;
	return changes;
}

// Leave out the changes that stand out still, as triggers of others have kept rows as they were, and tell of them
void
drop_refused(const LoadedScore *score, Change *changes, uint64 *count)
{
	uint64 refused_count;
	const Change *refused = read_changes(score, &refused_count);
	uint64 kept = 0;
	uint64 next = 0;

	// Both are in the order of their keys
	for (uint64 at = 0; at < *count; at++)
	{
		if (next < refused_count && DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, changes[at].key, refused[next].key)))
		{
			next++;
		}
		else
		{
			changes[kept++] = changes[at];
		}
	}
	*count = kept;
	warn_of_refused(score, refused_count);
}

} // namespace

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

bool
has_relative_bands(const LoadedScore *score)
{
	for (const core::BandDefinition &band : score->definition.bands)
	{
		if (band.capacity != 0 || band.top_share != 0)
		{
			return true;
		}
	}
	return false;
}

uint64
write_scores(LoadedScore *score, TimestampTz as_of, const char *reason)
{
	instr_time begun;
	INSTR_TIME_SET_CURRENT(begun);
	Evaluation *evaluation = begin_evaluation(score, as_of, nullptr, {false, false, true});
	Oid key_type = get_atttype(score->records->relation,
							   get_attnum(score->records->relation, score->records->key_column));
	StoreSink sink{tuplestore_begin_heap(true, false, work_mem), make_scores_descriptor(key_type),
				   score->records->key_type, make_label_datums(evaluation->scorer->program()),
				   AllocSetContextCreate(CurrentMemoryContext, "lead_scoring rows", ALLOCSET_DEFAULT_SIZES), 0};

	run_evaluation(evaluation, store_rows, &sink);
	SPI_connect();
	Session session = begin_as_table_owner(owner_of(score->target));
	register_scores(sink);
	begin_progress(score->name, score->target);
	begin_phase(Phase::writing, get_rel_name(score->target), 0);
	uint64 change_count = 0;
	Change *changes = wants_changes(score) ? read_changes(score, &change_count) : nullptr;
	Writing writing;
	begin_writing_scores(&writing, score->name, as_of);
	volatile uint64 written = 0;
	PG_TRY();
	{
		written = execute_on_latest(update_sql(score));
		if (!score->own_target)
		{
			written = written + execute_on_latest(insert_sql(score));
			written = written + execute_on_latest(clear_sql(score));
		}
	}
	PG_CATCH();
	{
		fail_writing_scores(writing);
	}
	PG_END_TRY();
	end_writing_scores(writing);
	if (written < change_count)
	{
		drop_refused(score, changes, &change_count);
	}
	end_progress();
	end_session(session);
	for (uint64 at = 0; at < change_count; at += 8192)
	{
		note_changes(score, changes + at, Min(change_count - at, 8192), reason, as_of);
	}
	SPI_finish();
	note_all_due(score, sink, as_of);
	tuplestore_end(sink.store);
	end_all_waiting(score->name, as_of);
	instr_time spent;
	INSTR_TIME_SET_CURRENT(spent);
	INSTR_TIME_SUBTRACT(spent, begun);
	note_evaluation(score->name, static_cast<uint64>(sink.rows), written, INSTR_TIME_GET_MILLISEC(spent));
	return written;
}

} // namespace lead_scoring::pg
