#include "pg/postgres_api.hpp"

#include "pg/row_slot.hpp"

extern "C"
{
#include "executor/executor.h"
}

namespace lead_scoring::pg
{

TupleTableSlot *
make_row_slot(TupleDesc descriptor)
{
	int count = 0;
	for (int at = 0; at < descriptor->natts; at++)
	{
		count += !TupleDescAttr(descriptor, at)->attisdropped;
	}
	TupleDesc live = CreateTemplateTupleDesc(count);
	AttrNumber next = 0;
	for (int at = 0; at < descriptor->natts; at++)
	{
		if (!TupleDescAttr(descriptor, at)->attisdropped)
		{
			TupleDescCopyEntry(live, ++next, descriptor, static_cast<AttrNumber>(at + 1));
		}
	}
	return MakeSingleTupleTableSlot(live, &TTSOpsVirtual);
}

void
put_row(TupleTableSlot *slot, HeapTuple row, TupleDesc descriptor)
{
	auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(Max(descriptor->natts, 1))));
	auto *nulls = static_cast<bool *>(palloc(sizeof(bool) * static_cast<Size>(Max(descriptor->natts, 1))));
	AttrNumber next = 0;

	heap_deform_tuple(row, descriptor, values, nulls);
	ExecClearTuple(slot);
	for (int at = 0; at < descriptor->natts; at++)
	{
		if (!TupleDescAttr(descriptor, at)->attisdropped)
		{
			slot->tts_values[next] = values[at];
			slot->tts_isnull[next++] = nulls[at];
		}
	}
	ExecStoreVirtualTuple(slot);
	pfree(values);
	pfree(nulls);
}

} // namespace lead_scoring::pg
