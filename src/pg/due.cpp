// When time alone changes stored scores.
//
// Most events find the row of their record as it must be, so it is looked up through the index directly, without a
// query; only what differs is written, by statements over arrays.
#include "pg/postgres_api.hpp"

#include "pg/due.hpp"

#include "pg/own_tables.hpp"
#include "pg/settings.hpp"

extern "C"
{
#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

// Lookups in the table of what is due
struct DueLookup
{
	Relation table;
	Relation index;
	Snapshot snapshot;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	Datum score;
};

// What differs from the table
struct Differences
{
	Datum *written_keys;
	Datum *written_instants;
	Datum *removed_keys;
	int written;
	int removed;
};

OwnCommand write_sooner = {
	"INSERT INTO lead_scoring.due AS d (score, record_key, due_at) "
	"SELECT $1, n.record_key, n.due_at FROM pg_catalog.unnest($2, $3) n (record_key, due_at) "
	"ON CONFLICT (score, record_key) DO UPDATE SET due_at = excluded.due_at WHERE d.due_at > excluded.due_at",
	3, {TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID}, nullptr};
OwnCommand write_exactly = {
	"INSERT INTO lead_scoring.due AS d (score, record_key, due_at) "
	"SELECT $1, n.record_key, n.due_at FROM pg_catalog.unnest($2, $3) n (record_key, due_at) "
	"ON CONFLICT (score, record_key) DO UPDATE SET due_at = excluded.due_at WHERE d.due_at <> excluded.due_at",
	3, {TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID}, nullptr};
OwnCommand remove_rows = {"DELETE FROM lead_scoring.due WHERE score = $1 AND record_key = ANY ($2)", 2,
						  {TEXTOID, TEXTARRAYOID}, nullptr};
OwnCommand note_refresh = {
	"INSERT INTO lead_scoring.score_state AS s (score, refreshed_at, swept_at) VALUES ($1, $2, $2) "
	"ON CONFLICT (score) DO UPDATE SET refreshed_at = excluded.refreshed_at, swept_at = excluded.swept_at "
	"WHERE (s.refreshed_at, s.swept_at) IS DISTINCT FROM (excluded.refreshed_at, excluded.swept_at)",
	2, {TEXTOID, TIMESTAMPTZOID}, nullptr};

DueLookup
begin_lookup(Datum score)
{
	DueLookup lookup;

	lookup.table = table_open(own_relation("due"), AccessShareLock);
	lookup.index = index_open(own_relation("due_pkey"), AccessShareLock);
	// The latest: the row may have been written by whom we waited for, whatever the transaction sees
	lookup.snapshot = RegisterSnapshot(GetLatestSnapshot());
#if PG_VERSION_NUM >= 180000
	lookup.scan = index_beginscan(lookup.table, lookup.index, lookup.snapshot, nullptr, 2, 0);
#else
	lookup.scan = index_beginscan(lookup.table, lookup.index, lookup.snapshot, 2, 0);
#endif
	lookup.slot = table_slot_create(lookup.table, nullptr);
	lookup.score = score;
	return lookup;
}

void
end_lookup(const DueLookup &lookup)
{
	ExecDropSingleTupleTableSlot(lookup.slot);
	index_endscan(lookup.scan);
	UnregisterSnapshot(lookup.snapshot);
	index_close(lookup.index, AccessShareLock);
	table_close(lookup.table, AccessShareLock);
}

// Find out when a record is due by the table; false if it has no row
bool
look_up(const DueLookup &lookup, Datum key, TimestampTz *due)
{
	ScanKeyData keys[2];
	bool is_null;

	// The columns are of collation C
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, lookup.score);
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, key);
	index_rescan(lookup.scan, keys, 2, nullptr, 0);
	if (!index_getnext_slot(lookup.scan, ForwardScanDirection, lookup.slot))
	{
		return false;
	}
	*due = DatumGetTimestampTz(slot_getattr(lookup.slot, 3, &is_null));
	ExecClearTuple(lookup.slot);
	return true;
}

// Collect what is not as it must be
Differences
find_differences(Datum score, const DueRow *rows, size_t count, DueMode mode)
{
	Differences found{};
	DueLookup lookup = begin_lookup(score);

	for (size_t at = 0; at < count; at++)
	{
		TimestampTz there = DT_NOEND;
		bool known = look_up(lookup, rows[at].key, &there);
		if (rows[at].due == DT_NOEND ? !known : known && (there == rows[at].due || (mode == DueMode::sooner && there < rows[at].due)))
		{
			continue;
		}
		if (found.written_keys == nullptr)
		{
			found.written_keys = static_cast<Datum *>(palloc(sizeof(Datum) * (count - at)));
			found.written_instants = static_cast<Datum *>(palloc(sizeof(Datum) * (count - at)));
			found.removed_keys = static_cast<Datum *>(palloc(sizeof(Datum) * (count - at)));
		}
		if (rows[at].due == DT_NOEND)
		{
			found.removed_keys[found.removed++] = rows[at].key;
			continue;
		}
		found.written_keys[found.written] = rows[at].key;
		found.written_instants[found.written++] = TimestampTzGetDatum(rows[at].due);
	}
	end_lookup(lookup);
	return found;
}

} // namespace

void
note_due(const LoadedScore *score, const DueRow *rows, size_t count, DueMode mode)
{
	if (count == 0)
	{
		return;
	}
	Datum name = CStringGetTextDatum(score->name);
	Differences found = find_differences(name, rows, count, mode);
	if (found.written > 0)
	{
		Datum values[] = {name, text_array(found.written_keys, static_cast<size_t>(found.written)),
						  PointerGetDatum(construct_array(found.written_instants, found.written, TIMESTAMPTZOID,
														  sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};
		run_own_command(mode == DueMode::exactly ? &write_exactly : &write_sooner, values);
	}
	if (found.removed > 0)
	{
		Datum values[] = {name, text_array(found.removed_keys, static_cast<size_t>(found.removed))};
		run_own_command(&remove_rows, values);
	}
	if (found.written_keys != nullptr)
	{
		pfree(found.written_keys);
		pfree(found.written_instants);
		pfree(found.removed_keys);
	}
}

void
note_whole_refresh(const LoadedScore *score, TimestampTz as_of)
{
	Datum values[] = {CStringGetTextDatum(score->name), TimestampTzGetDatum(as_of)};

	run_own_command(&note_refresh, values);
}

} // namespace lead_scoring::pg
