#include "pg/postgres_api.hpp"

#include "pg/selection.hpp"

#include "core/key_selection.hpp"
#include "pg/cells.hpp"
#include "pg/guard.hpp"
#include "pg/loaded_stream.hpp"
#include "pg/owned.hpp"
#include "pg/row_index.hpp"
#include "pg/settings.hpp"

extern "C"
{
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/memutils.h"
}

namespace lead_scoring::pg
{

namespace
{

// So many keys are worth it
constexpr int fewest_keys = 1024;

// A row that an index finds takes so many times as long as one that is read through: in the order of the table, or in that of
// the keys
constexpr double bitmap_factor = 3;
constexpr double index_factor = 8;

// What a bitmap needs for a page of the table
constexpr size_t bitmap_page_bytes = 64;

int
count_keys(Datum keys)
{
	ArrayType *array = DatumGetArrayTypeP(keys);

	return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

core::KeySelection *
make_selection(MemoryContext context, core::KeyKind kind, Datum array)
{
	Oid type = get_element_type(key_array_type(kind));
	Datum *datums;
	bool *nulls;
	int count;
	int16 length;
	bool by_value;
	char alignment;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "lead_scoring selection", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);

	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	deconstruct_array(DatumGetArrayTypeP(array), type, length, by_value, alignment, &datums, &nulls, &count);
	auto *keys = static_cast<core::Key *>(MemoryContextAllocHuge(scratch, sizeof(core::Key) * static_cast<Size>(Max(count, 1))));
	for (int at = 0; at < count; at++)
	{
		keys[at] = read_key(type, datums[at], scratch);
	}
	core::KeySelection *selection = make_owned<core::KeySelection>(context, kind, std::span<const core::Key>(keys, static_cast<size_t>(count)), stop_wanted);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
	return selection;
}

// Whether rows of a source come from a table, and whose they are is seen from them alone
bool
can_be_read_through(const LoadedStream *source)
{
	char kind = get_rel_relkind(source->relation);

	return (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE) && is_from_rows(source);
}

// Whether an index leads to the rows of a key, and a bitmap of all the table fits into memory: where it does not, each row of a
// page would be compared with all keys
bool
can_be_read_by_bitmap(const LoadedStream *source)
{
	return is_from_rows(source) && find_row_index(source, false) != nullptr &&
		   count_pages(source->relation) * bitmap_page_bytes <= work_memory_bytes();
}

} // namespace

void
choose_access(Evaluation *evaluation, const LoadedStream *source, Stream *stream)
{
	int count = evaluation->keys == nullptr ? 0 : count_keys(*evaluation->keys);
	double records = expected_rows(evaluation->score->records->relation);

	if (count < fewest_keys || records <= 0)
	{
		return;
	}
	bool has_bitmap = can_be_read_by_bitmap(source);
	if (count * (has_bitmap ? bitmap_factor : index_factor) < records || !can_be_read_through(source))
	{
		stream->by_bitmap = has_bitmap;
		return;
	}
	if (evaluation->selection == nullptr)
	{
		evaluation->selection = make_selection(GetMemoryChunkContext(evaluation), evaluation->score->definition.key_kind, *evaluation->keys);
	}
	stream->selection = evaluation->selection;
}

} // namespace lead_scoring::pg
