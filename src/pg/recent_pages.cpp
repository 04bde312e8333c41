#include "pg/postgres_api.hpp"

#include "pg/recent_pages.hpp"

extern "C"
{
#include "access/heapam.h"
#include "catalog/pg_am_d.h"
#include "common/hashfn.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "storage/bufmgr.h"
}

namespace lead_scoring::pg
{

namespace
{

// A power of two; neighbours stay neighbours
constexpr uint32 remembered_pages = 32768;

Buffer found_at[remembered_pages];

// A page that is not looked up is not counted as used, and would make room for others too soon: every so often one is
constexpr uint32 lookups = 32;

Buffer *
remembered(Relation table, BlockNumber block)
{
	return &found_at[(murmurhash32(RelationGetRelid(table)) + block) % remembered_pages];
}

// Whether a place seems to have such a page, as far as can be told of one that nobody holds
bool
may_have(Buffer place, BlockNumber block)
{
	return place > 0 && GetBufferDescriptor(static_cast<uint32>(place) - 1)->tag.blockNum == block;
}

// Hold a page where it was found last; false if it is not there any more
bool
hold_page(Relation table, BlockNumber block, Buffer place)
{
#if PG_VERSION_NUM >= 160000
	bool held = may_have(place, block) && ReadRecentBuffer(table->rd_locator, MAIN_FORKNUM, block, place);
#else
	bool held = may_have(place, block) && ReadRecentBuffer(table->rd_node, MAIN_FORKNUM, block, place);
#endif

	if (held)
	{
		pgstat_count_buffer_read(table);
		pgstat_count_buffer_hit(table);
	}
	return held;
}

} // namespace

Buffer
recent_page(Relation table, BlockNumber block)
{
	Buffer *place = remembered(table, block);

	if (!may_have(*place, block))
	{
		Buffer found = PrefetchBuffer(table, MAIN_FORKNUM, block).recent_buffer;
		*place = found > 0 ? found : InvalidBuffer;
	}
	return *place;
}

void
bring_page(IndexFetchTableData *fetch, BlockNumber block)
{
	// Where the access method of ordinary tables has the page at hand, and looks before it looks the page up
	auto *scan = reinterpret_cast<IndexFetchHeapData *>(fetch);
	Buffer *place = remembered(fetch->rel, block);
	static uint32 calls;

	if (fetch->rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		(BufferIsValid(scan->xs_cbuf) && BufferGetBlockNumber(scan->xs_cbuf) == block))
	{
		return;
	}
	if (BufferIsValid(scan->xs_cbuf))
	{
		ReleaseBuffer(scan->xs_cbuf);
		scan->xs_cbuf = InvalidBuffer;
	}
	if (++calls % lookups != 0 && hold_page(fetch->rel, block, *place))
	{
		scan->xs_cbuf = *place;
	}
	else
	{
		scan->xs_cbuf = ReadBuffer(fetch->rel, block);
		*place = scan->xs_cbuf;
	}
	heap_page_prune_opt(fetch->rel, scan->xs_cbuf);
}

bool
next_row(IndexScanDesc scan, TupleTableSlot *slot)
{
	while (const ItemPointerData *place = index_getnext_tid(scan, ForwardScanDirection))
	{
		bring_page(scan->xs_heapfetch, ItemPointerGetBlockNumberNoCheck(place));
		if (index_fetch_heap(scan, slot))
		{
			return true;
		}
	}
	return false;
}

} // namespace lead_scoring::pg
