// Work that waits.
//
// Writers only append, so that they never wait for each other. A row is inserted directly, without a query.
#include "pg/postgres_api.hpp"

#include "pg/queue.hpp"

#include "pg/own_tables.hpp"

extern "C"
{
#include "access/table.h"
#include "catalog/indexing.h"
#include "commands/sequence.h"
}

namespace lead_scoring::pg
{

void
enqueue(const char *score, const Datum *text_keys, size_t count)
{
	constexpr int columns = 4;
	Relation queue = table_open(own_relation("queue"), RowExclusiveLock);
	Oid sequence = own_relation("queue_queue_id_seq");
	CatalogIndexState indexes = CatalogOpenIndexes(queue);
	Datum name = CStringGetTextDatum(score);
	bool everybody = count == 0;

	for (size_t at = 0; at < (everybody ? 1 : count); at++)
	{
		Datum values[columns] = {name, Int64GetDatum(nextval_internal(sequence, false)), everybody ? 0 : text_keys[at],
								 TimestampTzGetDatum(GetCurrentTimestamp())};
		bool nulls[columns] = {false, false, everybody, false};
		HeapTuple tuple = heap_form_tuple(RelationGetDescr(queue), values, nulls);
		CatalogTupleInsertWithInfo(queue, tuple, indexes);
		heap_freetuple(tuple);
	}
	CatalogCloseIndexes(indexes);
	// The lock stays until the end of the transaction, as that of any writer
	table_close(queue, NoLock);
	CommandCounterIncrement();
}

} // namespace lead_scoring::pg
