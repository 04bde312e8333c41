// Bands for the best records.
//
// Every score goes into a tuplestore, and into a sort by ladder, value and key for each part that has a ladder with
// relative bands; both go to disk when they outgrow work_mem. Reading the sort up to the last record of each band gives
// its cut, against which all are then labelled.
#include "pg/postgres_api.hpp"

#include "pg/ranking.hpp"

#include "pg/cells.hpp"
#include "pg/guard.hpp"
#include "pg/stream.hpp"

#include <algorithm>
#include <cmath>

extern "C"
{
#include "utils/tuplesort.h"
#include "utils/typcache.h"
}

namespace lead_scoring::pg
{

struct Ranking
{
	Evaluation *evaluation;
	const core::Key *wanted;   // in order, or null for all
	size_t wanted_count;
	Tuplestorestate *scores;   // key, result
	TupleDesc score_row;
	Tuplesortstate *ranks;     // ladder, value, key
	TupleDesc rank_row;
	TupleTableSlot *rank_slot;
	Oid key_type;
	int64 *counts;             // by ladder: how many are ranked
	int ladders;
	MemoryContext row_context;
};

namespace
{

constexpr int most_ladders = 3 * core::no_label;

// Number a ladder of a part among all
int
ladder_number(core::Part part, uint16 ladder)
{
	return static_cast<int>(ladder) * 3 + static_cast<int>(part);
}

Oid
type_of(core::KeyKind kind)
{
	return kind == core::KeyKind::integer ? INT8OID : kind == core::KeyKind::uuid ? UUIDOID : TEXTOID;
}

Oid
less_operator(Oid type)
{
	return lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr;
}

Oid
greater_operator(Oid type)
{
	return lookup_type_cache(type, TYPECACHE_GT_OPR)->gt_opr;
}

TupleDesc
make_row(Oid first, Oid second, Oid third)
{
	TupleDesc row = CreateTemplateTupleDesc(OidIsValid(third) ? 3 : 2);

	TupleDescInitEntry(row, 1, "first", first, -1, 0);
	TupleDescInitEntry(row, 2, "second", second, -1, 0);
	if (OidIsValid(third))
	{
		TupleDescInitEntry(row, 3, "third", third, -1, 0);
	}
	return row;
}

Tuplesortstate *
begin_sort(TupleDesc row, core::KeyKind kind)
{
	AttrNumber columns[] = {1, 2, 3};
	Oid operators[] = {less_operator(INT4OID), greater_operator(FLOAT8OID), less_operator(type_of(kind))};
	Oid collations[] = {InvalidOid, InvalidOid, kind == core::KeyKind::text ? C_COLLATION_OID : InvalidOid};
	bool nulls_first[] = {false, false, false};

	return tuplesort_begin_heap(row, 3, columns, operators, collations, nulls_first, work_mem, nullptr, 0);
}

void
rank(Ranking *ranking, core::Part part, uint16 ladder, double value, Datum key)
{
	Datum values[] = {Int32GetDatum(ladder_number(part, ladder)), Float8GetDatum(value), key};
	bool nulls[] = {false, false, false};
	TupleTableSlot *slot = ranking->rank_slot;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, sizeof values);
	memcpy(slot->tts_isnull, nulls, sizeof nulls);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(ranking->ranks, slot);
	ranking->counts[ladder_number(part, ladder)]++;
}

// Return how many of the ranked records a band takes
int64
size_of(const core::RelativeBand &band, int64 ranked)
{
	if (band.capacity != 0)
	{
		return Min(static_cast<int64>(band.capacity), ranked);
	}
	// A share such as 0.07 of 100 is 7, though no double is exactly 0.07
	return static_cast<int64>(std::ceil(band.top_share * static_cast<double>(ranked) - 1e-9));
}

// Read the sorted ranks and set the cut of each relative band
void
set_cuts(Ranking *ranking)
{
	std::vector<core::RelativeBand> &bands = ranking->evaluation->scorer->bands().relative();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(ranking->rank_row, &TTSOpsMinimalTuple);
	int ladder = -1;
	int64 place = 0;

	tuplesort_performsort(ranking->ranks);
	while (tuplesort_gettupleslot(ranking->ranks, true, false, slot, nullptr))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		place = DatumGetInt32(slot->tts_values[0]) == ladder ? place + 1 : 1;
		ladder = DatumGetInt32(slot->tts_values[0]);
		for (size_t at = 0; at < bands.size(); at++)
		{
			core::RelativeBand *band = &bands[at];
			if (ladder_number(band->part, band->ladder) == ladder && size_of(*band, ranking->counts[ladder]) == place)
			{
				band->cut = {true, DatumGetFloat8(slot->tts_values[1]),
							 read_key(ranking->key_type, slot->tts_values[2], CurrentMemoryContext)};
			}
		}
	}
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(ranking->rank_slot);
	tuplesort_end(ranking->ranks);
}

// Read the keys that are wanted, and put them in order
void
read_wanted(Ranking *ranking, core::KeyKind kind)
{
	ArrayType *array = DatumGetArrayTypeP(*ranking->evaluation->keys);
	int16 length;
	bool by_value;
	char alignment;
	Datum *datums;
	bool *nulls;
	int count;

	get_typlenbyvalalign(ranking->key_type, &length, &by_value, &alignment);
	deconstruct_array(array, ranking->key_type, length, by_value, alignment, &datums, &nulls, &count);
	auto *keys = static_cast<core::Key *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(core::Key) * static_cast<Size>(Max(count, 1))));
	for (int at = 0; at < count; at++)
	{
		// make_key_array has left out the NULLs
		keys[at] = read_key(ranking->key_type, datums[at], CurrentMemoryContext);
	}
	std::sort(keys, keys + count, [kind](const core::Key &left, const core::Key &right) { return core::key_before(kind, left, right); });
	ranking->wanted = keys;
	ranking->wanted_count = static_cast<size_t>(count);
}

