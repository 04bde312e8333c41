#include "pg/postgres_api.hpp"

#include "pg/own_rows.hpp"

#include "pg/own_tables.hpp"

extern "C"
{
#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

AttrNumber
column_of(TupleDesc columns, const char *table, const char *name)
{
	for (int at = 0; at < columns->natts; at++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, at);
		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
		{
			return column->attnum;
		}
	}
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("lead_scoring.%s has no column \"%s\"", table, name),
					errhint("The library is newer than the extension: run ALTER EXTENSION lead_scoring UPDATE.")));
	pg_unreachable();
}

// A look at some rows of a table
struct OwnScan
{
	Relation relation;
	SysScanDesc scan;
};

OwnScan
begin_own_scan(const OwnTable &table, const char *key)
{
	OwnScan scan{table_open(own_relation(table.name), AccessShareLock), nullptr};
	Oid index = table.index == nullptr ? InvalidOid : own_relation(table.index);
	TupleDesc columns = RelationGetDescr(scan.relation);
	ScanKeyData condition;

	if (key != nullptr)
	{
		AttrNumber column = column_of(columns, table.name, table.key);
		ScanKeyEntryInitialize(&condition, 0, column, BTEqualStrategyNumber, InvalidOid, TupleDescAttr(columns, column - 1)->attcollation,
							   F_TEXTEQ, CStringGetTextDatum(key));
	}
	scan.scan = systable_beginscan(scan.relation, index, OidIsValid(index), GetActiveSnapshot(), key == nullptr ? 0 : 1, &condition);
	return scan;
}

void
end_own_scan(const OwnScan &scan)
{
	systable_endscan(scan.scan);
	// Until the end of the transaction it stays as it is
	table_close(scan.relation, NoLock);
}

// How rows are to be sorted
struct Sorting
{
	std::span<const RowOrder> orders;
	TupleDesc columns;
	const AttrNumber *places;
};

int
compare_column(const Sorting &sorting, const RowOrder &order, HeapTuple left, HeapTuple right)
{
	bool left_null;
	bool right_null;
	Datum first = heap_getattr(left, sorting.places[order.column - 1], sorting.columns, &left_null);
	Datum second = heap_getattr(right, sorting.places[order.column - 1], sorting.columns, &right_null);

	if (left_null || right_null)
	{
		return static_cast<int>(left_null) - static_cast<int>(right_null);
	}
	int compared = DatumGetInt32(DirectFunctionCall2Coll(order.compare, order.collation, first, second));
	return order.descending ? -compared : compared;
}

int
compare_rows(const void *left, const void *right, void *argument)
{
	auto *sorting = static_cast<const Sorting *>(argument);
	int compared = 0;

	for (size_t at = 0; compared == 0 && at < sorting->orders.size(); at++)
	{
		compared = compare_column(*sorting, sorting->orders[at], *static_cast<const HeapTuple *>(left),
								  *static_cast<const HeapTuple *>(right));
	}
	return compared;
}

} // namespace

QueryRows
own_rows(MemoryContext context, const OwnTable &table, const char *key, std::span<const char *const> columns)
{
	OwnScan scan = begin_own_scan(table, key);
	auto *places = static_cast<AttrNumber *>(palloc(sizeof(AttrNumber) * columns.size()));
	uint64 room = 16;
	// With the values of columns that have come later than a row
	QueryRows rows{static_cast<HeapTuple *>(palloc(sizeof(HeapTuple) * room)), CreateTupleDescCopyConstr(RelationGetDescr(scan.relation)),
				   places, 0, context};

	for (size_t at = 0; at < columns.size(); at++)
	{
		places[at] = column_of(rows.columns, table.name, columns[at]);
	}
	for (HeapTuple row = systable_getnext(scan.scan); HeapTupleIsValid(row); row = systable_getnext(scan.scan))
	{
		CHECK_FOR_INTERRUPTS();
		if (rows.count == room)
		{
			room *= 2;
			rows.rows = static_cast<HeapTuple *>(repalloc_huge(rows.rows, sizeof(HeapTuple) * room));
		}
		rows.rows[rows.count++] = heap_copytuple(row);
	}
	end_own_scan(scan);
	return rows;
}

bool
has_rows(const OwnTable &table, const char *key)
{
	OwnScan scan = begin_own_scan(table, key);
	bool found = HeapTupleIsValid(systable_getnext(scan.scan));

	end_own_scan(scan);
	return found;
}

bool
has_rows_by_now(const OwnTable &table, const char *key)
{
	PushActiveSnapshot(GetLatestSnapshot());
	bool found = has_rows(table, key);
	PopActiveSnapshot();
	return found;
}

void
sort_rows(QueryRows *rows, std::span<const RowOrder> orders)
{
	Sorting sorting{orders, rows->columns, rows->places};

	qsort_arg(rows->rows, rows->count, sizeof(HeapTuple), compare_rows, &sorting);
}

} // namespace lead_scoring::pg
