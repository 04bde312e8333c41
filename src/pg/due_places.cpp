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
};

// By the hashes of keys; where one collides the next free one is taken
Place *places = nullptr;
uint32 place_mask = 0;

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

} // namespace

void
expect_places(size_t most)
{
	// At most half full
	uint32 count = pg_nextpower2_32(static_cast<uint32>(2 * most + 1));

	places = static_cast<Place *>(palloc0(sizeof(Place) * count));
	place_mask = count - 1;
	auto *callback = static_cast<MemoryContextCallback *>(palloc(sizeof(MemoryContextCallback)));
	callback->func = forget_places;
	callback->arg = places;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}

void
remember_place(Datum key, const ItemPointerData &place)
{
	const text *bytes = DatumGetTextPP(key);

	*place_of(bytes) = {bytes, place};
}

const ItemPointerData *
recall_place(Datum key)
{
	if (places == nullptr)
	{
		return nullptr;
	}
	const Place *place = place_of(DatumGetTextPP(key));
	return place->key == nullptr ? nullptr : &place->place;
}

} // namespace lead_scoring::pg
