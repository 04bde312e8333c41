#include "pg/postgres_api.hpp"

#include "pg/record_locks.hpp"

#include "pg/key_set.hpp"
#include "pg/link_locks.hpp"
#include "pg/row_index.hpp"
#include "pg/session.hpp"

extern "C"
{
#include "utils/memutils.h"
}

namespace lead_scoring::pg
{

namespace
{

// Lock the records by a query, in the order of their keys; returns how many there are
uint64
lock_by_query(const KeptScore *kept, Datum keys)
{
	const LoadedStream *records = kept->score->records;
	core::KeyKind kind = kept->score->definition.key_kind;
	const char *key = quote_identifier(records->key_column);
	SPIExecuteOptions options = {};
	MemoryContext before = CurrentMemoryContext;

	options.params = makeParamList(1);
	options.params->params[0] = {keys, false, PARAM_FLAG_CONST, key_array_type(kind)};
	options.dest = None_Receiver;
	const char *sql = psprintf("SELECT FROM %s r WHERE r.%s OPERATOR(pg_catalog.=) ANY ($1) ORDER BY r.%s%s "
							   "%s",
							   relation_sql(records->relation), key, key,
							   kind == core::KeyKind::text ? " COLLATE pg_catalog.\"C\"" : "", kept->lockable ? " FOR NO KEY UPDATE OF r" : "");
	int result = SPI_execute_extended(sql, &options);
	if (result < 0)
	{
		elog(ERROR, "query failed: %s", sql);
	}
	MemoryContextSwitchTo(before);
	return SPI_processed;
}

// Lock the records in the order of their keys; returns how many there are, which were so many before. Says whether to do so once
// more, as a record was replaced while it was waited for
uint64
lock_rows(const KeptScore *kept, Records *records, uint64 before, bool *again)
{
	std::span<const core::Key> keys{records->keys, static_cast<size_t>(records->count)};
	auto *places = static_cast<ItemPointerData *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(ItemPointerData) * keys.size()));
	uint64 locked;
	Session session = begin_as_owner(kept->score->records->owner);

	records->places = nullptr;
	if (kept->record.index != nullptr && lock_places(kept->record.index, keys, places, &locked, again))
	{
		records->places = places;
	}
	else
	{
		locked = lock_by_query(kept, records->array);
		*again = locked < keys.size() && locked != before;
	}
	end_session(session);
	return locked;
}

uint64
lock_all_rows(const KeptScore *kept, Records *records)
{
	uint64 locked = PG_UINT64_MAX;

	for (bool again = true; again;)
	{
		locked = lock_rows(kept, records, locked, &again);
	}
	return locked;
}

// Lock the keys that have no row, or all where it is not known which
void
lock_missing_keys(const KeptScore *kept, const Records &records)
{
	const char *type = kept->score->records->name;
	core::KeyKind kind = kept->score->definition.key_kind;

	if (records.places == nullptr)
	{
		lock_record_keys(LinkSide::names, type, kind, records.keys, records.count);
		return;
	}
	auto *missing = static_cast<core::Key *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(core::Key) * static_cast<Size>(records.count)));
	int missing_count = 0;
	for (int at = 0; at < records.count; at++)
	{
		if (!ItemPointerIsValid(&records.places[at]))
		{
			missing[missing_count++] = records.keys[at];
		}
	}
	lock_record_keys(LinkSide::names, type, kind, missing, missing_count);
	pfree(missing);
}

uint64
lock_rows_and_keys(const KeptScore *kept, Records *records, bool awaits_records)
{
	if (!kept->lockable)
	{
		lock_rowless_keys(kept->score->records->name, kept->score->definition.key_kind, records->keys, records->count);
	}
	uint64 locked = lock_all_rows(kept, records);

	if (awaits_records && kept->lockable && locked < static_cast<uint64>(records->count))
	{
		lock_missing_keys(kept, *records);
		locked = lock_all_rows(kept, records);
	}
	return locked;
}

} // namespace

uint64
lock_all_records(KeptScore *kept, Records *records, bool awaits_records)
{
	volatile uint64 locked = 0;

	// A function of a view, say, may have it forgotten
	kept->users++;
	PG_TRY();
	{
		locked = lock_rows_and_keys(kept, records, awaits_records);
	}
	PG_FINALLY();
	{
		kept->users--;
	}
	PG_END_TRY();
	return locked;
}

} // namespace lead_scoring::pg