bool
is_wanted(const Ranking *ranking, core::KeyKind kind, const core::Key &key)
{
	return ranking->wanted == nullptr ||
		   std::binary_search(ranking->wanted, ranking->wanted + ranking->wanted_count, key,
							  [kind](const core::Key &left, const core::Key &right) { return core::key_before(kind, left, right); });
}

// The batch that goes on to the sink
struct Outgoing
{
	core::Batch batch;
	core::Key keys[core::batch_rows];
	core::ScoreResult results[core::batch_rows];
};

void
send(Ranking *ranking, Outgoing *outgoing, ResultSink sink, void *argument)
{
	if (outgoing->batch.rows != 0)
	{
		sink(argument, outgoing->batch, outgoing->results);
	}
	outgoing->batch.rows = 0;
	MemoryContextReset(ranking->row_context);
}

} // namespace

Ranking *
begin_ranking(Evaluation *evaluation)
{
	auto *ranking = static_cast<Ranking *>(palloc0(sizeof(Ranking)));
	core::KeyKind kind = evaluation->score->definition.key_kind;

	ranking->evaluation = evaluation;
	ranking->key_type = type_of(kind);
	if (evaluation->keys != nullptr)
	{
		read_wanted(ranking, kind);
	}
	ranking->scores = tuplestore_begin_heap(false, false, work_mem);
	ranking->score_row = make_row(ranking->key_type, BYTEAOID, InvalidOid);
	ranking->rank_row = make_row(INT4OID, FLOAT8OID, ranking->key_type);
	ranking->rank_slot = MakeSingleTupleTableSlot(ranking->rank_row, &TTSOpsVirtual);
	ranking->ranks = begin_sort(ranking->rank_row, kind);
	for (const core::RelativeBand &band : evaluation->scorer->bands().relative())
	{
		ranking->ladders = Max(ranking->ladders, ladder_number(band.part, band.ladder) + 1);
	}
	Assert(ranking->ladders <= most_ladders);
	ranking->counts = static_cast<int64 *>(palloc0(sizeof(int64) * static_cast<Size>(ranking->ladders)));
	ranking->row_context = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring ranks", ALLOCSET_DEFAULT_SIZES);
	return ranking;
}

void
add_to_ranking(void *argument, const core::Batch &records, const core::ScoreResult *results)
{
	auto *ranking = static_cast<Ranking *>(argument);
	MemoryContext before = MemoryContextSwitchTo(ranking->row_context);

	for (size_t row = 0; row < records.rows; row++)
	{
		const core::ScoreResult &result = results[row];
		auto *bytes = static_cast<bytea *>(palloc(VARHDRSZ + sizeof(core::ScoreResult)));
		SET_VARSIZE(bytes, VARHDRSZ + sizeof(core::ScoreResult));
		memcpy(VARDATA(bytes), &result, sizeof result);
		Datum values[] = {make_key_datum(ranking->key_type, records.keys[row]), PointerGetDatum(bytes)};
		bool nulls[] = {false, false};
		tuplestore_putvalues(ranking->scores, ranking->score_row, values, nulls);
		const double parts[] = {result.fit, result.engagement, result.total};
		for (int part = 0; part < 3 && result.in_scope && result.is_open; part++)
		{
			uint16 ladder = result.ladders.ladder[part];
			if (ladder != core::no_label && ladder_number(static_cast<core::Part>(part), ladder) < ranking->ladders)
			{
				rank(ranking, static_cast<core::Part>(part), ladder, parts[part], values[0]);
			}
		}
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(ranking->row_context);
}

void
end_ranking(Ranking *ranking, ResultSink sink, void *argument)
{
	auto *outgoing = static_cast<Outgoing *>(palloc0(sizeof(Outgoing)));
	const core::BandTable *bands = &ranking->evaluation->scorer->program().bands;
	constexpr uint64 most_passed = 4096;
	core::KeyKind kind = ranking->evaluation->score->definition.key_kind;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(ranking->score_row, &TTSOpsMinimalTuple);
	uint64 passed = 0;

	set_cuts(ranking);
	outgoing->batch.keys = outgoing->keys;
	while (tuplestore_gettupleslot(ranking->scores, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		core::Key key = read_key(ranking->key_type, slot->tts_values[0], ranking->row_context);
		if (!is_wanted(ranking, kind, key))
		{
			// The keys of those that are passed over must not pile up
			if (++passed % most_passed == 0)
			{
				send(ranking, outgoing, sink, argument);
			}
			continue;
		}
		size_t row = outgoing->batch.rows++;
		core::ScoreResult *result = &outgoing->results[row];
		outgoing->keys[row] = key;
		memcpy(result, VARDATA_ANY(DatumGetPointer(slot->tts_values[1])), sizeof *result);
		// Customers have their label already, and take no part
		if (result->in_scope && !bands->is_closed(result->labels))
		{
			const double values[] = {result->fit, result->engagement, result->total};
			result->labels = bands->labels(values, result->ladders, outgoing->keys[row], result->is_open);
		}
		if (outgoing->batch.rows == core::batch_rows)
		{
			send(ranking, outgoing, sink, argument);
		}
	}
	send(ranking, outgoing, sink, argument);
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(ranking->scores);
	MemoryContextDelete(ranking->row_context);
}

} // namespace lead_scoring::pg
