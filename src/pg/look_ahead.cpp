#include "pg/postgres_api.hpp"

#include "pg/look_ahead.hpp"

#include "pg/recent_pages.hpp"

extern "C"
{
#include "access/tableam.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
}

namespace lead_scoring::pg
{

namespace
{

// So few rows are quicker to fetch than to approach
constexpr int few_rows = 2;

// Rows often reach into the next one
constexpr uint32 cache_line = 64;

// What is read there is not relied on: nobody holds the page, which may be written, or become another one, at this moment
uint32
look_at(const char *page, uint32 offset)
{
	constexpr uint32 last = BLCKSZ - sizeof(uint32);

	return __atomic_load_n(reinterpret_cast<const volatile uint32 *>(page + Min(offset, last) / sizeof(uint32) * sizeof(uint32)),
						   __ATOMIC_RELAXED);
}

// Where on its page the pointer to a row is
uint32
pointer_offset(const ItemPointerData &place)
{
	return SizeOfPageHeaderData + sizeof(ItemIdData) * (ItemPointerGetOffsetNumberNoCheck(&place) - 1U);
}

// Where on its page a row is, if its pointer says so
uint32
row_offset(uint32 pointer)
{
	ItemIdData item;

	memcpy(&item, &pointer, sizeof(item));
	return ItemIdGetOffset(&item);
}

} // namespace

void
begin_look_ahead(LookAhead *ahead, Relation table)
{
	ahead->table = table;
	ahead->fetch = table_index_fetch_begin(table);
	ahead->count = 0;
	ahead->next = 0;
}

void
add_place(LookAhead *ahead, const ItemPointerData &place)
{
	Assert(ahead->count < most_ahead);
	ahead->places[ahead->count++] = place;
}

void
approach_rows(LookAhead *ahead)
{
	const char *pages[most_ahead];
	uint32 pointers[most_ahead];
	int pages_there = 0;

	for (int at = 0; at < ahead->count && ahead->count > few_rows; at++)
	{
		Buffer found = recent_page(ahead->table, ItemPointerGetBlockNumberNoCheck(&ahead->places[at]));
		if (BufferIsValid(found))
		{
			pages[pages_there] = static_cast<const char *>(BufferGetPage(found));
			pointers[pages_there++] = pointer_offset(ahead->places[at]);
		}
	}
	// None of these waits for another one
	for (int at = 0; at < pages_there; at++)
	{
		pointers[at] = look_at(pages[at], pointers[at]);
	}
	for (int at = 0; at < pages_there; at++)
	{
		look_at(pages[at], 0);
		look_at(pages[at], row_offset(pointers[at]));
		look_at(pages[at], row_offset(pointers[at]) + cache_line);
	}
}

Fetched
fetch_next(LookAhead *ahead, Snapshot snapshot, TupleTableSlot *slot)
{
	bool again = false;
	bool dead = false;

	if (ahead->next == ahead->count)
	{
		ahead->count = 0;
		ahead->next = 0;
		return Fetched::none;
	}
	ItemPointer place = &ahead->places[ahead->next++];
	bring_page(ahead->fetch, ItemPointerGetBlockNumberNoCheck(place));
	bool seen = table_index_fetch_tuple(ahead->fetch, place, snapshot, slot, &again, &dead);
	return seen ? Fetched::seen : dead ? Fetched::dead : Fetched::unseen;
}

void
end_look_ahead(LookAhead *ahead)
{
	table_index_fetch_end(ahead->fetch);
}

} // namespace lead_scoring::pg
