// When time alone changes stored scores.
//
// Most events are of records that are known to be due at any instant: points of other events fade already, and whoever wrote
// those has said so (ScoreResult::due_stands). Most others find the row of their record as it must be, so it is looked up
// through the index directly, without a query; only what differs is written, by statements over arrays. Many rows at once, as
// when a score is switched on or time is followed, are written directly, too.
#include "pg/postgres_api.hpp"

#include "pg/due.hpp"

#include "pg/due_places.hpp"
#include "pg/look_ahead.hpp"
#include "pg/own_rows.hpp"
#include "pg/own_tables.hpp"
#include "pg/recent_pages.hpp"
#include "pg/settings.hpp"

extern "C"
{
#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "pgstat.h"
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

// Rows to be written, or keys to be removed
struct DueRows
{
	Datum *keys;
	Datum *instants;
	ItemPointerData *places; // where the rows are that are there
	size_t count;
};

// What differs from the table
struct Differences
{
	DueRows missing;
	DueRows changed;
	DueRows removed;
};

// So many rows are many
constexpr size_t many_rows = 32;

OwnCommand write_sooner = {
	"INSERT INTO lead_scoring.due AS d (score, record_key, due_at) "
	"SELECT $1, n.record_key, n.due_at FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) n (record_key, due_at) "
	"ON CONFLICT (score, record_key) DO UPDATE SET due_at = excluded.due_at WHERE d.due_at > excluded.due_at",
	3, {TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID}, nullptr};
OwnCommand remove_rows = {"DELETE FROM lead_scoring.due WHERE score = $1 AND record_key = ANY ($2)", 2,
						  {TEXTOID, TEXTARRAYOID}, nullptr};
// What failed before need not be waited for: the definition may have been mended
OwnCommand note_refresh = {
	"INSERT INTO lead_scoring.score_state AS s (score, refreshed_at, swept_at) VALUES ($1, $2, $2) "
	"ON CONFLICT (score) DO UPDATE SET refreshed_at = excluded.refreshed_at, swept_at = excluded.swept_at, failed_at = NULL, "
	"sqlstate = NULL, message = NULL, detail = NULL, hint = NULL, context = NULL, attempts = 0, retry_at = NULL "
	"WHERE (s.refreshed_at, s.swept_at, NULL) IS DISTINCT FROM (excluded.refreshed_at, excluded.swept_at, s.failed_at)",
	2, {TEXTOID, TIMESTAMPTZOID}, nullptr};

DueLookup
begin_lookup(const char *index, int conditions, Snapshot (*take_snapshot)(void), Datum score)
{
	DueLookup lookup;

	lookup.table = table_open(own_relation("due"), AccessShareLock);
	lookup.index = index_open(own_relation(index), AccessShareLock);
	lookup.snapshot = RegisterSnapshot(take_snapshot());
#if PG_VERSION_NUM >= 180000
	lookup.scan = index_beginscan(lookup.table, lookup.index, lookup.snapshot, nullptr, conditions, 0);
#else
	lookup.scan = index_beginscan(lookup.table, lookup.index, lookup.snapshot, conditions, 0);
#endif
	lookup.slot = table_slot_create(lookup.table, nullptr);
	lookup.score = score;
	return lookup;
}

// Look for the rows of a score from a place in the order of time and key on, until an instant. What is before is not even passed:
// many rows may be of one instant, and those that have been dealt with are dead, but there
DueLookup
begin_lookup_by_time(const char *score, const DueRow &from, TimestampTz until)
{
	// What the transaction sees: of records that it does not see it would only be told that it cannot score them
	DueLookup lookup = begin_lookup("due_by_time", 3, GetTransactionSnapshot, CStringGetTextDatum(score));
	auto *place = static_cast<ScanKeyData *>(palloc(sizeof(ScanKeyData) * 2));
	ScanKeyData keys[3];

	ScanKeyEntryInitialize(&place[0], SK_ROW_MEMBER, 2, BTGreaterEqualStrategyNumber, InvalidOid, InvalidOid, F_TIMESTAMPTZ_CMP,
						   TimestampTzGetDatum(from.due));
	ScanKeyEntryInitialize(&place[1], SK_ROW_MEMBER | SK_ROW_END, 3, BTGreaterEqualStrategyNumber, InvalidOid, C_COLLATION_OID,
						   F_BTTEXTCMP, from.key);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, lookup.score);
	keys[1] = {};
	keys[1].sk_flags = SK_ROW_HEADER;
	keys[1].sk_attno = 2;
	keys[1].sk_strategy = BTGreaterEqualStrategyNumber;
	keys[1].sk_argument = PointerGetDatum(place);
	ScanKeyInit(&keys[2], 2, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(until));
	index_rescan(lookup.scan, keys, lengthof(keys), nullptr, 0);
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

bool
has_text(TupleTableSlot *slot, int column, Datum value)
{
	bool is_null;

	return DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, slot_getattr(slot, column, &is_null), value));
}

