#include "pg/postgres_api.hpp"

#include "pg/due_places.hpp"

extern "C"
{
#include "common/hashfn.h"
#include "port/pg_bitutils.h"
}

namespace lead_scoring::pg
{

namespace
{

struct Place
{
	const text *key; // null: none
	ItemPointerData place;
	bool met;
};

// By the hashes of keys; where one collides the next free one is taken
Place *places = nullptr;
uint32 place_mask = 0;
Oid place_file = InvalidOid; // that the table was in
const text *place_score = nullptr;
size_t unmet = 0;

void
forget_places(void *forgotten)
{
	if (places == forgotten)
	{
		places = nullptr;
	}
}

bool
are_same(const text *left, const text *right)
{
	return VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
		   memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) == 0;
}

// The place of a key, or the free one where it would be
Place *
place_of(const text *key)
{
	uint32 at = hash_bytes(reinterpret_cast<const unsigned char *>(VARDATA_ANY(key)), static_cast<int>(VARSIZE_ANY_EXHDR(key)));

	while (places[at & place_mask].key != nullptr && !are_same(places[at & place_mask].key, key))
	{
		at++;
	}
	return &places[at & place_mask];
}

// What is remembered of the row of a record, or null
Place *
find_place(Datum score, Datum key)
{
	if (places == nullptr || !are_same(place_score, DatumGetTextPP(score)))
	{
		return nullptr;
	}
	Place *place = place_of(DatumGetTextPP(key));
	return place->key == nullptr ? nullptr : place;
}

} // namespace

void
expect_places(Relation table, Datum score, size_t most)
{
	// At most half full
	uint32 count = pg_nextpower2_32(static_cast<uint32>(2 * most + 1));
	auto *callback = static_cast<MemoryContextCallback *>(palloc(sizeof(MemoryContextCallback)));
	const text *name = DatumGetTextPCopy(score);
	auto *free_places = static_cast<Place *>(palloc0(sizeof(Place) * count));

	callback->func = forget_places;
	callback->arg = free_places;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	places = free_places;
	place_mask = count - 1;
	place_file = table->rd_rel->relfilenode;
	place_score = name;
	unmet = 0;
}

void
remember_place(Datum key, const ItemPointerData &place)
{
	const text *bytes = DatumGetTextPP(key);

	*place_of(bytes) = {bytes, place, false};
	unmet++;
}

const ItemPointerData *
recall_place(Relation table, Datum score, Datum key)
{
	const Place *place = find_place(score, key);

	return place == nullptr || place_file != table->rd_rel->relfilenode ? nullptr : &place->place;
}

void
meet_place(Datum score, Datum key)
{
	Place *place = find_place(score, key);

	if (place != nullptr && !place->met)
	{
		place->met = true;
		unmet--;
	}
}

bool
all_places_met()
{
	return places != nullptr && unmet == 0;
}

} // namespace lead_scoring::pg
