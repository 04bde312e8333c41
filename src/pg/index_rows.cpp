#include "pg/postgres_api.hpp"

#include "pg/index_rows.hpp"

extern "C"
{
#include "access/itup.h"
#include "access/visibilitymap.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/rel.h"
}

namespace lead_scoring::pg
{

namespace
{

// Whether a column of an index is a column of its table, of the same type: an operator class may keep another one
bool
is_column(Relation table, Relation index, int at)
{
	AttrNumber attribute = index->rd_index->indkey.values[at];

	return attribute > 0 && TupleDescAttr(RelationGetDescr(index), at)->atttypid ==
								TupleDescAttr(RelationGetDescr(table), attribute - 1)->atttypid;
}

// Whether all the table's rows may be those of this transaction, although everybody sees them (COPY ... FREEZE)
bool
is_new(Relation table)
{
#if PG_VERSION_NUM >= 160000
	SubTransactionId emptied = table->rd_firstRelfilelocatorSubid;
#else
	SubTransactionId emptied = table->rd_firstRelfilenodeSubid;
#endif

	return table->rd_createSubid != InvalidSubTransactionId || emptied != InvalidSubTransactionId;
}

// Have no column of a row yet
void
forget_columns(TupleTableSlot *slot)
{
	for (int at = 0; at < slot->tts_tupleDescriptor->natts; at++)
	{
		slot->tts_isnull[at] = true;
	}
}

void
find_columns(IndexRows *rows, Relation index)
{
	rows->column_count = index->rd_index->indnatts;
	for (int at = 0; at < rows->column_count; at++)
	{
		rows->columns[at] = is_column(rows->table, index, at) ? index->rd_index->indkey.values[at] - 1 : -1;
	}
}

} // namespace

bool
holds_columns(Relation table, Relation index, const Bitmapset *attributes)
{
	Bitmapset *held = nullptr;

	for (int at = 0; at < index->rd_index->indnatts; at++)
	{
		if (is_column(table, index, at))
		{
			held = bms_add_member(held, index->rd_index->indkey.values[at]);
		}
	}
	return bms_is_subset(attributes, held);
}

void
begin_index_rows(IndexRows *rows, Relation table, Relation index, bool holds_all)
{
	rows->table = table;
	rows->slot = nullptr;
	rows->map = InvalidBuffer;
	if (holds_all && !is_new(table))
	{
		rows->slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
		forget_columns(rows->slot);
		find_columns(rows, index);
	}
}

TupleTableSlot *
index_row(IndexRows *rows, IndexScanDesc scan)
{
	BlockNumber block = ItemPointerGetBlockNumber(&scan->xs_heaptid);

	if (!VM_ALL_VISIBLE(rows->table, block, &rows->map))
	{
		return nullptr;
	}
	// Serializable transactions lock what they read; here the page stands for its rows, as in the executor
	PredicateLockPage(rows->table, block, scan->xs_snapshot);
	ExecClearTuple(rows->slot);
	for (int at = 0; at < rows->column_count; at++)
	{
		if (int column = rows->columns[at]; column >= 0)
		{
			rows->slot->tts_values[column] =
				index_getattr(scan->xs_itup, at + 1, scan->xs_itupdesc, &rows->slot->tts_isnull[column]);
		}
	}
	return ExecStoreVirtualTuple(rows->slot);
}

void
end_index_rows(IndexRows *rows)
{
	if (BufferIsValid(rows->map))
	{
		ReleaseBuffer(rows->map);
	}
	if (rows->slot != nullptr)
	{
		ExecDropSingleTupleTableSlot(rows->slot);
	}
}

} // namespace lead_scoring::pg