// Read the row of a record from where it was when it was found to be due, if it is there still
bool
find_where_it_was(const DueLookup &lookup, Datum key)
{
	const ItemPointerData *place = recall_place(lookup.table, lookup.score, key);
	ItemPointerData copy;

	if (place == nullptr)
	{
		return false;
	}
	copy = *place;
	return table_tuple_fetch_row_version(lookup.table, &copy, lookup.snapshot, lookup.slot) && has_text(lookup.slot, 2, key) &&
		   has_text(lookup.slot, 1, lookup.score);
}

bool
find_by_key(const DueLookup &lookup, Datum key)
{
	ScanKeyData keys[2];

	// The columns are of collation C
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_TEXTEQ, key);
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ, lookup.score);
	index_rescan(lookup.scan, keys, 2, nullptr, 0);
	return next_row(lookup.scan, lookup.slot);
}

// Find out when a record is due by the table, and where that is written; false if it has no row
bool
look_up(const DueLookup &lookup, Datum key, TimestampTz *due, ItemPointerData *place)
{
	bool is_null;

	if (!find_where_it_was(lookup, key) && !find_by_key(lookup, key))
	{
		return false;
	}
	*due = DatumGetTimestampTz(slot_getattr(lookup.slot, 3, &is_null));
	*place = lookup.slot->tts_tid;
	ExecClearTuple(lookup.slot);
	return true;
}

// Go on to the next rows, at most so many; false if these are the last
bool
find_places(const DueLookup &lookup, LookAhead *ahead, size_t most)
{
	bool more = true;

	CHECK_FOR_INTERRUPTS();
	while (ahead->count < most_ahead && static_cast<size_t>(ahead->count) < most &&
		   (more = index_getnext_tid(lookup.scan, ForwardScanDirection) != nullptr))
	{
		add_place(ahead, lookup.scan->xs_heaptid);
	}
	approach_rows(ahead);
	return more;
}

DueRow
copy_row(TupleTableSlot *slot)
{
	bool is_null;

	return {PointerGetDatum(PG_DETOAST_DATUM_COPY(slot_getattr(slot, 2, &is_null))),
			DatumGetTimestampTz(slot_getattr(slot, 3, &is_null))};
}

void
add_row(DueRows *rows, const DueRow &row, const ItemPointerData &place, size_t most)
{
	if (rows->keys == nullptr)
	{
		rows->keys = static_cast<Datum *>(palloc(sizeof(Datum) * most));
		rows->instants = static_cast<Datum *>(palloc(sizeof(Datum) * most));
		rows->places = static_cast<ItemPointerData *>(palloc(sizeof(ItemPointerData) * most));
	}
	rows->places[rows->count] = place;
	rows->keys[rows->count] = row.key;
	rows->instants[rows->count++] = TimestampTzGetDatum(row.due);
}

// Collect what is not as it must be
Differences
find_differences(Datum score, const DueRow *rows, size_t count, DueMode mode)
{
	Differences found{};
	// The latest: a row may have been written by whom we waited for, whatever the transaction sees
	DueLookup lookup = begin_lookup("due_pkey", 2, GetLatestSnapshot, score);

	for (size_t at = 0; at < count; at++)
	{
		const DueRow &row = rows[at];
		TimestampTz there;
		ItemPointerData place{};
		bool known = mode != DueMode::first && look_up(lookup, row.key, &there, &place);
		if (known && mode == DueMode::exactly)
		{
			meet_place(score, row.key);
		}
		if (!known)
		{
			if (row.due != DT_NOEND)
			{
				add_row(&found.missing, row, place, count - at);
			}
		}
		else if (row.due == DT_NOEND)
		{
			add_row(&found.removed, row, place, count - at);
		}
		else if (there > row.due || (mode != DueMode::sooner && there < row.due))
		{
			add_row(&found.changed, row, place, count - at);
		}
	}
	end_lookup(lookup);
	return found;
}

void
write_sooner_rows(Datum score, const DueRows &rows)
{
	if (rows.count > 0)
	{
		Datum values[] = {score, text_array(rows.keys, rows.count),
						  PointerGetDatum(construct_array(rows.instants, static_cast<int>(rows.count), TIMESTAMPTZOID,
														  sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};
		run_own_command(&write_sooner, values);
	}
}

// Insert or change rows without a query; nobody else is at them
void
write_directly(Datum score, const DueRows &rows, bool there)
{
	Relation table = table_open(own_relation("due"), RowExclusiveLock);
	CatalogIndexState indexes = CatalogOpenIndexes(table);

	for (size_t at = 0; at < rows.count; at++)
	{
		Datum values[] = {score, rows.keys[at], rows.instants[at]};
		bool nulls[lengthof(values)] = {};
		HeapTuple tuple = heap_form_tuple(RelationGetDescr(table), values, nulls);
		if (there)
		{
			CatalogTupleUpdateWithInfo(table, &rows.places[at], tuple, indexes);
		}
		else
		{
			CatalogTupleInsertWithInfo(table, tuple, indexes);
		}
		heap_freetuple(tuple);
	}
	CatalogCloseIndexes(indexes);
	table_close(table, NoLock);
	CommandCounterIncrement();
}

// Whether rows are written without a query: where they must be exactly so, whoever is at them holds the records or the
// definition; of others many that are not there yet are
bool
goes_directly(const DueRows &rows, bool there, DueMode mode)
{
	return rows.count > 0 && (mode == DueMode::sooner ? rows.count >= many_rows && !there : true);
}

// Write rows, the quicker way
void
write_many_or_few(Datum score, const DueRows &rows, bool there, DueMode mode)
{
	if (goes_directly(rows, there, mode))
	{
		write_directly(score, rows, there);
		return;
	}
	write_sooner_rows(score, rows);
}

// Remove rows as they are written
void
remove_many_or_few(Datum score, const DueRows &rows, DueMode mode)
{
	if (goes_directly(rows, true, mode))
	{
		Relation table = table_open(own_relation("due"), RowExclusiveLock);
		for (size_t at = 0; at < rows.count; at++)
		{
			CatalogTupleDelete(table, &rows.places[at]);
		}
		table_close(table, NoLock);
		CommandCounterIncrement();
	}
	else if (rows.count > 0)
	{
		Datum values[] = {score, text_array(rows.keys, rows.count)};
		run_own_command(&remove_rows, values);
	}
}

// Compare the keys of two rows as collation C does
int
compare_keys(const void *left, const void *right)
{
	const text *first = DatumGetTextPP(static_cast<const DueRow *>(left)->key);
	const text *second = DatumGetTextPP(static_cast<const DueRow *>(right)->key);
	size_t lengths[] = {VARSIZE_ANY_EXHDR(first), VARSIZE_ANY_EXHDR(second)};
	int by = memcmp(VARDATA_ANY(first), VARDATA_ANY(second), Min(lengths[0], lengths[1]));

	return by != 0 ? by : lengths[0] < lengths[1] ? -1 : lengths[0] > lengths[1];
}

} // namespace

void
note_due(const LoadedScore *score, const DueRow *rows, size_t count, DueMode mode)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring due", ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);
	Datum name = CStringGetTextDatum(score->name);
	Differences found = find_differences(name, rows, count, mode);

	write_many_or_few(name, found.missing, false, mode);
	write_many_or_few(name, found.changed, true, mode);
	remove_many_or_few(name, found.removed, mode);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
}

DueRow
first_due(TimestampTz instant)
{
	return {CStringGetTextDatum(""), instant};
}

size_t
read_due(const char *score, const DueRow &from, TimestampTz until, DueRow *rows, size_t most)
{
	DueLookup lookup = begin_lookup_by_time(score, from, until);
	auto *places = static_cast<ItemPointerData *>(palloc(sizeof(ItemPointerData) * most));
	size_t count = 0;
	LookAhead ahead;

	begin_look_ahead(&ahead, lookup.table);
	for (bool more = true; more && count < most;)
	{
		more = find_places(lookup, &ahead, most - count);
		for (Fetched fetched; (fetched = fetch_next(&ahead, lookup.snapshot, lookup.slot)) != Fetched::none;)
		{
			// Nobody is told here of rows that are dead: whoever looks whether anything is due comes by them first
			if (fetched == Fetched::seen)
			{
				pgstat_count_heap_fetch(lookup.index);
				places[count] = lookup.slot->tts_tid;
				rows[count++] = copy_row(lookup.slot);
			}
		}
	}
	end_look_ahead(&ahead);
	expect_places(lookup.table, lookup.score, count);
	for (size_t at = 0; at < count; at++)
	{
		remember_place(rows[at].key, places[at]);
	}
	end_lookup(lookup);
	pfree(places);
	return count;
}

bool
has_due(const char *score, const DueRow &from, TimestampTz until)
{
	DueLookup lookup = begin_lookup_by_time(score, from, until);
	bool found = index_getnext_slot(lookup.scan, ForwardScanDirection, lookup.slot);
	end_lookup(lookup);
	return found;
}

bool
any_due(const LoadedScore *score)
{
	return has_rows_by_now(own::dues, score->name);
}

void
sort_due(DueRow *rows, size_t count)
{
	qsort(rows, count, sizeof(DueRow), compare_keys);
}

void
note_whole_refresh(const LoadedScore *score, TimestampTz as_of)
{
	Datum values[] = {CStringGetTextDatum(score->name), TimestampTzGetDatum(as_of)};

	run_own_command(&note_refresh, values);
}

} // namespace lead_scoring::pg
